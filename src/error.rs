//! What can go wrong, in the words the user reads; the kind alone decides the exit code.
//! Hints are born here beside the error, and names from outside are made visible here, since a
//! message is where they would deceive. Printing is left to `report`.

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
    next_check_at: Option<String>,
}

impl Error {
    /// Makes an error; `reason` is the stable word of the JSON contract (kebab-case).
    #[must_use]
    pub fn new(kind: Kind, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, reason, message: message.into(), hints: Vec::new(), next_check_at: None }
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
        let shown = visible(&path.to_string_lossy());
        let error = Self::new(Kind::Io, reason, format!("could not {what} `{shown}`: {source}"));
        match reason {
            "file-not-found" => error.hint("check the path"),
            "permission-denied" => error.hint("check who owns it and who may do that"),
            "disk-full" => error.hint("make room on that disk, then run the same command again"),
            "read-only-disk" => error.hint("the disk takes no changes: choose another folder"),
            _ => error,
        }
    }

    /// Adds what to do next; hints are printed in the order they were added.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says when it is worth asking again: a time as RFC 3339, for what is only too early.
    #[must_use]
    pub fn ask_again_at(mut self, at: impl fmt::Display) -> Self {
        self.next_check_at = Some(at.to_string());
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

    /// When it is worth asking again, where that is known.
    #[must_use]
    pub fn next_check_at(&self) -> Option<&str> {
        self.next_check_at.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Returns `text` with control characters (C0, C1, line and paragraph separators), bidirectional
/// marks and other invisible format characters written as `\u{…}`, and line breaks as `\n`.
///
/// Every name that comes from a repository, a service or a user passes through here before it is
/// printed for a person. JSON needs it too for bidirectional marks only in terminals; a serializer
/// escapes the rest.
#[must_use]
pub fn visible(text: &str) -> String {
    if crate::breakage::is_on("I13") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_deceptive(c) => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

/// Unicode characters that print nothing or reorder what stands beside them (UAX #9, UTS #39).
const fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn escapes_what_could_forge_a_line() {
        assert_eq!(visible("a\u{1b}[2Kb"), "a\\u{1b}[2Kb");
        assert_eq!(visible("x\ny"), "x\\ny");
        assert_eq!(visible("gpj\u{202e}exe"), "gpj\\u{202e}exe");
        assert_eq!(visible("zero\u{200b}width"), "zero\\u{200b}width");
    }

    #[test]
    fn leaves_ordinary_names_alone() {
        assert_eq!(visible("hieradata/größe-日本.yaml"), "hieradata/größe-日本.yaml");
    }
}
