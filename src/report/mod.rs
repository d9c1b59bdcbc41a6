//! What is said: every answer once as text for a person and once as JSON, from the same data.
//! Nothing here decides anything; printing itself is left to `cli`.

mod check;
mod doctor;
mod error;
mod find;
mod ledger;
mod policy;
mod retire;
mod rotate;
mod sarif;
mod status;
mod text;
mod verify;

pub use check::{Answer as CheckAnswer, annotations, check, step_summary};
pub use doctor::{Check, Examined, State, doctor};
pub use error::error;
pub use find::{Answer as FindAnswer, find};
pub use ledger::{Line, attest, ledger, observe};
pub use policy::{Rights, policies, policy};
pub use retire::{Restored, Switched, breaks, deactivate, delete, reactivate};
pub use rotate::{Rotation, abort, nothing_open, resume, rotate};
pub use sarif::sarif;
pub use status::{Flight, InFlight, status};
pub use text::{Page, Paint, ago, plural};
pub use verify::{Judged, Verdicts, verify};

use serde_json::Value;

/// The answer of one command.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: u8,
    /// For a person.
    pub human: String,
    /// For a program: the JSON contract, version 1.
    pub json: Value,
    /// For a code scanner (SARIF 2.1.0), where the command has one.
    pub sarif: Option<Value>,
}
