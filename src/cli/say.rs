//! Printing: the answer on stdout, the talk on stderr. A closed pipe is not an error.

use std::io::Write as _;

use super::args::Output;
use crate::report::Outcome;

/// Prints an answer in the form that was asked for.
pub(super) fn answer(outcome: &Outcome, form: Output) {
    let text = match form {
        Output::Human => outcome.human.clone(),
        Output::Json => pretty(&outcome.json),
        Output::Sarif => pretty(outcome.sarif.as_ref().unwrap_or(&outcome.json)),
    };
    let mut out = std::io::stdout().lock();
    // Nobody is left to be told when the reader has gone.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Prints an error: for a person on stderr; as JSON on stdout, where a program reads.
pub(super) fn failure(outcome: &Outcome, form: Output) {
    if form == Output::Human {
        let mut err = std::io::stderr().lock();
        drop(err.write_all(outcome.human.as_bytes()));
        return;
    }
    let mut out = std::io::stdout().lock();
    drop(out.write_all(pretty(&outcome.json).as_bytes()).and_then(|()| out.flush()));
}

/// Prints one line of an answer that comes bit by bit.
pub(super) fn line(words: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{words}").and_then(|()| out.flush()));
}

/// Prints one line of talk.
pub(super) fn note(words: &str) {
    let mut err = std::io::stderr().lock();
    drop(writeln!(err, "{words}"));
}

fn pretty(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
