//! The one irreversible request. It is sent once; a lost or cut answer is resolved by listing, and
//! an access key whose secret nobody has is retired before another is asked for (I2).

use super::retire::{Retired, Retiring, retire, unknown_keys};
use super::run::Run;
use crate::breakage;
use crate::error::{Error, Kind, Result};
use crate::iam::CreateFailure;
use crate::model::{AccessKeyId, AccessKeyPair};
use crate::repo::Remote;

/// The new access key exists and its pair is in the escrow.
///
/// # Errors
/// IAM's refusals; `unknown-access-keys` when a human has to decide (R5).
pub(super) fn create(run: &mut Run<'_>) -> Result<()> {
    if run.intent.given || run.intent.rewritten.is_some() {
        return Ok(());
    }
    if run.seams.journal.read(&run.escrow_name())?.is_some() {
        let id = run.pair()?.id.clone();
        let listed = run.seams.iam.access_keys(&run.user)?;
        if !listed.keys.iter().any(|key| key.id == id) {
            return Err(Error::refused(
                "new-key-gone",
                format!("the access key in the escrow no longer exists: {id}"),
            )
            .hint(
                "somebody deleted it: `keyroll abort` clears this rotation away, then rotate again",
            ));
        }
        run.intent.new = Some(id.to_string());
        return Ok(());
    }
    reconcile(run)?;
    holds_lock(run.seams.remote, run)?;
    // An answer that was lost before says that a key may exist, whatever this request is told.
    run.intent.create_sent_at = Some(run.seams.iam.caller()?.at.0);
    let doubtful = std::mem::replace(&mut run.intent.create_sent, true);
    run.record("create")?;
    match run.seams.iam.create(&run.user) {
        Ok(pair) => {
            // No network and no wait between the answer and the escrow on the disk.
            keep(run, &pair).map_err(|error| {
                error.hint(format!("it was created and could not be kept; `keyroll resume` retires it and makes another: {}", pair.id))
            })?;
            run.intent.new = Some(pair.id.to_string());
            (run.seams.note)(&format!("created {}", pair.id));
            run.pair = Some(pair);
            Ok(())
        }
        Err(CreateFailure::Refused(error)) if doubtful => Err(error.hint(
            "an earlier request may have made an access key that IAM does not list yet: `keyroll resume` in some minutes finds and retires it",
        )),
        Err(CreateFailure::Refused(error)) => Err(refused(run, error)),
        Err(CreateFailure::Ambiguous(_)) if breakage::is_on("I2") => {
            run.seams.iam.create(&run.user).map(drop).map_err(|_| Error::bug("broken on purpose"))
        }
        Err(CreateFailure::Ambiguous(error)) => {
            Err(error.hint("an access key may exist whose secret nobody has: `keyroll resume` finds and retires it, then goes on"))
        }
    }
}

/// Puts the pair into the escrow, durably.
fn keep(run: &mut Run<'_>, pair: &AccessKeyPair) -> Result<()> {
    let sealed = run.escrow_identity()?.encrypt(pair)?;
    if breakage::is_on("I3") {
        run.hold.write("broken-on-purpose", pair.secret.expose())?;
    }
    run.hold.write(&run.escrow_name(), &sealed)
}

/// IAM did nothing. A throttle passes; anything else will be the same next time, so that the lock is
/// given back and everything is as it was.
fn refused(run: &mut Run<'_>, error: Error) -> Error {
    run.intent.create_sent = false;
    let later = "no access key was made; `keyroll resume` tries again, `keyroll abort` gives up";
    if run.record("lock").is_err() || error.kind() == Kind::Throttled {
        return error.hint(later);
    }
    let held = run.intent.branch_commit.clone().unwrap_or_default();
    let given_back = run.seams.remote.delete_ref(&run.reference(), &held);
    match given_back.and_then(|()| run.intent.forget(&run.hold)) {
        Ok(()) => error.hint("no access key was made, and nothing is left of this attempt"),
        Err(_) => error.hint(later),
    }
}

/// Compares what IAM lists with what it listed before the intent, and retires what an earlier
/// attempt left behind.
fn reconcile(run: &mut Run<'_>) -> Result<()> {
    let unknown = unknown_keys(&Retiring::of(run))?;
    match unknown.as_slice() {
        [] => Ok(()),
        [orphan] if run.intent.create_sent => {
            let orphan = orphan.clone();
            (run.seams.note)(&format!(
                "an earlier attempt made an access key whose secret is lost: {orphan}"
            ));
            if retire(&Retiring::of(run), &orphan)? == Retired::SwitchedOff {
                return Err(not_deleted(run, &orphan));
            }
            run.intent.new = None;
            run.intent.create_sent = false;
            run.record("create")
        }
        some => {
            let ids: Vec<&str> = some.iter().map(|id| id.as_str()).collect();
            Err(Error::refused(
                "unknown-access-keys",
                format!("user {} has access keys that this rotation does not know: {}", run.user, ids.join(", ")),
            )
            .hint("somebody else made them: find out who, then run `keyroll resume` or `keyroll abort`"))
        }
    }
}

/// The quota is two: without room for another one nothing can go on.
fn not_deleted(run: &Run<'_>, orphan: &AccessKeyId) -> Error {
    Error::refused(
        "delete-denied",
        format!("the access key whose secret is lost is Inactive and may not be deleted: {orphan}"),
    )
    .hint(format!(
        "an administrator deletes it: aws iam delete-access-key --user-name {} --access-key-id {orphan}",
        run.user
    ))
    .hint("then `keyroll resume` goes on")
}

/// The lock is read again right before the request (I11).
fn holds_lock(remote: &Remote, run: &Run<'_>) -> Result<()> {
    let at = remote.ref_at(&run.reference())?;
    if (at.is_some() && at == run.intent.branch_commit) || breakage::is_on("I11") {
        return Ok(());
    }
    Err(Error::refused(
        "lock-lost",
        format!("the branch `{}` is not ours any more", run.intent.branch),
    )
    .hint("no access key was made; look who holds it with `keyroll status`"))
}
