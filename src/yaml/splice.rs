//! Replaces byte ranges of a text and leaves every other byte as it was.

use crate::model::Span;

/// Two replacements share bytes, or one lies outside the text: nothing was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap;

/// The text with each span replaced by its bytes; the order of `parts` does not matter.
///
/// # Errors
/// [`Overlap`] when two spans share a byte, begin at the same byte, or reach beyond the text.
pub fn splice(text: &[u8], parts: &[(Span, Vec<u8>)]) -> Result<Vec<u8>, Overlap> {
    let mut order: Vec<&(Span, Vec<u8>)> = parts.iter().collect();
    order.sort_by_key(|(span, _)| (span.start, span.end));
    let mut out = Vec::with_capacity(text.len() + 64);
    let mut at = 0;
    let mut last_start = None;
    for (span, bytes) in order {
        let fits = span.start >= at && span.end >= span.start && span.end <= text.len();
        if !fits || last_start == Some(span.start) {
            return Err(Overlap);
        }
        out.extend_from_slice(&text[at..span.start]);
        out.extend_from_slice(bytes);
        at = span.end;
        last_start = Some(span.start);
    }
    out.extend_from_slice(&text[at..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{Overlap, splice};
    use crate::model::Span;

    fn parts(list: &[(usize, usize, &str)]) -> Vec<(Span, Vec<u8>)> {
        list.iter().map(|(a, b, t)| (Span::new(*a, *b), t.as_bytes().to_vec())).collect()
    }

    #[test]
    fn replaces_in_any_order_and_keeps_the_rest() {
        let text = b"one two three";
        assert_eq!(splice(text, &parts(&[(8, 13, "3"), (0, 3, "")])), Ok(b" two 3".to_vec()));
        assert_eq!(splice(text, &[]), Ok(text.to_vec()));
        assert_eq!(splice(text, &parts(&[(0, 3, "1"), (3, 4, "-")])), Ok(b"1-two three".to_vec()));
    }

    #[test]
    fn refuses_what_overlaps_or_lies_outside() {
        for wrong in [
            &[(0, 4, "x"), (3, 5, "y")][..],
            &[(2, 2, "x"), (2, 2, "y")],
            &[(5, 4, "x")],
            &[(10, 14, "x")],
        ] {
            assert_eq!(splice(b"one two three", &parts(wrong)), Err(Overlap), "{wrong:?}");
        }
    }
}
