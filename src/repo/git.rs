//! The repository's objects: opening, naming a commit, reading blobs. There is
//! no work tree, no index, no hook and no filter here, and the repository's own configuration is
//! never loaded. Listing is left to `walk`, new commits to `commit`, the network to `remote`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ErrorCode, ObjectType, Odb, Oid};

use super::child::Environment;
use super::config::Configuration;
use super::locate::{Location, is_object_name};
use super::walk::Entry;
use crate::error::{Error, Kind, Result};
use crate::model::{RepoPath, Timestamp, visible};

/// A secrets repository, or a private one that borrows its objects.
///
/// It can be sent to another thread but not shared: [`Repository::reopen`] makes one more.
pub struct Repository {
    pub(super) objects: git2::Repository,
    pub(super) location: Arc<Location>,
    pub(super) environment: Arc<Environment>,
    /// The private repository that takes new objects; `None` for a clone, which is only read.
    pub(super) store: Option<PathBuf>,
}

/// The commit that is read, and how it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The commit's object name.
    pub commit: String,
    /// The full reference, or the words that named the commit.
    pub reference: String,
    /// When anything was last fetched into this clone; `None` when nobody wrote it down.
    pub fetched_at: Option<Timestamp>,
    /// The committer's date: a claim, not evidence.
    pub committed_at: Timestamp,
}

impl Repository {
    /// Opens the repository that holds `path`: bare, shallow, partial, detached, a linked work
    /// tree and a submodule's checkout alike. Nothing is written and no program is run.
    ///
    /// # Errors
    /// `not-a-repository`, `unsupported-repository`, `damaged-repository`.
    pub fn open(path: &Path, environment: &Environment) -> Result<Self> {
        let location = Arc::new(Location::find(path)?);
        Self::read_only(location, Arc::new(environment.clone()))
    }

    /// One more handle to the same repository, for another thread.
    ///
    /// # Errors
    /// When the object stores can no longer be opened.
    pub fn reopen(&self) -> Result<Self> {
        match &self.store {
            None => Self::read_only(self.location.clone(), self.environment.clone()),
            Some(store) => Self::with_store(store, self.location.clone(), self.environment.clone()),
        }
    }

    fn read_only(location: Arc<Location>, environment: Arc<Environment>) -> Result<Self> {
        let odb = Odb::new().map_err(|source| unreadable(&location, &source))?;
        borrow_objects(&odb, &location)?;
        let objects =
            git2::Repository::from_odb(odb).map_err(|source| unreadable(&location, &source))?;
        Ok(Self { objects, location, environment, store: None })
    }

    /// Opens the private repository at `store`, which reads through to the clone's objects.
    pub(super) fn with_store(
        store: &Path,
        location: Arc<Location>,
        environment: Arc<Environment>,
    ) -> Result<Self> {
        let fail = |source: git2::Error| unreadable(&location, &source);
        let objects = git2::Repository::open_bare(store).map_err(fail)?;
        let empty = git2::Config::new().map_err(fail)?;
        objects.set_config(&empty).map_err(fail)?;
        borrow_objects(&objects.odb().map_err(fail)?, &location)?;
        Ok(Self { objects, location, environment, store: Some(store.to_owned()) })
    }

    /// The folder with the checked out files; `None` for a bare repository.
    #[must_use]
    pub fn worktree(&self) -> Option<&Path> {
        self.location.worktree.as_deref()
    }

