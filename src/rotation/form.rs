//! What must stay as it was when a value is written anew: the bytes around the values, how a sealed
//! value is laid out and whom it is for, and a plaintext outside the places that change. Shared by
//! the check of a plan and the comparison of two commits.

use crate::format;
use crate::model::{Cell, Span};

/// The spans of the cells without those that lie inside another (a scalar around a token).
pub(super) fn outer_spans(cells: &[Cell]) -> Vec<Span> {
    let mut spans: Vec<Span> = cells.iter().map(|cell| cell.place.span).collect();
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut outer: Vec<Span> = Vec::new();
    for span in spans {
        if outer.last().is_none_or(|last| span.start >= last.end) {
            outer.push(span);
        }
    }
    outer
}

/// The bytes of a text before, between and behind its cells.
pub(super) fn gaps(text: &[u8], cells: &[Cell]) -> Vec<Span> {
    let mut at = 0;
    let mut gaps = Vec::new();
    for span in outer_spans(cells) {
        gaps.push(Span::new(at, span.start.min(text.len()).max(at)));
        at = span.end.min(text.len());
    }
    gaps.push(Span::new(at, text.len()));
    gaps
}

/// In what two sealed values differ besides their ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Departure {
    /// Scheme, line breaks or width.
    Layout,
    /// The recipients, or how many there are.
    Recipients,
    /// The structure of the envelope, or its ciphers.
    Envelope,
    /// The size of what is sealed.
    Size,
}

/// How much longer or shorter a sealed content may become: a secret may spell its `+` and `/` in
/// up to six characters.
const LEEWAY: usize = 96;

/// In what the sealed value `after` departs from the one that it replaces.
pub(super) fn departures(before: &[u8], after: &[u8]) -> Vec<Departure> {
    let mut found = Vec::new();
    if !same_layout(before, after) {
        found.push(Departure::Layout);
    }
    let Some(old) = format::outline(before) else { return found };
    let Some(new) = format::outline(after) else {
        found.push(Departure::Envelope);
        return found;
    };
    if old.recipients != new.recipients {
        found.push(Departure::Recipients);
    }
    // An older cipher may give way to the one that hiera-eyaml writes today.
    if old.frame != new.frame || (old.cipher != new.cipher && new.cipher != AES_256_CBC) {
        found.push(Departure::Envelope);
    }
    if old.content.abs_diff(new.content) > LEEWAY.max(old.content / 4) {
        found.push(Departure::Size);
    }
    found
}

const AES_256_CBC: &str = "2.16.840.1.101.3.4.1.42";

/// Whether two sealed values are written alike: the same words before the sealed text, the same
/// line breaks, lines of the same width.
pub(super) fn same_layout(before: &[u8], after: &[u8]) -> bool {
    let (old, new) = (Lines::of(before), Lines::of(after));
    if old.head != new.head || old.widths.is_empty() != new.widths.is_empty() {
        return false;
    }
    let breaks = new.breaks.iter().all(|one| old.breaks.contains(one));
    let last = |lines: &Lines<'_>| lines.widths.len().saturating_sub(1);
    // A line that the old value filled; its only line may have any width.
    let full = match old.widths.as_slice() {
        [] | [_] => return old.breaks == new.breaks,
        [first, second] => *first.max(second),
        [_, second, ..] => *second,
    };
    let widths = new.widths.iter().enumerate().all(|(at, width)| {
        if at == last(&new) {
            *width <= full.max(old.widths[last(&old)])
        } else if at < last(&old) {
            *width == old.widths[at]
        } else {
            *width == full
        }
    });
    breaks && widths
}

/// A sealed value as lines.
struct Lines<'a> {
    /// Up to the comma behind the scheme.
    head: &'a [u8],
    /// How many characters stand on each line, the bracket aside.
    widths: Vec<usize>,
    breaks: Vec<&'a [u8]>,
}

impl<'a> Lines<'a> {
    fn of(raw: &'a [u8]) -> Self {
        let comma = memchr::memchr(b',', raw).map_or(0, |at| at + 1);
        let (mut widths, mut breaks) = (Vec::new(), Vec::new());
        let runs = raw.chunk_by(|a, b| is_text(*a) == is_text(*b));
        for run in runs {
            if is_text(run[0]) {
                widths.push(run.strip_suffix(b"]").unwrap_or(run).len());
            } else {
                breaks.push(run);
            }
        }
        Self { head: &raw[..comma], widths, breaks }
    }
}

