//! The way back: an access key is switched on again. It needs IAM and nothing else, asks nothing
//! and waits for nothing; the record follows when it can be reached.

use serde_json::{Map, Value, json};

use super::life::{Life, REVERTED, Scribe, signed};
use super::revert::Reverted;
use super::subject::odd_status;
use crate::error::{Error, Kind, Result};
use crate::iam::{Caller, Iam};
use crate::model::{AccessKeyId, KeyStatus, Timestamp, UserName};
use crate::repo::Happening;

/// What `reactivate` did.
#[derive(Debug, Clone)]
pub struct Reactivated {
    /// The access key, which is Active.
    pub id: AccessKeyId,
    /// Its owner.
    pub user: UserName,
    /// Who signed; `None` when STS did not say.
    pub caller: Option<Caller>,
    /// Whether it was switched off before.
    pub changed: bool,
    /// AWS's clock, or ours where AWS did not tell.
    pub at: Timestamp,
}

/// Switches an access key on. With the user's name not a single read is needed: a denied one is
/// passed over.
///
/// # Errors
/// `unknown-access-key` (a deleted access key cannot be brought back), `other-account`,
/// `unknown-status`; or what IAM answered.
pub fn reactivate(
    iam: &dyn Iam,
    id: &AccessKeyId,
    user: Option<&UserName>,
    clock: &dyn Fn() -> Timestamp,
) -> Result<Reactivated> {
    let caller = iam.caller().ok();
    if let Some(caller) = &caller
        && let Some(account) = id.account().filter(|account| account != &caller.account)
    {
        let who = "its ID says";
        return Err(super::preflight::other_account(&caller.account, who, &account, id));
    }
    let user = match user {
        Some(user) => user.clone(),
        None => owner(iam, id)?,
    };
    let listed = match iam.access_keys(&user) {
        Ok(listed) => Some(listed),
        // Whoever may only switch it on, may.
        Err(error) if error.kind() == Kind::Denied => None,
        Err(error) => return Err(error),
    };
    let mut at = listed.as_ref().map(|one| one.read_at);
    at = at.or(caller.as_ref().map(|one| one.at));
    let at = at.unwrap_or_else(clock);
    let mut changed = true;
    if let Some(listed) = listed {
        let Some(key) = listed.keys.iter().find(|key| &key.id == id) else {
            return Err(gone(&user, id));
        };
        match &key.status {
            KeyStatus::Active => changed = false,
            KeyStatus::Inactive => {}
            KeyStatus::Other(_) => return Err(odd_status(key)),
        }
    }
    if changed {
        iam.set_status(&user, id, &KeyStatus::Active)?;
    }
    Ok(Reactivated { id: id.clone(), user, caller, changed, at })
}

fn owner(iam: &dyn Iam, id: &AccessKeyId) -> Result<UserName> {
    match iam.last_used(id) {
        Ok(known) => Ok(known.owner),
        Err(error) => {
            Err(error.hint("name the owner with --user: then nothing has to be looked up"))
        }
    }
}

fn gone(user: &UserName, id: &AccessKeyId) -> Error {
    Error::new(
        Kind::NotFound,
        "unknown-access-key",
        format!("user {user} has no such access key: {id}"),
    )
    .hint("an access key that was deleted cannot be brought back: repair the consumer with the new pair")
}

/// Writes down that it was switched on again. Nothing is written where the record says so already.
///
/// # Errors
/// As the ledger; the access key is Active all the same.
pub fn record_reactivated(
    scribe: &Scribe<'_>,
    done: &Reactivated,
    reason: Option<&str>,
) -> Result<()> {
    let life = Life::read(scribe, &done.id)?;
    if !done.changed && life.inactive_since().is_none() {
        return Ok(());
    }
    let event = life.next(&done.id, Happening::Reactivated, done.at);
    let mut evidence = Map::new();
    evidence.insert("reason".to_owned(), reason.map_or(Value::Null, |text| json!(text)));
    if !done.changed {
        evidence.insert("found".to_owned(), json!("Active already; when it was set is not known"));
    }
    scribe.write(&done.id, &signed(event, done.caller.as_ref(), &done.user, evidence))
}

/// Writes down that a pull request brings the old pair back: its rotation has ended with that.
///
/// # Errors
/// As the ledger; the pull request stands all the same.
pub fn record_revert(scribe: &Scribe<'_>, done: &Reactivated, revert: &Reverted) -> Result<()> {
    let Some(commit) = &revert.commit else { return Ok(()) };
    let life = Life::read(scribe, &done.id)?;
    let mut event = life.next(&done.id, Happening::Other(REVERTED.to_owned()), done.at);
    // One line for each commit, however often the command is run.
    event.id = format!("{}-{REVERTED}-{commit}", done.id);
    let mut evidence = Map::new();
    evidence.insert("branch".to_owned(), json!(revert.branch));
    evidence.insert("commit".to_owned(), json!(commit));
    evidence.insert("replaces".to_owned(), json!(revert.new.as_str()));
    let request = revert.pull_request.as_ref().or(revert.request_file.as_ref());
    evidence.insert("pull_request".to_owned(), json!(request));
    scribe.write(&done.id, &signed(event, done.caller.as_ref(), &done.user, evidence))
}
