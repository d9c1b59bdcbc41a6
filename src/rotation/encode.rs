//! How a secret is written inside a value: every spelling is searched for, and the new secret is
//! spelled as the old one stood there.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::error::{Error, Result};
use crate::model::{Encoding, Form, Secret, Span};

const FORMS: [Form; 6] = [
    Form::Raw,
    Form::PercentUpper,
    Form::PercentLower,
    Form::Backslash,
    Form::UnicodeUpper,
    Form::UnicodeLower,
];

/// The new secret as bytes in the given spelling.
#[must_use]
pub fn encode(secret: &Secret, encoding: Encoding) -> Secret {
    // Grown once: a buffer that moves would leave an unwiped copy behind.
    let mut out = Vec::with_capacity(secret.len() * 6);
    for byte in secret.expose() {
        match byte {
            b'+' => out.extend_from_slice(spelled(b'+', encoding.plus)),
            b'/' => out.extend_from_slice(spelled(b'/', encoding.slash)),
            other => out.push(*other),
        }
    }
    Secret::new(out)
}

const fn spelled(byte: u8, form: Form) -> &'static [u8] {
    match (byte, form) {
        (b'+', Form::PercentUpper) => b"%2B",
        (b'+', Form::PercentLower) => b"%2b",
        (b'+', Form::UnicodeUpper) => b"\\u002B",
        (b'+', Form::UnicodeLower) => b"\\u002b",
        (b'/', Form::PercentUpper) => b"%2F",
        (b'/', Form::PercentLower) => b"%2f",
        (b'/', Form::Backslash) => b"\\/",
        (b'/', Form::UnicodeUpper) => b"\\u002F",
        (b'/', Form::UnicodeLower) => b"\\u002f",
        (b'+', _) => b"+",
        _ => b"/",
    }
}

/// All spellings of one secret, ready to be searched for.
pub struct Needles {
    automaton: AhoCorasick,
    encodings: Vec<Encoding>,
}

