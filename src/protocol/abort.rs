//! Undoes a rotation before its merge: the new access key is retired, branch and escrow are
//! removed. The old access key is not touched. Works from the journal, and on another machine from
//! the branch and the ledger.

use super::intent::Intent;
use super::preflight::other_account;
use super::retire::{Retired, Retiring, retire, unknown_keys};
use super::run::record_event;
use super::seams::{Seams, Wanted};
use super::trailers::{Trailers, branch};
use crate::error::{Error, Kind, Result};
use crate::model::{AccessKeyId, Timestamp, UserName};
use crate::repo::{Event, Happening, Lease, Ledger, Rehearse, Stamp};

/// What `abort` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aborted {
    /// The rotation.
    pub rotation: String,
    /// The owner.
    pub user: UserName,
    /// The access key that stays.
    pub old: AccessKeyId,
    /// The new access key, and what became of it.
    pub retired: Option<(AccessKeyId, Retired)>,
    /// The branch that was removed.
    pub branch: String,
}

/// Undoes a rotation.
///
/// # Errors
/// `new-key-on-base` after the merge, or why the new key may not be retired.
pub fn undo(seams: &Seams<'_>, wanted: &Wanted<'_>, intent: &Intent) -> Result<Aborted> {
    let old = AccessKeyId::new(intent.old.as_str())?;
    let user = UserName::new(intent.user.as_str())?;
    let caller = seams.iam.caller()?;
    if caller.account.as_str() != intent.account {
        let account = crate::model::AccountId::new(intent.account.as_str())?;
        return Err(other_account(&caller.account, "this rotation began in", &account, &old));
    }
    let hold = seams.journal.hold(old.as_str())?;
    let mut intent = current(seams, intent)?;
    let seized = if intent.is_elsewhere() { seize(seams, &mut intent)? } else { None };
    let retiring = Retiring { seams, wanted, user: &user, intent: &intent };
    let outcome = left_behind(&retiring)
        .and_then(|id| id.map(|id| Ok((retire(&retiring, &id)?, id))).transpose());
    let retired = match outcome {
        Ok(found) => found.map(|(how, id)| (id, how)),
        Err(error) => return Err(given_back(seams, &intent, seized.as_deref(), error)),
    };
    let reference = intent.reference();
    if let Some(at) = seams.remote.ref_at(&reference)?.filter(|at| intent.put(at)) {
        seams.remote.delete_ref(&reference, &at)?;
    }
    record(seams, &intent, &old, retired.as_ref())?;
    intent.forget(&hold)?;
    let (rotation, branch) = (intent.rotation.clone(), intent.branch.clone());
    Ok(Aborted { rotation, user, old, retired, branch })
}

/// The intent as it stands now: while a person was asked, another keyroll can have gone on.
fn current(seams: &Seams<'_>, intent: &Intent) -> Result<Intent> {
    if intent.is_elsewhere() {
        return Ok(intent.clone());
    }
    intent.again(seams.journal)?.ok_or_else(|| {
        Error::refused("rotation-ended", "another keyroll has ended this rotation")
            .hint("run `keyroll status`: it tells what is open")
    })
}

/// Takes the lock of another machine, which may still be at work: its next push has to fail before
/// the access key is touched. The files of the branch stay as they are. Gives what stood there.
fn seize(seams: &Seams<'_>, intent: &mut Intent) -> Result<Option<String>> {
    let reference = intent.reference();
    let at = seams.remote.ref_at(&reference)?.filter(|at| intent.put(at));
    let Some(held) = at else { return Ok(None) };
    let objects = seams.remote.objects();
    let (author, signing) = (seams.author, seams.signing);
    let stamp = Stamp { author, at: (seams.clock)(), signing };
    let trailers = Trailers::parse(&objects.message(&held)?)
        .ok_or_else(|| Error::bug("a lock without trailers was to be taken over"))?;
    let commit = objects.commit(Some(&held), &[], &trailers.lock_message(), &stamp)?;
    seams.remote.push(&reference, &commit, Lease::At(&held), Rehearse::No)?;
    intent.branch_commit = Some(commit);
    Ok(Some(held))
}

/// A refusal changed nothing: the branch gets back the commit that it had.
fn given_back(seams: &Seams<'_>, intent: &Intent, held: Option<&str>, error: Error) -> Error {
    if let (Some(held), Some(ours), Kind::Refused) = (held, &intent.branch_commit, error.kind()) {
        let (reference, lease) = (intent.reference(), Lease::At(ours));
        // Where it fails, the same command finds our own commit there and goes on from it.
        drop(seams.remote.push(&reference, held, lease, Rehearse::No));
    }
    error
}

