//! The private folder that stands in for the clone's `.git` when the `git` program runs: our own
//! configuration, no hooks, no template, objects borrowed from the clone. It goes when dropped.
//! Talking to the remote is left to `remote`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::child::Environment;
use super::locate::Location;
use crate::error::{Error, Result};

/// A private git directory, readable by its owner only.
pub(super) struct PrivateDir {
    folder: TempDir,
}

impl PrivateDir {
    /// Makes one that borrows the objects of `location` and knows where its history is cut.
    pub(super) fn new(location: &Location, environment: &Environment) -> Result<Self> {
        let private = Self::empty(environment)?;
        let folder = private.path();
        let mut alternates = String::new();
        for (n, dir) in location.object_dirs.iter().enumerate() {
            // Through a symlink, because a path with a line break or a quote in it would have to
            // be written in a syntax that libgit2 does not read.
            let link = folder.join(format!("borrowed-{n}"));
            symlink(dir, &link).map_err(|source| Error::io("create", &link, &source))?;
            alternates.push_str(&format!("{}\n", link.display()));
        }
        private.write("objects/info/alternates", &alternates)?;
        if let Some(shallow) = location.shallow()? {
            private.write("shallow", &shallow)?;
        }
        Ok(private)
    }

    /// Makes one that borrows nothing.
    pub(super) fn empty(environment: &Environment) -> Result<Self> {
        let root = environment.temp_dir();
        let fail = |source| Error::io("create a private folder in", root, &source);
        let folder = tempfile::Builder::new().prefix("keyroll-").tempdir_in(root).map_err(fail)?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).map_err(fail)?;
        for dir in ["objects/info", "objects/pack", "refs/heads", "info"] {
            fs::create_dir_all(folder.path().join(dir)).map_err(fail)?;
        }
        let private = Self { folder };
        private.write("HEAD", "ref: refs/heads/main\n")?;
        private.write("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")?;
        Ok(private)
    }

    /// The git directory.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds configuration files of the user that hold for the user's own clone only
    /// (`includeIf "gitdir:"`), so that they hold here too.
    pub(super) fn include(&self, files: &[String]) -> Result<()> {
        let mut text = String::new();
        for file in files.iter().filter(|file| !file.contains('\n')) {
            let quoted = file.replace('\\', "\\\\").replace('"', "\\\"");
            text.push_str(&format!("[include]\n\tpath = \"{quoted}\"\n"));
        }
        self.write("config", &text)
    }

    /// Names objects that are here, so that a fetch need not ask for them again.
    pub(super) fn remember(&self, ids: &[String]) -> Result<()> {
        let lines: String = ids
            .iter()
            .enumerate()
            .map(|(n, id)| format!("{id} refs/keyroll/have/{n:06}\n"))
            .collect();
        self.write("packed-refs", &lines)
    }

    /// Copies what says which files are tracked and which are ignored.
    pub(super) fn copy_index(&self, location: &Location) -> Result<()> {
        let entries = fs::read_dir(&location.git_dir)
            .map_err(|source| Error::io("list", &location.git_dir, &source))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let plain = name.to_string_lossy();
            if plain == "index" || (plain.starts_with("sharedindex.") && !plain.ends_with(".lock"))
            {
                self.copy(&entry.path(), &plain)?;
            }
        }
        let exclude = location.common_dir.join("info/exclude");
        if exclude.is_file() { self.copy(&exclude, "info/exclude") } else { Ok(()) }
    }

    fn copy(&self, from: &Path, name: &str) -> Result<()> {
        let to = self.path().join(name);
        fs::copy(from, &to).map(drop).map_err(|source| Error::io("copy", from, &source))
    }

    /// Appends to a file of the folder, making it when there is none.
    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path().join(name);
        let opened = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        opened
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|source| Error::io("write", &path, &source))
    }
}
