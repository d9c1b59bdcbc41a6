//! Where pull requests live: the contract of a forge. Calls block; the runtime stays inside.
mod body;
mod github;
mod local;
mod markdown;
mod registry;
mod remote;
mod revert;

pub use body::{
    ChangedPlace, Consumer, EnvironmentChanges, IndirectUse, LeftOut, SetAside, Summary, body,
    title,
};
pub use registry::{Choice, Name, connect};
pub use revert::{Revert, revert_body, revert_title};

use crate::error::Result;
use crate::model::Timestamp;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The branch that holds the commit, without `refs/heads/`.
    pub head: String,
    /// The branch it shall go to.
    pub base: String,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// Whether it opens as a draft.
    pub draft: bool,
    /// Labels to put on.
    pub labels: Vec<String>,
    /// People to ask.
    pub reviewers: Vec<String>,
    /// Teams to ask.
    pub team_reviewers: Vec<String>,
}

/// Where a pull request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Waiting for people.
    Open,
    /// Merged, at the forge's own time.
    Merged(Timestamp),
    /// Closed by somebody, unmerged.
    Closed,
}

/// A pull request as the forge shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// The page for people; `None` for the `local` forge.
    pub url: Option<String>,
    /// The file with the request's text, for the `local` forge.
    pub file: Option<std::path::PathBuf>,
    /// The number; 0 for the `local` forge.
    pub number: u64,
    /// Where it stands.
    pub state: State,
}

/// What can be known of our rights before anything is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// The forge says that we may push and open pull requests.
    Granted,
    /// The forge does not say.
    Unknown,
}

/// A forge.
pub trait Forge: Send + Sync {
    /// `github` or `local`.
    fn name(&self) -> &'static str;

    /// What can be read of our permissions; never writes.
    ///
    /// # Errors
    /// No token, a bad one, no such repository, or a right that is known to be missing: the
    /// message names the permission.
    fn preflight(&self) -> Result<Permission>;

    /// The open pull request of a head branch, else its newest in any state (list API, never
    /// search).
    ///
    /// # Errors
    /// When the forge cannot be asked: "cannot tell" is never "none".
    fn find(&self, head: &str, base: &str) -> Result<Option<PullRequest>>;

    /// Opens a pull request, or adopts the one that is open for the same head. The second value
    /// tells what was left undone (labels, reviewers, draft).
    ///
    /// # Errors
    /// When no pull request exists afterwards.
    fn open(&self, request: &Request) -> Result<(PullRequest, Vec<String>)>;

    /// The page where a person opens the pull request by hand; `None` for `local`.
    fn compare_url(&self, head: &str, base: &str) -> Option<String>;
}
