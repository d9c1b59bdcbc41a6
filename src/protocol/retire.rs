//! Retiring a *new* access key that came to nothing. The old one is never touched here.

use std::time::Duration;

use super::intent::Intent;
use super::run::Run;
use super::seams::{Seams, Wanted};
use crate::error::{Error, Kind, Result};
use crate::model::{AccessKeyId, KeyStatus, RepoPath, Timestamp, UserName};
use crate::rotation::LAST_USED_SPAN;

/// How long one request may be under way, time-outs and all.
const SENDING: Duration = Duration::from_secs(180);

/// How a new access key was retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// It no longer exists.
    Deleted,
    /// It is Inactive; we may not delete it.
    SwitchedOff,
}

/// A rotation whose new access key came to nothing.
pub(super) struct Retiring<'a> {
    pub(super) seams: &'a Seams<'a>,
    pub(super) wanted: &'a Wanted<'a>,
    pub(super) user: &'a UserName,
    pub(super) intent: &'a Intent,
}

impl<'a> Retiring<'a> {
    /// Of a rotation under way.
    pub(super) const fn of(run: &'a Run<'a>) -> Self {
        Self { seams: run.seams, wanted: run.wanted, user: &run.user, intent: &run.intent }
    }
}

/// Switches a new access key off, looks again, deletes it.
///
/// Only if it was made after the intent, stands in no file of base, shows no use but our own
/// probes, and the lock is ours.
///
/// # Errors
/// `new-key-in-use`, `new-key-on-base`, `not-ours`, `lock-lost`; or what IAM answered.
pub(super) fn retire(run: &Retiring<'_>, id: &AccessKeyId) -> Result<Retired> {
    let iam = run.seams.iam;
    let Some(key) = iam.access_keys(run.user)?.keys.into_iter().find(|key| &key.id == id) else {
        return Ok(Retired::Deleted);
    };
    if id.as_str() == run.intent.old || run.intent.listed.iter().any(|known| known == id.as_str()) {
        return Err(Error::bug(format!(
            "an access key that stood before the rotation was to be retired: {id}"
        )));
    }
    let started = Timestamp(run.intent.started_at);
    // CreateDate and the Date header are both AWS's, and both whole seconds.
    if key.created.is_none_or(|created| created < started) {
        return Err(Error::refused(
            "not-ours",
            format!("it was not created after this rotation began: {id}"),
        )
        .hint("find out who made it; keyroll never touches a key that it cannot attribute"));
    }
    // Made long after our one request was sent: that was somebody else.
    let sent = run.intent.create_sent_at.map(|at| Timestamp(at).plus(SENDING));
    if sent.is_some_and(|sent| key.created.is_some_and(|created| created > sent)) {
        return Err(Error::refused(
            "not-ours",
            format!("it was created after our request was over: {id}"),
        )
        .hint("find out who made it; keyroll never touches a key that it cannot attribute"));
    }
    lock_is_ours(run)?;
    stands_nowhere(run, id)?;
    unused(run, id)?;
    iam.set_status(run.user, id, &KeyStatus::Inactive)?;
    (run.seams.sleep)(run.seams.policy.recheck);
    if let Err(error) = unused(run, id) {
        iam.set_status(run.user, id, &KeyStatus::Active)?;
        return Err(error);
    }
    match iam.delete(run.user, id) {
        Ok(()) => Ok(Retired::Deleted),
        Err(error) if error.kind() == Kind::Denied => {
            (run.seams.note)(&format!("not allowed to delete it, it stays Inactive: {id}"));
            Ok(Retired::SwitchedOff)
        }
        // A repetition of a request whose answer was lost.
        Err(error) if error.kind() == Kind::NotFound => Ok(Retired::Deleted),
        Err(error) => Err(error),
    }
}

/// The access keys that did not stand there before the rotation. A list may be older than a request
/// whose answer was lost: an empty one is asked for twice.
///
/// # Errors
/// What IAM answered.
pub(super) fn unknown_keys(run: &Retiring<'_>) -> Result<Vec<AccessKeyId>> {
    let known = |id: &AccessKeyId| run.intent.listed.iter().any(|known| known == id.as_str());
    let ask = || -> Result<Vec<AccessKeyId>> {
        let listed = run.seams.iam.access_keys(run.user)?;
        Ok(listed.keys.into_iter().map(|key| key.id).filter(|id| !known(id)).collect())
    };
    let unknown = ask()?;
    if !unknown.is_empty() || !run.intent.create_sent {
        return Ok(unknown);
    }
    (run.seams.sleep)(run.seams.policy.recheck);
    ask()
}

fn lock_is_ours(run: &Retiring<'_>) -> Result<()> {
    match run.seams.remote.ref_at(&run.intent.reference())? {
        Some(at) if run.intent.put(&at) => Ok(()),
        None => Ok(()),
        Some(_) => Err(Error::refused(
            "lock-lost",
            format!("the branch `{}` is somebody else's now", run.intent.branch),
        )
        .hint(
            "another machine took this rotation over; it decides what becomes of the access key",
        )),
    }
}

fn stands_nowhere(run: &Retiring<'_>, id: &AccessKeyId) -> Result<()> {
    let base = super::think::Base::read(run.seams.remote, run.wanted.base.as_deref())?;
    let located = super::think::search_everywhere(run.seams, run.wanted, id, &base.commit)?;
    let accepted =
        |path: &RepoPath| run.intent.accepted.iter().any(|one| one.path == path.to_text());
    let locked = located.survey.locked();
    let matters = |path: &RepoPath| (run.wanted.takes_part)(path) && !accepted(path);
    // What opens is searched whether it takes part or not; who excludes a path answers for what
    // stays locked there.
    if let Some(closed) = locked.iter().find(|one| matters(&one.place.path)) {
        return Err(Error::refused(
            "locked-values",
            format!(
                "it cannot be told whether it stands on {}: {} stayed locked: {id}",
                base.branch(),
                closed.place
            ),
        )
        .hint("give the identity that opens it with --identity"));
    }
    match located.occurrences.first() {
        None => Ok(()),
        Some(one) => Err(Error::refused(
            "new-key-on-base",
            format!("it stands on {} at {}: {id}", base.branch(), one.place),
        )
        .hint(
            "the rotation was merged: `keyroll reactivate OLD --revert` brings the old pair back",
        )),
    }
}

/// Whether anybody but our own probes has used it.
fn unused(run: &Retiring<'_>, id: &AccessKeyId) -> Result<()> {
    let known = run.seams.iam.last_used(id)?;
    let Some(at) = known.last_used.at else { return Ok(()) };
    let last_probe = run.intent.probes.iter().copied().max().map(Timestamp);
    let ours = known.last_used.service == "sts"
        && last_probe.is_some_and(|probe| at <= probe.plus(LAST_USED_SPAN));
    if ours {
        return Ok(());
    }
    let service = crate::model::visible(&known.last_used.service);
    Err(Error::refused(
        "new-key-in-use",
        format!("somebody used it at {at} (service {service}): {id}"),
    )
    .hint("a consumer has the new pair already; finish the rotation with `keyroll resume`"))
}