impl Needles {
    /// Prepares the search for `secret` in every spelling.
    ///
    /// # Errors
    /// A defect only: the automaton of a few dozen short patterns always builds.
    pub fn of(secret: &Secret) -> Result<Self> {
        let mut patterns: Vec<Secret> = Vec::new();
        let mut encodings = Vec::new();
        for plus in FORMS {
            for slash in FORMS {
                let encoding = Encoding { plus, slash };
                let pattern = encode(secret, encoding);
                if !patterns.iter().any(|known| known.expose() == pattern.expose()) {
                    patterns.push(pattern);
                    encodings.push(encoding);
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(patterns.iter().map(Secret::expose))
            .map_err(|source| Error::bug(format!("the search for a secret: {source}")))?;
        Ok(Self { automaton, encodings })
    }

    /// Every place in `text` where the secret stands, with its spelling there.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Vec<(Span, Encoding)> {
        self.find_within(text, &Around::default())
    }

    /// The same, where the text is one part of a longer one: a token inside a URL is spelled for
    /// that URL.
    #[must_use]
    pub fn find_within(&self, text: &[u8], around: &Around) -> Vec<(Span, Encoding)> {
        self.automaton
            .find_iter(text)
            .map(|hit| {
                let span = Span::new(hit.start(), hit.end());
                (span, settled(self.encodings[hit.pattern().as_usize()], text, span, around))
            })
            .collect()
    }

    /// Whether the secret stands in `text` in any spelling.
    #[must_use]
    pub fn stand_in(&self, text: &[u8]) -> bool {
        self.automaton.is_match(text)
    }
}

/// What stands in clear around a sealed part of a longer text.
#[derive(Debug, Default)]
pub struct Around {
    /// The text before it, sealed parts left out.
    pub before: Vec<u8>,
    /// The byte behind it.
    pub behind: Option<u8>,
}

/// The spelling for characters that the old secret did not show: what its other special character
/// did, else what the place demands (a URL wants percent-encoding).
fn settled(seen: Encoding, text: &[u8], span: Span, around: &Around) -> Encoding {
    let old = span.of(text);
    let shows_plus = old.contains(&b'+') || seen.plus != Form::Raw;
    let shows_slash = old.contains(&b'/') || seen.slash != Form::Raw;
    let fallback = if in_url(text, span, around) { Form::PercentUpper } else { Form::Raw };
    // A `+` that may stand raw in the user information of a URL says nothing of a `/`, which may
    // not; a `/` in a query says nothing of a `+`, which means a blank there.
    let follow = |form| if form == Form::Raw { fallback } else { follow(form) };
    match (shows_plus, shows_slash) {
        (true, true) => seen,
        (true, false) => Encoding { plus: follow(seen.plus), slash: follow(seen.plus) },
        (false, true) => Encoding { plus: follow(seen.slash), slash: seen.slash },
        (false, false) => Encoding { plus: fallback, slash: fallback },
    }
}

/// What the other special character does: a backslash is for `/` only.
const fn follow(form: Form) -> Form {
    match form {
        Form::Backslash => Form::Raw,
        other => other,
    }
}

/// Whether the bytes stand in the user information or the query of a URL (RFC 3986).
fn in_url(text: &[u8], span: Span, around: &Around) -> bool {
    let is_end = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`');
    let head = zeroize::Zeroizing::new([&around.before, &text[..span.start]].concat());
    let start = head.iter().rposition(is_end).map_or(0, |at| at + 1);
    let before = &head[start..];
    let Some(scheme) = memchr::memmem::find(before, b"://") else { return false };
    let in_authority = !before[scheme + 3..].contains(&b'/');
    let behind = text.get(span.end).copied().or(around.behind);
    let followed_by_host = behind == Some(b'@');
    (in_authority && followed_by_host) || before.contains(&b'?')
}

#[cfg(test)]
mod tests {
    use super::{Around, Needles, encode};
    use crate::model::Secret;

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn swap(text: &str, old: &str, new: &str) -> String {
        let needles = Needles::of(&secret(old)).expect("builds");
        let hits = needles.find(text.as_bytes());
        assert_eq!(hits.len(), 1, "{text}");
        let (span, encoding) = hits[0];
        let new = encode(&secret(new), encoding);
        let new = String::from_utf8(new.expose().to_vec()).expect("ASCII");
        format!("{}{new}{}", &text[..span.start], &text[span.end..])
    }

    #[test]
    fn each_spelling_is_kept() {
        for (text, want) in [
            ("x=a+b/c", "x=1+/2"),
            ("x=a%2Bb%2Fc", "x=1%2B%2F2"),
            ("x=a%2bb%2fc", "x=1%2b%2f2"),
            ("x=a+b%2Fc", "x=1+%2F2"),
            (r#"{"s":"a+b\/c"}"#, r#"{"s":"1+\/2"}"#),
            (r#"{"s":"a\u002Bb\/c"}"#, r#"{"s":"1\u002B\/2"}"#),
        ] {
            assert_eq!(swap(text, "a+b/c", "1+/2"), want);
        }
    }

    #[test]
    fn a_character_that_was_not_seen_follows_the_other() {
        assert_eq!(swap("a%2fc", "a/c", "1+/2"), "1%2b%2f2");
        assert_eq!(swap(r"a\/c", "a/c", "1+/2"), r"1+\/2");
    }

    #[test]
    fn a_sealed_part_of_a_url_is_spelled_for_the_url() {
        let needles = Needles::of(&secret("abc")).expect("builds");
        let around = |before: &str, behind| Around { before: before.into(), behind };
        let spelled = |around: &Around| {
            let (_, encoding) = needles.find_within(b"abc", around)[0];
            encode(&secret("1+/2"), encoding).expose().to_vec()
        };
        assert_eq!(spelled(&around("url: sqs://:", Some(b'@'))), b"1%2B%2F2");
        assert_eq!(spelled(&around("url: sqs://h/p ", Some(b'@'))), b"1+/2");
        assert_eq!(spelled(&around("key: ", None)), b"1+/2");
    }

    #[test]
    fn a_url_wants_percent_encoding_where_nothing_was_seen() {
        assert_eq!(swap("sqs://AKIA:abc@host/q", "abc", "1+/2"), "sqs://AKIA:1%2B%2F2@host/q");
        assert_eq!(
            swap("https://h/p?secret=abc&x=1", "abc", "1+/2"),
            "https://h/p?secret=1%2B%2F2&x=1"
        );
        assert_eq!(swap("sqs://AKIA:a+b@host/q", "a+b", "1+/2"), "sqs://AKIA:1%2B%2F2@host/q");
        assert_eq!(
            swap("https://h/p?secret=a/b&x=1", "a/b", "1+/2"),
            "https://h/p?secret=1%2B/2&x=1"
        );
        assert_eq!(swap("secret: abc", "abc", "1+/2"), "secret: 1+/2");
        assert_eq!(swap("see https://h/p abc", "abc", "1+/2"), "see https://h/p 1+/2");
    }
}
