//! What can go wrong, in the words the user reads; the kind alone decides the exit code.
//! Hints are born here beside the error. Printing is left to `report`.

use std::fmt;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The family of an error; it alone decides the exit code and is the `kind` word in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The words on the command line are wrong.
    Usage,
    /// A settings file or an environment variable is wrong.
    Settings,
    /// A file, a repository or a disk did not do what it must.
    Io,
    /// A host could not be reached, or its answer was cut.
    Network,
    /// Credentials are missing or expired, or a permission is.
    Denied,
    /// The service asked to come back later.
    Throttled,
    /// Something that was named does not exist, or belongs to someone else.
    NotFound,
    /// A defect of keyroll itself.
    Bug,
    /// A check said no before anything was changed, or a human must decide.
    Refused,
    /// Nothing is wrong; it is too early.
    Waiting,
}

impl Kind {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Settings => "settings",
            Self::Io => "io",
            Self::Network => "network",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::NotFound => "not-found",
            Self::Bug => "bug",
            Self::Refused => "refused",
            Self::Waiting => "waiting",
        }
    }

    /// The exit code of the process: 2 could not, 3 would not, 4 not yet.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Refused => 3,
            Self::Waiting => 4,
            _ => 2,
        }
    }

    /// Whether the same command may succeed later with nothing changed.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::Network | Self::Throttled | Self::Waiting)
    }
}

/// One thing that went wrong: a sentence, a stable reason word and what to do next.
///
/// The message names the file and the place, holds no secret and ends without a full stop.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    reason: &'static str,
    message: String,
    hints: Vec<String>,
}

impl Error {
    /// Makes an error; `reason` is the stable word of the JSON contract (kebab-case).
    #[must_use]
    pub fn new(kind: Kind, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, reason, message: message.into(), hints: Vec::new() }
    }

    /// A check said no: exit code 3.
    #[must_use]
    pub fn refused(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, reason, message)
    }

    /// A defect of keyroll itself: exit code 2.
    #[must_use]
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, "bug", message)
            .hint("this is a defect of keyroll; nothing more was changed after it")
    }

    /// An I/O failure on a named file: the path is always in the sentence.
    #[must_use]
    pub fn io(what: &str, path: &std::path::Path, source: &std::io::Error) -> Self {
        let reason = match source.kind() {
            std::io::ErrorKind::NotFound => "file-not-found",
            std::io::ErrorKind::PermissionDenied => "permission-denied",
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "disk-full",
            std::io::ErrorKind::ReadOnlyFilesystem => "read-only-disk",
            _ => "io",
        };
        let shown = crate::model::visible(&path.to_string_lossy());
        Self::new(Kind::Io, reason, format!("could not {what} `{shown}`: {source}"))
    }

    /// Adds what to do next; hints are printed in the order they were added.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The family.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The stable reason word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// The sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
