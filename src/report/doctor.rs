//! The answer of `doctor`: one line for each thing that was looked at.

use serde_json::{Value, json};

use super::Outcome;
use super::text::{Page, Paint, plural};
use crate::error::Error;
use crate::model::visible;

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works.
    Ok,
    /// Something is missing or wrong: a finding.
    Missing,
    /// It cannot be told without doing it, or does not apply here.
    Unknown,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A stable word.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
}

impl Check {
    /// A check without hints.
    #[must_use]
    pub fn new(name: impl Into<String>, state: State, message: impl Into<String>) -> Self {
        Self { name: name.into(), state, message: message.into(), hints: Vec::new() }
    }

    /// What could not be done, with the error's own hints.
    #[must_use]
    pub fn failed(name: impl Into<String>, error: &Error) -> Self {
        let hints = error.hints().to_vec();
        Self { hints, ..Self::new(name, State::Missing, error.message()) }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Everything that `doctor` saw.
#[derive(Debug, Default)]
pub struct Examined {
    /// The repository, as it was named.
    pub repository: Option<String>,
    /// ARN and account of who signs.
    pub caller: Option<(String, String)>,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
}

/// The answer. Exit code 0, or 3 when something is missing.
#[must_use]
pub fn doctor(examined: &Examined, width: usize, paint: Paint) -> Outcome {
    let missing = examined.checks.iter().filter(|one| one.state == State::Missing).count();
    let mut page = Page::new(width, paint);
    for one in &examined.checks {
        page.line(&format!("{:<8} {}", one.state.word(), one.name));
        page.wrapped(9, &visible(&one.message));
        for hint in &one.hints {
            page.wrapped(9, &format!("hint: {}", visible(hint)));
        }
    }
    page.gap();
    page.heading(&match missing {
        0 => "nothing is missing".to_owned(),
        n => plural(n, "finding"),
    });
    let check = |one: &Check| json!({ "name": one.name, "state": one.state.word(), "message": one.message, "hints": one.hints });
    let caller = examined
        .caller
        .as_ref()
        .map_or(Value::Null, |(arn, account)| json!({ "arn": arn, "account": account }));
    let json = json!({
        "version": 1,
        "command": "doctor",
        "ready": missing == 0,
        "repository": examined.repository,
        "caller": caller,
        "checks": examined.checks.iter().map(check).collect::<Vec<_>>(),
    });
    Outcome { code: if missing == 0 { 0 } else { 3 }, human: page.done(), json, sarif: None }
}

#[cfg(test)]
mod tests {
    use super::{Check, Examined, State, doctor};
    use crate::report::Paint;

    #[test]
    fn what_cannot_be_told_is_no_finding() {
        let examined = |state| Examined {
            checks: vec![Check::new("git", State::Ok, "2.47"), Check::new("x", state, "y")],
            ..Examined::default()
        };
        let code = |state| doctor(&examined(state), 80, Paint::Plain).code;
        assert_eq!([code(State::Ok), code(State::Unknown), code(State::Missing)], [0, 0, 3]);
    }
}
