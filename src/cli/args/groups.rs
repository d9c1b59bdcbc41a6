//! The flags that several commands share, in groups that bear their heading in the help.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Also into pipes and files.
    Always,
    /// Not at all.
    Never,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For a person.
    Human,
    /// One JSON document.
    Json,
    /// One SARIF 2.1.0 log.
    Sarif,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Plain {
    /// For a person
    Human,
    /// One JSON document
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Findings {
    /// For a person
    Human,
    /// One JSON document
    Json,
    /// One SARIF 2.1.0 log
    Sarif,
}

/// The form of an answer that has no findings.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct PlainOutput {
    /// The form of the answer
    #[arg(long, value_name = "FORM", value_enum, default_value = "human")]
    output: Plain,
}

impl PlainOutput {
    /// The form.
    #[must_use]
    pub const fn get(&self) -> Output {
        match self.output {
            Plain::Human => Output::Human,
            Plain::Json => Output::Json,
        }
    }
}

/// The form of an answer that has findings.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct FindingsOutput {
    /// The form of the answer
    #[arg(long, value_name = "FORM", value_enum, default_value = "human")]
    output: Findings,
}

impl FindingsOutput {
    /// The form.
    #[must_use]
    pub const fn get(&self) -> Output {
        match self.output {
            Findings::Human => Output::Human,
            Findings::Json => Output::Json,
            Findings::Sarif => Output::Sarif,
        }
    }
}

/// Access key IDs and repositories, told apart by their shape.
#[derive(Debug, Clone, Args)]
pub struct Targets {
    /// Access key IDs, and the repositories to look into: a path such as `./secrets`, or a URL
    ///
    /// A word of letters, digits and `_` is an ID, unless a folder bears that name; every other one
    /// is a repository. Without a repository it is the one of the current directory.
    #[arg(value_name = "ID|REPO")]
    words: Vec<String>,
}

impl Targets {
    /// The words that are meant as IDs; whether they are any is not said.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str).filter(|word| is_id(word))
    }

    /// The words that are meant as repositories.
    pub fn repositories(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str).filter(|word| !is_id(word))
    }
}

/// A misspelt ID is still meant as an ID: the shape of the word decides, but for the name of a
/// folder that is there (a folder never bears the name of an access key).
fn is_id(word: &str) -> bool {
    let shaped = word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    shaped && !std::path::Path::new(word).is_dir()
}

/// Which repository it is, for commands that open no sealed value.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Repository")]
pub struct Origin {
    /// The base branch; otherwise the remote's own default
    #[arg(long, value_name = "BRANCH")]
    pub base: Option<String>,
    /// The git remote
    #[arg(long, value_name = "NAME", default_value = "origin")]
    pub remote: String,
    /// What an access key ID looks like, for stand-ins and other vendors
    #[arg(long, value_name = "REGEX")]
    pub key_id_pattern: Option<String>,
    /// The settings, in place of `keyroll.yaml` of the base commit
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What is read of a repository, and with which identities.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Repository")]
pub struct Repository {
    /// Which repository.
    #[command(flatten)]
    pub origin: Origin,
    /// Look only into these paths (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Leave these paths out (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Look only into the paths of this environment (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub environment: Vec<String>,
    /// One more identity that opens sealed values (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub identity: Vec<PathBuf>,
}

/// Who asks AWS, and where.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "AWS")]
pub struct Aws {
    /// The profile of the AWS configuration
    #[arg(long, value_name = "NAME")]
    pub aws_profile: Option<String>,
    /// The role to assume
    #[arg(long, value_name = "ARN")]
    pub aws_role_arn: Option<String>,
    /// The region
    #[arg(long, value_name = "REGION")]
    pub aws_region: Option<String>,
    /// The endpoint of IAM and STS, for stand-ins
    #[arg(long, value_name = "URL")]
    pub aws_endpoint: Option<String>,
}

/// The kinds of forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ForgeName {
    /// GitHub or GitHub Enterprise; the token is that of `GITHUB_TOKEN`, `GH_TOKEN` or `gh`
    Github,
    /// None: the text of the request becomes a file
    Local,
}

/// Where pull requests live.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Forge")]
pub struct Forge {
    /// The kind of forge; otherwise the remote's host decides
    #[arg(long, value_name = "KIND", value_enum)]
    pub forge: Option<ForgeName>,
    /// The API of GitHub Enterprise, such as `https://HOST/api/v3`
    #[arg(long, value_name = "URL")]
    pub github_api_url: Option<String>,
    /// The repository on GitHub, where the remote's address does not tell
    #[arg(long, value_name = "OWNER/NAME")]
    pub github_repository: Option<String>,
}
