//! How a file holds secrets: the contract of a format. Each format is one file that both reads and
//! writes; `registry` lists them, and is the only other file that a new one touches.

mod registry;

pub use registry::{open, write};

use crate::error::Result;
use crate::keyring::Keyring;
use crate::model::{Cell, Edit, RepoPath, Route};

/// One text to look into: a whole blob, or the plaintext of an opened value.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file.
    pub path: &'a RepoPath,
    /// The bytes.
    pub bytes: &'a [u8],
    /// The route of the value whose plaintext this is; empty for a whole file.
    pub route: &'a Route,
    /// The line of that value; 1 for a whole file.
    pub line: usize,
    /// How many sealed levels lie around it; 0 for a whole file.
    pub depth: usize,
}

/// A way in which a text holds secrets.
///
/// Formats share a text: the cells of all that claim it are put together, and the text in clear
/// (`plain`) gets what no other has taken. The spans of one format's cells never overlap.
pub trait Format: Send + Sync {
    /// The name, as documents and routes use it.
    fn name(&self) -> &'static str;

    /// Says from path and bytes whether the text holds something of this format. Never decrypts,
    /// and may say yes too often, never too seldom.
    fn claims(&self, path: &RepoPath, bytes: &[u8]) -> bool;

    /// Every value of the text; one that will not open is `Content::Locked`, not an error.
    ///
    /// # Errors
    /// Only what is wrong with keyroll or the machine.
    fn open(&self, text: &Source<'_>, keyring: &Keyring) -> Result<Vec<Cell>>;

    /// The text with the edits in it, and every other byte as it was.
    ///
    /// # Errors
    /// When an edit cannot be written in the form that the value has, or cannot be sealed.
    fn write(&self, text: &Source<'_>, edits: &[Edit], keyring: &Keyring) -> Result<Vec<u8>>;
}
