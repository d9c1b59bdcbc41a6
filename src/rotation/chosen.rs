//! The answer of a person where structure does not tell which secret belongs to an ID.

use crate::error::{Error, Result};
use crate::model::Place;

/// A person's answer to an ambiguity (`--pair ID_ROUTE=SECRET_ROUTE`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The ID's route: `name/name`, or `path#name/name`.
    pub id: String,
    /// The secret's route, in the same spelling.
    pub secret: String,
}

impl Chosen {
    /// Reads `ID_ROUTE=SECRET_ROUTE`.
    ///
    /// # Errors
    /// `bad-pair` without exactly one `=`.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((id, secret)) if !id.is_empty() && !secret.is_empty() && !secret.contains('=') => {
                Ok(Self { id: id.to_owned(), secret: secret.to_owned() })
            }
            _ => Err(Error::new(
                crate::error::Kind::Usage,
                "bad-pair",
                format!("`{}` does not say ID_ROUTE=SECRET_ROUTE", crate::model::visible(text)),
            )
            .hint("write routes as `find` prints them, such as app/key=app/secret, or path#route=path#route")),
        }
    }

    /// Whether a route, as a person wrote it, names this place.
    pub(super) fn names(route: &str, place: &Place) -> bool {
        match route.split_once('#') {
            Some((path, route)) => path == place.path.to_text() && route == place.route.to_string(),
            None => route == place.route.to_string(),
        }
    }
}
