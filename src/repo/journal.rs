//! Durable files of this machine, written whole or not at all: the intent and the escrow of a
//! rotation between its first step and its last. What they say is left to `intent` and `protocol`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::visible;

/// The state folder, readable by its owner only.
#[derive(Debug, Clone)]
pub struct Journal {
    dir: PathBuf,
}

/// The right to change the files of one name: no other process of this machine has it.
/// It ends when dropped, or with the process.
#[derive(Debug)]
pub struct Hold {
    journal: Journal,
    lock: File,
    path: PathBuf,
}

impl Journal {
    /// Opens the state folder (`$XDG_STATE_HOME/keyroll`), making it with mode 0700.
    ///
    /// # Errors
    /// `io` with the folder's path: a full or read-only disk, a file in its place.
    pub fn open(dir: &Path) -> Result<Self> {
        let fail = |source| Error::io("create the state folder", dir, &source);
        if !dir.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(fail)?;
            // The folder's own name must outlive a crash as well.
            let parent = dir.parent().filter(|parent| parent.is_dir());
            parent.map_or(Ok(()), |parent| File::open(parent)?.sync_all()).map_err(fail)?;
        }
        let data = fs::metadata(dir).map_err(fail)?;
        if data.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(fail)?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes the hold on a name, such as an access key ID.
    ///
    /// # Errors
    /// `journal-busy` when another process has it.
    pub fn hold(&self, name: &str) -> Result<Hold> {
        let path = self.path(&format!(".{name}.lock"))?;
        let fail = |source| Error::io("lock", &path, &source);
        loop {
            let mut options = OpenOptions::new();
            let lock = options.create(true).append(true).mode(0o600).open(&path).map_err(fail)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(busy(name)),
                Err(TryLockError::Error(source)) => return Err(fail(source)),
            }
            // The holder before us may have removed the file between our open and our lock.
            let ours = lock.metadata().map_err(fail)?;
            if fs::metadata(&path).is_ok_and(|there| there.ino() == ours.ino()) {
                return Ok(Hold { journal: self.clone(), lock, path });
            }
        }
    }

    /// The bytes of a file; `None` when there is none.
    ///
    /// # Errors
    /// `io` with the file's path.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(name)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::io("read", &path, &source)),
        }
    }

    /// The names of the files, in order; locks and files half written are none.
    ///
    /// # Errors
    /// `io` with the folder's path.
    pub fn list(&self) -> Result<Vec<String>> {
        let fail = |source| Error::io("list", &self.dir, &source);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') && entry.file_type().map_err(fail)?.is_file() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn path(&self, name: &str) -> Result<PathBuf> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-=".contains(&b);
        if name.is_empty() || name.len() > 200 || !name.bytes().all(plain) || name.contains("..") {
            return Err(Error::bug(format!("`{}` is no name for the journal", visible(name))));
        }
        Ok(self.dir.join(name))
    }

    /// Makes a rename or a removal durable.
    fn sync(&self) -> Result<()> {
        File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|source| Error::io("sync", &self.dir, &source))
    }
}

impl Hold {
    /// The journal that this is a hold on.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Replaces a file: written beside it with mode 0600, synced, renamed, and the folder synced.
    /// When this returns, a crash of the machine does not lose it; when it fails, the file is
    /// what it was.
    ///
    /// # Errors
    /// `io`, `disk-full`, `read-only-disk` with the file's path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.journal.path(name)?;
        let fail = |source| Error::io("write", &path, &source);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".new-").permissions(Permissions::from_mode(0o600));
        let mut file = builder.tempfile_in(&self.journal.dir).map_err(fail)?;
        // The umask may have taken bits away.
        file.as_file().set_permissions(Permissions::from_mode(0o600)).map_err(fail)?;
        file.write_all(bytes).map_err(fail)?;
        file.as_file().sync_all().map_err(fail)?;
        file.persist(&path).map_err(|source| fail(source.error))?;
        self.journal.sync()
    }

    /// Removes a file durably; one that is gone already is no error.
    ///
    /// # Errors
    /// `io` with the file's path.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.journal.path(name)?;
        match fs::remove_file(&path) {
            Ok(()) => self.journal.sync(),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(()),
            Err(source) => Err(Error::io("remove", &path, &source)),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Removed while still locked; whoever opened it meanwhile sees that it is gone.
        drop(fs::remove_file(&self.path));
        drop(self.lock.unlock());
    }
}

fn busy(name: &str) -> Error {
    Error::refused(
        "journal-busy",
        format!("another keyroll on this machine is working on `{}`", visible(name)),
    )
    .hint("wait until it has ended, then run the same command again")
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_folder_are_private_even_when_the_folder_was_not() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/keyroll");
        fs::create_dir_all(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let journal = Journal::open(&dir).unwrap();
        journal.hold("r1").unwrap().write("r1.json", b"{}").unwrap();
        assert_eq!((mode(&dir), mode(&dir.join("r1.json"))), (0o700, 0o600));
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_beside_it() {
        let root = tempfile::tempdir().unwrap();
        let journal = Journal::open(root.path()).unwrap();
        let hold = journal.hold("r1").unwrap();
        hold.write("r1.json", b"old").unwrap();
        // A folder in the way of the rename stands for every late failure.
        fs::create_dir(root.path().join("in-the-way")).unwrap();
        let error = hold.write("in-the-way", b"new").expect_err("a folder");
        assert!(error.message().contains("in-the-way"), "{}", error.message());
        assert_eq!(journal.read("r1.json").unwrap().as_deref(), Some(&b"old"[..]));
        let left: Vec<_> = fs::read_dir(root.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 3, "file, folder and lock: {left:?}");
        assert_eq!(journal.list().unwrap(), ["r1.json"]);
    }

    #[test]
    fn one_process_at_a_time_holds_a_name() {
        let root = tempfile::tempdir().unwrap();
        let journal = Journal::open(root.path()).unwrap();
        let hold = journal.hold("AKIAIOSFODNN7EXAMPLE").unwrap();
        let error = journal.hold("AKIAIOSFODNN7EXAMPLE").expect_err("held");
        assert_eq!(error.reason(), "journal-busy");
        assert!(journal.hold("AKIAI44QH8DHBEXAMPLE").is_ok());
        drop(hold);
        assert!(journal.hold("AKIAIOSFODNN7EXAMPLE").is_ok());
    }

    #[test]
    fn removing_twice_is_as_good_as_once_and_names_cannot_leave() {
        let root = tempfile::tempdir().unwrap();
        let journal = Journal::open(root.path()).unwrap();
        let hold = journal.hold("r").unwrap();
        hold.write("r.json", b"x").unwrap();
        hold.remove("r.json").unwrap();
        hold.remove("r.json").unwrap();
        assert_eq!(journal.read("r.json").unwrap(), None);
        for name in ["../x", "a/b", "", "..", "a\n"] {
            assert!(hold.write(name, b"x").is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("state");
        tempfile::NamedTempFile::new_in(root.path()).unwrap().persist(&path).unwrap();
        let error = Journal::open(&path).expect_err("a file");
        assert!(error.message().contains("/state`"), "{}", error.message());
    }
}
