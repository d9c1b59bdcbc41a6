//! Lines for a person: indented, wrapped at the terminal's width, sparingly painted.

use std::fmt::Write as _;

use crate::model::Timestamp;

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Escape sequences for bold and dim.
    Colour,
    /// Plain text.
    Plain,
}

/// Text under construction.
#[derive(Debug)]
pub struct Page {
    text: String,
    width: usize,
    paint: Paint,
}

impl Page {
    /// A page for lines of `width` columns.
    #[must_use]
    pub const fn new(width: usize, paint: Paint) -> Self {
        Self { text: String::new(), width, paint }
    }

    /// A heading on its own line.
    pub fn heading(&mut self, words: &str) {
        match self.paint {
            Paint::Colour => {
                let (on, off) = (anstyle::Style::new().bold(), anstyle::Reset);
                let _ = writeln!(self.text, "{on}{words}{off}");
            }
            Paint::Plain => {
                let _ = writeln!(self.text, "{words}");
            }
        }
    }

    /// One line as it is, for what a person will copy.
    pub fn line(&mut self, words: &str) {
        let _ = writeln!(self.text, "{words}");
    }

    /// An empty line; none at the beginning, and never two.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A paragraph, indented and wrapped between words; a word longer than the line stays whole,
    /// because names and IDs are copied.
    pub fn wrapped(&mut self, indent: usize, words: &str) {
        let room = self.width.saturating_sub(indent).max(20);
        let mut line = String::new();
        for word in words.split(' ') {
            if !line.is_empty() && columns(&line) + 1 + columns(word) > room {
                let _ = writeln!(self.text, "{:indent$}{line}", "");
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    /// The finished text.
    #[must_use]
    pub fn done(self) -> String {
        self.text
    }
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `1 file`, `2 files`.
#[must_use]
pub fn plural(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        n if one.ends_with('y') && !one.ends_with("ay") => {
            format!("{n} {}ies", &one[..one.len() - 1])
        }
        n => format!("{n} {one}s"),
    }
}

/// How long before `now` a moment was, in its largest unit.
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0..60 => "just now".to_owned(),
        60..3_600 => format!("{} ago", plural((seconds / 60) as usize, "minute")),
        3_600..86_400 => format!("{} ago", plural((seconds / 3_600) as usize, "hour")),
        _ => format!("{} ago", plural((seconds / 86_400) as usize, "day")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Paint, ago, plural};
    use crate::model::Timestamp;

    #[test]
    fn long_lines_wrap_between_words_and_long_words_stay_whole() {
        let mut page = Page::new(24, Paint::Plain);
        page.wrapped(4, "one two three four five six seven");
        page.wrapped(4, "a_name_that_is_longer_than_the_line x");
        assert_eq!(
            page.done(),
            "    one two three four\n    five six seven\n    a_name_that_is_longer_than_the_line\n    x\n"
        );
    }

    #[test]
    fn gaps_do_not_add_up() {
        let mut page = Page::new(40, Paint::Plain);
        page.gap();
        page.line("a");
        page.gap();
        page.gap();
        page.line("b");
        assert_eq!(page.done(), "a\n\nb\n");
    }

    #[test]
    fn counts_and_ages_read_well() {
        assert_eq!(plural(1, "entry"), "1 entry");
        assert_eq!(plural(0, "entry"), "0 entries");
        assert_eq!(plural(3, "day"), "3 days");
        assert_eq!(ago(Timestamp(0), Timestamp(7_300)), "2 hours ago");
        assert_eq!(ago(Timestamp(100), Timestamp(0)), "just now");
    }
}
