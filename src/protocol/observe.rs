//! Notes the last uses of tracked access keys: IAM remembers one use only, and how often a key is
//! used shows in what was seen over time.

use super::attest::keeps_ledger;
use super::facts::watch;
use super::noted::{observation, write};
use super::seams::Seams;
use super::tracked::Tracked;
use crate::error::Result;
use crate::model::{KeyFacts, Timestamp, UserName};

/// One access key as IAM showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Status and last use.
    pub key: KeyFacts,
    /// The IAM user.
    pub user: UserName,
    /// AWS's clock.
    pub read_at: Timestamp,
}

/// The answer of `observe`.
#[derive(Debug, Default)]
pub struct Observation {
    /// Every access key that was read.
    pub observed: Vec<Observed>,
    /// Whether something new was written.
    pub recorded: bool,
    /// What could not be read, one clause each.
    pub unread: Vec<String>,
}

/// Asks IAM about both access keys of every rotation that is not over, and records what changed.
///
/// # Errors
/// `no-ledger`; when the ledger cannot be read or written.
pub fn observe(seams: &Seams<'_>) -> Result<Observation> {
    keeps_ledger(seams)?;
    let mut answer = Observation::default();
    for tracked in Tracked::all(seams)? {
        let Some(new) = tracked.new.as_ref().filter(|_| !tracked.is_over()) else { continue };
        let keys = (&tracked.old, new);
        let account = tracked.account.as_ref();
        let seen = watch(seams.iam, &tracked.user, account, keys, (seams.clock)());
        if !seen.unread.is_empty() {
            for clause in seen.unread {
                if !answer.unread.contains(&clause) {
                    answer.unread.push(clause);
                }
            }
            continue;
        }
        if let Some(line) = observation(&tracked, &seen.old, Some(&seen.new), seen.read_at) {
            write(seams, &tracked, line)?;
            answer.recorded = true;
        }
        let (user, read_at) = (tracked.user, seen.read_at);
        for key in [seen.old, seen.new] {
            answer.observed.push(Observed { key, user: user.clone(), read_at });
        }
    }
    Ok(answer)
}
