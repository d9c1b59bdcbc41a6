//! What the steps reach the outside through, started by `cli::session`, and what was asked for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::survey::Progress;
use crate::forge::Forge;
use crate::iam::Iam;
use crate::keyring::Keyring;
use crate::model::{
    AccessKeyId, AccessKeyPair, AccountId, KeyIdPattern, Policy, RepoPath, Timestamp, UserName,
};
use crate::repo::{Author, Journal, Remote, Signing};
use crate::rotation::Chosen;

/// The outside, as one run reaches it.
pub struct Seams<'a> {
    /// The remote, and the private repository that talks to it.
    pub remote: &'a Remote,
    /// IAM and STS.
    pub iam: &'a dyn Iam,
    /// Where pull requests live.
    pub forge: &'a dyn Forge,
    /// What opens and seals.
    pub keyring: &'a Keyring,
    /// The windows.
    pub policy: &'a Policy,
    /// This machine's record of rotations under way.
    pub journal: &'a Journal,
    /// Whether the ledger branch is kept.
    pub keeps_ledger: bool,
    /// Author and committer.
    pub author: &'a Author,
    /// As git is set to sign.
    pub signing: &'a Signing,
    /// The local clock: for commit dates and display, never for evidence.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// Waits.
    pub sleep: &'a dyn Fn(Duration),
    /// Says on stderr what is being done.
    pub note: &'a dyn Fn(&str),
    /// Hears how far a search is.
    pub progress: &'a dyn Progress,
}

/// A path whose locked values may stay locked, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The path, exactly as reported.
    pub path: String,
    /// `--reason`.
    pub reason: String,
}

/// The words that chose which paths take part, beside the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenPaths {
    /// `--include`.
    pub include: Vec<String>,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `--environment`.
    pub environment: Vec<String>,
}

/// A declared user of the access key outside the repository (`users` in `keyroll.yaml`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredConsumer {
    /// What it is called.
    pub name: String,
    /// How it is updated.
    pub how: Option<String>,
    /// How often it uses the access key.
    pub cadence: Option<Duration>,
}

/// How the pull request shall look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestForm {
    /// `--draft`.
    pub draft: bool,
    /// `--label`.
    pub labels: Vec<String>,
    /// `--reviewer`.
    pub reviewers: Vec<String>,
    /// `--team-reviewer`.
    pub team_reviewers: Vec<String>,
    /// `--title`.
    pub title: Option<String>,
    /// The text of `--template`, read from the base commit or given by the user.
    pub template: Option<String>,
}

/// What the settings tell of something.
pub type Telling<'a, Of, What> = Box<dyn Fn(&Of) -> What + 'a>;

/// What one rotation was asked to do.
pub struct Wanted<'a> {
    /// The access key to replace.
    pub old: AccessKeyId,
    /// `--user`: whose it has to be.
    pub user: Option<UserName>,
    /// The account that the configuration gives a path's environment.
    pub account_of: Telling<'a, RepoPath, Option<AccountId>>,
    /// `--base`; else what the remote's HEAD names.
    pub base: Option<String>,
    /// `keyroll/rotate` unless `--branch-prefix` says otherwise.
    pub branch_prefix: String,
    /// `--pair`.
    pub chosen: Vec<Chosen>,
    /// `--accept-locked`.
    pub accepted: Vec<Accepted>,
    /// The words behind `takes_part`, for the record.
    pub paths: ChosenPaths,
    /// `--exclude` and the configuration's, for the pull request.
    pub excluded: Vec<String>,
    /// Which paths take part.
    pub takes_part: Box<dyn Fn(&RepoPath) -> bool + Sync + 'a>,
    /// The environment that a path tells.
    pub environment_of: Telling<'a, RepoPath, Option<String>>,
    /// What an ID looks like.
    pub pattern: KeyIdPattern,
    /// How the pull request shall look.
    pub form: RequestForm,
    /// `Signed-off-by`, with `--signoff`.
    pub sign_off: bool,
    /// Users of the key outside the repository, by user name.
    pub consumers: Telling<'a, str, Vec<DeclaredConsumer>>,
    /// A pair that was made elsewhere (`--new-pair-stdin`).
    pub given: Option<AccessKeyPair>,
}
