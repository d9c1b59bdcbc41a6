//! What is known of a rotation after its pull request, and what follows from it.

use std::time::Duration;

use super::{AccessKeyId, KeyStatus, LastUsed, Place, Timestamp};

/// How far a rotation has to be for a `yes` (`verify --until`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// The new pair stands on the base branch wherever the old one stood.
    Replaced,
    /// The new access key is used by somebody other than keyroll.
    Deployed,
    /// The old access key shows no use for as long as the policy asks.
    Quiet,
}

/// One access key as IAM showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The ID.
    pub id: AccessKeyId,
    /// The status; `None` when IAM no longer lists the access key.
    pub status: Option<KeyStatus>,
    /// The last recorded use.
    pub last_used: LastUsed,
}

/// What the base branch says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The new pair stands at every planned place and the old ID nowhere that opens.
    Yes,
    /// The branch is not merged yet.
    NotMerged,
    /// Somebody closed the pull request unmerged.
    Closed,
    /// Merged, and the old access key still stands here.
    Remains(Vec<Place>),
    /// Merged, and the new pair does not stand here, nor was it moved.
    Lacks(Vec<String>),
    /// There is no clone to look at: a person vouches with `--deployed-at`.
    Attested,
}

/// A use of the access key that one observation cannot prove for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// A place of the repository, or a declared consumer outside it.
    pub name: String,
    /// Whether a person attested that it runs with the new access key.
    pub attested: bool,
}

/// Everything that [`crate::rotation::judge`] looks at. Times are AWS's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// AWS's clock when the access keys were read.
    pub read_at: Timestamp,
    /// The access key that shall go.
    pub old: KeyFacts,
    /// The access key that replaces it.
    pub new: KeyFacts,
    /// What the base branch says.
    pub replaced: Replaced,
    /// When the branch was merged: the forge's time, else the first observation.
    pub merged_at: Option<Timestamp>,
    /// The first recorded observation of the new key in use, or `--deployed-at`.
    pub deployed_at: Option<Timestamp>,
    /// Our last probe with the new pair: it moves the new key's last use (service `sts`).
    pub last_probe: Option<Timestamp>,
    /// Who uses the access key, as far as known.
    pub consumers: Vec<Consumer>,
    /// The longest cadence declared for this user's consumers.
    pub declared_cadence: Option<Duration>,
    /// Uses of the old key that were ever observed, oldest first.
    pub observed: Vec<Timestamp>,
    /// The reason given with `--accept-infrequent`.
    pub accept_infrequent: Option<String>,
    /// Facts that could not be read, one clause each. Any of them makes the verdict unknown.
    pub unread: Vec<String>,
}

/// The word of a verdict, in the JSON contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Yes.
    Safe,
    /// Too early.
    Waiting,
    /// No: the old access key is used, or still stands somewhere.
    InUse,
    /// It cannot be told.
    Unknown,
}

impl Word {
    /// The word as text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Waiting => "waiting",
            Self::InUse => "in-use",
            Self::Unknown => "unknown",
        }
    }

    /// The exit code.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Safe => 0,
            Self::InUse => 1,
            Self::Unknown => 2,
            Self::Waiting => 4,
        }
    }
}

/// One fact that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// A stable word, such as `old-last-used`.
    pub fact: &'static str,
    /// What it said.
    pub value: String,
    /// The time it is about, if it is about one.
    pub at: Option<Timestamp>,
    /// Where it was read: `iam`, `repository`, `forge`, `ledger`, `policy` or `person`.
    pub source: &'static str,
}

/// What follows from the facts. The same facts give the same verdict (I14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The word.
    pub word: Word,
    /// A stable word for why, such as `not-merged`.
    pub reason: &'static str,
    /// One sentence for a person.
    pub sentence: String,
    /// When it is worth asking again.
    pub next_check_at: Option<Timestamp>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}
