//! What the user types: words become meaning once, each verb is one file, and every answer is
//! printed here. What is decided is left to `protocol` and `rotation`.

pub mod args;
pub mod config;

mod actions;
mod check;
mod demo;
mod doctor;
mod find;
mod generated;
mod interrupt;
mod outside;
mod progress;
mod reactivate;
mod ready;
mod recorded;
mod retire;
mod rotate;
mod say;
mod session;
mod target;
mod tracked;
mod verify;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Cli, LedgerArgs, LedgerCommand, Output, Verb};
use self::session::Session;
use crate::error::Result;
use crate::report::{Outcome, error as report_error};

/// The whole program: parses the words, runs the verb, prints the answer.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = outside::answer_git() {
        return ExitCode::from(code);
    }
    let cli = Cli::parse();
    outside::harden();
    outside::log(cli.everywhere.verbose);
    let session = Session::from_process(&cli.everywhere);
    // The demo listens for itself: it has folders to remove and services to stop.
    if !matches!(cli.verb, Verb::Demo(_)) {
        interrupt::watch(session.state_dir());
    }
    let (name, form) = name_and_form(&cli.verb);
    let code = match run(&session, &cli.verb) {
        Ok(outcome) => {
            say::answer(&outcome, form);
            outcome.code
        }
        Err(error) => {
            let outcome = report_error(name, &error);
            say::failure(&outcome, form);
            outcome.code
        }
    };
    ExitCode::from(code)
}

fn run(session: &Session, verb: &Verb) -> Result<Outcome> {
    match verb {
        Verb::Find(args) => find::find(session, args),
        Verb::Rotate(args) => rotate::rotate(session, args),
        Verb::Check(args) => check::check(session, args),
        Verb::Resume(args) => rotate::resume(session, args),
        Verb::Abort(args) => rotate::abort(session, args),
        Verb::Demo(args) => demo::demo(session, args),
        Verb::Verify(args) => verify::verify(session, args),
        Verb::Status(args) => watch::status(session, args),
        Verb::Attest(args) => watch::attest(session, args),
        Verb::Observe(args) => watch::observe(session, args),
        Verb::Ledger(args) => watch::ledger(session, args),
        Verb::Deactivate(args) => retire::deactivate(session, args),
        Verb::Reactivate(args) => reactivate::reactivate(session, args),
        Verb::Delete(args) => retire::delete(session, args),
        Verb::Doctor(args) => Ok(doctor::doctor(session, args)),
        Verb::Policy(args) => Ok(generated::policy(args)),
        Verb::Completions(args) => Ok(generated::completions(args)),
        Verb::Man(_) => generated::man(),
    }
}

/// The verb's name, as JSON shows it, and the form of its answer.
const fn name_and_form(verb: &Verb) -> (&'static str, Output) {
    match verb {
        Verb::Find(args) => ("find", args.output.get()),
        Verb::Rotate(args) => ("rotate", args.output.get()),
        Verb::Check(args) => ("check", args.output.get()),
        Verb::Resume(args) => ("resume", args.output.get()),
        Verb::Abort(args) => ("abort", args.output.get()),
        Verb::Demo(_) => ("demo", Output::Human),
        Verb::Verify(args) => ("verify", args.output.get()),
        Verb::Status(args) => ("status", args.output.get()),
        Verb::Attest(args) => ("attest", args.output.get()),
        Verb::Observe(args) => ("observe", args.output.get()),
        Verb::Ledger(LedgerArgs { command: LedgerCommand::Show(args) }) => {
            ("ledger", args.output.get())
        }
        Verb::Deactivate(args) => ("deactivate", args.output.get()),
        Verb::Reactivate(args) => ("reactivate", args.output.get()),
        Verb::Delete(args) => ("delete", args.output.get()),
        Verb::Doctor(args) => ("doctor", args.output.get()),
        Verb::Policy(_) => ("policy", Output::Human),
        Verb::Completions(_) => ("completions", Output::Human),
        Verb::Man(_) => ("man", Output::Human),
    }
}
