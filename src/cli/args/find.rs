//! The words of `find`.

use std::path::PathBuf;

use clap::Args;

use super::{FindingsOutput, Repository, Targets};

/// Where access keys are used. Needs no network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    keyroll find AKIAIOSFODNN7EXAMPLE\n  \
    keyroll find --all ./secrets\n  \
    keyroll find AKIAIOSFODNN7EXAMPLE --exclude '**/test/**' --output json")]
pub struct FindArgs {
    /// What to look for, and where.
    #[command(flatten)]
    pub targets: Targets,
    /// Read more access key IDs from a file, one on each line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub ids_from: Option<PathBuf>,
    /// Show every access key ID there is
    #[arg(long, conflicts_with_all = ["ids_from", "text", "regex"])]
    pub all: bool,
    /// Look for a text inside sealed values; only the places are shown
    #[arg(long, value_name = "STRING", conflicts_with_all = ["ids_from", "regex"])]
    pub text: Option<String>,
    /// Look for a regular expression inside sealed values; only the places are shown
    #[arg(long, value_name = "REGEX", conflicts_with = "ids_from")]
    pub regex: Option<String>,
    /// Read this commit, branch or tag
    #[arg(long = "ref", value_name = "REF", help_heading = "Repository")]
    pub reference: Option<String>,
    /// Read the files of the work tree, committed or not
    #[arg(long, help_heading = "Repository", conflicts_with_all = ["reference", "history"])]
    pub worktree: bool,
    /// Read every commit that a branch reaches
    #[arg(long, help_heading = "Repository", conflicts_with = "reference")]
    pub history: bool,
    /// What is read.
    #[command(flatten)]
    pub repository: Repository,
    /// How it is said.
    #[command(flatten)]
    pub output: FindingsOutput,
}
