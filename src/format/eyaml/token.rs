//! The tokens of hiera-eyaml, `ENC[…]`, in the raw bytes of a text. They are found as Puppet's
//! runtime finds them, in a scalar from which line breaks, indentation and escapes are gone; the
//! command line of eyaml sees less. What is inside a token is left to the caller.

use memchr::memmem;

use crate::model::Span;

/// How the raw bytes of a text are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lens {
    /// A plain or block scalar, or one in single quotes: what stands there is meant.
    Scalar,
    /// A scalar in double quotes.
    Double,
    /// Comments on lines that follow one another, from the first `#`.
    Comment,
    /// Text without a structure that is known.
    Flat,
}

impl Lens {
    /// Whether the text may be prose or a program, in which `ENC[…]` need not be a token.
    const fn is_loose(self) -> bool {
        matches!(self, Self::Comment | Self::Flat)
    }
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// From `ENC[` to `]`, with everything inside.
    pub(super) span: Span,
    /// Where the sealed text begins, behind `ENC[` and the scheme.
    pub(super) body: usize,
    /// The scheme in lower case; `None` where it is left out.
    pub(super) scheme: Option<String>,
    /// The sealed text without blanks.
    pub(super) sealed: Vec<u8>,
}

/// One step of reading raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A character.
    Char(u8),
    /// A blank or a line break that the reader sees.
    Space,
    /// Bytes that the reader does not see.
    Nothing,
}

/// Schemes that are known; in loose text any other word must be followed by base64.
const SCHEMES: [&str; 5] = ["pkcs7", "gpg", "kms", "gkms", "aes256_gcm"];

/// How many blanks in a row a token may hold in loose text.
const BLANKS: usize = 256;

/// The shortest sealed text of a token without a scheme.
const SHORTEST: usize = 32;

/// Whether the text may hold a token; never says no where there is one.
pub(super) fn may_hold(bytes: &[u8]) -> bool {
    if memmem::find(bytes, b"ENC[").is_some() {
        return true;
    }
    // In double quotes a line may end inside the mark.
    [b"E\\\n", b"N\\\n", b"C\\\n", b"E\\\r", b"N\\\r", b"C\\\r"]
        .iter()
        .any(|broken| memmem::find(bytes, *broken).is_some())
}

/// Every token of `within`, in order.
pub(super) fn find(bytes: &[u8], within: Span, lens: Lens) -> Vec<Token> {
    let mut found = Vec::new();
    let text = &bytes[..within.end];
    let mut at = within.start;
    while let Some(start) = memchr::memchr(b'E', &text[at..]).map(|offset| at + offset) {
        let token = mark(text, start, lens).and_then(|behind| read(text, start, behind, lens));
        at = token.as_ref().map_or(start + 1, |token| token.span.end);
        found.extend(token);
    }
    found
}

/// The offset behind `ENC[` if that stands at `start`.
fn mark(text: &[u8], start: usize, lens: Lens) -> Option<usize> {
    let mut at = start;
    for wanted in *b"ENC[" {
        loop {
            let (unit, next) = unit(text, at, lens)?;
            at = next;
            match unit {
                Unit::Char(byte) if byte == wanted => break,
                Unit::Nothing => {}
                _ => return None,
            }
        }
    }
    Some(at)
}

/// Reads a token whose mark ends at `behind`.
fn read(text: &[u8], start: usize, behind: usize, lens: Lens) -> Option<Token> {
    let mut body = behind;
    let mut scheme = None;
    let mut sealed = Vec::new();
    let (mut at, mut blanks, mut breaks, mut spaced) = (behind, 0, 0, false);
    loop {
        let here = at;
        let (unit, next) = unit(text, at, lens)?;
        at = next;
        let Unit::Char(byte) = unit else {
            spaced |= unit == Unit::Space;
            blanks += next - here;
            breaks += usize::from(text[here] == b'\n');
            if lens.is_loose() && (blanks > BLANKS || breaks > 1) {
                return None;
            }
            continue;
        };
        (blanks, breaks) = (0, 0);
        match byte {
            b']' => break,
            b'[' => return None,
            b',' if scheme.is_none() && !spaced && is_word(&sealed) => {
                scheme = Some(String::from_utf8_lossy(&sealed).to_ascii_lowercase());
                sealed.clear();
                body = next;
            }
            byte if lens.is_loose() && !is_sealed_text(byte) => return None,
            byte => sealed.push(byte),
        }
    }
    let token = Token { span: Span::new(start, at), body, scheme, sealed };
    is_token(&token, lens).then_some(token)
}

/// Tells a token from text that only looks like one.
fn is_token(token: &Token, lens: Lens) -> bool {
    let base64 = token.sealed.iter().all(|byte| is_base64(*byte));
    let long = token.sealed.len() >= SHORTEST;
    match &token.scheme {
        // An envelope is a long DER sequence, which reads `MI…`.
        None if token.sealed.starts_with(b"MI") => long,
        None => long && base64 && !lens.is_loose(),
        Some(scheme) if lens.is_loose() && !SCHEMES.contains(&scheme.as_str()) => base64 && long,
        Some(_) => !token.sealed.is_empty(),
    }
}

fn is_word(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Characters that stand between `ENC[` and `]` in programs and prose do not count as sealed text.
const fn is_sealed_text(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'\''
                | b'`'
                | b'$'
                | b'('
                | b')'
                | b'{'
                | b'}'
                | b'<'
                | b'>'
                | b'*'
                | b'.'
                | b'\\'
        )
}

