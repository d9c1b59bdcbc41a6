//! The words of `doctor`, `policy`, `completions` and `man`.

use clap::{Args, ValueEnum};

use super::{Aws, Forge, PlainOutput, Repository};

/// What works here and what does not.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll doctor")]
pub struct DoctorArgs {
    /// The repository: a path or a URL [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
    /// Which forge.
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

/// The commands that call AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyCommand {
    /// Make a new access key
    Rotate,
    /// Finish what was cut short
    Resume,
    /// Undo what was cut short
    Abort,
    /// Read last-used dates
    Verify,
    /// Read last-used dates
    Status,
    /// Read last-used dates
    Observe,
    /// Switch off
    Deactivate,
    /// Switch on again
    Reactivate,
    /// Delete
    Delete,
    /// Look who signs
    Doctor,
}

/// The smallest IAM policy, as JSON.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll policy verify")]
pub struct PolicyArgs {
    /// The command; otherwise all of them
    #[arg(value_enum)]
    pub command: Option<PolicyCommand>,
}

/// The completions of one shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    keyroll completions bash > ~/.local/share/bash-completion/completions/keyroll")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// The manual page.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll man | man -l -")]
pub struct ManArgs {}
