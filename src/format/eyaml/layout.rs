//! Lays a new sealed text out as the token that it replaces: prefix, line breaks, width and the
//! place of the closing bracket. Sealing is left to the caller.

use super::token::{Lens, Token, Unit, unit};

/// Where the lines of a token break.
#[derive(Debug, PartialEq, Eq)]
struct Layout<'a> {
    /// The raw bytes from `ENC[` to before the sealed text.
    prefix: &'a [u8],
    /// How many characters of the prefix stand on the line where the sealed text begins.
    prefix_width: usize,
    /// How many characters of the sealed text stand on each line.
    widths: Vec<usize>,
    /// The raw bytes between the lines.
    breaks: Vec<&'a [u8]>,
    /// The raw bytes before the bracket, if it stands on a line of its own.
    closing: Option<&'a [u8]>,
}

impl<'a> Layout<'a> {
    fn of(raw: &'a [u8], body: usize) -> Self {
        let prefix = &raw[..body];
        let mut layout = Self {
            prefix,
            prefix_width: prefix.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len),
            widths: vec![0],
            breaks: Vec::new(),
            closing: None,
        };
        let (mut at, mut blank_from) = (body, None);
        while let Some((step, next)) = unit(raw, at, any(raw, at)) {
            match step {
                Unit::Char(byte) => {
                    if let Some(from) = blank_from.take() {
                        let blanks = &raw[from..at];
                        if byte == b']' {
                            layout.closing = Some(blanks);
                            break;
                        }
                        layout.breaks.push(blanks);
                        layout.widths.push(0);
                    }
                    if byte == b']' {
                        break;
                    }
                    *layout.widths.last_mut().expect("there is a first line") += 1;
                }
                Unit::Space | Unit::Nothing => blank_from = blank_from.or(Some(at)),
            }
            at = next;
        }
        layout
    }

    /// The width of a line that the old token filled; `None` where it had one line only.
    fn full(&self) -> Option<usize> {
        match self.widths[..] {
            [] | [_] => None,
            [first, second] => Some(second.max(first + self.prefix_width)),
            [_, second, ..] => Some(second),
        }
    }

    fn write(&self, sealed: &[u8]) -> Vec<u8> {
        let mut out = self.prefix.to_vec();
        let last = self.widths.len() - 1;
        let full = self.full();
        let mut rest = sealed;
        let mut line = 0;
        let mut filled = 0;
        while !rest.is_empty() {
            if line > 0 {
                out.extend_from_slice(self.breaks[(line - 1).min(self.breaks.len() - 1)]);
            }
            let width = if line < last { self.widths[line] } else { full.unwrap_or(rest.len()) };
            let (now, later) = rest.split_at(width.min(rest.len()));
            out.extend_from_slice(now);
            filled = now.len() + if line == 0 { self.prefix_width } else { 0 };
            (rest, line) = (later, line + 1);
        }
        if let Some(closing) = self.closing {
            out.extend_from_slice(closing);
        } else if full == Some(filled) && full != Some(self.widths[last]) {
            // The bracket counts as a character of the line, which is full.
            out.extend_from_slice(self.breaks[self.breaks.len() - 1]);
        }
        out.push(b']');
        out
    }
}

/// The lens that reads any break: a sealed text holds neither `\` nor `#`.
fn any(raw: &[u8], at: usize) -> Lens {
    if raw[at..].starts_with(b"#") { Lens::Comment } else { Lens::Double }
}

/// The raw bytes of `token` (which are `raw`) with another sealed text in them.
pub(super) fn rewrite(raw: &[u8], token: &Token, sealed: &str) -> Vec<u8> {
    let body = token.body - token.span.start;
    Layout::of(raw, body).write(sealed.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::rewrite;
    use crate::format::eyaml::token::{Lens, find};
    use crate::model::Span;

    /// Replaces the sealed text of a token by as many letters as asked.
    fn changed(raw: &str, lens: Lens, length: usize) -> String {
        let found = find(raw.as_bytes(), Span::new(0, raw.len()), lens);
        let token = &found[0];
        let raw = token.span.of(raw.as_bytes());
        String::from_utf8(rewrite(raw, token, &"z".repeat(length))).expect("text")
    }

    #[test]
    fn the_same_length_gives_the_same_layout() {
        for (raw, lens) in [
            ("ENC[PKCS7,aaaa]", Lens::Scalar),
            ("ENC[pkcs7,aaaa\n  aaaaaa\n  a]", Lens::Scalar),
            ("ENC[PKCS7,aaaa\r\n    aaaaaa\r\n    a\r\n  ]", Lens::Scalar),
            ("ENC[PKCS7,\n  aaaa\n  aaaa\n]", Lens::Scalar),
            ("ENC[PKCS7,aaaa\\\n  aaaaaa\\\n  aa]", Lens::Double),
            ("ENC[PKCS7,aaaa\n#  aaaaaa\n# aa]", Lens::Comment),
            ("ENC[PKCS7,aa\n  aaaaaaa\n  aaa\n  aaaa]", Lens::Scalar),
            ("ENC[PKCS7,aaaa\n aaaa]", Lens::Scalar),
        ] {
            let count = raw.bytes().filter(|byte| *byte == b'a').count();
            assert_eq!(changed(raw, lens, count), raw.replace('a', "z"), "{raw:?}");
        }
    }

    #[test]
    fn another_length_is_wrapped_at_the_width_that_the_lines_had() {
        // Fourteen characters a line, prefix and bracket counted, as eyaml does with sixty.
        let raw = "ENC[PKCS7,aaaa\n  aaaaaaaaaaaaaa\n  aaa]";
        let full = "z".repeat(14);
        for (length, expected) in [
            (3, "zzz]".to_owned()),
            (4, "zzzz\n  ]".to_owned()),
            (17, "zzzz\n  zzzzzzzzzzzzz]".to_owned()),
            (18, format!("zzzz\n  {full}\n  ]")),
            (31, format!("zzzz\n  {full}\n  zzzzzzzzzzzzz]")),
            (32, format!("zzzz\n  {full}\n  {full}\n  ]")),
            (33, format!("zzzz\n  {full}\n  {full}\n  z]")),
        ] {
            let expected = format!("ENC[PKCS7,{expected}");
            assert_eq!(changed(raw, Lens::Scalar, length), expected, "{length}");
        }
        assert_eq!(changed("ENC[PKCS7,aaaa]", Lens::Scalar, 30).len(), 41, "one line stays one");
        assert_eq!(
            changed("ENC[PKCS7,aa\n  aaaa\n]", Lens::Scalar, 20),
            "ENC[PKCS7,zz\n  zzzzzzzzzzzz\n  zzzzzz\n]"
        );
    }
}
