//! The kinds of identities, in the order in which they are tried.

use super::{Identity, Keyring, Sealed};
use crate::model::{Lock, LockReason, Secret};

/// What of the machine and the repository bears on finding identities. The caller fills it: this
/// room reads no environment variable by itself.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The environment variables.
    pub env: std::collections::BTreeMap<String, String>,
    /// The user's home.
    pub home: Option<std::path::PathBuf>,
    /// The working directory.
    pub cwd: Option<std::path::PathBuf>,
    /// The folder of the repository's work tree; `None` for a bare one.
    pub worktree: Option<std::path::PathBuf>,
    /// Folders (inside the work tree, as relative paths) that hold sealed files.
    pub folders: Vec<std::path::PathBuf>,
    /// Files given with `--identity` and `identities`, which must be usable.
    pub identities: Vec<std::path::PathBuf>,
    /// Root of the machine's configuration, `/etc` outside tests.
    pub etc: std::path::PathBuf,
    /// Certificates and public keys that stand in the base commit: path and bytes.
    pub certificates: Vec<(crate::model::RepoPath, Vec<u8>)>,
}

/// Finds every identity.
///
/// # Errors
/// When an identity that was asked for by name cannot be read.
pub fn discover(_surroundings: &Surroundings) -> crate::error::Result<Keyring> {
    Ok(Keyring::default())
}

pub(super) fn open<'k>(
    keyring: &'k Keyring,
    sealed: Sealed<'_>,
) -> Result<(Secret, &'k dyn Identity), Lock> {
    for identity in &keyring.identities {
        if let Some(answer) = identity.open(sealed) {
            return answer.map(|secret| (secret, identity.as_ref()));
        }
    }
    Err(Lock { reason: LockReason::NoIdentity, detail: "no identity was found".to_owned() })
}
