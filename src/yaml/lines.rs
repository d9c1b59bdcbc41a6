//! Line numbers of byte offsets, and the lines of a text.

use crate::model::Span;

/// The line breaks of one text: offsets become line numbers, as an editor shows them.
#[derive(Debug)]
pub struct Lines {
    /// Offsets behind each `\n`.
    breaks: Vec<usize>,
    len: usize,
}

impl Lines {
    /// Reads the line breaks of `bytes`; only `\n` counts, with or without `\r` before it.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let breaks = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1).collect();
        Self { breaks, len: bytes.len() }
    }

    /// The line, from 1, that holds the byte at `offset`.
    #[must_use]
    pub fn of(&self, offset: usize) -> usize {
        self.breaks.partition_point(|begin| *begin <= offset) + 1
    }

    /// The offset at which the line that holds `offset` begins.
    #[must_use]
    pub fn begin(&self, offset: usize) -> usize {
        match self.of(offset) {
            1 => 0,
            line => self.breaks[line - 2],
        }
    }

    /// Every line without its line break, in order.
    pub fn spans<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Span> + 'a {
        let begins = std::iter::once(0).chain(self.breaks.iter().copied());
        let ends = self.breaks.iter().copied().chain(std::iter::once(self.len));
        begins.zip(ends).map(|(start, end)| {
            let mut end = end;
            while end > start && matches!(bytes[end - 1], b'\n' | b'\r') {
                end -= 1;
            }
            Span::new(start, end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn offsets_become_lines() {
        let text = b"a\r\nbc\n\nd";
        let lines = Lines::new(text);
        for (offset, line) in [(0, 1), (2, 1), (3, 2), (5, 2), (6, 3), (7, 4), (8, 4)] {
            assert_eq!(lines.of(offset), line, "offset {offset}");
        }
        assert_eq!(lines.begin(4), 3);
        let spans: Vec<_> = lines.spans(text).map(|span| span.of(text).to_vec()).collect();
        assert_eq!(spans, [b"a".to_vec(), b"bc".to_vec(), b"".to_vec(), b"d".to_vec()]);
    }

    #[test]
    fn an_empty_text_has_one_line() {
        let lines = Lines::new(b"");
        assert_eq!(lines.of(0), 1);
        assert_eq!(lines.spans(b"").count(), 1);
    }
}
