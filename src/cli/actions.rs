//! Speaks to GitHub Actions: workflow commands beside the answer, and the step summary. Does
//! nothing elsewhere.

use std::fs::OpenOptions;
use std::io::Write as _;

use super::args::Output;
use super::session::Session;
use crate::model::visible;
use crate::report::Outcome;

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// For information.
    Notice,
    /// Something waits or could not be told.
    Warning,
    /// Something is wrong.
    Error,
}

/// One annotation of a workflow run.
pub(super) struct Annotation {
    /// How loud.
    pub(super) level: Level,
    /// One short line.
    pub(super) title: String,
    /// What is said.
    pub(super) message: String,
}

/// Adds the annotations to the answer and its lines to the step summary, when `GITHUB_ACTIONS` is
/// `true`. A program's document on stdout stays one: then the commands go to stderr, which the
/// runner reads as well.
pub(super) fn tell(
    session: &Session,
    outcome: &mut Outcome,
    form: Output,
    annotations: &[Annotation],
) {
    if session.var("GITHUB_ACTIONS") != Some("true") {
        return;
    }
    let commands: Vec<String> = annotations.iter().map(command).collect();
    summarise(session, annotations);
    if form == Output::Human {
        outcome.human = harmless(&outcome.human);
        for line in &commands {
            outcome.human.push_str(line);
            outcome.human.push('\n');
        }
    } else {
        commands.iter().for_each(|line| super::say::note(line));
    }
}

fn command(one: &Annotation) -> String {
    let word = match one.level {
        Level::Notice => "notice",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let title = data(&one.title).replace(':', "%3A").replace(',', "%2C");
    format!("::{word} title={title}::{}", data(&one.message))
}

/// The escapes of the runner's own toolkit.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The answer holds names from the repository: none of its lines may begin like a command.
fn harmless(text: &str) -> String {
    let line = |line: &str| {
        let begins = line.trim_start();
        let quoted = if begins.starts_with("::") || begins.starts_with("##[") { "| " } else { "" };
        format!("{quoted}{line}\n")
    };
    text.lines().map(line).collect()
}

/// Appends to the step summary; what cannot be written there is only a note.
fn summarise(session: &Session, annotations: &[Annotation]) {
    let Some(path) = session.var("GITHUB_STEP_SUMMARY") else { return };
    let mut text = String::new();
    for one in annotations {
        text.push_str(&format!("- **{}**: {}\n", markdown(&one.title), markdown(&one.message)));
    }
    let file = OpenOptions::new().append(true).create(true).open(path);
    if let Err(source) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
        session.note(&format!("the step summary could not be written: {source}"));
    }
}

/// Text that Markdown and HTML show as it is.
fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Annotation, Level, command, harmless, markdown};

    #[test]
    fn text_cannot_become_a_command_or_end_one() {
        let one = Annotation {
            level: Level::Error,
            title: "a,b: c".into(),
            message: "50%\n::set-output name=x::y".into(),
        };
        assert_eq!(command(&one), "::error title=a%2Cb%3A c::50%25\\n::set-output name=x::y");
        assert_eq!(harmless("a\n  ::error::x\n"), "a\n|   ::error::x\n");
    }

    #[test]
    fn a_summary_shows_names_as_they_are() {
        assert_eq!(markdown("a_b <img> @ops [x](y)"), "a\\_b &lt;img> &#64;ops \\[x\\](y)");
    }
}
