//! What a verb needs that opens no sealed value: the remote with its ledger, and the settings of
//! the base commit.

use super::args;
use super::outside::connected;
use super::session::Session;
use super::target::{Settings, Source, access};
use crate::error::{Error, Kind, Result};
use crate::model::Timestamp;
use crate::protocol::{Base, Scribe};
use crate::repo::{Author, Remote, Repository, Signing};

/// The remote of a clone, and what is set there.
pub(super) struct Recorded {
    /// `keyroll.yaml` of the base commit, and the flags.
    pub(super) settings: Settings,
    remote: Remote,
    author: Author,
    signing: Signing,
    clock: fn() -> Timestamp,
}

impl Recorded {
    /// Opens the clone and asks its remote.
    ///
    /// # Errors
    /// `not-a-repository`, `needs-a-clone`; network errors; wrong settings.
    pub(super) fn open(
        session: &Session,
        target: Option<&str>,
        flags: &args::Repository,
    ) -> Result<Self> {
        let clone = match Source::open(session, target, access(session, None))? {
            Source::Clone(clone) => clone,
            Source::Fetched(_) => return Err(needs_a_clone()),
        };
        let remote = remote(session, &clone, &flags.origin.remote)?;
        let named = match &flags.origin.base {
            Some(base) => Some(base.clone()),
            None => clone.head(None).ok().and_then(|head| {
                Settings::read(session, &clone, &head.commit, flags).ok()?.config.base
            }),
        };
        let base = Base::read(&remote, named.as_deref())?;
        let settings = Settings::read(session, remote.objects(), &base.commit, flags)?;
        let (author, signing) = (clone.author()?, clone.signing()?);
        Ok(Self { settings, remote, author, signing, clock: Session::now })
    }

    /// Who writes into the ledger; `None` where none is kept.
    pub(super) fn scribe(&self) -> Option<Scribe<'_>> {
        let kept = self.settings.config.ledger != super::config::Ledger::None;
        kept.then_some(Scribe {
            remote: &self.remote,
            author: &self.author,
            signing: &self.signing,
            clock: &self.clock,
        })
    }
}

/// The remote with the forge's token where the addresses tell the forge, else with git's own
/// credentials alone.
fn remote(session: &Session, clone: &Repository, name: &str) -> Result<Remote> {
    let forge = args::Forge { forge: None, github_api_url: None, github_repository: None };
    match connected(session, clone, &forge, name) {
        Ok(connected) => Ok(connected.remote),
        Err(_) => {
            let named = Some(name).filter(|name| *name != "origin");
            Remote::of(clone, named, access(session, None))
        }
    }
}

fn needs_a_clone() -> Error {
    Error::new(Kind::Usage, "needs-a-clone", "this command works on a clone, not on an address")
        .hint("clone the repository, and run the command inside it")
}

/// The words of a verb that reads no sealed value, as those of one that does.
pub(super) fn unsearched(origin: &args::Origin) -> args::Repository {
    args::Repository {
        origin: origin.clone(),
        include: Vec::new(),
        exclude: Vec::new(),
        environment: Vec::new(),
        identity: Vec::new(),
    }
}
