//! Lists the files of a commit and of a work tree; says what is not searched. Symlinks are never
//! followed and submodules never entered. Reading blobs is left to `git`.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{ObjectType, Oid};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::child::{self, Terminal};
use super::git::{Repository, object, parse_id};
use super::private::PrivateDir;
use crate::error::{Error, Kind, Result};
use crate::model::{RepoPath, visible};

/// How deep folders may be nested; git's own checkout fails long before.
const DEPTH: usize = 512;
/// How many files one commit may list: a few hundred bytes of trees that name each other can
/// stand for billions.
pub(super) const FILES_LIMIT: usize = 1_000_000;
/// A pointer of Git LFS is at most this long (specification, "The Pointer").
const LFS_LIMIT: usize = 1024;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    /// Its path from the root.
    pub path: RepoPath,
    /// The object name of its bytes; `None` for a file of the work tree.
    pub blob: Option<String>,
    /// The mode as git writes it: 0o100644 or 0o100755.
    pub mode: u32,
}

/// Why something of the tree is not searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A symbolic link: where it leads is searched there, or is outside.
    Symlink,
    /// Another repository.
    Submodule,
    /// The bytes are in an LFS store, not in git.
    LfsPointer,
    /// A special file of the work tree, or folders nested beyond the limit.
    Special,
}

impl What {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::Submodule => "submodule",
            Self::LfsPointer => "lfs-pointer",
            Self::Special => "special",
        }
    }
}

/// Something that was left out of a search.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NotSearched {
    /// Its path from the root.
    pub path: RepoPath,
    /// Why.
    pub what: What,
}

/// The files of one commit, in the order of their paths, and what stands beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What can be read.
    pub files: Vec<Entry>,
    /// What cannot. LFS pointers show themselves only when they are read: [`is_lfs_pointer`].
    pub not_searched: Vec<NotSearched>,
}

/// Whether the bytes of a file only point into an LFS store.
#[must_use]
pub fn is_lfs_pointer(bytes: &[u8]) -> bool {
    bytes.len() <= LFS_LIMIT && bytes.starts_with(b"version https://git-lfs.github.com/spec/")
}

/// One entry of a tree: full path, object, mode, kind.
type Child = (Vec<u8>, Oid, i32, ObjectType);

impl Repository {
    /// Every file of a commit.
    ///
    /// # Errors
    /// `missing-object` when the clone lacks the commit or one of its trees.
    pub fn list(&self, commit: &str) -> Result<Listing> {
        let mut listing = Listing::default();
        let mut pending = vec![(Vec::new(), self.tree_of(parse_id(commit)?)?, 0)];
        let mut folders = 0;
        while let Some((prefix, tree, depth)) = pending.pop() {
            for (path, id, mode, kind) in self.children(&prefix, tree)? {
                match kind {
                    ObjectType::Tree if depth < DEPTH => pending.push((path, id, depth + 1)),
                    _ => listing.take(path, id, mode, kind),
                }
            }
            folders += 1;
            if listing.files.len() + folders > FILES_LIMIT {
                return Err(too_many(commit));
            }
        }
        listing.files.sort();
        listing.not_searched.sort();
        Ok(listing)
    }

    /// The entries of one tree with their full paths.
    pub(super) fn children(&self, prefix: &[u8], tree: Oid) -> Result<Vec<Child>> {
        let found = self.objects.find_tree(tree).map_err(|source| object(tree, &source))?;
        let children = found.iter().map(|entry| {
            let mut path = prefix.to_vec();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(entry.name_bytes());
            // A submodule's entry has a kind that is no object of this repository.
            let kind = entry.kind().unwrap_or(ObjectType::Commit);
            (path, entry.id(), entry.filemode_raw(), kind)
        });
        Ok(children.collect())
    }

    /// Every file of the work tree that is tracked, or neither tracked nor ignored.
    ///
    /// The `git` program lists them from a private copy of the index, so that nothing which the
    /// repository's configuration names can run.
    ///
    /// # Errors
    /// `no-worktree` for a bare repository; `git-failed`.
    pub fn list_worktree(&self) -> Result<Listing> {
        let root = self.worktree().ok_or_else(|| no_worktree(self.git_dir()))?;
        let private = PrivateDir::new(&self.location, &self.environment)?;
        private.copy_index(&self.location)?;
        let mut git = child::command("git", &self.environment);
        git.env("GIT_DIR", private.path()).env("GIT_WORK_TREE", root).current_dir(root);
        git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
        git.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
        git.args(["-c", "core.untrackedCache=false", "ls-files", "-z"]);
        git.args(["--cached", "--others", "--exclude-standard", "--deduplicate"]);
        let output = child::run(git, b"", Duration::from_secs(300), Terminal::Cut)?;
        if !output.status.success() {
            return Err(super::push_error::git_failed("list the work tree", &output));
        }
        let mut listing = Listing::default();
        for name in output.stdout.split(|b| *b == 0).filter(|name| !name.is_empty()) {
            listing.take_file(root, name);
        }
        listing.files.sort();
        listing.files.dedup();
        listing.not_searched.sort();
        listing.not_searched.dedup();
        Ok(listing)
    }

