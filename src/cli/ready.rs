//! Everything that a verb with an outside needs, opened in one order: the clone, its remote and
//! base branch, the settings of the base commit, identities, AWS, forge, journal.

use std::time::Duration;

use super::args;
use super::config::Ledger;
use super::outside::{Connected, aws, connected};
use super::progress::Bar;
use super::session::Session;
use super::target::{Settings, Source, access, keyring};
use crate::error::{Error, Kind, Result};
use crate::iam::{Aws, Iam as _};
use crate::keyring::Keyring;
use crate::model::{AccountId, Policy, RepoPath, Timestamp};
use crate::protocol::{Base, DeclaredConsumer, Seams};
use crate::repo::{Author, Journal, Repository, Signing};

/// The words that say which repository and which outside.
pub(super) struct Words<'a> {
    /// The repository: a path; `None` for that of the working directory.
    pub(super) target: Option<&'a str>,
    /// What is read.
    pub(super) repository: &'a args::Repository,
    /// Who asks AWS.
    pub(super) aws: &'a args::Aws,
    /// Where pull requests live.
    pub(super) forge: &'a args::Forge,
}

/// What becomes of identities that were named and cannot be read.
#[derive(Clone, Copy)]
enum Identities {
    /// An error.
    Needed,
    /// A note.
    Welcome,
}

/// Everything that is open.
pub(super) struct Ready<'a> {
    /// Forge and remote.
    pub(super) connected: Connected,
    /// The base branch and its commit.
    pub(super) base: Base,
    /// `keyroll.yaml` of the base commit, and the flags.
    pub(super) settings: Settings,
    /// What opens and seals.
    pub(super) keyring: Keyring,
    /// IAM and STS.
    pub(super) aws: Aws,
    /// This machine's record.
    pub(super) journal: Journal,
    author: Author,
    signing: Signing,
    bar: Bar,
    clock: fn() -> Timestamp,
    sleep: fn(Duration),
    note: Box<dyn Fn(&str) + 'a>,
}

impl<'a> Ready<'a> {
    /// Opens everything. Writes nothing but the empty state folder.
    ///
    /// # Errors
    /// Whatever cannot be opened, in the order above.
    pub(super) fn open(session: &'a Session, words: &Words<'_>) -> Result<Self> {
        Self::with(session, words, Identities::Needed)
    }

    /// The same for a verb that only looks: a job without identities gets as far as it can.
    ///
    /// # Errors
    /// As [`Ready::open`], but for identities.
    pub(super) fn looking(session: &'a Session, words: &Words<'_>) -> Result<Self> {
        Self::with(session, words, Identities::Welcome)
    }

    fn with(session: &'a Session, words: &Words<'_>, identities: Identities) -> Result<Self> {
        let clone = clone(session, words.target)?;
        let connected = connected(session, &clone, words.forge, &words.repository.origin.remote)?;
        let named = base_of(session, &clone, words.repository)?;
        let mut base = Base::read(&connected.remote, named.as_deref())?;
        let objects = connected.remote.objects();
        let mut settings = Settings::read(session, objects, &base.commit, words.repository)?;
        if named.is_none() && settings.config.base.is_some() {
            // A clone that lacks the settings could not tell; those of the default branch do.
            base = Base::read(&connected.remote, settings.config.base.as_deref())?;
            settings = Settings::read(session, objects, &base.commit, words.repository)?;
        }
        let listing = objects.list(&base.commit)?;
        let found = keyring(session, &clone, objects, &listing, &settings, words.repository);
        let keyring = match (found, identities) {
            (Err(error), Identities::Welcome) => {
                session.note(&format!("going on without identities: {}", error.message()));
                Keyring::default()
            }
            (found, _) => found?,
        };
        let aws = aws(words.aws, None)?;
        settings.config.policy.check(aws.endpoint())?;
        let author = clone.author()?;
        let signing = clone.signing()?;
        let journal = Journal::open(&session.state_dir())?;
        Ok(Self {
            connected,
            base,
            settings,
            keyring,
            aws,
            journal,
            author,
            signing,
            bar: Bar::new(session.shows_progress),
            clock: Session::now,
            sleep: std::thread::sleep,
            note: Box::new(|words| session.note(words)),
        })
    }

    /// The seams, as the protocol takes them.
    pub(super) fn seams(&self) -> Seams<'_> {
        Seams {
            remote: &self.connected.remote,
            iam: &self.aws,
            forge: self.connected.forge.as_ref(),
            keyring: &self.keyring,
            policy: self.policy(),
            journal: &self.journal,
            keeps_ledger: self.settings.config.ledger != Ledger::None,
            author: &self.author,
            signing: &self.signing,
            clock: &self.clock,
            sleep: &self.sleep,
            note: self.note.as_ref(),
            progress: &self.bar,
        }
    }

    /// The windows.
    pub(super) fn policy(&self) -> &Policy {
        &self.settings.config.policy
    }

    /// The environment that a path tells.
    pub(super) fn environment_of(&self, path: &RepoPath) -> Option<String> {
        self.settings.config.environment_of(path).map(str::to_owned)
    }

    /// The account that the settings give a path's environment.
    pub(super) fn account_of(&self, path: &RepoPath) -> Option<AccountId> {
        let name = self.settings.config.environment_of(path)?;
        self.settings.config.environment(name)?.account.clone()
    }

    /// The declared users of an IAM user's access key outside the repository.
    pub(super) fn consumers(&self, user: &str) -> Vec<DeclaredConsumer> {
        let users = self.settings.config.users.iter().filter(|one| one.name.as_str() == user);
        users
            .flat_map(|one| {
                one.consumers.iter().map(|consumer| DeclaredConsumer {
                    name: consumer.name.clone(),
                    how: consumer.how.clone(),
                    cadence: one.cadence,
                })
            })
            .collect()
    }

    /// Clears the progress line.
    pub(super) fn quiet(&self) {
        self.bar.done();
    }
}

/// The clone to work on: a branch is pushed to its remote, so an address alone is not enough.
fn clone(session: &Session, target: Option<&str>) -> Result<Repository> {
    match Source::open(session, target, access(session, None))? {
        Source::Clone(repository) => Ok(repository),
        Source::Fetched(_) => Err(Error::new(
            Kind::Usage,
            "needs-a-clone",
            "this command works on a clone, not on an address",
        )
        .hint("clone the repository, and run the command inside it")),
    }
}

/// `--base`, else `base` of the settings that stand in the clone's own newest commit of base.
fn base_of(
    session: &Session,
    clone: &Repository,
    flags: &args::Repository,
) -> Result<Option<String>> {
    if flags.origin.base.is_some() {
        return Ok(flags.origin.base.clone());
    }
    let Ok(head) = clone.head(None) else { return Ok(None) };
    match Settings::read(session, clone, &head.commit, flags) {
        Ok(settings) => Ok(settings.config.base),
        Err(error) if error.reason() == "missing-object" => Ok(None),
        Err(error) => Err(error),
    }
}
