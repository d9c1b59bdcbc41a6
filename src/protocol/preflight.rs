//! What IAM must say before anything is made: whose key it is, that it may be rotated, and that
//! the user has room for one more. Reads only; every doubt is a refusal.

use crate::error::{Error, Kind, Result};
use crate::iam::{Caller, Iam, KeyList, KeyUse};
use crate::model::{AccessKeyId, AccountId, KeyStatus, Timestamp, UserName};

/// What IAM said before a rotation.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Who signs our calls.
    pub caller: Caller,
    /// The account.
    pub account: AccountId,
    /// The owner of the old access key.
    pub user: UserName,
    /// The old key's last use, as of now.
    pub old_use: KeyUse,
    /// Every access key of the user.
    pub listed: KeyList,
}

/// Asks IAM about the old access key.
///
/// # Errors
/// `root-caller`, `signing-key`, `other-account`, `other-user`, `root-access-key`, `quarantined`,
/// `old-key-not-active`, `unknown-access-key`; or what the services answered.
pub fn standing(iam: &dyn Iam, old: &AccessKeyId, expected: Option<&UserName>) -> Result<Standing> {
    let caller = iam.caller()?;
    if caller.root {
        return Err(Error::refused("root-caller", format!("the root user of account {} signs these calls", caller.account))
            .hint("use the credentials of a role or an IAM user; `keyroll policy rotate` prints what it needs"));
    }
    if caller.access_key_id.as_ref() == Some(old) {
        return Err(Error::refused("signing-key", format!("the access key to rotate signs these calls: {old}"))
            .hint("its own calls would count as uses: name other credentials with --aws-profile or --aws-role-arn"));
    }
    let account = same_account(&caller, old)?;
    let old_use = iam.last_used(old)?;
    let user = old_use.owner.clone();
    refuse_owner(&user, &account, old, expected)?;
    let listed = iam.access_keys(&user)?;
    let Some(key) = listed.keys.iter().find(|key| &key.id == old) else {
        return Err(Error::new(Kind::NotFound, "unknown-access-key", format!("user {user} has no access key {old}"))
            .hint("IAM names the owner and does not list the access key: it may just have been deleted; try again in a minute"));
    };
    if key.status != KeyStatus::Active {
        return Err(Error::refused("old-key-not-active", format!("the access key is {}: {old}", crate::model::visible(key.status.word())))
            .hint(format!("a key that is off needs no rotation: `keyroll delete {old} --confirm {old}` after its soak, or `keyroll reactivate {old}`")));
    }
    if let Some(policy) = iam.quarantine(&user)? {
        return Err(Error::refused("quarantined", format!("AWS has quarantined user {user}: {} is attached", crate::model::visible(&policy)))
            .hint(format!("the key is known to be public: `keyroll deactivate {old} --compromised --reason TEXT --confirm {old}` with an administrator's credentials"))
            .hint("follow AWS's support case before the policy is removed; the rotation follows"));
    }
    Ok(Standing { caller, account, user, old_use, listed })
}

fn same_account(caller: &Caller, old: &AccessKeyId) -> Result<AccountId> {
    match old.account().filter(|account| account != &caller.account) {
        Some(account) => Err(other_account(&caller.account, "its ID says", &account, old)),
        None => Ok(caller.account.clone()),
    }
}

/// The refusal for credentials of the wrong account.
#[must_use]
pub(super) fn other_account(
    ours: &AccountId,
    who: &str,
    theirs: &AccountId,
    old: &AccessKeyId,
) -> Error {
    Error::new(
        Kind::NotFound,
        "other-account",
        format!("these credentials are of account {ours}, and {who} {theirs}: {old}"),
    )
    .hint("name the right credentials with --aws-profile or --aws-role-arn")
}

fn refuse_owner(
    user: &UserName,
    account: &AccountId,
    old: &AccessKeyId,
    expected: Option<&UserName>,
) -> Result<()> {
    if user.as_str() == account.as_str() || user.as_str() == "root" {
        return Err(Error::refused(
            "root-access-key",
            format!("it belongs to the account's root user: {old}"),
        )
        .hint("root access keys are deleted by hand in the console, never rotated"));
    }
    match expected {
        Some(wanted) if wanted != user => Err(Error::new(
            Kind::NotFound,
            "other-user",
            format!("it belongs to user {user}, not to {wanted}: {old}"),
        )
        .hint("check the ID and the user name; keyroll never falls back to another access key")),
        _ => Ok(()),
    }
}

/// Refuses a user who already has two access keys, with the facts of both.
///
/// # Errors
/// `two-access-keys`, or what IAM answered when asked for the facts.
pub(super) fn only_key(iam: &dyn Iam, standing: &Standing, old: &AccessKeyId) -> Result<()> {
    let others: Vec<_> = standing.listed.keys.iter().filter(|key| &key.id != old).collect();
    let Some(other) = others.first() else { return Ok(()) };
    let mut error = Error::refused(
        "two-access-keys",
        format!(
            "user {} already has {} access keys, and AWS allows two",
            standing.user,
            standing.listed.keys.len()
        ),
    );
    for key in &standing.listed.keys {
        let known = if &key.id == old { standing.old_use.clone() } else { iam.last_used(&key.id)? };
        error = error.hint(format!(
            "{}, created {}, {}: {}",
            crate::model::visible(key.status.word()),
            key.created.map_or("at an unknown time".to_owned(), |at| at.to_string()),
            last_use(&known, standing.old_use.read_at),
            key.id
        ));
    }
    Err(match other.status {
        KeyStatus::Inactive => error.hint(format!(
            "the other one is Inactive: `keyroll reactivate {0}` or, after its soak, `keyroll delete {0} --confirm {0}`",
            other.id
        )),
        _ => error.hint(format!(
            "find out who uses the other one: `keyroll find {0}`; if nobody does: `keyroll deactivate {0} --unused --reason TEXT`",
            other.id
        )),
    })
}

fn last_use(known: &KeyUse, now: Timestamp) -> String {
    match known.last_used.at {
        Some(at) => format!(
            "last used {} ({}, service {}, region {})",
            at,
            crate::report::ago(at, now),
            crate::model::visible(&known.last_used.service),
            crate::model::visible(&known.last_used.region)
        ),
        None => "no use recorded".to_owned(),
    }
}
