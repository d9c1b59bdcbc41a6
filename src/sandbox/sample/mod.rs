//! The sample repository of `keyroll demo`: a small hiera-eyaml repository with its bare remote and
//! its identity. One access key stands in it in every usual shape, and another user's beside it.

mod text;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Signature, Time};

use crate::error::{Error, Kind, Result};
use crate::keyring::fresh;
use crate::model::{AccessKeyId, AccessKeyPair, Secret, Timestamp, UserName, visible};
use crate::repo::Environment;
use crate::repo::child::{self, Terminal};

/// The IAM user whose access key the story rotates.
pub const USER: &str = "uploads";
/// Its access key; the ID tells the simulated account.
pub const OLD: &str = "AKIARZPUZDIKAEXAMPLE";
/// The sample's settings.
pub const SETTINGS: &str = include_str!("tree/keyroll.yaml");
/// The IAM user whose access key must stay as it is.
pub const OTHER_USER: &str = "backups";

const OLD_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const OTHER: &str = "AKIARZPUZDIKABACKUPS";
const OTHER_SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";

/// What was made.
#[derive(Debug)]
pub struct Sample {
    /// The bare repository that the clone calls `origin`.
    pub remote: PathBuf,
    /// The clone, with the private half of its identity in `keys/`.
    pub clone: PathBuf,
}

impl Sample {
    /// Makes the remote and the clone in an empty folder; git runs with this environment alone.
    ///
    /// # Errors
    /// `program-not-found` without git, or what the disk said.
    pub fn make(folder: &Path, now: Timestamp, environment: &Environment) -> Result<Self> {
        let sample = Self { remote: folder.join("secrets.git"), clone: folder.join("secrets") };
        let identity = fresh()?;
        let sealer = identity.sealer.as_ref();
        let values = text::Values { old: old_pair()?, other: other_pair()?, sealer };
        let mut files = text::files(&values)?;
        files.push(("keys/public_key.pkcs7.pem", identity.certificate.into_bytes()));
        // No template of the machine: what it brings could be a hook.
        let init = ["init", "--quiet", "--bare", "--initial-branch=main", "--template=", "--"];
        git(environment, &init, &[&sample.remote])?;
        commit(&sample.remote, &files, now).map_err(|error| {
            let path = visible(&sample.remote.to_string_lossy());
            let what = visible(error.message());
            Error::new(Kind::Io, "io", format!("could not write into `{path}`: {what}"))
        })?;
        git(environment, &["clone", "--quiet", "--"], &[&sample.remote, &sample.clone])?;
        let private = sample.clone.join("keys/private_key.pkcs7.pem");
        write_private(&private, identity.private.as_bytes())?;
        Ok(sample)
    }
}

/// The pair that the story rotates.
///
/// # Errors
/// A defect only.
pub fn old_pair() -> Result<AccessKeyPair> {
    AccessKeyPair::new(AccessKeyId::new(OLD)?, Secret::from(OLD_SECRET.to_owned()))
}

/// The pair of [`OTHER_USER`].
///
/// # Errors
/// A defect only.
pub fn other_pair() -> Result<AccessKeyPair> {
    AccessKeyPair::new(AccessKeyId::new(OTHER)?, Secret::from(OTHER_SECRET.to_owned()))
}

/// The user of the story.
///
/// # Errors
/// A defect only.
pub fn user() -> Result<UserName> {
    UserName::new(USER)
}

fn git(environment: &Environment, words: &[&str], paths: &[&Path]) -> Result<()> {
    let mut command = child::command("git", environment);
    command.args(words).args(paths);
    let output = child::run(command, b"", Duration::from_secs(60), Terminal::Cut)?;
    if output.status.success() {
        return Ok(());
    }
    let said = visible(output.talk().trim());
    let what = format!("git could not make the sample repository: {said}");
    Err(Error::new(Kind::Io, "git-failed", what))
}

/// One commit of these files on `main` of a bare repository.
fn commit(
    remote: &Path,
    files: &[(&str, Vec<u8>)],
    now: Timestamp,
) -> std::result::Result<(), git2::Error> {
    let repository = git2::Repository::open_bare(remote)?;
    // The machine's own configuration has no say here.
    repository.set_config(&git2::Config::new()?)?;
    let mut tree = TreeUpdateBuilder::new();
    for (path, text) in files {
        tree.upsert(*path, repository.blob(text)?, FileMode::Blob);
    }
    let empty = repository.find_tree(repository.treebuilder(None)?.write()?)?;
    let tree = repository.find_tree(tree.create_updated(&repository, &empty)?)?;
    let who = Signature::new("Alice Example", "alice@example.com", &Time::new(now.0, 0))?;
    repository.commit(Some("refs/heads/main"), &who, &who, "import\n", &tree, &[]).map(drop)
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let opened = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    opened
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| Error::io("write", path, &source))
}

#[cfg(test)]
mod tests {
    use super::{old_pair, other_pair};
    use crate::sandbox::ACCOUNT;

    #[test]
    fn the_ids_tell_the_simulated_account() {
        for pair in [old_pair(), other_pair()] {
            let id = pair.expect("a pair").id;
            assert_eq!(id.account().expect("an account").as_str(), ACCOUNT, "{id}");
        }
    }
}
