//! What IAM says, now, of an access key that shall be switched or deleted: whose it is and how it
//! stands. Reads only; every doubt is a refusal.

use super::preflight::other_account;
use crate::error::{Error, Kind, Result};
use crate::iam::{Caller, Iam, KeyList};
use crate::model::{
    AccessKey, AccessKeyId, Evidence, KeyStatus, LastUsed, Timestamp, UserName, visible,
};

/// An access key that IAM lists.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Who signs our calls.
    pub caller: Caller,
    /// Its owner.
    pub user: UserName,
    /// The access key.
    pub key: AccessKey,
    /// Its last recorded use.
    pub last_used: LastUsed,
    /// Every access key of the owner.
    pub listed: KeyList,
}

impl Subject {
    /// Asks IAM.
    ///
    /// # Errors
    /// `root-caller`, `signing-key`, `other-account`, `root-access-key`, `other-user`,
    /// `unknown-access-key`; or what the services answered.
    pub fn read(iam: &dyn Iam, id: &AccessKeyId) -> Result<Self> {
        let caller = right_caller(iam, id)?;
        let known = iam.last_used(id)?;
        let user = known.owner;
        not_root(&user, &caller, id)?;
        let listed = iam.access_keys(&user)?;
        let Some(key) = listed.keys.iter().find(|key| &key.id == id).cloned() else {
            return Err(Error::new(
                Kind::NotFound,
                "unknown-access-key",
                format!("user {user} has no such access key: {id}"),
            )
            .hint("IAM names the owner and does not list it: it may just have been deleted; try again in a minute"));
        };
        Ok(Self { caller, user, key, last_used: known.last_used, listed })
    }

    /// AWS's clock when it was read.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.listed.read_at
    }

    /// The status, the last use and the age as facts.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        let fact = |fact, value, at| Evidence { fact, value, at, source: "iam" };
        let used = match self.last_used.at {
            Some(at) => {
                format!("{at} service {} region {}", self.last_used.service, self.last_used.region)
            }
            None => "no use recorded".to_owned(),
        };
        let created = self.key.created.map_or("unknown".to_owned(), |at| at.to_string());
        vec![
            fact("status", visible(self.key.status.word()), None),
            fact("last-used", visible(&used), self.last_used.at),
            fact("created", created, self.key.created),
        ]
    }
}

/// Who signs, if they may touch this access key.
///
/// # Errors
/// `root-caller`, `signing-key`, `other-account`.
pub(super) fn right_caller(iam: &dyn Iam, id: &AccessKeyId) -> Result<Caller> {
    let caller = iam.caller()?;
    if caller.root {
        return Err(Error::refused(
            "root-caller",
            format!("the root user of account {} signs these calls", caller.account),
        )
        .hint(
            "use the credentials of a role or an IAM user; `keyroll policy` prints what it needs",
        ));
    }
    if caller.access_key_id.as_ref() == Some(id) {
        return Err(Error::refused("signing-key", format!("it signs these very calls: {id}"))
            .hint("name other credentials with --aws-profile or --aws-role-arn"));
    }
    match id.account().filter(|account| account != &caller.account) {
        Some(account) => Err(other_account(&caller.account, "its ID says", &account, id)),
        None => Ok(caller),
    }
}

fn not_root(user: &UserName, caller: &Caller, id: &AccessKeyId) -> Result<()> {
    if user.as_str() != caller.account.as_str() && user.as_str() != "root" {
        return Ok(());
    }
    Err(Error::refused("root-access-key", format!("it belongs to the account's root user: {id}"))
        .hint("root access keys are switched off and deleted by hand, in the console"))
}

/// What to say of a status that is neither on nor off.
#[must_use]
pub(super) fn odd_status(key: &AccessKey) -> Error {
    Error::refused(
        "unknown-status",
        format!("IAM gives it the status `{}`: {}", visible(key.status.word()), key.id),
    )
    .hint("it is neither Active nor Inactive; look at it in the console, keyroll leaves it alone")
}

/// The access keys are read once more, right before a change.
///
/// # Errors
/// `changed-meanwhile` when one of them no longer has the status it had.
pub(super) fn still(
    iam: &dyn Iam,
    user: &UserName,
    wanted: &[(&AccessKeyId, KeyStatus)],
) -> Result<Timestamp> {
    let listed = iam.access_keys(user)?;
    for (id, status) in wanted {
        let now = listed.keys.iter().find(|key| &&key.id == id).map(|key| &key.status);
        if now != Some(status) {
            let word = now.map_or("gone", |status| status.word());
            return Err(Error::refused(
                "changed-meanwhile",
                format!("it was {} and is {} now: {id}", status.word(), visible(word)),
            )
            .hint(
                "somebody else works on this user; nothing was changed, run the same command again",
            ));
        }
    }
    Ok(listed.read_at)
}
