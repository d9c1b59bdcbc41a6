//! The words of `status`, `attest`, `observe` and `ledger`.

use clap::{Args, Subcommand};

use super::{Aws, Forge, Origin, PlainOutput, Repository};

/// Every rotation in flight.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll status --fail-if-overdue")]
pub struct StatusArgs {
    /// The repository: a path or a URL [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
    /// Answer 1 when an access key is older than `policy.max_age`, or a rotation waits too long
    #[arg(long)]
    pub fail_if_overdue: bool,
    /// Where the pull requests stand.
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

/// A person vouches that one consumer uses the new access key.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    keyroll attest AKIAIOSFODNN7EXAMPLE 'Fastly www logging' --by alice")]
pub struct AttestArgs {
    /// The old access key
    pub id: String,
    /// The consumer: a path of the plan, or a name from `keyroll.yaml`
    pub place: String,
    /// The repository: a path or a URL [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
    /// Who vouches
    #[arg(long, value_name = "WHO", required = true)]
    pub by: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Which repository.
    #[command(flatten)]
    pub origin: Origin,
    /// How it is said.
    #[command(flatten)]
    pub output: PlainOutput,
}

/// A cheap job for cron.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll observe --yes")]
pub struct ObserveArgs {
    /// The repository: a path or a URL [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
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

/// What the ledger holds.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: LedgerCommand,
}

/// The commands of the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Show an access key's life as a timeline
    Show(ShowArgs),
}

/// One access key's life.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll ledger show AKIAIOSFODNN7EXAMPLE")]
pub struct ShowArgs {
    /// The access key
    pub id: String,
    /// The repository: a path or a URL [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
    /// Which repository.
    #[command(flatten)]
    pub origin: Origin,
    /// How it is said.
    #[command(flatten)]
    pub output: PlainOutput,
}
