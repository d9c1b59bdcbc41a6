//! What a rotation means to do and how far it is, durable before each step and without any secret.

use serde::{Deserialize, Serialize};

use super::seams::{Accepted, ChosenPaths, RequestForm};
use super::trailers::Trailers;
use crate::error::{Error, Kind, Result};
use crate::repo::{Hold, Journal};

/// The record of one rotation on this machine, from its first step to its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// 1.
    pub version: u32,
    /// The rotation, unique per attempt.
    pub rotation: String,
    /// The account.
    pub account: String,
    /// The IAM user.
    pub user: String,
    /// The access key that goes.
    pub old: String,
    /// The access key that comes, once it is known.
    pub new: Option<String>,
    /// Whether the new pair was made elsewhere and only given to us.
    pub given: bool,
    /// The access keys that IAM listed before.
    pub listed: Vec<String>,
    /// AWS's clock when the rotation began (seconds since 1970).
    pub started_at: i64,
    /// The old key's last use at that time.
    pub old_last_used: Option<i64>,
    /// The remote's address, without credentials.
    pub remote: String,
    /// The base branch's full reference.
    pub base_branch: String,
    /// The commit that the plan was made on.
    pub base_commit: String,
    /// The rotation's branch, without `refs/heads/`.
    pub branch: String,
    /// The commit that we last put on the branch, or meant to.
    pub branch_commit: Option<String>,
    /// Whether `CreateAccessKey` may have been sent.
    pub create_sent: bool,
    /// AWS's clock right before it was sent (seconds since 1970).
    pub create_sent_at: Option<i64>,
    /// Whether the branch names the new access key.
    pub announced: bool,
    /// The commit that is being put on the branch: recorded before the push, so that a run that
    /// was killed right after it knows its own commit again.
    pub pushing: Option<Pushing>,
    /// Whether the pushed commit was fetched back and opened once more.
    pub confirmed: bool,
    /// The windows in force, for the record.
    pub proved_with: String,
    /// When we probed with the new pair (seconds since 1970).
    pub probes: Vec<i64>,
    /// The commit with the new pair, once it is pushed.
    pub rewritten: Option<String>,
    /// The pull request's page or file, once it is open.
    pub pull_request: Option<String>,
    /// `--pair`, so that a resumed run plans the same.
    pub pairs: Vec<String>,
    /// Which paths took part, so that a resumed run reads the same.
    #[serde(default)]
    pub chosen: ChosenPaths,
    /// `--accept-locked`.
    pub accepted: Vec<Accepted>,
    /// `--signoff`.
    pub sign_off: bool,
    /// How the pull request shall look.
    pub form: RequestForm,
    /// The last step that was done.
    pub step: String,
}

/// A push that may or may not have arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushing {
    /// The commit.
    pub commit: String,
    /// Whether it holds the new pair, or only names the new access key.
    pub rewrites: bool,
}

/// The step of a rotation that another machine made.
const ELSEWHERE: &str = "elsewhere";

impl Intent {
    /// Whether another machine made the rotation: this one has neither its journal nor its escrow.
    #[must_use]
    pub(super) fn is_elsewhere(&self) -> bool {
        self.step == ELSEWHERE
    }

    fn file(rotation: &str) -> String {
        format!("{rotation}.json")
    }

