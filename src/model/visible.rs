//! Makes control and bidirectional characters of untrusted names visible (invariant I13).

/// Returns `text` with control characters (C0, C1, line and paragraph separators), bidirectional
/// marks and other invisible format characters written as `\u{…}`, and line breaks as `\n`.
///
/// Every name that comes from a repository, a service or a user passes through here before it is
/// printed for a person. JSON needs it too for bidirectional marks only in terminals; a serializer
/// escapes the rest.
#[must_use]
pub fn visible(text: &str) -> String {
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
