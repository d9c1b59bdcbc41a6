//! The words of `verify`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::rotate::user;
use super::{Aws, Forge, PlainOutput, Repository, Targets};
use crate::model::{Timestamp, UserName, parse_duration};

/// How far a rotation has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Until {
    /// The base branch holds the new pair at every place, and the old one nowhere
    Replaced,
    /// The new access key is in use
    Deployed,
    /// The old access key has not been used for long enough
    Quiet,
}

/// The step of a deployment's CI.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    keyroll verify AKIAIOSFODNN7EXAMPLE --until deployed --wait 30m\n  \
    keyroll verify --old AKIAIOSFODNN7EXAMPLE --new AKIAI44QH8DHBEXAMPLE \\\n      \
    --user logs-writer --deployed-at 2026-11-20T10:00:00Z")]
pub struct VerifyArgs {
    /// The old access keys, and the repository.
    #[command(flatten)]
    pub targets: Targets,
    /// How far it has to be
    #[arg(long, value_name = "STEP", value_enum, default_value_t = Until::Quiet)]
    pub until: Until,
    /// Ask again for so long while the answer is *waiting*
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub wait: Option<Duration>,
    /// The old access key, where there is neither ledger nor clone
    #[arg(long, value_name = "ID", requires_all = ["new", "user"])]
    pub old: Option<String>,
    /// The new access key, beside --old
    #[arg(long, value_name = "ID", requires = "old")]
    pub new: Option<String>,
    /// The IAM user, beside --old
    #[arg(long, value_name = "NAME", value_parser = user, requires = "old")]
    pub user: Option<UserName>,
    /// When the new pair was deployed, as somebody vouches
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub deployed_at: Option<Timestamp>,
    /// Accept that an access key which is seldom used was watched for too short a time, and why
    #[arg(long, value_name = "TEXT")]
    pub accept_infrequent: Option<String>,
    /// Show every fact and what follows from it
    #[arg(long)]
    pub explain: bool,
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
