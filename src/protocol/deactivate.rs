//! Switches an access key off: on grounds that hold now, after the person agreed, and after IAM
//! was read once more. What counts as grounds is decided in `grounds` and `rotation::judge`.

use serde_json::{Map, Value, json};

use super::grounds::Grounds;
use super::life::{Life, Scribe, signed};
use super::subject::{Subject, odd_status, still};
use crate::error::{Error, Result};
use crate::iam::{Caller, Iam};
use crate::model::{AccessKeyId, Evidence, KeyStatus, Policy, Timestamp, UserName};
use crate::repo::Happening;

/// Why an access key is to be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A verdict says that nobody needs it.
    Safe,
    /// Nobody has used it for long, and it stands nowhere.
    Unused,
    /// Somebody else has it.
    Compromised,
    /// It was found switched off, and nothing was written down.
    FoundInactive,
}

impl Why {
    /// The word in the ledger and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unused => "unused",
            Self::Compromised => "compromised",
            Self::FoundInactive => "found-inactive",
        }
    }
}

/// What is asked of `deactivate`.
pub struct Deactivation<'a> {
    /// IAM and STS.
    pub iam: &'a dyn Iam,
    /// The ledger; `None` where none is kept or can be reached.
    pub scribe: Option<Scribe<'a>>,
    /// The windows.
    pub policy: &'a Policy,
    /// The access key.
    pub id: AccessKeyId,
    /// Why.
    pub why: Why,
    /// `--reason`.
    pub reason: Option<String>,
}

/// What `deactivate` did.
#[derive(Debug, Clone)]
pub struct Deactivated {
    /// The access key.
    pub id: AccessKeyId,
    /// Its owner.
    pub user: UserName,
    /// Who signed.
    pub caller: Caller,
    /// Whether it was Active before.
    pub changed: bool,
    /// Since when it is recorded as switched off.
    pub at: Timestamp,
    /// Whether the ledger has it.
    pub recorded: bool,
    /// Why.
    pub why: Why,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What stops working.
    pub breaks: Vec<String>,
    /// When the soak ends.
    pub delete_after: Timestamp,
    /// What was left undone without harm.
    pub warnings: Vec<String>,
}

/// Finds the grounds on which an access key may be switched off, or refuses.
pub type Finding<'a> = dyn Fn(&Subject, &Life) -> Result<Grounds> + 'a;

/// Switches off. An access key that is off already gives the same answer; what the ledger lacks is
/// written, and the soak then begins now.
///
/// # Errors
/// What `grounds` and `confirm` refuse; `changed-meanwhile`, `unknown-status`; what IAM answered.
pub fn deactivate(
    wanted: &Deactivation<'_>,
    grounds: &Finding<'_>,
    confirm: &dyn Fn(&Subject, &Grounds) -> Result<()>,
) -> Result<Deactivated> {
    let subject = Subject::read(wanted.iam, &wanted.id)?;
    let life = match &wanted.scribe {
        Some(scribe) => Life::read(scribe, &wanted.id)?,
        None => Life::default(),
    };
    match &subject.key.status {
        KeyStatus::Active => {}
        KeyStatus::Inactive => return off_already(wanted, grounds, &subject, &life),
        KeyStatus::Other(_) => return Err(odd_status(&subject.key)),
    }
    let grounds = grounds(&subject, &life)?;
    confirm(&subject, &grounds)?;
    let mut states = vec![(&wanted.id, KeyStatus::Active)];
    states.extend(grounds.new.as_ref().map(|new| (new, KeyStatus::Active)));
    let at = still(wanted.iam, &subject.user, &states)?;
    if wanted.why != Why::Compromised {
        not_used_meanwhile(wanted, &subject)?;
    }
    wanted.iam.set_status(&subject.user, &wanted.id, &KeyStatus::Inactive)?;
    let new = grounds.new.clone().or_else(|| life.successor());
    let mut done = answer(wanted, &subject, grounds, at);
    record(wanted, &life, new, &mut done);
    Ok(done)
}

