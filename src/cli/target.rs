//! The repository a verb works on: a path or a URL, its settings, its files and its identities.

use std::path::{Path, PathBuf};

use super::args;
use super::config::{Config, Paths, Pattern};
use super::session::Session;
use crate::breakage;
use crate::error::{Error, Kind, Result};
use crate::keyring::{Keyring, Surroundings, discover};
use crate::model::{KeyIdPattern, RepoPath, visible};
use crate::protocol::ChosenPaths;
use crate::repo::{Access, Entry, Head, Listing, Remote, Repository, Token};

/// The name of the settings file at the repository's root.
const SETTINGS: &str = "keyroll.yaml";
/// Certificates are small; a larger file is none.
const CERTIFICATE_LIMIT: usize = 64 << 10;

/// A repository that is only read.
pub(super) enum Source {
    /// A clone on this machine.
    Clone(Repository),
    /// An address; what was fetched lies in a private folder that is removed.
    Fetched(Box<Remote>),
}

impl Source {
    /// Opens a path, or fetches an address.
    ///
    /// # Errors
    /// `not-a-repository`, network errors.
    pub(super) fn open(session: &Session, words: Option<&str>, access: Access) -> Result<Self> {
        match words {
            Some(url) if is_address(url) => {
                let remote = Remote::of_url(url, &session.environment, access)?;
                Ok(Self::Fetched(Box::new(remote)))
            }
            Some(path) => {
                let path = session.expand(path, &session.cwd);
                Ok(Self::Clone(Repository::open(&path, &session.environment)?))
            }
            None => Ok(Self::Clone(Repository::open(&session.cwd, &session.environment)?)),
        }
    }

    /// The objects.
    #[must_use]
    pub(super) fn repository(&self) -> &Repository {
        match self {
            Self::Clone(repository) => repository,
            Self::Fetched(remote) => remote.objects(),
        }
    }

    /// The commit to read: of a clone without any network, of an address after fetching it.
    ///
    /// # Errors
    /// `missing-reference`, `unborn-branch`; network errors.
    pub(super) fn head(&self, reference: Option<&str>) -> Result<Head> {
        match self {
            Self::Clone(repository) => repository.head(reference),
            Self::Fetched(remote) => {
                let base = crate::protocol::Base::read(remote, reference)?;
                remote
                    .objects()
                    .head(Some(&base.commit))
                    .map(|head| Head { reference: base.reference, ..head })
            }
        }
    }
}

/// Whether the words are an address of git and no path.
fn is_address(words: &str) -> bool {
    let scp =
        words.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'));
    words.contains("://") || scp
}

/// The settings of a repository, with the flags laid over them.
pub(super) struct Settings {
    /// `keyroll.yaml`, or nothing but defaults.
    pub config: Config,
    /// Which paths take part.
    pub paths: Paths,
    /// Only the paths of these environments; empty for all.
    pub environments: Vec<String>,
    /// What an access key ID looks like.
    pub pattern: KeyIdPattern,
}

impl Settings {
    /// Reads `--config`, else `keyroll.yaml` of the commit: never a file of the work tree, so that
    /// an unreviewed change of settings has no effect.
    ///
    /// # Errors
    /// `bad-config` with file and line; `unknown-environment`.
    pub(super) fn read(
        session: &Session,
        repository: &Repository,
        commit: &str,
        flags: &args::Repository,
    ) -> Result<Self> {
        Self::read_if_any(session, repository, Some(commit), flags)
    }

