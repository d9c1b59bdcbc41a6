//! The steps of a rotation that change something, in one table. Each looks at the facts again, does
//! one thing and records it, so that a run may be cut anywhere and goes on where it stopped.

use super::announce::{propose, record, summary_title};
use super::create::create;
use super::escrow::EscrowIdentity;
use super::intent::Pushing;
use super::prove::prove;
use super::run::Run;
use super::think::{Base, search};
use crate::breakage;
use crate::error::{Error, Result};
use crate::model::{AccessKeyPair, Change, Policy, Timestamp, format_duration};
use crate::repo::{Lease, Rehearse};
use crate::rotation;

/// One step: its name, as journal and `status` show it, and what it does.
pub(super) type Step = (&'static str, fn(&mut Run<'_>) -> Result<()>);

/// The steps in their order.
pub(super) const STEPS: [Step; 9] = [
    ("journal", journal),
    ("lock", lock),
    ("create", create),
    ("announce", announce),
    ("prove", prove_pair),
    ("rewrite", rewrite),
    ("propose", propose),
    ("fetch-back", fetch_back),
    ("record", record),
];

/// Does every step that is not done yet.
///
/// # Errors
/// The first step that fails; everything before it is durable, and the same call goes on there.
pub(super) fn all(run: &mut Run<'_>) -> Result<()> {
    for (name, step) in STEPS {
        tracing::debug!(step = name, rotation = run.intent.rotation, "step");
        step(run)?;
        if name != "record" {
            run.record(name)?;
        }
    }
    run.intent.forget(&run.hold)
}

/// The windows in force, as the journal keeps them.
#[must_use]
pub(super) fn windows_used(policy: &Policy) -> String {
    format!(
        "{} successes over {} within {}, recheck {}",
        policy.prove.successes,
        format_duration(policy.prove.span),
        format_duration(policy.prove.deadline),
        format_duration(policy.recheck)
    )
}

/// The intent and the escrow's identity are durable, and the identity opens again from the disk.
fn journal(run: &mut Run<'_>) -> Result<()> {
    if run.intent.rewritten.is_some() {
        return Ok(());
    }
    // First of all: whatever else lies on the disk must have an owner.
    run.record("begin")?;
    let journal = run.seams.journal;
    if journal.read(&run.identity_name())?.is_none() {
        let identity = EscrowIdentity::generate();
        let files = &run.thought.located.survey.files;
        let sealed = identity.seal(&run.thought.plan, files, run.seams.keyring)?;
        let bytes = serde_json::to_vec(&sealed).map_err(|error| Error::bug(error.to_string()))?;
        run.hold.write(&run.identity_name(), &bytes)?;
    }
    run.escrow = None;
    run.escrow_identity().map(drop)?;
    if let (Some(given), None) = (&run.wanted.given, journal.read(&run.escrow_name())?) {
        let pair = AccessKeyPair { id: given.id.clone(), secret: given.secret.duplicate() };
        let sealed = run.escrow_identity()?.encrypt(&pair)?;
        run.hold.write(&run.escrow_name(), &sealed)?;
        run.pair = Some(pair);
    }
    Ok(())
}

/// The branch exists and is ours: made by a push that only creates.
fn lock(run: &mut Run<'_>) -> Result<()> {
    if breakage::is_on("I11") {
        return Ok(());
    }
    let standing = run.seams.remote.ref_at(&run.reference())?;
    arrived(run, standing.as_deref())?;
    match (&run.intent.branch_commit, standing) {
        (Some(held), Some(at)) if *held == at => Ok(()),
        _ if run.intent.rewritten.is_some() && stands_on_base(run)? => {
            run.merged = true;
            Ok(())
        }
        (_, Some(_)) if run.intent.create_sent || run.intent.rewritten.is_some() => {
            Err(lost(run, "was moved by somebody else"))
        }
        (_, None) if run.intent.rewritten.is_some() => Err(lost(run, "was deleted")),
        // Nothing was made yet, or the new pair is safe in the escrow: the lock is taken (again).
        _ => take_lock(run),
    }
}

/// Somebody merged it meanwhile, and the branch went with the merge.
fn stands_on_base(run: &Run<'_>) -> Result<bool> {
    let base = Base::read(run.seams.remote, Some(&run.intent.base_branch))?;
    let located = search(run.seams, run.wanted, &run.new_id()?, &base.commit)?;
    Ok(!located.occurrences.is_empty())
}

/// A push whose answer was lost did arrive.
fn arrived(run: &mut Run<'_>, at: Option<&str>) -> Result<()> {
    let Some(pushing) = run.intent.pushing.clone().filter(|one| Some(one.commit.as_str()) == at)
    else {
        return Ok(());
    };
    run.intent.branch_commit = Some(pushing.commit.clone());
    run.intent.announced = true;
    if pushing.rewrites {
        run.intent.rewritten = Some(pushing.commit);
    }
    run.intent.pushing = None;
    run.record("lock")
}

