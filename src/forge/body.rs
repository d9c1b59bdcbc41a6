//! The text of a pull request, pure.

/// What the text tells.
#[derive(Debug, Clone, Default)]
pub struct Summary;

/// The title.
#[must_use]
pub fn title(_summary: &Summary) -> String {
    String::new()
}

/// The body.
#[must_use]
pub fn body(_summary: &Summary) -> String {
    String::new()
}
