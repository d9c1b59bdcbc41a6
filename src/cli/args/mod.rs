//! The words of the command line: one definition that feeds parsing, help, completions and the man
//! page. Words only; what they mean is left to the verbs and the session.

mod check;
mod demo;
mod doctor;
mod find;
mod groups;
mod ledger;
mod retire;
mod rotate;
mod verify;

use clap::{ArgAction, Args, Parser, Subcommand};

pub use self::check::CheckArgs;
pub use self::demo::DemoArgs;
pub use self::doctor::{CompletionsArgs, DoctorArgs, ManArgs, PolicyArgs, PolicyCommand};
pub use self::find::FindArgs;
pub use self::groups::{
    Aws, Color, FindingsOutput, Forge, ForgeName, Origin, Output, PlainOutput, Repository, Targets,
};
pub use self::ledger::{AttestArgs, LedgerArgs, LedgerCommand, ObserveArgs, ShowArgs, StatusArgs};
pub use self::retire::{DeactivateArgs, DeleteArgs, ReactivateArgs};
pub use self::rotate::{AbortArgs, PullRequest, ResumeArgs, RotateArgs};
pub use self::verify::{Until, VerifyArgs};

/// Rotates long-lived AWS access keys that stand, encrypted, in git secrets repositories.
///
/// It finds every use of an access key, also inside sealed values, makes a replacement, rewrites
/// every occurrence, opens a pull request, and later says from last-used dates whether the old
/// access key may be switched off.
#[derive(Debug, Parser)]
#[command(
    name = "keyroll",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 yes, 1 no, 2 could not, 3 would not, 4 not yet.\n\
                  Begin with `keyroll demo`: it needs no account and no network."
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub everywhere: Everywhere,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct Everywhere {
    /// When to colour the answer
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Say more on stderr; give it twice for what is sent and read
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show where access keys are used, also inside sealed values
    Find(FindArgs),
    /// Make a new access key, rewrite every occurrence, open a pull request
    Rotate(RotateArgs),
    /// Prove that a branch rotates an access key and does nothing else
    Check(CheckArgs),
    /// Show every rotation in flight and what it waits for
    Status(StatusArgs),
    /// Say whether old access keys may be switched off: the step of a deployment's CI
    Verify(VerifyArgs),
    /// Vouch for a consumer that cannot be seen from outside
    Attest(AttestArgs),
    /// Switch an access key off, once nobody needs it
    Deactivate(DeactivateArgs),
    /// Switch an access key on again, at once
    Reactivate(ReactivateArgs),
    /// Delete an access key that has been off for long enough
    Delete(DeleteArgs),
    /// Finish a rotation that was cut short
    Resume(ResumeArgs),
    /// Undo a rotation that was cut short
    Abort(AbortArgs),
    /// Note last-used dates of tracked access keys: a cheap cron job
    Observe(ObserveArgs),
    /// Show what is recorded of an access key
    Ledger(LedgerArgs),
    /// Show what works here and what does not
    Doctor(DoctorArgs),
    /// Print the smallest IAM policy that a command needs
    Policy(PolicyArgs),
    /// Play a whole rotation on a sample repository, with simulated services
    Demo(DemoArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
