//! Says what is wrong with `keyroll.yaml`: file, line, and the nearest valid word.

use crate::error::{Error, Kind};
use crate::model::visible;

/// What the YAML reader found wrong.
pub(super) fn explain(error: &serde_yaml::Error, text: &[u8], file: &str) -> Error {
    let told = error.to_string();
    // The position stands in front in our sentences, and behind in the reader's.
    let told = told.rsplit_once(" at line ").map_or(told.as_str(), |(told, _)| told);
    let line = error.location().map(|location| location.line());
    if let Some(unknown) = Unknown::read(told) {
        return unknown.error(line, file);
    }
    if let Some((before, rest)) = told.split_once("duplicate field `") {
        let name = rest.trim_end_matches('`');
        let line = line.map(|from| second_line(text, from, name).unwrap_or(from));
        let path = before.trim_end_matches(": ");
        let place =
            if path.is_empty() { String::new() } else { format!(" in `{}`", visible(path)) };
        return bad(file, line, &format!("`{}` stands twice{place}", visible(name)))
            .hint("keep one of the two: which of them rules is not left to chance");
    }
    let error = bad(file, line, &visible(told));
    if told.contains("missing field `version`") {
        return error.hint("begin the file with `version: 1`");
    }
    error
}

/// A version that this program does not know.
pub(super) fn version(found: u64, text: &[u8], file: &str) -> Error {
    let line = first_line(text, "version");
    bad(file, line, &format!("`version: {found}` is not known"))
        .hint("this program reads version 1; a newer one may be needed")
}

/// A name of the file that is well-formed and means nothing.
pub(super) fn inside(error: &Error, file: &str) -> Error {
    error.hints().iter().fold(bad(file, None, error.message()), |made, hint| made.hint(hint))
}

fn bad(file: &str, line: Option<usize>, what: &str) -> Error {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    Error::new(Kind::Settings, "bad-config", format!("`{}{line}`: {what}", visible(file)))
}

/// A word that is none of those that are expected.
struct Unknown<'t> {
    path: &'t str,
    what: &'static str,
    word: &'t str,
    valid: Vec<&'t str>,
}

impl<'t> Unknown<'t> {
    /// Takes serde's sentence apart: ``policy: unknown field `quite`, expected one of `lag`, …``.
    fn read(told: &'t str) -> Option<Self> {
        let (what, mark) = [("field", "unknown field `"), ("word", "unknown variant `")]
            .into_iter()
            .find(|(_, mark)| told.contains(mark))?;
        let (path, rest) = told.split_once(mark)?;
        // From the right, because the word is the file's and may hold anything.
        let (word, valid) = rest.rsplit_once("`, expected ")?;
        let valid = valid.split('`').skip(1).step_by(2).collect();
        Some(Self { path: path.trim_end_matches(": "), what, word, valid })
    }

    fn error(&self, line: Option<usize>, file: &str) -> Error {
        let path = self.path.strip_suffix(self.word).unwrap_or(self.path).trim_end_matches('.');
        let place =
            if path.is_empty() { String::new() } else { format!(" in `{}`", visible(path)) };
        let what = format!("unknown {} `{}`{place}", self.what, visible(self.word));
        let error = bad(file, line, &what);
        match self.nearest() {
            Some(word) => error.hint(format!("did you mean `{word}`?")),
            None => {
                let words: Vec<_> = self.valid.iter().map(|word| format!("`{word}`")).collect();
                error.hint(format!("valid are {}", words.join(", ")))
            }
        }
    }

    /// The valid word that is fewest slips away, if it is near at all.
    fn nearest(&self) -> Option<&'t str> {
        let slips = |word: &&str| strsim::damerau_levenshtein(word, &self.word.to_lowercase());
        let word = self.valid.iter().copied().min_by_key(slips)?;
        (slips(&word) <= 1 + word.len() / 4).then_some(word)
    }
}

/// The line of the second entry `name` at or behind line `from`, in a file that has it twice.
fn second_line(text: &[u8], from: usize, name: &str) -> Option<usize> {
    entries(text, name).filter(|(line, _)| *line >= from).nth(1).map(|(line, _)| line)
}

fn first_line(text: &[u8], name: &str) -> Option<usize> {
    entries(text, name).next().map(|(line, _)| line)
}

fn entries<'t>(text: &'t [u8], name: &'t str) -> impl Iterator<Item = (usize, &'t [u8])> {
    text.split(|byte| *byte == b'\n').enumerate().filter_map(move |(at, line)| {
        let trimmed = line.trim_ascii_start();
        let entry = trimmed.strip_prefix(name.as_bytes())?.trim_ascii_start();
        entry.starts_with(b":").then_some((at + 1, line))
    })
}
