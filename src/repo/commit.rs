//! Makes a commit from trees: blobs are written as they are, modes kept, no index and no filter.
//! How it is signed is left to `sign`; that anything points at it, to `push`.

use git2::{FileMode, ObjectType, Oid};

use super::git::{Repository, missing, object, parse_id};
use super::sign::Signing;
use crate::error::{Error, Kind, Result};
use crate::model::{Change, RepoPath, Timestamp, visible};

/// Who makes a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name, as git writes it.
    pub name: String,
    /// The address.
    pub email: String,
}

/// What a new commit says of itself beside its message.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// Author and committer.
    pub author: &'a Author,
    /// The date of both, in UTC.
    pub at: Timestamp,
    /// Whether and how it is signed.
    pub signing: &'a Signing,
}

impl Repository {
    /// Makes one commit whose tree is that of `base` with the changes in it, each file keeping
    /// its mode, and whose only parent is `base`. Without changes it is an empty commit; without
    /// a base it is a root. Nothing points at it: publishing is left to a push.
    ///
    /// # Errors
    /// `base-differs` when a file of base is not what the change says; signing errors.
    pub fn commit(
        &self,
        base: Option<&str>,
        changes: &[Change],
        message: &str,
        stamp: &Stamp<'_>,
    ) -> Result<String> {
        if self.store.is_none() {
            return Err(Error::bug("a commit was to be written into the user's clone"));
        }
        let parent = base.map(parse_id).transpose()?;
        let baseline = match parent {
            Some(id) => self.tree_of(id)?,
            None => self.write(self.objects.treebuilder(None).and_then(|empty| empty.write()))?,
        };
        let tree = self.changed_tree(baseline, changes)?;
        self.write_commit(parent, tree, message, stamp)
    }

    fn changed_tree(&self, baseline: Oid, changes: &[Change]) -> Result<Oid> {
        let mut update = git2::build::TreeUpdateBuilder::new();
        for change in changes {
            let name = change.path.as_bytes();
            if name.contains(&0) {
                return Err(Error::bug("a path with a NUL byte was to be written"));
            }
            let mode = self.mode_of_unchanged(baseline, change)?;
            let blob = self.write(self.objects.blob(&change.after))?;
            update.upsert(name, blob, mode);
        }
        let tree = self.objects.find_tree(baseline).map_err(|source| object(baseline, &source))?;
        self.write(update.create_updated(&self.objects, &tree))
    }

    /// The mode of the file, after a look whether base still holds what the change was made on.
    fn mode_of_unchanged(&self, baseline: Oid, change: &Change) -> Result<FileMode> {
        let Some((id, mode)) = self.lookup(baseline, &change.path)? else {
            return match change.before.is_empty() {
                true => Ok(FileMode::Blob),
                false => Err(differs(&change.path)),
            };
        };
        let mode = match mode {
            0o100_755 => FileMode::BlobExecutable,
            0o100_644 | 0o100_664 => FileMode::Blob,
            _ => return Err(differs(&change.path)),
        };
        match self.blob(id)? {
            Some(bytes) if bytes == change.before => Ok(mode),
            Some(_) => Err(differs(&change.path)),
            None => Err(missing(id)),
        }
    }

    fn write_commit(
        &self,
        parent: Option<Oid>,
        tree: Oid,
        message: &str,
        stamp: &Stamp<'_>,
    ) -> Result<String> {
        let when = git2::Time::new(stamp.at.0, 0);
        let person = git2::Signature::new(&stamp.author.name, &stamp.author.email, &when)
            .map_err(|source| super::config::bad_author(source.message()))?;
        let tree = self.objects.find_tree(tree).map_err(|source| object(tree, &source))?;
        let parent = parent.map(|id| self.find_commit(id)).transpose()?;
        let parents: Vec<_> = parent.iter().collect();
        let buffer = self
            .write(self.objects.commit_create_buffer(&person, &person, message, &tree, &parents))?;
        let id = match stamp.signing {
            Signing::Off => self
                .write(self.objects.odb().and_then(|odb| odb.write(ObjectType::Commit, &buffer)))?,
            Signing::With(signer) => {
                let signature = signer.sign(&buffer, stamp.author, &self.environment)?;
                let text = std::str::from_utf8(&buffer)
                    .map_err(|_| Error::bug("a commit was made that is no UTF-8"))?;
                self.write(self.objects.commit_signed(text, &signature, Some("gpgsig")))?
            }
        };
        Ok(id.to_string())
    }

    fn write<T>(&self, outcome: std::result::Result<T, git2::Error>) -> Result<T> {
        outcome.map_err(|source| {
            let at = self.store.as_deref().unwrap_or(&self.location.git_dir);
            let shown = visible(&at.to_string_lossy());
            let said = visible(source.message());
            Error::new(Kind::Io, "io", format!("could not write objects to `{shown}`: {said}"))
                .hint("is the disk of the temporary folder (TMPDIR) full or read-only")
        })
    }
}

fn differs(path: &RepoPath) -> Error {
    Error::refused("base-differs", format!("`{path}` is no longer what the change was made on"))
        .hint("run the same command again: it reads the files afresh")
}
