//! One value of a file, opened or locked, and what was found in it.

use std::fmt;

use super::{AccessKeyId, Encoding, Place, Secret, Span};

/// How a value is sealed; the words are part of the JSON contract.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Text in clear.
    Plain,
    /// `ENC[PKCS7,…]` of hiera-eyaml.
    EyamlPkcs7,
    /// `ENC[X,…]` of another or unknown plugin of hiera-eyaml; holds X in lower case.
    Eyaml(String),
    /// `ENC[AES256_GCM,…]` and what else SOPS writes.
    Sops,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("plain"),
            Self::EyamlPkcs7 => f.write_str("eyaml-pkcs7"),
            Self::Eyaml(plugin) => write!(f, "eyaml-{plugin}"),
            Self::Sops => f.write_str("sops"),
        }
    }
}

/// Why a value stayed closed; the words are part of the JSON contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockReason {
    /// No identity for this scheme was found.
    NoIdentity,
    /// Identities were found, and none opens it.
    WrongIdentity,
    /// The sealed bytes are no base64.
    InvalidBase64,
    /// The sealed bytes end early or have no valid structure.
    InvalidStructure,
    /// Sealed by a cipher that this format does not use.
    ForeignCipher,
    /// A scheme that keyroll cannot open.
    UnknownScheme,
    /// The identity is an RSA key under 2048 bits.
    WeakIdentity,
    /// An integrity check failed.
    Tampered,
    /// The text is no valid YAML; it was searched as flat text.
    InvalidYaml,
    /// Larger than the parsing limit, and bears a marker.
    TooLarge,
    /// The bytes are not in this clone (partial clone).
    NotFetched,
    /// Levels are nested deeper than the limit.
    TooDeep,
}

impl LockReason {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoIdentity => "no-identity",
            Self::WrongIdentity => "wrong-identity",
            Self::InvalidBase64 => "invalid-base64",
            Self::InvalidStructure => "invalid-structure",
            Self::ForeignCipher => "foreign-cipher",
            Self::UnknownScheme => "unknown-scheme",
            Self::WeakIdentity => "weak-identity",
            Self::Tampered => "tampered",
            Self::InvalidYaml => "invalid-yaml",
            Self::TooLarge => "too-large",
            Self::NotFetched => "not-fetched",
            Self::TooDeep => "too-deep",
        }
    }
}

/// Why one value could not be looked into. Data, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The stable word.
    pub reason: LockReason,
    /// One clause for a person; quotes nothing of the sealed text or of an identity.
    pub detail: String,
}

/// What is inside a value.
#[derive(Debug)]
pub enum Content {
    /// The plaintext.
    Open(Secret),
    /// It did not open.
    Locked(Lock),
}

/// One value of one text.
#[derive(Debug)]
pub struct Cell {
    /// Where it stands. For a cell inside another, the span counts in that other's plaintext,
    /// and path and line are those of the file.
    pub place: Place,
    /// How it is sealed.
    pub scheme: Scheme,
    /// What is inside.
    pub content: Content,
    /// The name of the identity that opened it; `None` for text in clear and for locked cells.
    pub opened_by: Option<String>,
    /// The cells of the plaintext, where a format claims it.
    pub inside: Vec<Self>,
}

/// What a found piece of text is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The access key ID.
    Id,
    /// The secret half.
    Secret,
    /// Any text that was asked for with `--text` or `--regex`.
    Text,
}

impl Role {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Secret => "secret",
            Self::Text => "text",
        }
    }
}

/// One place where an access key ID, or the secret that belongs to it, stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The value that holds it (route through every level).
    pub place: Place,
    /// Spans of the cells from the outermost to the innermost, each in the text that holds it.
    pub trail: Vec<Span>,
    /// The bytes inside the innermost cell's plaintext.
    pub range: Span,
    /// How the text is written there.
    pub encoding: Encoding,
    /// ID, secret or other text.
    pub role: Role,
    /// The access key it belongs to; `None` for `--text` and `--regex`.
    pub id: Option<AccessKeyId>,
    /// How the innermost sealed level is sealed (`plain` where nothing is).
    pub scheme: Scheme,
    /// The identity that opened it.
    pub opened_by: Option<String>,
    /// Whether the other half was found.
    pub paired: bool,
    /// The environment that the path tells.
    pub environment: Option<String>,
}
