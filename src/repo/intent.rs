//! What this machine is about to do, or has half done, to one access key: the journal's one
//! record. It holds no secret. When it is written is left to `protocol`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::model::visible;

/// The version of the record that this program writes and reads.
const VERSION: u32 = 1;

/// How far a rotation got on this machine. The order is the order of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// The intent is written; nothing exists outside.
    Intended,
    /// The lock branch is about to be created, or is.
    Locking,
    /// The lock branch is ours.
    Locked,
    /// The request for the new access key is about to be sent, or was.
    Creating,
    /// The new pair is in the escrow.
    Escrowed,
    /// Probes of the new pair are about to be sent, or were.
    Proving,
    /// The new pair is accepted.
    Proved,
    /// The rewrite is about to be pushed, or is.
    Publishing,
    /// The branch holds the rewrite.
    Published,
    /// The pull request is open.
    Requested,
    /// A new access key is about to be retired, or is.
    Retiring,
}

/// One rotation's record. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The version of this record.
    pub version: u32,
    /// The rotation's ID, unique per attempt.
    pub rotation: String,
    /// How far it got.
    pub progress: Progress,
    /// When it began, by AWS's clock.
    pub started: String,
    /// The account, 12 digits.
    pub account: String,
    /// The IAM user.
    pub user: String,
    /// The access key ID that is replaced.
    pub old: String,
    /// The new access key ID, once it is known.
    pub new: Option<String>,
    /// The access key IDs that IAM listed before anything was created.
    pub listed: Vec<String>,
    /// The remote's address without credentials.
    pub remote: String,
    /// The clone's folder; `None` when the rotation runs on an address.
    pub clone: Option<String>,
    /// The base branch, a full reference.
    pub base: String,
    /// The commit of base on which the plan was made.
    pub base_commit: String,
    /// The rotation's branch, a full reference.
    pub branch: String,
    /// The commit that holds the branch as our lock.
    pub lock_commit: Option<String>,
    /// The commit that holds the rewrite.
    pub commit: Option<String>,
    /// Names of the escrow's files beside this record.
    #[serde(default)]
    pub escrow: Vec<String>,
    /// How the new pair had to prove itself.
    pub prove: ProveUsed,
    /// When probes of the new pair were sent, or were about to be.
    #[serde(default)]
    pub probes: Vec<String>,
    /// The last use of the old access key before anything was done.
    pub old_last_used: Option<String>,
    /// The page of the pull request.
    pub pull_request: Option<String>,
    /// What a newer keyroll wrote beside these, kept as it is.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// The values of `policy.prove` that were used, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProveUsed {
    /// Successes in a row.
    pub successes: u32,
    /// The least seconds between the first and the last.
    pub span: u64,
    /// Seconds until it is given up.
    pub deadline: u64,
}

impl Intent {
    /// The version to put into a new record.
    pub const VERSION: u32 = VERSION;

    /// The record as JSON.
    ///
    /// # Errors
    /// Never for a record that this program made.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self)
            .map_err(|source| Error::bug(format!("the intent is no JSON: {source}")))
    }

    /// Reads a record; `name` is the file it came from.
    ///
    /// # Errors
    /// `damaged-journal`, `newer-journal`.
    pub fn from_json(name: &str, bytes: &[u8]) -> Result<Self> {
        let name = visible(name);
        let damaged = |source: serde_json::Error| {
            // The place only: serde's own words may quote the text.
            let (line, column) = (source.line(), source.column());
            Error::new(
                Kind::Io,
                "damaged-journal",
                format!("the journal entry `{name}` cannot be read (line {line}, column {column})"),
            )
            .hint("keep the file: it may name an access key that was created")
        };
        let value: Value = serde_json::from_slice(bytes).map_err(damaged)?;
        let version = value.get("version").and_then(Value::as_u64);
        if version.is_some_and(|version| version > u64::from(VERSION)) {
            return Err(Error::new(
                Kind::Settings,
                "newer-journal",
                format!("the journal entry `{name}` was written by a newer keyroll"),
            )
            .hint("continue with the version that began the rotation"));
        }
        serde_json::from_value(value).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::{Intent, Progress};

    const TEXT: &str = r#"{"version":1,"rotation":"r1","progress":"creating","started":"2026-11-21T00:00:00Z",
        "account":"123456789012","user":"u","old":"AKIAIOSFODNN7EXAMPLE","new":null,"listed":["AKIAIOSFODNN7EXAMPLE"],
        "remote":"https://h/r","clone":null,"base":"refs/heads/main","base_commit":"0","branch":"refs/heads/b",
        "lock_commit":null,"commit":null,"prove":{"successes":3,"span":10,"deadline":120},
        "old_last_used":null,"pull_request":null,"later":{"x":1}}"#;

    #[test]
    fn unknown_fields_survive_a_round_trip() {
        let intent = Intent::from_json("r1.json", TEXT.as_bytes()).unwrap();
        assert_eq!(intent.progress, Progress::Creating);
        let again = Intent::from_json("r1.json", &intent.to_json().unwrap()).unwrap();
        assert_eq!(again, intent);
        assert_eq!(again.more["later"]["x"], 1);
    }

    #[test]
    fn a_newer_or_cut_record_is_refused_without_quoting_it() {
        let newer = TEXT.replace(r#""version":1"#, r#""version":2"#);
        let error = Intent::from_json("r1.json", newer.as_bytes()).expect_err("newer");
        assert_eq!(error.reason(), "newer-journal");
        let error = Intent::from_json("r1.json", &TEXT.as_bytes()[..200]).expect_err("cut");
        assert_eq!(error.reason(), "damaged-journal");
        assert!(!error.message().contains("AKIA"), "{}", error.message());
    }

    #[test]
    fn progress_is_ordered_as_the_protocol_is() {
        assert!(Progress::Locked < Progress::Creating && Progress::Creating < Progress::Escrowed);
    }
}