/// Whether a byte is part of a token's text, not of a line break with its indent.
const fn is_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b',' | b'[' | b']' | b'_')
}

/// Walks both plaintexts side by side: equal outside the ranges of `before`, and inside each the
/// bytes it must become, in any spelling. That is told by decoding, not by the code that encodes.
pub(super) fn follows(before: &[u8], after: &[u8], ranges: &[(Span, &[u8])]) -> bool {
    let mut ranges = ranges.to_vec();
    ranges.sort_by_key(|(span, _)| *span);
    let (mut at_old, mut at_new) = (0, 0);
    for (span, want) in ranges {
        let Some(kept) = span.start.checked_sub(at_old) else { return false };
        if after.get(at_new..at_new + kept) != before.get(at_old..span.start) {
            return false;
        }
        at_new += kept;
        let Some(used) = decodes_to(&after[at_new..], want) else { return false };
        at_new += used;
        at_old = span.end;
    }
    after.get(at_new..) == before.get(at_old..)
}

/// How many bytes of `text` spell `want`, character by character, in any known spelling.
fn decodes_to(text: &[u8], want: &[u8]) -> Option<usize> {
    let mut at = 0;
    for byte in want {
        let rest = text.get(at..)?;
        at += if rest.first() == Some(byte) {
            1
        } else if let Some(hex) = rest.strip_prefix(b"%").and_then(|hex| hex.get(..2)) {
            (u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()? == *byte).then_some(3)?
        } else if let Some(hex) = rest.strip_prefix(b"\\u00").and_then(|hex| hex.get(..2)) {
            (u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()? == *byte).then_some(6)?
        } else {
            (rest.strip_prefix(b"\\")?.first() == Some(byte)).then_some(2)?
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::{follows, same_layout};
    use crate::model::Span;

    #[test]
    fn a_token_keeps_its_layout_or_is_told() {
        for (before, after, same) in [
            ("ENC[PKCS7,aaaa]", "ENC[PKCS7,bbbbbb]", true),
            ("ENC[PKCS7,aaaa]", "ENC[pkcs7,bbbb]", false),
            ("ENC[PKCS7,aaaa]", "ENC[GPG,bbbb]", false),
            ("ENC[aaaa]", "ENC[PKCS7,aaaa]", false),
            ("ENC[PKCS7,aaaa]", "ENC[PKCS7,aa\n  aa]", false),
            ("ENC[PKCS7,aa\n  aaaaaaaaaaaa\n  a]", "ENC[PKCS7,bb\n  bbbbbbbbbbbb\n  bb]", true),
            ("ENC[PKCS7,aa\n  aaaaaaaaaaaa\n  a]", "ENC[PKCS7,bb\n  bbbbbbbbbbbb]", true),
            ("ENC[PKCS7,aa\n  aaaaaaaaaaaa\n  a]", "ENC[PKCS7,bb\n  bbbbbbb\n  bbbbbb]", false),
            ("ENC[PKCS7,aa\n  aaaaaaaaaaaa\n  a]", "ENC[PKCS7,bb\n    bbbbbbbbbbbb\n    b]", false),
            ("ENC[PKCS7,aa\r\n  aaaaaaaaaaaa\r\n  a]", "ENC[PKCS7,bb\n  bbbbbbbbbbbb\n  b]", false),
            ("ENC[PKCS7,aa\n  aaaaaaaaaaaa\n  a]", "ENC[PKCS7,bbbbbbbbbbbbbbb]", false),
            ("ENC[PKCS7,aa\n#  aaaaaaaaaaaa]", "ENC[PKCS7,bb\n#  bbbbbbbbbbbb]", true),
        ] {
            assert_eq!(
                same_layout(before.as_bytes(), after.as_bytes()),
                same,
                "{before:?} {after:?}"
            );
        }
    }

    #[test]
    fn only_what_must_change_changes() {
        let ranges = [(Span::new(2, 5), b"n/w".as_slice())];
        for (after, fits) in [
            ("a n/w z", true),
            ("a n%2Fw z", true),
            ("a n\\/w z", true),
            ("a n\\u002fw z", true),
            ("a old z", false),
            ("a n/w y", false),
            ("b n/w z", false),
            ("a n/w zz", false),
            ("a n/w", false),
            ("a n%2", false),
            ("", false),
        ] {
            assert_eq!(follows(b"a old z", after.as_bytes(), &ranges), fits, "{after}");
        }
        assert!(follows(b"same", b"same", &[]) && !follows(b"same", b"sane", &[]));
    }
}
