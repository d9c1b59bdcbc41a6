//! Deletes an access key for good: only one that is Inactive, soaked and recorded as old, whose
//! successor is Active and was used since. IAM is read again right before.

use serde_json::{Map, Value, json};

use super::life::{Life, Scribe, signed};
use super::subject::{Subject, odd_status, right_caller, still};
use crate::breakage;
use crate::error::{Error, Kind, Result};
use crate::iam::{Caller, Iam, KeyUse};
use crate::model::{
    AccessKeyId, Evidence, KeyStatus, Policy, Timestamp, UserName, format_duration, visible,
};
use crate::repo::Happening;
use crate::rotation::LAST_USED_SPAN;

/// A day: how soon it is worth looking again for a use of the new access key.
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// What is asked of `delete`.
pub struct Deletion<'a> {
    /// IAM and STS.
    pub iam: &'a dyn Iam,
    /// The ledger; `None` where none is kept.
    pub scribe: Option<Scribe<'a>>,
    /// The windows.
    pub policy: &'a Policy,
    /// The access key.
    pub id: AccessKeyId,
    /// `--inactive-since`.
    pub vouched: Option<Timestamp>,
    /// `--reason`.
    pub reason: Option<String>,
}

/// What `delete` did.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// Its owner.
    pub user: UserName,
    /// Who signed.
    pub caller: Caller,
    /// Whether it existed.
    pub changed: bool,
    /// AWS's clock.
    pub at: Timestamp,
    /// Since when it had been switched off.
    pub inactive_since: Option<Timestamp>,
    /// Whether somebody vouched for that, instead of the ledger.
    pub attested: bool,
    /// Whether the ledger has it.
    pub recorded: bool,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What was left undone without harm.
    pub warnings: Vec<String>,
}

/// Deletes, once everything holds and the person agrees. Deleting what is gone is the same answer.
///
/// # Errors
/// `still-active`, `not-recorded`, `is-the-new-key`, `not-soaked`, `new-key-unused`,
/// `new-key-not-active`, `used-while-off`, `time-to-come`, `no-successor`, `ledger-exists`,
/// `needs-inactive-since`; or what IAM answered.
pub fn delete(wanted: &Deletion<'_>, confirm: &dyn Fn(&Subject) -> Result<()>) -> Result<Deleted> {
    let life = match &wanted.scribe {
        Some(scribe) => Life::read(scribe, &wanted.id)?,
        None => Life::default(),
    };
    let subject = match Subject::read(wanted.iam, &wanted.id) {
        Err(error) if error.reason() == "unknown-access-key" => {
            return gone_already(wanted, &life, error);
        }
        other => other?,
    };
    if life.user().is_some_and(|user| !user.as_str().eq_ignore_ascii_case(subject.user.as_str())) {
        return Err(Error::refused(
            "other-user",
            format!("the record gives it another user than {}: {}", subject.user, wanted.id),
        )
        .hint(format!("look at it with `keyroll ledger show {}`", wanted.id)));
    }
    if breakage::is_on("I8") {
        wanted.iam.delete(&subject.user, &wanted.id)?;
    }
    is_off(&subject)?;
    let since = since_when(wanted, &life)?;
    let new = successor(wanted, &life, &subject)?;
    soaked(wanted, &subject, since)?;
    let mut evidence = subject.evidence();
    let source = if wanted.vouched.is_some() { "person" } else { "ledger" };
    let (fact, value) = ("inactive-since", since.to_string());
    evidence.push(Evidence { fact, value, at: Some(since), source });
    if let Some(new) = &new {
        evidence.extend(took_over(wanted, &life, new, &subject, since)?);
    }
    confirm(&subject)?;
    let mut states = vec![(&wanted.id, KeyStatus::Inactive)];
    states.extend(new.as_ref().map(|id| (id, KeyStatus::Active)));
    let at = still(wanted.iam, &subject.user, &states)?;
    carry_out(wanted, &subject.user)?;
    let mut done = Deleted {
        user: subject.user,
        caller: subject.caller,
        changed: true,
        at,
        inactive_since: Some(since),
        attested: wanted.vouched.is_some(),
        recorded: false,
        evidence,
        warnings: Vec::new(),
    };
    record(wanted, &life, &mut done);
    Ok(done)
}

