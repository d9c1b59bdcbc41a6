//! What the parser's spans leave open: quotes, the end of a block scalar, and where the entry of a
//! value begins in the bytes before it.

use granit_parser::ScalarStyle;

use super::scan::Style;
use crate::model::Span;

/// Our style and the span of the content alone.
pub(super) fn content(bytes: &[u8], style: ScalarStyle, span: Span) -> (Style, Span) {
    let quoted = |quote: u8| {
        let text = span.of(bytes);
        let closed = text.len() >= 2 && text[0] == quote && text[text.len() - 1] == quote;
        if closed { Span::new(span.start + 1, span.end - 1) } else { span }
    };
    match style {
        ScalarStyle::Plain => (Style::Plain, span),
        ScalarStyle::SingleQuoted => (Style::Single, quoted(b'\'')),
        ScalarStyle::DoubleQuoted => (Style::Double, quoted(b'"')),
        ScalarStyle::Literal => (Style::Literal, block(bytes, span)),
        ScalarStyle::Folded => (Style::Folded, block(bytes, span)),
    }
}

/// A block scalar's span may reach into the indentation of the line behind it: cut that off.
fn block(bytes: &[u8], span: Span) -> Span {
    let text = span.of(bytes);
    let blanks = text.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let cut = text.len() - blanks;
    if cut > 0 && text[cut - 1] == b'\n' { Span::new(span.start, span.start + cut) } else { span }
}

/// Calls `see` with the offset of every byte of the gap that is neither blank nor comment.
fn marks(bytes: &[u8], gap: Span, mut see: impl FnMut(usize) -> bool) {
    let mut at = gap.start;
    while at < gap.end {
        let spaced = at == 0 || bytes[at - 1].is_ascii_whitespace();
        match bytes[at] {
            b'#' if spaced => {
                let rest = &bytes[at..gap.end];
                at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ if see(at) => return,
            _ => at += 1,
        }
    }
}

/// The first byte of the gap that belongs to the coming node.
pub(super) fn first_mark(bytes: &[u8], gap: Span) -> Option<usize> {
    let mut found = None;
    marks(bytes, gap, |at| {
        let line_mark =
            bytes[at] == b'-' && !bytes.get(at + 1).is_some_and(u8::is_ascii_whitespace);
        let between = matches!(bytes[at], b',' | b':' | b'[' | b'{' | b'.' | 0xef | 0xbb | 0xbf);
        if line_mark || between || (bytes[at] == b'-' && at > 0 && bytes[at - 1] == b'-') {
            return false;
        }
        found = Some(at);
        true
    });
    found
}

/// The last list dash of the gap.
pub(super) fn last_dash(bytes: &[u8], gap: Span) -> Option<usize> {
    let mut found = None;
    marks(bytes, gap, |at| {
        let spaced = at == gap.start || at == 0 || bytes[at - 1].is_ascii_whitespace();
        if bytes[at] == b'-' && spaced && bytes.get(at + 1).is_some_and(u8::is_ascii_whitespace) {
            found = Some(at);
        }
        false
    });
    found
}