    /// The intent of a rotation that another machine made, as far as its branch tells.
    #[must_use]
    pub(super) fn of_trailers(trailers: &Trailers, remote: &str, branch: &str) -> Self {
        Self {
            version: 1,
            rotation: trailers.rotation.clone(),
            account: trailers.account.to_string(),
            user: trailers.user.to_string(),
            old: trailers.old.to_string(),
            new: trailers.new.as_ref().map(ToString::to_string),
            given: trailers.new.as_ref().is_some_and(|new| trailers.listed.contains(new)),
            listed: trailers.listed.iter().map(ToString::to_string).collect(),
            started_at: trailers.started_at.0,
            old_last_used: None,
            remote: remote.to_owned(),
            base_branch: String::new(),
            base_commit: String::new(),
            branch: branch.to_owned(),
            branch_commit: None,
            create_sent: trailers.new.is_some(),
            create_sent_at: None,
            announced: trailers.new.is_some(),
            pushing: None,
            confirmed: false,
            proved_with: String::new(),
            probes: Vec::new(),
            rewritten: None,
            pull_request: None,
            pairs: Vec::new(),
            accepted: Vec::new(),
            chosen: ChosenPaths::default(),
            sign_off: false,
            form: RequestForm::default(),
            step: ELSEWHERE.to_owned(),
        }
    }

    /// The full reference of the rotation's branch.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// Whether a commit is one that this rotation put on its branch.
    #[must_use]
    pub fn put(&self, commit: &str) -> bool {
        self.branch_commit.as_deref() == Some(commit)
            || self.pushing.as_ref().is_some_and(|one| one.commit == commit)
    }

    /// Makes the intent durable.
    ///
    /// # Errors
    /// The disk's; the old content then still stands.
    pub fn write(&self, hold: &Hold) -> Result<()> {
        let bytes =
            serde_json::to_vec_pretty(self).map_err(|error| Error::bug(error.to_string()))?;
        hold.write(&Self::file(&self.rotation), &bytes)
    }

    /// The same record as it stands on the disk now; `None` when its rotation has ended.
    ///
    /// # Errors
    /// As [`Intent::all`].
    pub(super) fn again(&self, journal: &Journal) -> Result<Option<Self>> {
        Ok(Self::all(journal)?.into_iter().find(|one| one.rotation == self.rotation))
    }

    /// Every rotation that this machine has under way.
    ///
    /// # Errors
    /// `damaged-journal` naming the file.
    pub fn all(journal: &Journal) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for name in journal.list()?.iter().filter(|name| name.ends_with(".json")) {
            let Some(bytes) = journal.read(name)? else { continue };
            let intent: Self = serde_json::from_slice(&bytes).map_err(|error| {
                let path = journal.dir().join(name);
                let shown = crate::model::visible(&path.to_string_lossy());
                Error::new(Kind::Io, "damaged-journal", format!("`{shown}` is no journal of a rotation: {error}"))
                    .hint("it may be from a newer keyroll; move it away only when `keyroll status` shows no rotation in flight")
            })?;
            all.push(intent);
        }
        Ok(all)
    }

    /// Removes the rotation's files: the escrow first, the intent last.
    ///
    /// # Errors
    /// The disk's.
    pub fn forget(&self, hold: &Hold) -> Result<()> {
        hold.remove(&format!("{}.pair.age", self.rotation))?;
        hold.remove(&format!("{}.identity", self.rotation))?;
        hold.remove(&Self::file(&self.rotation))
    }
}

#[cfg(test)]
mod tests {
    use super::Intent;
    use crate::model::{AccessKeyId, AccountId, Timestamp, UserName};
    use crate::protocol::Trailers;

    #[test]
    fn a_pair_that_stood_there_before_was_given_and_is_nobodys_to_retire() {
        let id = |text: &str| AccessKeyId::new(text).expect("shape");
        let (old, new) = (id("AKIAIOSFODNN7EXAMPLE"), id("AKIAI44QH7DHBEXAMPLE"));
        for (listed, given) in [(vec![old.clone()], false), (vec![old.clone(), new.clone()], true)]
        {
            let trailers = Trailers {
                rotation: "0123456789abcdef0123456789abcdef".into(),
                user: UserName::new("logs-writer").expect("legal"),
                account: AccountId::new("123456789012").expect("12 digits"),
                old: old.clone(),
                new: Some(new.clone()),
                listed,
                started_at: Timestamp(1_700_000_000),
            };
            assert_eq!(Intent::of_trailers(&trailers, "/r", "b").given, given);
        }
    }
}
