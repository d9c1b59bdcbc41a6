//! The escrow: the new pair, sealed on this machine between its creation and the moment it stands
//! in a pushed commit. The age identity that opens it is itself sealed to whoever can read the
//! files of the plan, through their own formats; so the escrow tells nobody more than the
//! repository does.

use std::str::FromStr as _;

use age::secrecy::ExposeSecret as _;
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::format::{self, Source};
use crate::keyring::Keyring;
use crate::model::{
    AccessKeyId, AccessKeyPair, Cell, Content, Edit, Plan, RepoPath, Route, Scheme, Secret,
    SourceFile,
};

/// The identity of one rotation's escrow, while it is open.
pub(super) struct EscrowIdentity(age::x25519::Identity);

/// The identity as it lies on disk: sealed once per distinct identity that opens the plan's files.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SealedIdentity {
    /// Base64 of texts in the target files' own formats, each of which holds the age identity.
    sealed: Vec<String>,
}

impl EscrowIdentity {
    /// Makes a new identity.
    #[must_use]
    pub(super) fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Seals the identity to every recipient set of the plan's files, and proves that each opens.
    ///
    /// # Errors
    /// When the plan has no sealed value, or a format cannot seal.
    pub(super) fn seal(
        &self,
        plan: &Plan,
        files: &[SourceFile],
        keyring: &Keyring,
    ) -> Result<SealedIdentity> {
        let mut seen: Vec<(Scheme, Option<String>)> = Vec::new();
        let mut sealed = Vec::new();
        for swap in plan.swaps().iter().filter(|swap| swap.scheme != Scheme::Plain) {
            let file = files.iter().find(|file| file.path == swap.place.path);
            let cell = file.and_then(|file| outer(&file.cells, swap.place.span));
            let (Some(file), Some(cell)) = (file, cell) else { continue };
            let set = (cell.scheme.clone(), cell.opened_by.clone());
            if seen.contains(&set) {
                continue;
            }
            let text = self.sealed_like(cell.place.span.of(&file.bytes), keyring)?;
            sealed.push(base64::engine::general_purpose::STANDARD.encode(text));
            seen.push(set);
        }
        let sealed = SealedIdentity { sealed };
        if sealed.sealed.is_empty() {
            return Err(Error::refused(
                "no-sealed-value",
                "no planned value is sealed: there is nobody to seal the escrow to",
            )
            .hint("encrypt the secret in the repository before rotating it"));
        }
        sealed.open(keyring)?;
        Ok(sealed)
    }

    /// A sealed value like the given one, holding the identity.
    fn sealed_like(&self, text: &[u8], keyring: &Keyring) -> Result<Vec<u8>> {
        let path = RepoPath::new(*b"escrow");
        let route = Route::default();
        let source = Source { path: &path, bytes: text, route: &route, line: 1, depth: 0 };
        let cells = format::open(&source, keyring)?;
        let cell =
            sealed_cell(&cells).ok_or_else(|| Error::bug("a planned value did not open again"))?;
        let Content::Open(before) = &cell.content else {
            return Err(Error::bug("a planned value is locked"));
        };
        let written = Zeroizing::new(self.0.to_string().expose_secret().as_bytes().to_vec());
        let after = Secret::new(written.to_vec());
        let edit = Edit { span: cell.place.span, before: before.duplicate(), after };
        format::write(&source, &[edit], keyring)
    }

    /// Encrypts the pair to the identity. One in-process operation, no network.
    ///
    /// # Errors
    /// A defect only.
    pub(super) fn encrypt(&self, pair: &AccessKeyPair) -> Result<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(256));
        plain.extend_from_slice(pair.id.as_str().as_bytes());
        plain.push(b'\n');
        plain.extend_from_slice(pair.secret.expose());
        age::encrypt_and_armor(&self.0.to_public(), &plain)
            .map(String::into_bytes)
            .map_err(|source| Error::bug(format!("the escrow could not be sealed: {source}")))
    }

    /// Opens what [`EscrowIdentity::encrypt`] made.
    ///
    /// # Errors
    /// `escrow-damaged` when it does not open or holds no pair.
    pub(super) fn decrypt(&self, sealed: &[u8]) -> Result<AccessKeyPair> {
        let damaged = || {
            Error::refused("escrow-damaged", "the escrow does not open")
                .hint("`keyroll abort` retires the new access key")
        };
        let plain = Zeroizing::new(age::decrypt(&self.0, sealed).map_err(|_| damaged())?);
        let at = plain.iter().position(|b| *b == b'\n').ok_or_else(damaged)?;
        let id = String::from_utf8_lossy(&plain[..at]).into_owned();
        AccessKeyPair::new(AccessKeyId::new(id)?, Secret::new(plain[at + 1..].to_vec()))
    }
}

impl SealedIdentity {
    /// Opens the identity with whatever the keyring holds.
    ///
    /// # Errors
    /// `escrow-locked` when nothing opens it.
    pub(super) fn open(&self, keyring: &Keyring) -> Result<EscrowIdentity> {
        for text in &self.sealed {
            let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text) else {
                continue;
            };
            let path = RepoPath::new(*b"escrow");
            let route = Route::default();
            let source = Source { path: &path, bytes: &bytes, route: &route, line: 1, depth: 0 };
            let cells = format::open(&source, keyring)?;
            let Some(Content::Open(plain)) = sealed_cell(&cells).map(|cell| &cell.content) else {
                continue;
            };
            let word = std::str::from_utf8(plain.expose()).unwrap_or_default();
            if let Ok(identity) = age::x25519::Identity::from_str(word) {
                return Ok(EscrowIdentity(identity));
            }
        }
        Err(Error::refused(
            "escrow-locked",
            "the escrow of this rotation does not open with the identities that were found",
        )
        .hint("give the identity that opens the repository's files with --identity"))
    }
}

fn sealed_cell(cells: &[Cell]) -> Option<&Cell> {
    cells.iter().find(|cell| cell.scheme != Scheme::Plain)
}

fn outer(cells: &[Cell], span: crate::model::Span) -> Option<&Cell> {
    cells.iter().find(|cell| cell.place.span == span && cell.scheme != Scheme::Plain)
}
