//! An error as text and as JSON.

use serde_json::json;

use super::Outcome;
use crate::error::Error;

/// The answer of a command that could not or would not.
#[must_use]
pub fn error(command: &str, error: &Error) -> Outcome {
    let mut human = format!("error: {}\n", error.message());
    for hint in error.hints() {
        human.push_str("hint: ");
        human.push_str(hint);
        human.push('\n');
    }
    let json = json!({
        "version": 1,
        "command": command,
        "error": {
            "kind": error.kind().word(),
            "reason": error.reason(),
            "message": error.message(),
            "hints": error.hints(),
            "retryable": error.kind().retryable(),
            "next_check_at": error.next_check_at(),
        }
    });
    Outcome { code: error.kind().exit_code(), human, json, sarif: None }
}