/// Reads one step at `at`, and where the next one begins; `None` at the end.
pub(super) fn unit(text: &[u8], at: usize, lens: Lens) -> Option<(Unit, usize)> {
    let byte = *text.get(at)?;
    Some(match byte {
        b'\\' if matches!(lens, Lens::Double | Lens::Flat) => escape(text, at),
        b'#' if lens.is_loose() && begins_line(text, at) => (Unit::Space, at + 1),
        byte if byte.is_ascii_whitespace() => (Unit::Space, at + 1),
        byte => (Unit::Char(byte), at + 1),
    })
}

/// Reads a backslash of double quotes (YAML 1.2.2, 5.7), as far as it bears on tokens.
fn escape(text: &[u8], at: usize) -> (Unit, usize) {
    let hex = |digits: usize| {
        let end = at + 2 + digits;
        let digits = text.get(at + 2..end).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        // A character outside ASCII belongs to no token, and neither does NUL.
        let byte = value.and_then(|value| u8::try_from(value).ok()).unwrap_or(0);
        (Unit::Char(byte), end.min(text.len()))
    };
    match text.get(at + 1) {
        Some(b'\n') => (Unit::Nothing, behind_blanks(text, at + 2)),
        Some(b'\r') if text.get(at + 2) == Some(&b'\n') => {
            (Unit::Nothing, behind_blanks(text, at + 3))
        }
        Some(b'n' | b'r' | b't' | b' ' | b'\t') => (Unit::Space, at + 2),
        Some(b'x') => hex(2),
        Some(b'u') => hex(4),
        Some(b'U') => hex(8),
        Some(other) => (Unit::Char(*other), at + 2),
        None => (Unit::Char(b'\\'), at + 1),
    }
}

fn behind_blanks(text: &[u8], at: usize) -> usize {
    let blanks = text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    at + blanks
}

/// Whether only blanks and other `#` stand before `at` on its line, and a line before it.
fn begins_line(text: &[u8], at: usize) -> bool {
    let before = text[..at].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'#'));
    before == Some(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::{Lens, find, may_hold};
    use crate::model::Span;

    const B64: &str = "MIIBeQYJKoZIhvcNAQcDoIIBajCCAWYCAQAx";

    fn tokens(text: &str, lens: Lens) -> Vec<(Option<String>, String)> {
        assert!(may_hold(text.as_bytes()) || !text.contains("ENC["));
        find(text.as_bytes(), Span::new(0, text.len()), lens)
            .into_iter()
            .map(|token| {
                let sealed = String::from_utf8_lossy(&token.sealed).into_owned();
                (token.scheme, sealed)
            })
            .collect()
    }

    fn pkcs7(sealed: &str) -> (Option<String>, String) {
        (Some("pkcs7".to_owned()), sealed.to_owned())
    }

    #[test]
    fn blanks_breaks_and_escapes_are_no_part_of_a_token() {
        for (text, lens) in [
            ("ENC[PKCS7,MIIB+/=]", Lens::Scalar),
            ("ENC[pkcs7,MIIB\n    +/=]", Lens::Scalar),
            ("ENC[PKCS7,MIIB\r\n\r\n  +/=\r\n]", Lens::Scalar),
            ("ENC[PKCS7, MIIB +/=]", Lens::Scalar),
            ("ENC[PKCS7,MIIB\\\n   +\\/=]", Lens::Double),
            ("EN\\\r\n C[PK\\\n CS7,MIIB\\x2b/\\u003D]", Lens::Double),
            ("ENC[PKCS7,MIIB\\n+/=\\n]", Lens::Double),
            ("# x ENC[PKCS7,MIIB\n  # +/=\n#]", Lens::Comment),
            ("x = ENC[PKCS7,MIIB\n  +/=]", Lens::Flat),
            ("#  ENC[PKCS7,MIIB\r\n#+/=]", Lens::Flat),
        ] {
            assert_eq!(tokens(text, lens), [pkcs7("MIIB+/=")], "{text:?}");
        }
    }

    #[test]
    fn a_scheme_may_be_missing_or_unknown() {
        let bare = format!("ENC[{B64}]");
        assert_eq!(tokens(&bare, Lens::Scalar), [(None, B64.to_owned())]);
        assert_eq!(tokens(&bare, Lens::Flat), [(None, B64.to_owned())]);
        let odd = "a ENC[Foo_1,x!] b ENC[PKCS7,y]";
        assert_eq!(
            tokens(odd, Lens::Scalar),
            [(Some("foo_1".to_owned()), "x!".to_owned()), pkcs7("y")]
        );
        assert_eq!(tokens(odd, Lens::Flat), [pkcs7("y")]);
    }

    #[test]
    fn prose_and_programs_hold_no_tokens() {
        for text in [
            "ENC[0]",
            "ENC[i, j]",
            "use ENC[PKCS7,...] here",
            "ENC[PKCS7,<base64>]",
            "\"ENC[PKCS7,\" + text + \"]\"",
            "ENC[PKCS7,$(cat x)]",
            "ENC[PKCS7,MIIB\n\nnext]",
            "ENC[PKCS7,",
            "ENC[PKCS7,MII [x]",
            "ENC[]",
        ] {
            assert_eq!(tokens(text, Lens::Flat), [], "{text:?}");
        }
        assert_eq!(
            tokens("ENC[PKCS7,...]", Lens::Scalar),
            [pkcs7("...")],
            "a value is taken as is"
        );
    }

    #[test]
    fn an_unclosed_mark_costs_no_time_and_hides_no_token() {
        let text = format!("{}ENC[PKCS7,MIIB]", "ENC[PKCS7,".repeat(20_000));
        assert_eq!(tokens(&text, Lens::Scalar), [pkcs7("MIIB")]);
    }
}