/// Its last use is what the grounds were judged by.
fn not_used_meanwhile(wanted: &Deactivation<'_>, subject: &Subject) -> Result<()> {
    let now = wanted.iam.last_used(&wanted.id)?.last_used;
    if now.at <= subject.last_used.at {
        return Ok(());
    }
    let at = now.at.map(|at| at.to_string()).unwrap_or_default();
    Err(Error::refused("changed-meanwhile", format!("it was used at {at}: {}", wanted.id))
        .hint("nothing was changed; run the same command again"))
}

fn off_already(
    wanted: &Deactivation<'_>,
    grounds: &Finding<'_>,
    subject: &Subject,
    life: &Life,
) -> Result<Deactivated> {
    let since = life.inactive_since();
    let at = since.unwrap_or_else(|| subject.at());
    // What will be deleted one day has to rest on something; what is recorded already does.
    let found = match (since, wanted.why) {
        (None, Why::Unused | Why::Compromised) => grounds(subject, life)?,
        _ => Grounds::default(),
    };
    let mut done = answer(wanted, subject, found, at);
    done.changed = false;
    if wanted.why == Why::Safe {
        done.why = Why::FoundInactive;
    }
    match life.why() {
        Some("safe") => done.why = Why::Safe,
        Some("unused") => done.why = Why::Unused,
        Some("compromised") => done.why = Why::Compromised,
        _ => {}
    }
    done.recorded = since.is_some();
    if !done.recorded {
        record(wanted, life, life.successor(), &mut done);
    }
    Ok(done)
}

fn answer(
    wanted: &Deactivation<'_>,
    subject: &Subject,
    grounds: Grounds,
    at: Timestamp,
) -> Deactivated {
    // A verdict has the same facts, with the new access key's beside them.
    let mut evidence = if grounds.new.is_some() { Vec::new() } else { subject.evidence() };
    evidence.extend(grounds.evidence);
    Deactivated {
        id: wanted.id.clone(),
        user: subject.user.clone(),
        caller: subject.caller.clone(),
        changed: true,
        at,
        recorded: false,
        why: wanted.why,
        evidence,
        breaks: grounds.breaks,
        delete_after: at.plus(wanted.policy.soak),
        warnings: grounds.warnings,
    }
}

/// Writes it down; that it cannot be written is a warning, because it has happened.
fn record(
    wanted: &Deactivation<'_>,
    life: &Life,
    new: Option<AccessKeyId>,
    done: &mut Deactivated,
) {
    let Some(scribe) = &wanted.scribe else { return };
    let mut event = life.next(&wanted.id, Happening::Deactivated, done.at);
    event.new = new.map(|id| id.to_string());
    let mut evidence = Map::new();
    evidence.insert("why".to_owned(), json!(done.why.word()));
    evidence.insert("reason".to_owned(), json!(wanted.reason));
    evidence.insert("facts".to_owned(), facts_as_json(&done.evidence));
    if !done.changed {
        let found = "Inactive already; when it was set is not known, so the soak begins now";
        evidence.insert("found".to_owned(), json!(found));
    }
    match scribe.write(&wanted.id, &signed(event, Some(&done.caller), &done.user, evidence)) {
        Ok(()) => done.recorded = true,
        Err(error) => done.warnings.push(format!(
            "it is Inactive, and the ledger does not say so ({}): run `keyroll deactivate {}` again to record it; its soak counts from the record",
            error.message(),
            wanted.id
        )),
    }
}

/// The facts as the ledger keeps them.
#[must_use]
pub(super) fn facts_as_json(facts: &[Evidence]) -> Value {
    let one = |fact: &Evidence| {
        let at = fact.at.map(|at| at.to_string());
        json!({ "fact": fact.fact, "value": fact.value, "at": at, "source": fact.source })
    };
    facts.iter().map(one).collect()
}
