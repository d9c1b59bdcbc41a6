//! The words of `check`.

use clap::Args;

use super::{FindingsOutput, Repository};

/// For a pull request's CI and its reviewers, who cannot read ciphertext.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  keyroll check origin/main..HEAD\n\n\
    Without identities it says what digests and structure tell, and what they cannot.")]
pub struct CheckArgs {
    /// The two commits to compare
    #[arg(value_name = "BASE..HEAD", value_parser = range)]
    pub range: (String, String),
    /// The repository: a path or a URL [default: that of the current directory]
    #[arg(value_name = "REPO")]
    pub target: Option<String>,
    /// What is read.
    #[command(flatten)]
    pub repository: Repository,
    /// How it is said.
    #[command(flatten)]
    pub output: FindingsOutput,
}

fn range(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once("..") {
        Some((base, head)) if !base.is_empty() && !head.is_empty() && !head.starts_with('.') => {
            Ok((base.to_owned(), head.to_owned()))
        }
        _ => Err("write two commits with two dots between them, such as origin/main..HEAD"),
    }
}
