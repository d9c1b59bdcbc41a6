//! What a rotation will change, as data.

use super::{AccessKeyId, Place, RepoPath, Role, Scheme, Secret, Span};

/// How one special character of a secret (`+` or `/`) is written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Form {
    /// As it is.
    #[default]
    Raw,
    /// `%2B`, `%2F` (RFC 3986).
    PercentUpper,
    /// `%2b`, `%2f`.
    PercentLower,
    /// `\/` (RFC 8259; for `/` only).
    Backslash,
    /// `\u002B`, `\u002F`.
    UnicodeUpper,
    /// `\u002b`, `\u002f`.
    UnicodeLower,
}

/// How the characters of an access key pair are written where they stand.
///
/// IDs never change under any of these; of a secret only `+` and `/` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Encoding {
    /// The form of `+`.
    pub plus: Form,
    /// The form of `/`.
    pub slash: Form,
}

/// One replacement inside one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// The value.
    pub place: Place,
    /// Spans of the cells from the outermost to the innermost.
    pub trail: Vec<Span>,
    /// The bytes of the innermost plaintext that go.
    pub range: Span,
    /// What comes: the new ID or the new secret.
    pub role: Role,
    /// How it is written there.
    pub encoding: Encoding,
    /// How the value is sealed.
    pub scheme: Scheme,
}

/// Everything one rotation changes: never empty, and without any secret.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The access key that is replaced.
    pub old: AccessKeyId,
    /// The commit the plan was made on.
    pub base: String,
    swaps: Vec<Swap>,
}

impl Plan {
    /// A plan over at least one swap; `None` when there is nothing to change.
    #[must_use]
    pub fn new(old: AccessKeyId, base: String, mut swaps: Vec<Swap>) -> Option<Self> {
        swaps.sort_by(|a, b| (&a.place, &a.trail, a.range).cmp(&(&b.place, &b.trail, b.range)));
        swaps.dedup();
        (!swaps.is_empty()).then_some(Self { old, base, swaps })
    }

    /// The replacements, in the order of files and bytes.
    #[must_use]
    pub fn swaps(&self) -> &[Swap] {
        &self.swaps
    }

    /// The files that change, each once, in order.
    #[must_use]
    pub fn files(&self) -> Vec<&RepoPath> {
        let mut files: Vec<_> = self.swaps.iter().map(|swap| &swap.place.path).collect();
        files.dedup();
        files
    }
}

/// The new plaintext of one whole cell, as a format writes it.
#[derive(Debug)]
pub struct Edit {
    /// The cell, by the span that `open` gave it.
    pub span: Span,
    /// The plaintext that it held.
    pub before: Secret,
    /// The plaintext that it holds from now on.
    pub after: Secret,
}

/// One file of the commit to be made.
#[derive(Debug)]
pub struct Change {
    /// The file.
    pub path: RepoPath,
    /// Its bytes on base.
    pub before: Vec<u8>,
    /// Its bytes on the branch.
    pub after: Vec<u8>,
}