fn take_lock(run: &mut Run<'_>) -> Result<()> {
    let reference = run.reference();
    let message = run.trailers()?.lock_message();
    let commit = run.commit(&[], &message)?;
    // Durable before the push: after a kill the journal must know a lock that did arrive.
    run.intent.branch_commit = Some(commit.clone());
    run.intent.announced = run.intent.new.is_some();
    run.record("lock")?;
    if let Err(error) = run.seams.remote.push(&reference, &commit, Lease::Absent, Rehearse::No) {
        if run.seams.remote.ref_at(&reference)?.as_ref() == Some(&commit) {
            return Ok(());
        }
        if run.intent.create_sent || run.intent.new.is_some() {
            return Err(error.hint("nothing is lost: `keyroll resume` goes on from here"));
        }
        run.intent.forget(&run.hold)?;
        return Err(error);
    }
    (run.seams.note)(&format!("holding {}", run.intent.branch));
    Ok(())
}

fn lost(run: &Run<'_>, how: &str) -> Error {
    Error::refused("lock-lost", format!("the branch `{}` {how}", run.intent.branch))
        .hint("nothing more was changed; `keyroll abort` retires what this rotation made")
}

/// The lock names the new access key, so that another machine can see it.
fn announce(run: &mut Run<'_>) -> Result<()> {
    if run.intent.rewritten.is_some() || run.intent.announced {
        return Ok(());
    }
    let message = run.trailers()?.lock_message();
    replace_branch(run, &[], &message, false)
}

/// Puts one commit on base in the place of the branch's commit, under a lease.
fn replace_branch(
    run: &mut Run<'_>,
    changes: &[Change],
    message: &str,
    rewrites: bool,
) -> Result<()> {
    let held = run.intent.branch_commit.clone().ok_or_else(|| Error::bug("no lock is held"))?;
    let commit = run.commit(changes, message)?;
    run.intent.pushing = Some(Pushing { commit: commit.clone(), rewrites });
    run.record(if rewrites { "prove" } else { "create" })?;
    let reference = run.reference();
    let pushed = run.seams.remote.push(&reference, &commit, Lease::At(&held), Rehearse::No);
    if let Err(error) = pushed
        && run.seams.remote.ref_at(&reference)?.as_ref() != Some(&commit)
    {
        return Err(error.hint("nothing is lost: `keyroll resume` goes on from here"));
    }
    arrived(run, Some(&commit))
}

fn prove_pair(run: &mut Run<'_>) -> Result<()> {
    if run.intent.rewritten.is_some() {
        return Ok(());
    }
    let pair = run.pair()?;
    let pair = AccessKeyPair { id: pair.id.clone(), secret: pair.secret.duplicate() };
    let (seams, user, account) = (run.seams, run.user.clone(), run.account.clone());
    let mut before_probe = |at: Timestamp| {
        run.intent.probes.push(at.0);
        run.intent.write(&run.hold)
    };
    prove(seams, &pair, &user, &account, &mut before_probe)?;
    (seams.note)(&format!("the new access key works: {}", pair.id));
    Ok(())
}

/// The new pair is in the planned places of one commit on base, checked and pushed.
fn rewrite(run: &mut Run<'_>) -> Result<()> {
    if run.intent.rewritten.is_some() {
        return Ok(());
    }
    run.pair()?;
    let pair = run.pair.as_ref().ok_or_else(|| Error::bug("no pair to write"))?;
    let (plan, files) = (&run.thought.plan, &run.thought.located.survey.files);
    let changes = rotation::apply(plan, files, pair, run.seams.keyring)?;
    rotation::check(plan, files, &changes, &run.thought.old_secret, pair, run.seams.keyring)?;
    let title = summary_title(run)?;
    let author = run.seams.author;
    let who = run.wanted.sign_off.then(|| format!("{} <{}>", author.name, author.email));
    let places = plan.swaps().len();
    let message = run.trailers()?.rewrite_message(&title, places, who.as_deref());
    replace_branch(run, &changes, &message, true)
}

/// What the remote now holds is opened once more: the pair stands there, and the old one nowhere.
fn fetch_back(run: &mut Run<'_>) -> Result<()> {
    if run.intent.confirmed || run.merged {
        return Ok(());
    }
    let commit = run.intent.rewritten.clone().ok_or_else(|| Error::bug("nothing was pushed"))?;
    let reference = run.reference();
    match run.seams.remote.ref_at(&reference)? {
        Some(at) if at == commit => {}
        _ => return Err(lost(run, "does not stand at the pushed commit")),
    }
    run.seams.remote.fetch(&[&reference])?;
    run.pair()?;
    let pair = run.pair.as_ref().ok_or_else(|| Error::bug("no pair to compare"))?;
    let changes = super::think::changes_between(run.seams, &run.thought, &commit)?;
    rotation::check(
        &run.thought.plan,
        &run.thought.located.survey.files,
        &changes,
        &run.thought.old_secret,
        pair,
        run.seams.keyring,
    )?;
    run.intent.confirmed = true;
    Ok(())
}
