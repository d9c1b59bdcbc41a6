//! Makes untrusted words harmless in GitHub's Markdown: no hidden text, no pings, no closed
//! issues, no links. What the text says is left to `body`.

use std::fmt;

use crate::model::visible;

/// The most characters of one name; what is longer is cut with an ellipsis.
const NAME: usize = 400;

/// A zero-width space. Behind `@` and `#` it breaks mentions and issue references, also where a
/// squash merge carries this text into a commit message, in which code spans mean nothing.
const BREAK: char = '\u{200b}';

/// A heading on a line of its own.
pub(super) struct Heading<'a>(pub(super) &'a str);

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n### {}\n\n", self.0)
    }
}

/// The text as a code span, whose fence is longer than any run of backticks inside
/// (CommonMark 6.1).
pub(super) fn code(text: &str) -> String {
    let text = unlinked(&clip(&visible(text), NAME));
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // CommonMark takes one space from both ends, and a backtick at an end would join the fence.
    let edge = |c: char| c == '`' || c == ' ';
    let pad = if text.starts_with(edge) || text.ends_with(edge) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The text as one line of plain words: every character that means something to Markdown or HTML
/// is escaped.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    for c in unlinked(&clip(&visible(text), NAME)).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '!' | '|' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A name put into somebody else's Markdown: as it is where that is harmless, else as prose.
pub(super) fn name(text: &str) -> String {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"/._=+,-".contains(&b);
    if text.bytes().all(harmless) { text.to_owned() } else { prose(text) }
}

/// The text with its mentions and issue references broken, and nothing else changed.
pub(super) fn unlinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        out.push(c);
        if matches!(c, '@' | '#') {
            out.push(BREAK);
        }
    }
    out
}

/// At most `most` characters; a cut ends in an ellipsis.
pub(super) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// A list of at most `room` characters; a cut says how many `what` are missing.
pub(super) fn list(
    items: impl ExactSizeIterator<Item = String>,
    room: usize,
    what: &str,
) -> String {
    let total = items.len();
    let mut out = String::new();
    let mut length = 0;
    for (at, item) in items.enumerate() {
        let line = format!("- {item}\n");
        length += line.chars().count();
        if length > room {
            return format!("{out}- … and {} more {what}\n", total - at);
        }
        out.push_str(&line);
    }
    out
}
