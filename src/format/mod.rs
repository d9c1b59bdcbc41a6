//! How a file holds secrets: the contract of a format. Each format is one file that both reads and
//! writes; `registry` lists them, and is the only other file that a new one touches.

mod eyaml;
mod plain;
mod registry;

pub use registry::{bears_marker, open, open_where, outline, write};

use crate::error::Result;
use crate::keyring::{Keyring, Outline};
use crate::model::{Cell, Edit, Place, RepoPath, Route, Span, Step};

/// The largest text that is parsed, in bytes; a larger one is searched as it is, and reported if
/// it bears the marker of a format.
pub const PARSE_LIMIT: usize = 16 << 20;

/// How many sealed levels may lie in one another.
pub const DEPTH_LIMIT: usize = 4;

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

impl Source<'_> {
    /// The place of something in this text; `line` counts in the text and is that of the whole
    /// value inside one.
    #[must_use]
    pub fn place(&self, line: usize, steps: Route, span: Span) -> Place {
        let line = if self.depth == 0 { line } else { self.line };
        let route = Route(self.route.0.iter().cloned().chain(steps.0).collect());
        Place { path: self.path.clone(), line, route, span }
    }

    /// Whether the path promises YAML (which JSON is too) and the text is that file's own, not a
    /// value of it.
    #[must_use]
    pub fn is_structured(&self) -> bool {
        let whole = self.route.0.iter().all(|step| matches!(step, Step::Inside(_)));
        whole && (self.is_yaml() || self.path.file_name().to_ascii_lowercase().ends_with(b".json"))
    }

    /// Whether the path promises YAML.
    #[must_use]
    pub fn is_yaml(&self) -> bool {
        let name = self.path.file_name().to_ascii_lowercase();
        [&b".yaml"[..], b".yml", b".eyaml"].iter().any(|ending| name.ends_with(ending))
    }
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

    /// The spans of the cells that [`Format::open`] gives, in order, without opening any.
    fn spans(&self, text: &Source<'_>) -> Vec<Span>;

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

    /// What the bytes of one sealed cell show without being opened; `None` when that is nothing.
    fn outline(&self, raw: &[u8]) -> Option<Outline>;
}
