//! The words of `rotate`, `resume` and `abort`.

use clap::Args;

use super::{Aws, Forge, PlainOutput, Repository, Targets};
use crate::model::UserName;

/// One rotation, from the plan to the pull request.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    keyroll rotate AKIAIOSFODNN7EXAMPLE --dry-run\n  \
    keyroll rotate AKIAIOSFODNN7EXAMPLE --reviewer alice --label rotation\n  \
    keyroll rotate --user logs-writer --yes\n\n\
    The old access key stays active until `keyroll deactivate`.")]
pub struct RotateArgs {
    /// The access key, and the repository.
    #[command(flatten)]
    pub targets: Targets,
    /// Rotate the one access key of this IAM user
    #[arg(long, value_name = "NAME", value_parser = user)]
    pub user: Option<UserName>,
    /// Show the plan and change nothing anywhere
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Say which secret belongs to an ID, where the structure does not (may be repeated)
    #[arg(long, value_name = "ID_ROUTE=SECRET_ROUTE")]
    pub pair: Vec<String>,
    /// Take a pair made elsewhere, as JSON on standard input, instead of creating one
    #[arg(long)]
    pub new_pair_stdin: bool,
    /// Go on although values of this path stay locked (may be repeated)
    #[arg(long, value_name = "PATH", requires = "reason")]
    pub accept_locked: Vec<String>,
    /// Why the locked values are accepted
    #[arg(long, value_name = "TEXT", requires = "accept_locked")]
    pub reason: Option<String>,
    /// What stands before the user's name in the branch
    #[arg(long, value_name = "PREFIX", default_value = "keyroll/rotate")]
    pub branch_prefix: String,
    /// Sign the commit off
    #[arg(long)]
    pub signoff: bool,
    /// How the pull request is opened.
    #[command(flatten)]
    pub request: PullRequest,
    /// Where it is opened.
    #[command(flatten)]
    pub forge: Forge,
    /// What is read.
    #[command(flatten)]
    pub repository: Repository,
    /// Who asks AWS.
    #[command(flatten)]
    pub aws: Aws,
    /// How it is said.
    #[command(flatten)]
    pub output: PlainOutput,
}

/// How the pull request is opened.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Forge")]
pub struct PullRequest {
    /// Open the pull request as a draft
    #[arg(long)]
    pub draft: bool,
    /// Put a label on the pull request (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub label: Vec<String>,
    /// Ask a person for a review (may be repeated)
    #[arg(long, value_name = "LOGIN")]
    pub reviewer: Vec<String>,
    /// Ask a team for a review (may be repeated)
    #[arg(long, value_name = "TEAM")]
    pub team_reviewer: Vec<String>,
    /// The title; `{user}`, `{old}`, `{new}` and `{branch}` are filled in
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// A text of the base commit that stands first in the pull request; filled in as the title
    #[arg(long, value_name = "PATH")]
    pub template: Option<String>,
}

pub(super) fn user(text: &str) -> crate::Result<UserName> {
    UserName::new(text)
}

/// A rotation that was cut short is finished.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll resume AKIAIOSFODNN7EXAMPLE")]
pub struct ResumeArgs {
    /// The rotation.
    #[command(flatten)]
    pub targets: Targets,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Where the pull request is opened.
    #[command(flatten)]
    pub forge: Forge,
    /// What is read.
    #[command(flatten)]
    pub repository: Repository,
    /// Who asks AWS.
    #[command(flatten)]
    pub aws: Aws,
    /// How it is said.
    #[command(flatten)]
    pub output: PlainOutput,
}

/// A rotation that was cut short is undone.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll abort AKIAIOSFODNN7EXAMPLE\n\n\
    Before the merge only; afterwards `keyroll reactivate` is the way back.")]
pub struct AbortArgs {
    /// The rotation.
    #[command(flatten)]
    pub targets: Targets,
    /// What stands before the user's name in the branch
    #[arg(long, value_name = "PREFIX", default_value = "keyroll/rotate")]
    pub branch_prefix: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Where the pull request stands.
    #[command(flatten)]
    pub forge: Forge,
    /// What is read.
    #[command(flatten)]
    pub repository: Repository,
    /// Who asks AWS.
    #[command(flatten)]
    pub aws: Aws,
    /// How it is said.
    #[command(flatten)]
    pub output: PlainOutput,
}
