//! Makes repositories with the git program in a temporary folder, away from the user's own
//! settings.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use keyroll::model::{Change, RepoPath, Timestamp};
use keyroll::repo::{Access, Author, Environment, Remote, Repository, Signing, Stamp};

pub(crate) const AT: Timestamp = Timestamp(1_795_000_000);
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A folder with a home, a bare remote and a clone of it.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// `remote.git` with one commit on `main`, and `clone` of it.
    pub(crate) fn new() -> Self {
        let world = Self::bare();
        world.git(&world.root(), &["clone", "-q", "remote.git", "clone"]);
        world
    }

    /// The remote alone.
    pub(crate) fn bare() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let root = world.root();
        fs::create_dir_all(root.join("home")).unwrap();
        world.write(
            "home/.gitconfig",
            "[user]\nname = Tester\nemail = tester@example.com\n[init]\ndefaultBranch = main\n\
             [protocol \"file\"]\nallow = always\n",
        );
        world.git(&root, &["init", "-q", "--bare", "remote.git"]);
        world.git(&root, &["init", "-q", "seed"]);
        world.write("seed/hieradata/a.yaml", "a: 1\n");
        world.write("seed/run.sh", "#!/bin/sh\n");
        let script = root.join("seed/run.sh");
        fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
        let seed = root.join("seed");
        world.git(&seed, &["add", "."]);
        world.git(&seed, &["commit", "-qm", "first"]);
        world.git(&seed, &["push", "-q", "../remote.git", "main"]);
        world
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(crate) fn clone_dir(&self) -> PathBuf {
        self.root().join("clone")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// A program of the user or of an attacker that leaves a file behind when it runs.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        self.write(name, text);
        let path = self.root().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub(crate) fn git(&self, dir: &Path, args: &[&str]) -> String {
        let (fine, said) = self.try_git(dir, args);
        assert!(fine, "git {args:?}: {said}");
        said.trim().to_owned()
    }

    pub(crate) fn try_git(&self, dir: &Path, args: &[&str]) -> (bool, String) {
        let output = Command::new("/usr/bin/git")
            .args(args)
            .current_dir(dir)
            .env_clear()
            .envs(self.vars())
            .output()
            .unwrap();
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    }

    fn vars(&self) -> BTreeMap<String, String> {
        let root = self.root().to_string_lossy().into_owned();
        let tmp = format!("{root}/tmp");
        fs::create_dir_all(&tmp).unwrap();
        [
            ("PATH", PATH.to_owned()),
            ("HOME", format!("{root}/home")),
            ("TMPDIR", tmp),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    pub(crate) fn environment(&self) -> Environment {
        Environment::new(self.vars())
    }

    /// The environment with one more variable.
    pub(crate) fn environment_with(&self, name: &str, value: &str) -> Environment {
        let mut vars = self.vars();
        vars.insert(name.to_owned(), value.to_owned());
        Environment::new(vars)
    }

    pub(crate) fn open(&self, name: &str) -> Repository {
        Repository::open(&self.root().join(name), &self.environment()).unwrap()
    }

    pub(crate) fn remote(&self, name: &str) -> Remote {
        Remote::of(&self.open(name), None, access()).unwrap()
    }

    /// The commit of a reference in the bare remote; empty when it has none.
    pub(crate) fn at_remote(&self, reference: &str) -> String {
        let dir = self.root().join("remote.git");
        let (fine, said) = self.try_git(&dir, &["rev-parse", "--verify", "-q", reference]);
        if fine { said.trim().to_owned() } else { String::new() }
    }

    /// What lies in the temporary folder that the environment names.
    pub(crate) fn left_behind(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root().join("tmp")).into_iter().flatten();
        entries.flatten().map(|entry| entry.path()).collect()
    }
}

pub(crate) fn access() -> Access {
    Access { askpass: PathBuf::from("/nonexistent/askpass"), token: None }
}

pub(crate) fn author() -> Author {
    Author { name: "Tester".into(), email: "tester@example.com".into() }
}

pub(crate) fn change(path: &str, before: &str, after: &str) -> Change {
    Change { path: RepoPath::new(path), before: before.into(), after: after.into() }
}

/// Makes a commit at the remote's private repository and pushes nothing.
pub(crate) fn commit(
    remote: &Remote,
    base: &str,
    changes: &[Change],
    message: &str,
    signing: &Signing,
) -> keyroll::Result<String> {
    let author = author();
    let stamp = Stamp { author: &author, at: AT, signing };
    remote.objects().commit(Some(base), changes, message, &stamp)
}
