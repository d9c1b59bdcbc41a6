//! `keyroll doctor`: looks at everything that the other verbs need, one thing after the other, and
//! never stops at the first that fails. It changes nothing. What is looked at in the repository is
//! in `repository`, what AWS says in `account`.

mod account;
mod repository;

use std::time::Duration;

use super::args::DoctorArgs;
use super::session::Session;
use crate::error::Result;
use crate::model::visible;
use crate::repo::child;
use crate::report::{Check, Examined, Outcome, State};

/// Looks at everything.
pub(super) fn doctor(session: &Session, args: &DoctorArgs) -> Outcome {
    let mut examined = Examined::default();
    programs(session, &mut examined.checks);
    let ids = repository::examine(session, args, &mut examined);
    account::examine(args, &ids, &mut examined);
    crate::report::doctor(&examined, session.width, session.paint)
}

/// Adds a check, or the error in its place.
fn add(checks: &mut Vec<Check>, name: &str, outcome: Result<Check>) {
    checks.push(outcome.unwrap_or_else(|error| Check::failed(name, &error)));
}

/// The programs that keyroll starts. Only git is always needed.
fn programs(session: &Session, checks: &mut Vec<Check>) {
    for (name, flag, needed) in
        [("git", "--version", true), ("gpg", "--version", false), ("ssh", "-V", false)]
    {
        let check = match version(session, name, flag) {
            Some(version) => Check::new(name, State::Ok, version),
            None if needed => Check::new(name, State::Missing, "the program cannot be started")
                .hint("install git: remotes are reached through it"),
            None => Check::new(name, State::Unknown, "the program cannot be started").hint(
                "it is needed only where commits are signed with it, or remotes reached by it",
            ),
        };
        checks.push(check);
    }
}

fn version(session: &Session, program: &str, flag: &str) -> Option<String> {
    let mut command = child::command(program, &session.environment);
    command.arg(flag);
    let limit = Duration::from_secs(10);
    let output = child::run(command, b"", limit, child::Terminal::Cut).ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &output.talk();
    let line = said.lines().find(|line| !line.trim().is_empty())?;
    output.status.success().then(|| visible(line.trim()))
}
