//! What in a text could be the secret half of an access key.

use regex::bytes::Regex;

use crate::model::{Secret, Span};

/// A run of 40 characters of `[A-Za-z0-9+/]`, in any spelling, between other characters.
pub(super) struct Candidate {
    /// Where it stands in the text.
    pub(super) span: Span,
    /// The secret it would be.
    pub(super) secret: Secret,
}

/// Whether the bytes have the shape of a secret: 40 characters of `[A-Za-z0-9+/]`, and no git
/// object name (40 hex digits).
pub(super) fn is_secret_shaped(text: &[u8]) -> bool {
    text.len() == 40
        && text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'+' || *b == b'/')
        && !text.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
}

/// The whole text as a candidate, when it is one, blanks around it aside.
pub(super) fn whole(text: &[u8]) -> Option<Candidate> {
    let start = text.iter().position(|b| !b.is_ascii_whitespace())?;
    let end = text.iter().rposition(|b| !b.is_ascii_whitespace())? + 1;
    let secret = decoded(&text[start..end])?;
    Some(Candidate { span: Span::new(start, end), secret })
}

/// Every candidate inside a text, in order.
pub(super) fn inside(text: &[u8]) -> Vec<Candidate> {
    runs()
        .find_iter(text)
        .filter_map(|run| {
            let secret = decoded(run.as_bytes())?;
            Some(Candidate { span: Span::new(run.start(), run.end()), secret })
        })
        .collect()
}

fn runs() -> &'static Regex {
    static RUNS: std::sync::OnceLock<Regex> = std::sync::OnceLock::new();
    RUNS.get_or_init(|| {
        Regex::new(r"(?-u)(?:[A-Za-z0-9+/]|%2[BbFf]|\\/|\\u002[BbFf])+")
            .expect("the built-in pattern compiles")
    })
}

/// The secret that a run spells, when it has the shape of one.
fn decoded(run: &[u8]) -> Option<Secret> {
    if run.len() < 40 || run.len() > 240 {
        return None;
    }
    let mut out = Vec::with_capacity(run.len());
    let mut rest = run;
    while let Some(first) = rest.first() {
        let (byte, used) = match first {
            b'%' => (if matches!(rest.get(2)?, b'B' | b'b') { b'+' } else { b'/' }, 3),
            b'\\' if rest.get(1) == Some(&b'/') => (b'/', 2),
            b'\\' => (if matches!(rest.get(5)?, b'B' | b'b') { b'+' } else { b'/' }, 6),
            plain => (*plain, 1),
        };
        out.push(byte);
        rest = rest.get(used..)?;
    }
    let secret = Secret::new(out);
    is_secret_shaped(secret.expose()).then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::{inside, is_secret_shaped, whole};

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn a_candidate_is_seen_in_every_spelling() {
        for text in [
            format!("x={SECRET};"),
            format!("sqs://AKIAIOSFODNN7EXAMPLE:{}@h", SECRET.replace('/', "%2F")),
            format!("{{\"a\":\"{}\"}}", SECRET.replace('/', "\\/")),
            format!("{{\"a\":\"{}\"}}", SECRET.replace('/', "\\u002f")),
        ] {
            let found = inside(text.as_bytes());
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].secret.expose(), SECRET.as_bytes());
        }
    }

    #[test]
    fn longer_and_shorter_runs_and_git_hashes_are_none() {
        assert!(inside(format!("{SECRET}A").as_bytes()).is_empty());
        assert!(inside(&SECRET.as_bytes()[1..]).is_empty());
        assert!(!is_secret_shaped(b"0123456789abcdef0123456789abcdef01234567"));
        assert!(whole(format!(" {SECRET}\n").as_bytes()).is_some());
        assert!(whole(format!("{SECRET} x").as_bytes()).is_none());
    }
}
