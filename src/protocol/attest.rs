//! A person vouches that one consumer runs with the new access key: last-used dates show that
//! somebody uses it, never who.

use serde_json::json;

use super::facts::consumers_of;
use super::noted::{event, write};
use super::run::digest;
use super::seams::{Seams, Wanted};
use super::tracked::Tracked;
use crate::error::{Error, Kind, Result};
use crate::model::{Consumer, Timestamp, visible};
use crate::repo::Happening;

/// What was vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// The consumer.
    pub place: String,
    /// Who vouches, as recorded: the first who did.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// The consumers for which nobody vouched yet.
    pub remaining: Vec<String>,
}

/// The consumers of a rotation's access key: the planned files and the declared ones.
///
/// # Errors
/// `no-ledger`; `unknown-consumer` naming the known ones.
pub fn consumer(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
    place: &str,
) -> Result<Vec<Consumer>> {
    keeps_ledger(seams)?;
    let consumers = consumers_of(seams, wanted, tracked)?;
    if consumers.iter().any(|one| one.name == place) {
        return Ok(consumers);
    }
    let known: Vec<String> =
        consumers.iter().map(|one| format!("`{}`", visible(&one.name))).collect();
    let error = Error::new(
        Kind::NotFound,
        "unknown-consumer",
        format!("`{}` is no consumer of {}", visible(place), tracked.old),
    );
    Err(if known.is_empty() {
        error.hint("nothing records where the new pair belongs: declare it in keyroll.yaml, `users.NAME.consumers`")
    } else {
        error.hint(format!("known are {}", known.join(", ")))
    })
}

/// Refuses where nothing can be recorded.
///
/// # Errors
/// `no-ledger`.
pub(super) fn keeps_ledger(seams: &Seams<'_>) -> Result<()> {
    if seams.keeps_ledger {
        return Ok(());
    }
    Err(Error::refused("no-ledger", "keyroll.yaml says `ledger: none`: nothing can be recorded")
        .hint("vouch when you ask: keyroll verify ID --deployed-at TIME"))
}

/// Records it. Vouching twice changes nothing: the first time counts.
///
/// # Errors
/// As `Ledger::append`.
pub fn attest(
    seams: &Seams<'_>,
    tracked: &Tracked,
    consumers: &[Consumer],
    place: &str,
    by: &str,
) -> Result<Attested> {
    let (by, at) = match tracked.attested(place) {
        Some(known) => known,
        None => {
            let at = (seams.clock)();
            let name = format!("attested-{}", digest(place.as_bytes()));
            let evidence = json!({ "place": place });
            let mut line = event(tracked, &name, Happening::Attested, at, evidence);
            line.actor = Some(by.to_owned());
            write(seams, tracked, line)?;
            (by.to_owned(), at)
        }
    };
    let open = consumers.iter().filter(|one| !one.attested && one.name != place);
    let remaining = open.map(|one| one.name.clone()).collect();
    Ok(Attested { place: place.to_owned(), by, at, remaining })
}