    /// The same; without a commit, as in a work tree that has none yet, the defaults hold.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub(super) fn read_if_any(
        session: &Session,
        repository: &Repository,
        commit: Option<&str>,
        flags: &args::Repository,
    ) -> Result<Self> {
        let settings = RepoPath::new(SETTINGS);
        let of_commit = || match commit {
            Some(commit) => repository.read_path(commit, &settings),
            None => Ok(None),
        };
        let config = match &flags.origin.config {
            Some(path) => {
                let path = session.cwd.join(path);
                let text =
                    std::fs::read(&path).map_err(|source| Error::io("read", &path, &source))?;
                Config::parse(&text, &path.to_string_lossy())?
            }
            None if breakage::is_on("I12") => {
                let path = session.cwd.join(SETTINGS);
                let text =
                    std::fs::read(&path).map_err(|source| Error::io("read", &path, &source))?;
                Config::parse(&text, SETTINGS)?
            }
            None => match of_commit()? {
                Some(text) => Config::parse(&text, SETTINGS)?,
                None => Config::default(),
            },
        };
        let paths = config.paths.clone().and(patterns(&flags.include)?, patterns(&flags.exclude)?);
        let pattern = match (&flags.origin.key_id_pattern, &config.key_id_pattern) {
            (Some(text), _) => KeyIdPattern::new(text)?,
            (None, Some(pattern)) => pattern.clone(),
            (None, None) => KeyIdPattern::default(),
        };
        known_environments(&config, &flags.environment)?;
        Ok(Self { config, paths, environments: flags.environment.clone(), pattern })
    }

    /// The same settings with the words of an earlier run laid over them.
    ///
    /// # Errors
    /// `bad-glob`.
    pub(super) fn with(&self, chosen: &ChosenPaths) -> Result<Self> {
        let paths = self.paths.clone().and(patterns(&chosen.include)?, patterns(&chosen.exclude)?);
        let mut environments = self.environments.clone();
        environments.extend(chosen.environment.iter().cloned());
        Ok(Self { config: self.config.clone(), paths, environments, pattern: self.pattern.clone() })
    }

    /// Whether a path takes part.
    #[must_use]
    pub(super) fn takes_part(&self, path: &RepoPath) -> bool {
        let here = || self.config.environment_of(path);
        self.paths.included(path)
            && (self.environments.is_empty()
                || here().is_some_and(|name| self.environments.iter().any(|one| one == name)))
    }
}

fn patterns(globs: &[String]) -> Result<Vec<Pattern>> {
    globs.iter().map(|glob| Pattern::new(glob)).collect()
}

fn known_environments(config: &Config, wanted: &[String]) -> Result<()> {
    let unknown = wanted
        .iter()
        .find(|name| !config.environments.is_empty() && config.environment(name).is_none());
    let Some(name) = unknown else { return Ok(()) };
    let known: Vec<String> = config.environments.iter().map(|one| visible(&one.name)).collect();
    Err(Error::new(
        Kind::Usage,
        "unknown-environment",
        format!("`{}` is no environment of {SETTINGS}", visible(name)),
    )
    .hint(format!("it names: {}", known.join(", "))))
}

/// Finds what opens and seals the files of a listing.
///
/// # Errors
/// When an identity that was named cannot be read.
pub(super) fn keyring(
    session: &Session,
    clone: &Repository,
    objects: &Repository,
    listing: &Listing,
    settings: &Settings,
    flags: &args::Repository,
) -> Result<Keyring> {
    let root = clone.worktree().map_or_else(|| session.cwd.clone(), Path::to_path_buf);
    let mut identities: Vec<PathBuf> = flags
        .identity
        .iter()
        .map(|path| session.expand(&path.to_string_lossy(), &session.cwd))
        .collect();
    identities.extend(settings.config.identities.iter().map(|text| session.expand(text, &root)));
    discover(&Surroundings {
        env: session.vars.clone(),
        home: session.home.clone(),
        cwd: Some(session.cwd.clone()),
        worktree: clone.worktree().map(Path::to_path_buf),
        folders: folders(listing),
        identities,
        etc: PathBuf::from("/etc"),
        certificates: certificates(objects, listing)?,
    })
}

/// Every folder that holds a file, as a path below the root.
fn folders(listing: &Listing) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = listing
        .files
        .iter()
        .filter_map(|entry| Some(PathBuf::from(entry.path.parent()?.to_text())))
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

/// The certificates and public keys of the commit (I7).
fn certificates(repository: &Repository, listing: &Listing) -> Result<Vec<(RepoPath, Vec<u8>)>> {
    let by_name = |entry: &&Entry| {
        let name = entry.path.file_name();
        [&b".pem"[..], b".crt", b".cer", b".pub"].iter().any(|end| name.ends_with(end))
    };
    let mut found = Vec::new();
    for entry in listing.files.iter().filter(by_name) {
        if let Some(bytes) = repository.read(entry)?.filter(|bytes| bytes.len() < CERTIFICATE_LIMIT)
        {
            found.push((entry.path.clone(), bytes));
        }
    }
    Ok(found)
}

/// How passwords are answered when git asks.
#[must_use]
pub(super) fn access(session: &Session, token: Option<Token>) -> Access {
    Access { askpass: session.program.clone(), token }
}
