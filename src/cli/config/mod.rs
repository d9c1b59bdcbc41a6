//! `keyroll.yaml`: what a repository says of itself. It is read as a blob of the base commit and
//! chooses no program. Windows are only read here; whether they are long enough is left to
//! `Policy::check`.

mod paths;
mod trouble;
mod typed;

use std::time::Duration;

use serde::Deserialize;

pub use self::paths::{Paths, Pattern, guess_environment};
use self::typed::{Ordered, optional, several};
use crate::error::Result;
use crate::model::{AccountId, KeyIdPattern, Policy, RepoPath, UserName};

/// The settings of one repository; everything has a default.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The base branch.
    pub base: Option<String>,
    /// What is looked into.
    pub paths: Paths,
    /// Files with identities, as written (`~` is not expanded).
    pub identities: Vec<String>,
    /// In the order of the file.
    pub environments: Vec<Environment>,
    /// How a pull request is opened.
    pub pull_request: PullRequestSettings,
    /// The windows.
    pub policy: Policy,
    /// The IAM users of whom something is declared.
    pub users: Vec<User>,
    /// What an access key ID looks like.
    pub key_id_pattern: Option<KeyIdPattern>,
    /// Whether there is a ledger.
    pub ledger: Ledger,
}

/// An environment: a set of paths, and the account they belong to.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The name.
    pub name: String,
    /// The paths.
    pub paths: Vec<Pattern>,
    /// The account that IDs and caller must belong to.
    pub account: Option<AccountId>,
    /// The profile of the user's own AWS configuration.
    pub profile: Option<String>,
    /// The role to assume.
    pub role_arn: Option<String>,
}

/// How a pull request is opened.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PullRequestSettings {
    /// Labels to put on.
    pub labels: Vec<String>,
    /// People to ask.
    pub reviewers: Vec<String>,
    /// Teams to ask.
    pub team_reviewers: Vec<String>,
    /// Whether it opens as a draft.
    pub draft: bool,
    /// The title, with placeholders.
    pub title: Option<String>,
    /// The path of a text in the repository that stands first in the body.
    pub template: Option<String>,
}

/// What is declared of one IAM user.
#[derive(Debug, Clone)]
pub struct User {
    /// The user.
    pub name: UserName,
    /// Whom to ask.
    pub owner: Option<String>,
    /// How often its access key is used at least.
    pub cadence: Option<Duration>,
    /// Who uses the access key outside the repository.
    pub consumers: Vec<Consumer>,
}

/// A user of an access key outside the repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    /// What it is called.
    pub name: String,
    /// How it is updated.
    pub how: Option<String>,
}

/// Where an access key's life is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ledger {
    /// On the branch `keyroll/ledger` of the repository.
    #[default]
    Branch,
    /// Nowhere.
    None,
}

impl Config {
    /// Reads the settings; `file` is the name that errors show.
    ///
    /// # Errors
    /// `bad-config`, naming file and line, and the nearest valid word where there is one.
    pub fn parse(text: &[u8], file: &str) -> Result<Self> {
        let document: Document =
            serde_yaml::from_slice(text).map_err(|error| trouble::explain(&error, text, file))?;
        if document.version != 1 {
            return Err(trouble::version(document.version, text, file));
        }
        document.meaning().map_err(|error| trouble::inside(&error, file))
    }

    /// The environment of a path: the first whose globs match, in the order of the file. Where no
    /// environment is configured, what the path tells by itself.
    #[must_use]
    pub fn environment_of(&self, path: &RepoPath) -> Option<&str> {
        if self.environments.is_empty() {
            return guess_environment(path);
        }
        let meant = |each: &&Environment| each.paths.iter().any(|glob| glob.matches(path));
        self.environments.iter().find(meant).map(|each| each.name.as_str())
    }

    /// The environment of that name.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|each| each.name == name)
    }

    /// What is declared of a user.
    #[must_use]
    pub fn user(&self, name: &UserName) -> Option<&User> {
        self.users.iter().find(|each| each.name == *name)
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u64,
    base: Option<String>,
    #[serde(default)]
    paths: PathLists,
    #[serde(default)]
    identities: Vec<String>,
    #[serde(default)]
    environments: Ordered<EnvironmentWords>,
    #[serde(default)]
    pull_request: PullRequestSettings,
    #[serde(default)]
    policy: PolicyWords,
    #[serde(default)]
    users: Ordered<UserWords>,
    #[serde(default, deserialize_with = "optional")]
    key_id_pattern: Option<KeyIdPattern>,
    #[serde(default)]
    ledger: Ledger,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PathLists {
    #[serde(deserialize_with = "several")]
    include: Vec<Pattern>,
    #[serde(deserialize_with = "several")]
    exclude: Vec<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentWords {
    #[serde(deserialize_with = "several")]
    paths: Vec<Pattern>,
    #[serde(default, deserialize_with = "optional")]
    account: Option<AccountId>,
    profile: Option<String>,
    role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserWords {
    owner: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    cadence: Option<Duration>,
    #[serde(default)]
    consumers: Vec<Consumer>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PolicyWords {
    #[serde(deserialize_with = "optional")]
    max_age: Option<Duration>,
    #[serde(deserialize_with = "optional")]
    quiet: Option<Duration>,
    #[serde(deserialize_with = "optional")]
    lag: Option<Duration>,
    #[serde(deserialize_with = "optional")]
    soak: Option<Duration>,
    #[serde(deserialize_with = "optional")]
    assumed_cadence: Option<Duration>,
    #[serde(deserialize_with = "optional")]
    recheck: Option<Duration>,
    prove: ProveWords,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ProveWords {
    successes: Option<u32>,
    #[serde(deserialize_with = "optional")]
    span: Option<Duration>,
    #[serde(deserialize_with = "optional")]
    deadline: Option<Duration>,
}

impl Document {
    fn meaning(self) -> Result<Config> {
        let environments = self.environments.0.into_iter().map(|(name, words)| Environment {
            name,
            paths: words.paths,
            account: words.account,
            profile: words.profile,
            role_arn: words.role_arn,
        });
        let users = self.users.0.into_iter().map(|(name, words)| {
            Ok(User {
                name: UserName::new(name)?,
                owner: words.owner,
                cadence: words.cadence,
                consumers: words.consumers,
            })
        });
        Ok(Config {
            base: self.base,
            paths: Paths::default().and(self.paths.include, self.paths.exclude),
            identities: self.identities,
            environments: environments.collect(),
            pull_request: self.pull_request,
            policy: self.policy.meaning(),
            users: users.collect::<Result<_>>()?,
            key_id_pattern: self.key_id_pattern,
            ledger: self.ledger,
        })
    }
}

impl PolicyWords {
    /// The default windows with what was said put over them.
    fn meaning(self) -> Policy {
        let mut policy = Policy::default();
        let put = |window: &mut Duration, said: Option<Duration>| *window = said.unwrap_or(*window);
        put(&mut policy.max_age, self.max_age);
        put(&mut policy.quiet, self.quiet);
        put(&mut policy.lag, self.lag);
        put(&mut policy.soak, self.soak);
        put(&mut policy.assumed_cadence, self.assumed_cadence);
        put(&mut policy.recheck, self.recheck);
        put(&mut policy.prove.span, self.prove.span);
        put(&mut policy.prove.deadline, self.prove.deadline);
        policy.prove.successes = self.prove.successes.unwrap_or(policy.prove.successes);
        policy
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
