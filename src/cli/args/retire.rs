//! The words of `deactivate`, `reactivate` and `delete`.

use clap::Args;

use super::rotate::user;
use super::{Aws, Forge, Origin, PlainOutput, Repository};
use crate::model::{Timestamp, UserName};

/// On a fresh verdict *safe* only, or for a stated reason.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    keyroll deactivate AKIAIOSFODNN7EXAMPLE\n  \
    keyroll deactivate AKIAIOSFODNN7EXAMPLE --compromised --reason 'leaked in a log' \\\n      \
    --confirm AKIAIOSFODNN7EXAMPLE\n\n\
    `keyroll reactivate` takes it back.")]
pub struct DeactivateArgs {
    /// The access key
    pub id: String,
    /// The repository: a path or a URL [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
    /// It is replaced by nothing: it was never used, or not for longer than its cadence
    #[arg(long, requires = "reason", conflicts_with = "compromised")]
    pub unused: bool,
    /// Somebody else has it: do not wait, and show what will break
    #[arg(long, requires_all = ["reason", "confirm"])]
    pub compromised: bool,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The same ID again
    #[arg(long, value_name = "ID")]
    pub confirm: Option<String>,
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

/// The way back: never asks why.
///
/// It needs IAM and nothing else; the ledger is written when the repository can be reached.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  keyroll reactivate AKIAIOSFODNN7EXAMPLE\n  \
    keyroll reactivate AKIAIOSFODNN7EXAMPLE --revert")]
pub struct ReactivateArgs {
    /// The access key
    pub id: String,
    /// The repository: a path [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
    /// The IAM user, where the owner of an access key may not be looked up
    #[arg(long, value_name = "NAME", value_parser = user)]
    pub user: Option<UserName>,
    /// Open a pull request that brings the old pair back as well
    #[arg(long)]
    pub revert: bool,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Do not ask; it never does
    #[arg(long)]
    pub yes: bool,
    /// Where the pull request is opened, with --revert.
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

/// For ever, after the soak.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    keyroll delete AKIAIOSFODNN7EXAMPLE --confirm AKIAIOSFODNN7EXAMPLE\n\n\
    An access key that was deleted cannot be brought back.")]
pub struct DeleteArgs {
    /// The access key
    pub id: String,
    /// The repository: a path or a URL [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
    /// The same ID again
    #[arg(long, value_name = "ID", required = true)]
    pub confirm: String,
    /// Since when it has been switched off, as somebody vouches, where there is no ledger
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    pub inactive_since: Option<Timestamp>,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Which repository.
    #[command(flatten)]
    pub origin: Origin,
    /// Who asks AWS.
    #[command(flatten)]
    pub aws: Aws,
    /// How it is said.
    #[command(flatten)]
    pub output: PlainOutput,
}
