//! What GitHub's REST answers hold of what we need (API version 2022-11-28). Every other field is
//! ignored, and what a stand-in may leave out is optional.

use serde::{Deserialize, Serialize};

use crate::forge::{PullRequest, State};
use crate::model::Timestamp;

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) permissions: Option<Permissions>,
    #[serde(default)]
    pub(super) archived: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Permissions {
    pub(super) push: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    pub(super) number: u64,
    html_url: Option<String>,
    state: String,
    merged_at: Option<String>,
    head: Tip,
    base: Tip,
}

#[derive(Debug, Deserialize)]
struct Tip {
    #[serde(rename = "ref")]
    name: String,
    repo: Option<TipRepository>,
}

#[derive(Debug, Deserialize)]
struct TipRepository {
    full_name: String,
}

impl Pull {
    /// Whether it leads from our own branch `head` to `base`. A filter of the list that matches
    /// loosely, or a fork's branch of the same name, must not pass for ours.
    pub(super) fn leads(&self, head: &str, base: &str) -> bool {
        let repository = |tip: &Tip| tip.repo.as_ref().map(|repo| repo.full_name.to_lowercase());
        let home = repository(&self.base);
        // A fork that was deleted has no repository any more: then it was a fork.
        let ours = home.is_none() || repository(&self.head) == home;
        ours && self.head.name == head && self.base.name == base
    }

    pub(super) fn is_open(&self) -> bool {
        self.merged_at.is_none() && self.state == "open"
    }
}

impl TryFrom<Pull> for PullRequest {
    type Error = crate::Error;

    fn try_from(pull: Pull) -> Result<Self, crate::Error> {
        let state = match (&pull.merged_at, pull.state.as_str()) {
            (Some(at), _) => State::Merged(Timestamp::parse(at)?),
            (None, "open") => State::Open,
            (None, _) => State::Closed,
        };
        Ok(Self { url: pull.html_url, file: None, number: pull.number, state })
    }
}

#[derive(Debug, Serialize)]
pub(super) struct NewPull<'a> {
    pub(super) title: &'a str,
    pub(super) head: &'a str,
    pub(super) base: &'a str,
    pub(super) body: &'a str,
    pub(super) draft: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Labels<'a> {
    pub(super) labels: &'a [String],
}

#[derive(Debug, Serialize)]
pub(super) struct Reviewers<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) reviewers: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) team_reviewers: &'a [String],
}