    /// The bytes of a file of the work tree as they lie on disk, without any filter; `None` when
    /// it is gone, or is no regular file, or a folder on the way to it is a symlink.
    pub(super) fn read_worktree(&self, path: &RepoPath) -> Result<Option<Vec<u8>>> {
        let root = self.worktree().ok_or_else(|| no_worktree(self.git_dir()))?;
        let shown =
            root.join(PathBuf::from(std::ffi::OsString::from_vec(path.as_bytes().to_vec())));
        match open_below(root, path.as_bytes()) {
            Ok(Some(mut file)) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).map_err(|e| Error::io("read", &shown, &e))?;
                Ok(Some(bytes))
            }
            Ok(None) => Ok(None),
            Err(source) => Err(Error::io("read", &shown, &source)),
        }
    }
}

impl Listing {
    fn take(&mut self, path: Vec<u8>, id: Oid, mode: i32, kind: ObjectType) {
        let path = RepoPath::new(path);
        let what = match (kind, mode) {
            (ObjectType::Blob, 0o120_000) => What::Symlink,
            (ObjectType::Blob, _) => {
                let mode = u32::try_from(mode).unwrap_or(0o100_644);
                self.files.push(Entry { path, blob: Some(id.to_string()), mode });
                return;
            }
            (ObjectType::Tree, _) => What::Special,
            _ => What::Submodule,
        };
        self.not_searched.push(NotSearched { path, what });
    }

    fn take_file(&mut self, root: &Path, name: &[u8]) {
        let path = RepoPath::new(name.strip_suffix(b"/").unwrap_or(name));
        let on_disk = root.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
        // A tracked file that was deleted is no file of the work tree.
        let Ok(data) = on_disk.symlink_metadata() else { return };
        let what = match data.file_type() {
            kind if kind.is_file() => {
                use std::os::unix::fs::PermissionsExt as _;
                let executable = data.permissions().mode() & 0o100 != 0;
                let mode = if executable { 0o100_755 } else { 0o100_644 };
                self.files.push(Entry { path, blob: None, mode });
                return;
            }
            kind if kind.is_symlink() => What::Symlink,
            kind if kind.is_dir() => What::Submodule,
            _ => What::Special,
        };
        self.not_searched.push(NotSearched { path, what });
    }
}

/// Opens a regular file below `root` without passing any symlink.
fn open_below(root: &Path, name: &[u8]) -> std::io::Result<Option<File>> {
    let mut folder: OwnedFd = File::open(root)?.into();
    let mut parts = name.split(|b| *b == b'/').peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() || part == b".." || part == b"." {
            return Ok(None);
        }
        let last = parts.peek().is_none();
        // NONBLOCK: a FIFO must not hold us.
        let mut flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        if !last {
            flags |= OFlags::DIRECTORY;
        }
        match openat(&folder, std::ffi::OsStr::from_bytes(part), flags, Mode::empty()) {
            Ok(opened) => folder = opened,
            Err(source) => {
                // LOOP: the part is a symlink.
                let gone = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP];
                return if gone.contains(&source) { Ok(None) } else { Err(source.into()) };
            }
        }
    }
    let file = File::from(folder);
    let regular = file.metadata()?.is_file();
    Ok(regular.then_some(file))
}

pub(super) fn too_many(commit: &str) -> Error {
    Error::refused(
        "too-many-files",
        format!("the commit {commit} lists more than {FILES_LIMIT} files"),
    )
    .hint("its trees may be made to exhaust memory: look at them before you trust them")
}

fn no_worktree(git_dir: &Path) -> Error {
    let shown = visible(&git_dir.to_string_lossy());
    Error::new(Kind::Usage, "no-worktree", format!("`{shown}` has no work tree"))
        .hint("leave out --worktree: the files of the commit are searched")
}

#[cfg(test)]
mod tests {
    use super::is_lfs_pointer;

    #[test]
    fn a_pointer_is_short_and_begins_with_its_version() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
        assert!(is_lfs_pointer(pointer));
        assert!(!is_lfs_pointer(b"aws_access_key_id: AKIAIOSFODNN7EXAMPLE\n"));
        let mut long = pointer.to_vec();
        long.resize(2000, b'x');
        assert!(!is_lfs_pointer(&long));
    }
}
