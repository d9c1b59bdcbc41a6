//! What a comparison of two commits has to say: what should not be so, what could not be seen, and
//! what was seen to hold.

use super::{Place, RepoPath, Route};

/// Something that should not be so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file; `None` for the change as a whole.
    pub path: Option<RepoPath>,
    /// The line in the newer commit, from 1; in the older one where the place is gone.
    pub line: Option<usize>,
    /// The way to the value; empty for a file and in flat text.
    pub route: Route,
    /// The stable word.
    pub reason: &'static str,
    /// One sentence for a person; quotes nothing that is or was sealed.
    pub message: String,
}

impl Finding {
    /// A finding at one value.
    #[must_use]
    pub fn at(place: &Place, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            path: Some(place.path.clone()),
            line: Some(place.line),
            route: place.route.clone(),
            reason,
            message: message.into(),
        }
    }

    /// A finding about a whole file.
    #[must_use]
    pub fn of_file(path: &RepoPath, reason: &'static str, message: impl Into<String>) -> Self {
        Self { path: Some(path.clone()), ..Self::of_all(reason, message) }
    }

    /// A finding about the change as a whole.
    #[must_use]
    pub fn of_all(reason: &'static str, message: impl Into<String>) -> Self {
        Self { path: None, line: None, route: Route::default(), reason, message: message.into() }
    }
}

/// Something that had to be looked at and could not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unseen {
    /// The stable word.
    pub what: &'static str,
    /// The file, where it is about one.
    pub path: Option<RepoPath>,
    /// One sentence for a person.
    pub message: String,
}

/// Something that was looked at and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The stable word.
    pub fact: &'static str,
    /// One sentence for a person.
    pub message: String,
}