    /// The folder that git calls the git directory.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        &self.location.git_dir
    }

    /// The environment that the programs started for this repository see a part of.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The configuration that applies here: values of the repository, commands of the user only.
    ///
    /// # Errors
    /// When the `git` program is missing or cannot read a configuration file.
    pub fn configuration(&self) -> Result<Configuration> {
        Configuration::read(&self.location.git_dir, &self.location.common_dir, &self.environment)
    }

    /// Whether objects may be missing because the clone is a partial one.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.location.partial
    }

    /// The commit to read, without any network: the one `reference` names (a branch, a tag, a
    /// remote's branch, an object name, each with `~n` and `^n`), else `origin/HEAD`, else `HEAD`.
    ///
    /// # Errors
    /// `missing-reference`, `unborn-branch`, `missing-object`.
    pub fn head(&self, reference: Option<&str>) -> Result<Head> {
        let (named, id) = match reference {
            Some(words) => super::revision::resolve(self, words)?,
            None => self.default_head()?,
        };
        let commit = self.find_commit(id)?;
        Ok(Head {
            commit: id.to_string(),
            reference: named,
            fetched_at: self.location.fetched_at(),
            committed_at: Timestamp(commit.committer().when().seconds()),
        })
    }

    fn default_head(&self) -> Result<(String, Oid)> {
        for name in ["refs/remotes/origin/HEAD", "HEAD"] {
            match self.location.resolve(name)? {
                Some((named, Some(id))) => return Ok((named, parse_id(&id)?)),
                // A dangling origin/HEAD is common after a branch was renamed.
                Some((named, None)) if name == "HEAD" => return Err(self.unborn(&named)),
                _ => {}
            }
        }
        Err(self.unborn("HEAD"))
    }

    fn unborn(&self, branch: &str) -> Error {
        let at = visible(&self.location.git_dir.to_string_lossy());
        Error::new(
            Kind::NotFound,
            "unborn-branch",
            format!("the branch `{}` of `{at}` has no commit yet", visible(branch)),
        )
        .hint("name a branch that has commits with --ref, or fetch first")
    }

    /// The bytes of a file: of its blob, or of the work tree when the entry names no blob.
    /// `None` when the object is missing, as partial clones leave them out, or when the file of
    /// the work tree is gone.
    ///
    /// # Errors
    /// `damaged-object`, `io`.
    pub fn read(&self, entry: &Entry) -> Result<Option<Vec<u8>>> {
        match &entry.blob {
            Some(id) => self.blob(parse_id(id)?),
            None => self.read_worktree(&entry.path),
        }
    }

    /// The bytes of one file of a commit; `None` when the commit has no such file.
    ///
    /// # Errors
    /// `missing-object` when this clone lacks it.
    pub fn read_path(&self, commit: &str, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        let tree = self.tree_of(parse_id(commit)?)?;
        let Some((id, _)) = self.lookup(tree, path)? else { return Ok(None) };
        match self.blob(id)? {
            Some(bytes) => Ok(Some(bytes)),
            None => {
                let what = format!("this clone lacks the bytes of `{path}`, object {id}");
                Err(Error::new(Kind::NotFound, "missing-object", what)
                    .hint("the clone is partial: check the file out, or clone without a filter"))
            }
        }
    }

    /// Whether this clone, or what was fetched for it, holds an object.
    #[must_use]
    pub fn holds(&self, id: &str) -> bool {
        let odb = self.objects.odb();
        parse_id(id).is_ok_and(|id| odb.is_ok_and(|odb| odb.exists(id)))
    }

    /// The parents of a commit.
    ///
    /// # Errors
    /// `missing-object`.
    pub fn parents(&self, commit: &str) -> Result<Vec<String>> {
        let commit = self.find_commit(parse_id(commit)?)?;
        Ok(commit.parent_ids().map(|id| id.to_string()).collect())
    }

    /// Whether two commits hold the same files.
    ///
    /// # Errors
    /// `missing-object`.
    pub fn same_files(&self, one: &str, other: &str) -> Result<bool> {
        Ok(self.tree_of(parse_id(one)?)? == self.tree_of(parse_id(other)?)?)
    }

    /// The message of a commit as text.
    ///
    /// # Errors
    /// `missing-object`.
    pub fn message(&self, commit: &str) -> Result<String> {
        let commit = self.find_commit(parse_id(commit)?)?;
        Ok(String::from_utf8_lossy(commit.message_raw_bytes()).into_owned())
    }

    /// Where a path leads inside a tree: object and mode; `None` when it is no file there.
    pub(super) fn lookup(&self, tree: Oid, path: &RepoPath) -> Result<Option<(Oid, i32)>> {
        let mut tree = tree;
        let mut parts = path.as_bytes().split(|b| *b == b'/').peekable();
        while let Some(part) = parts.next() {
            let folder = self.objects.find_tree(tree).map_err(|source| object(tree, &source))?;
            let Some(entry) = folder.get_name_bytes(part) else { return Ok(None) };
            match (parts.peek(), entry.kind()) {
                (None, Some(ObjectType::Blob)) => {
                    return Ok(Some((entry.id(), entry.filemode_raw())));
                }
                (Some(_), Some(ObjectType::Tree)) => tree = entry.id(),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    pub(super) fn find_commit(&self, id: Oid) -> Result<git2::Commit<'_>> {
        self.objects.find_commit(id).map_err(|source| object(id, &source))
    }

    pub(super) fn tree_of(&self, commit: Oid) -> Result<Oid> {
        Ok(self.find_commit(commit)?.tree_id())
    }

    pub(super) fn blob(&self, id: Oid) -> Result<Option<Vec<u8>>> {
        match self.objects.find_blob(id) {
            Ok(blob) => Ok(Some(blob.content().to_vec())),
            Err(source) if source.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(object(id, &source)),
        }
    }
}

fn borrow_objects(odb: &Odb<'_>, location: &Location) -> Result<()> {
    for dir in &location.object_dirs {
        let Some(text) = dir.to_str() else {
            let shown = visible(&dir.to_string_lossy());
            return Err(Error::new(
                Kind::Io,
                "unsupported-repository",
                format!("the path `{shown}` is no UTF-8"),
            ));
        };
        odb.add_disk_alternate(text).map_err(|source| unreadable(location, &source))?;
    }
    Ok(())
}

/// Reads a full object name.
pub(super) fn parse_id(text: &str) -> Result<Oid> {
    let shaped = is_object_name(text).then(|| Oid::from_str(text).ok()).flatten();
    shaped.ok_or_else(|| Error::bug(format!("`{}` is no object name", visible(text))))
}

pub(super) fn object(id: Oid, source: &git2::Error) -> Error {
    if source.code() == ErrorCode::NotFound {
        return missing(id);
    }
    let said = visible(source.message());
    Error::new(Kind::Io, "damaged-object", format!("the object {id} cannot be read: {said}"))
        .hint("`git fsck` tells more")
}

pub(super) fn missing(id: Oid) -> Error {
    Error::new(Kind::NotFound, "missing-object", format!("this clone lacks the object {id}"))
        .hint("the clone is shallow or partial: fetch more of it with `git fetch`")
}

fn unreadable(location: &Location, source: &git2::Error) -> Error {
    let shown = visible(&location.git_dir.to_string_lossy());
    let said = visible(source.message());
    Error::new(Kind::Io, "damaged-repository", format!("could not open `{shown}`: {said}"))
}