/// Deletes; that it was gone already counts when a fresh list confirms it.
fn carry_out(wanted: &Deletion<'_>, user: &UserName) -> Result<()> {
    match wanted.iam.delete(user, &wanted.id) {
        Err(error) if error.reason() == "unknown-access-key" => {
            let listed = wanted.iam.access_keys(user)?;
            if listed.keys.iter().any(|key| key.id == wanted.id) { Err(error) } else { Ok(()) }
        }
        other => other,
    }
}

fn is_off(subject: &Subject) -> Result<()> {
    let id = &subject.key.id;
    match &subject.key.status {
        KeyStatus::Inactive => Ok(()),
        KeyStatus::Active => Err(Error::refused("still-active", format!("it is Active: {id}"))
            .hint(format!(
                "switch it off first with `keyroll deactivate {id}`; the soak begins then"
            ))),
        KeyStatus::Other(_) => Err(odd_status(&subject.key)),
    }
}

/// The access key that replaces it. `None` for one that was switched off for a stated reason and
/// that nothing replaces.
fn successor(wanted: &Deletion<'_>, life: &Life, subject: &Subject) -> Result<Option<AccessKeyId>> {
    let id = &wanted.id;
    if wanted.scribe.is_none() {
        let other = subject.listed.keys.iter().find(|key| &key.id != id);
        return match other {
            Some(key) => Ok(Some(key.id.clone())),
            None => Err(Error::refused(
                "no-successor",
                format!("user {} has no other access key, and no ledger tells why: {id}", subject.user),
            )
            .hint(format!("if it is not needed any more: `aws iam delete-access-key --user-name {} --access-key-id {id}`", subject.user))),
        };
    }
    if let Some(new) = life.successor() {
        return if &new == id {
            Err(Error::refused(
                "not-recorded",
                format!("the record names it as old and new at once: {id}"),
            )
            .hint(format!("look at it with `keyroll ledger show {id}`; a person must decide")))
        } else {
            Ok(Some(new))
        };
    }
    if let Some(rotation) = life.as_new.iter().find(|one| !one.given_up) {
        return Err(Error::refused(
            "is-the-new-key",
            format!("it is the new access key that replaced {}: {id}", rotation.old),
        )
        .hint(format!("were old and new swapped? the old one is deleted with `keyroll delete {0} --confirm {0}`", rotation.old)));
    }
    match life.why() {
        Some("unused" | "compromised") => Ok(None),
        _ => Err(not_recorded(id)),
    }
}

fn not_recorded(id: &AccessKeyId) -> Error {
    Error::refused("not-recorded", format!("no record names it as an old access key: {id}"))
        .hint(format!("if nobody uses it: `keyroll deactivate {id} --unused --reason TEXT` records it, and its soak begins"))
        .hint("if it is in use: `keyroll rotate` it")
}

/// Since when it has been off: by the ledger, or as somebody vouches where there is none.
fn since_when(wanted: &Deletion<'_>, life: &Life) -> Result<Timestamp> {
    let id = &wanted.id;
    match (&wanted.scribe, wanted.vouched) {
        (Some(_), Some(_)) => Err(Error::refused(
            "ledger-exists",
            "--inactive-since is for repositories without a ledger, and this one has one",
        )
        .hint("leave it out: the ledger tells since when the access key has been off")),
        (None, None) => Err(Error::refused(
            "needs-inactive-since",
            format!("no ledger is kept, so nothing tells since when it has been off: {id}"),
        )
        .hint(
            "vouch for it with --inactive-since TIME; CloudTrail's `UpdateAccessKey` event tells",
        )),
        (None, Some(at)) => Ok(at),
        (Some(_), None) => life.inactive_since().ok_or_else(|| {
            if life.events.is_empty() && life.as_new.is_empty() {
                return not_recorded(id);
            }
            Error::refused(
                "not-recorded",
                format!("no record tells since when it has been off: {id}"),
            )
            .hint(format!("`keyroll deactivate {id}` records that it is off; its soak begins then"))
        }),
    }
}