/// The access key that this rotation made: the one it knows, or the one whose answer was lost.
fn left_behind(run: &Retiring<'_>) -> Result<Option<AccessKeyId>> {
    let intent = run.intent;
    if intent.given {
        return Ok(None);
    }
    if let Some(new) = &intent.new {
        let listed = run.seams.iam.access_keys(run.user)?;
        return Ok(listed.keys.into_iter().map(|key| key.id).find(|id| id.as_str() == new));
    }
    if !intent.create_sent && !intent.is_elsewhere() {
        return Ok(None);
    }
    let mut unknown = unknown_keys(run)?.into_iter();
    let first = unknown.next();
    if let Some(id) = first.as_ref().filter(|_| !intent.create_sent) {
        return Err(Error::refused(
            "unknown-access-keys",
            format!("the lock names no new access key, and one was made since it was taken: {id}"),
        )
        .hint("run `keyroll abort` on the machine that began the rotation")
        .hint("if that is gone: find out who made the access key, and delete it or hand it on"));
    }
    if unknown.next().is_some() {
        return Err(Error::refused(
            "unknown-access-keys",
            format!(
                "user {} has more than one access key that did not stand there before",
                run.user
            ),
        )
        .hint("a human must decide which of them to delete"));
    }
    Ok(first)
}

fn record(
    seams: &Seams<'_>,
    intent: &Intent,
    old: &AccessKeyId,
    retired: Option<&(AccessKeyId, Retired)>,
) -> Result<()> {
    if !seams.keeps_ledger || Ledger::of(seams.remote).read(old)?.is_empty() {
        return Ok(());
    }
    let became = match retired {
        Some((_, Retired::Deleted)) => "deleted",
        Some((_, Retired::SwitchedOff)) => "inactive",
        None => "never made",
    };
    let at = (seams.clock)();
    let mut event =
        Event::new(format!("{}-aborted", intent.rotation), Happening::Aborted, at.to_string());
    event.evidence.insert("new_access_key".to_owned(), became.into());
    record_event(seams, intent, event)
}

/// The rotation of an access key that another machine made, from its branch, else the ledger.
///
/// # Errors
/// Network errors.
pub fn reconstruct(seams: &Seams<'_>, prefix: &str, old: &AccessKeyId) -> Result<Option<Intent>> {
    let events = Ledger::of(seams.remote).read(old)?;
    let recorded = from_ledger(old, &events, seams.remote.address());
    let user = match &recorded {
        Some(intent) => UserName::new(intent.user.as_str())?,
        None => seams.iam.last_used(old)?.owner,
    };
    let name = branch(prefix, &user, old);
    let reference = format!("refs/heads/{name}");
    let Some(tip) = seams.remote.ref_at(&reference)? else { return Ok(recorded) };
    seams.remote.bring(&reference, &tip)?;
    let Some(trailers) = Trailers::parse(&seams.remote.objects().message(&tip)?) else {
        return Ok(recorded);
    };
    let probes = recorded.map(|intent| intent.probes).unwrap_or_default();
    let mut intent = Intent::of_trailers(&trailers, seams.remote.address(), &name);
    intent.branch_commit = Some(tip);
    intent.probes = probes;
    Ok(Some(intent))
}

/// The newest rotation of the ledger that was neither aborted nor ended.
fn from_ledger(old: &AccessKeyId, events: &[Event], remote: &str) -> Option<Intent> {
    let last = events.iter().rev().find(|one| one.event == Happening::Proposed)?;
    let over = |one: &Event| {
        one.rotation == last.rotation
            && matches!(one.event, Happening::Aborted | Happening::Deactivated | Happening::Deleted)
    };
    if events.iter().any(over) {
        return None;
    }
    let started =
        events.iter().find(|one| one.rotation == last.rotation && one.event == Happening::Started);
    let at = Timestamp::parse(&started.unwrap_or(last).at).ok()?;
    let word = |name: &str| last.evidence.get(name).and_then(|value| value.as_str());
    let trailers = Trailers {
        rotation: last.rotation.clone()?,
        user: UserName::new(last.user.clone()?).ok()?,
        account: crate::model::AccountId::new(last.account.clone()?).ok()?,
        old: old.clone(),
        new: last.new.as_ref().and_then(|id| AccessKeyId::new(id.as_str()).ok()),
        listed: vec![old.clone()],
        started_at: at,
    };
    let mut intent = Intent::of_trailers(&trailers, remote, word("branch")?);
    intent.base_branch = word("base")?.to_owned();
    intent.branch_commit = word("commit").map(str::to_owned);
    let probe = word("last_probe").and_then(|text| Timestamp::parse(text).ok());
    intent.probes = probe.map(|at| at.0).into_iter().collect();
    Some(intent)
}