/// The new access key is Active and somebody has used it since the old one was switched off.
fn took_over(
    wanted: &Deletion<'_>,
    life: &Life,
    new: &AccessKeyId,
    subject: &Subject,
    since: Timestamp,
) -> Result<Vec<Evidence>> {
    let status = subject.listed.keys.iter().find(|key| &key.id == new).map(|key| &key.status);
    if status != Some(&KeyStatus::Active) {
        let word = status.map_or("gone", KeyStatus::word);
        return Err(Error::refused(
            "new-key-not-active",
            format!("the access key that replaces it is {}: {new}", visible(word)),
        )
        .hint(format!("the old one may still be needed: `keyroll reactivate {}`", wanted.id)));
    }
    let known = wanted.iam.last_used(new)?;
    match known.last_used.at.filter(|at| *at > since && !is_probe(&known, life)) {
        Some(at) => {
            let value = format!("{at} service {}", visible(&known.last_used.service));
            Ok(vec![Evidence { fact: "new-last-used", value, at: Some(at), source: "iam" }])
        }
        None => Err(Error::new(
            Kind::Waiting,
            "new-key-unused",
            format!("no use of the new access key is recorded since {since}: {new}"),
        )
        .hint("is anything running with the new pair? a broken consumer does not show in AWS")
        .ask_again_at(known.read_at.plus(DAY))),
    }
}

fn is_probe(known: &KeyUse, life: &Life) -> bool {
    let over = life.last_probe().map(|probe| probe.plus(LAST_USED_SPAN));
    known.last_used.service == "sts" && over.zip(known.last_used.at).is_some_and(|(o, at)| at <= o)
}

/// The soak is over, counted from the switching off or from a later recorded use.
fn soaked(wanted: &Deletion<'_>, subject: &Subject, since: Timestamp) -> Result<()> {
    if since > subject.at() {
        return Err(Error::refused(
            "time-to-come",
            format!("{since} is later than AWS's clock, {}", subject.at()),
        )
        .hint("give the time at which it was really switched off"));
    }
    let soak = wanted.policy.soak;
    let used = subject.last_used.at.filter(|at| *at > since.plus(LAST_USED_SPAN));
    let ends = used.unwrap_or(since).plus(soak);
    if subject.at() >= ends {
        return Ok(());
    }
    let (reason, why) = match used {
        Some(at) => {
            ("used-while-off", format!("a use at {at} is recorded, after it was switched off"))
        }
        None => ("not-soaked", format!("it has been off since {since}")),
    };
    Err(Error::new(
        Kind::Waiting,
        reason,
        format!("{why}, and it must be off for {}: {}", format_duration(soak), wanted.id),
    )
    .hint(format!(
        "it may be deleted from {ends}; until then `keyroll reactivate {}` brings it back",
        wanted.id
    ))
    .ask_again_at(ends))
}

/// IAM does not know it. That is an answer when the record names its owner and a fresh list of
/// that user's access keys is without it.
fn gone_already(wanted: &Deletion<'_>, life: &Life, error: Error) -> Result<Deleted> {
    let Some(user) = life.user() else { return Err(error) };
    let recorded_off = life.inactive_since();
    if recorded_off.is_none() && !life.deleted() {
        return Err(error);
    }
    let caller = right_caller(wanted.iam, &wanted.id)?;
    let listed = wanted.iam.access_keys(&user)?;
    if listed.keys.iter().any(|key| key.id == wanted.id) {
        return Err(error);
    }
    let value = "gone".to_owned();
    let mut done = Deleted {
        user,
        caller,
        changed: false,
        at: listed.read_at,
        inactive_since: recorded_off,
        attested: false,
        recorded: life.deleted(),
        evidence: vec![Evidence { fact: "status", value, at: None, source: "iam" }],
        warnings: Vec::new(),
    };
    if !done.recorded {
        record(wanted, life, &mut done);
    }
    Ok(done)
}

/// Writes it down; that it cannot be written is a warning, because it has happened.
fn record(wanted: &Deletion<'_>, life: &Life, done: &mut Deleted) {
    let Some(scribe) = &wanted.scribe else { return };
    let event = life.next(&wanted.id, Happening::Deleted, done.at);
    let mut evidence = Map::new();
    evidence.insert("reason".to_owned(), json!(wanted.reason));
    let since = done.inactive_since.map(|at| at.to_string());
    evidence.insert("inactive_since".to_owned(), json!(since));
    evidence.insert("facts".to_owned(), super::deactivate::facts_as_json(&done.evidence));
    if !done.changed {
        evidence.insert("found".to_owned(), Value::from("gone already"));
    }
    match scribe.write(&wanted.id, &signed(event, Some(&done.caller), &done.user, evidence)) {
        Ok(()) => done.recorded = true,
        Err(error) => done.warnings.push(format!(
            "it is deleted, and the ledger does not say so ({}): run `keyroll delete {1} --confirm {1}` again to record it",
            error.message(),
            wanted.id
        )),
    }
}
