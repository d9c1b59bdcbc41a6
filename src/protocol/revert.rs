//! Brings an old pair back after its rotation was merged: the sealed values that stood on base
//! before go back to where the new ones stand now, on a branch with a pull request. It can be run
//! again at any moment; nothing is merged here.

use super::rotate::Replacement;
use super::seams::{Seams, Wanted};
use super::think::{Base, Thought, search, think};
use super::tracked::Tracked;
use crate::error::{Error, Result};
use crate::forge::{ChangedPlace, Request, Revert, revert_body, revert_title};
use crate::model::{AccessKeyId, AccessKeyPair, Change, UserName};
use crate::repo::{Lease, Rehearse, Stamp};
use crate::rotation;

/// The trailer that makes a branch ours.
const TRAILER: &str = "Keyroll-Revert: ";

/// What `reactivate --revert` did.
#[derive(Debug, Clone)]
pub struct Reverted {
    /// The access key that goes.
    pub new: AccessKeyId,
    /// The branch with the commit.
    pub branch: String,
    /// The branch it shall go to.
    pub base: String,
    /// The commit; `None` when base holds the old pair already.
    pub commit: Option<String>,
    /// The pull request's page.
    pub pull_request: Option<String>,
    /// The file with the request's text (`local` forge).
    pub request_file: Option<String>,
    /// What changes.
    pub changes: Vec<Replacement>,
    /// What was left undone without harm.
    pub warnings: Vec<String>,
}

/// Opens the pull request that restores `old`; `wanted.old` is the access key that goes, the new
/// one of the rotation.
///
/// # Errors
/// `neither-pair`, `old-pair-not-found`, `branch-taken`; the refusals of a rotation; network errors.
pub fn revert(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
    user: &UserName,
) -> Result<Reverted> {
    let old = &tracked.old;
    let base = Base::read(seams.remote, wanted.base.as_deref())?;
    let branch = format!("keyroll/revert/{}/{old}", user.in_ref());
    let mut done = Reverted {
        new: wanted.old.clone(),
        branch,
        base: base.branch().to_owned(),
        commit: None,
        pull_request: None,
        request_file: None,
        changes: Vec::new(),
        warnings: Vec::new(),
    };
    let thought = match think(seams, wanted, &base) {
        Err(error) if error.reason() == "no-occurrence" => {
            stands(seams, wanted, old, &base)?;
            return Ok(done);
        }
        other => other?,
    };
    let changes = restored(seams, wanted, tracked, &thought)?;
    seams.forge.preflight()?;
    done.commit = Some(publish(seams, &done.branch, old, &thought, &changes)?);
    let swaps = thought.plan.swaps().iter();
    done.changes = swaps
        .map(|swap| Replacement {
            place: swap.place.clone(),
            role: swap.role.clone(),
            scheme: swap.scheme.clone(),
        })
        .collect();
    propose(seams, user, old, &mut done)?;
    Ok(done)
}

/// The new pair stands nowhere: the old one has to, else there is nothing to go back to.
fn stands(seams: &Seams<'_>, wanted: &Wanted<'_>, old: &AccessKeyId, base: &Base) -> Result<()> {
    if !search(seams, wanted, old, &base.commit)?.occurrences.is_empty() {
        return Ok(());
    }
    Err(Error::refused(
        "neither-pair",
        format!(
            "{} holds neither the new access key {} nor the old one: {old}",
            base.branch(),
            wanted.old
        ),
    )
    .hint("somebody removed both; look into the history with `keyroll find --history`"))
}

/// The files with the old pair in them again, proven to differ from base in nothing else.
fn restored(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
    thought: &Thought,
) -> Result<Vec<Change>> {
    let old = &tracked.old;
    let source = readable(seams, tracked, &thought.base)?;
    let mut then = search(seams, wanted, old, &source)?;
    let secret = then.pairings.remove(old).and_then(|pairing| pairing.secret);
    let Some(secret) = secret else {
        return Err(not_found(&source, old));
    };
    let pair = AccessKeyPair::new(old.clone(), secret)?;
    let (plan, now) = (&thought.plan, &thought.located.survey.files);
    let sealed = rotation::apply(plan, now, &pair, seams.keyring)?;
    let proven = |changes: &[Change]| {
        rotation::check(plan, now, changes, &thought.old_secret, &pair, seams.keyring)
    };
    let grafted = rotation::graft(plan, now, &then.survey.files, &sealed, seams.keyring)?;
    if proven(&grafted).is_ok() {
        return Ok(grafted);
    }
    // The files were laid out anew since: the values are the same, their bytes cannot be.
    proven(&sealed)?;
    Ok(sealed)
}

/// The commit before the rewrite, fetched when this clone lacks it.
fn readable(seams: &Seams<'_>, tracked: &Tracked, base: &Base) -> Result<String> {
    let old = &tracked.old;
    let Some(commit) = &tracked.base_commit else {
        return Err(not_found("the rotation's own base commit", old));
    };
    let objects = seams.remote.objects();
    if !objects.holds(commit) {
        seams.remote.fetch(&[&base.reference])?;
    }
    if !objects.holds(commit) {
        seams.remote.fetch_history()?;
    }
    if objects.holds(commit) { Ok(commit.clone()) } else { Err(not_found(commit, old)) }
}

fn not_found(commit: &str, old: &AccessKeyId) -> Error {
    Error::refused(
        "old-pair-not-found",
        format!("the pair cannot be read from {commit}, which stood before the rotation: {old}"),
    )
    .hint("was history rewritten, or the identity replaced that opened it? name it with --identity")
    .hint("the access key itself is Active; put its pair back by hand")
}

/// One commit on base, on a branch of its own. One of ours that is there is used again, or moved
/// under a lease when base has moved.
fn publish(
    seams: &Seams<'_>,
    branch: &str,
    old: &AccessKeyId,
    thought: &Thought,
    changes: &[Change],
) -> Result<String> {
    let reference = format!("refs/heads/{branch}");
    let objects = seams.remote.objects();
    let stamp = Stamp { author: seams.author, at: (seams.clock)(), signing: seams.signing };
    let message = format!(
        "Restore access key {old}\n\nReplaces {} at {}.\nMerging does not deploy by itself.\n\n{TRAILER}{old}\n",
        thought.plan.old,
        crate::report::plural(thought.plan.swaps().len(), "place"),
    );
    let base = Some(thought.base.commit.as_str());
    let commit = objects.commit(base, changes, &message, &stamp)?;
    let Some(tip) = seams.remote.ref_at(&reference)? else {
        seams.remote.push(&reference, &commit, Lease::Absent, Rehearse::No)?;
        return Ok(commit);
    };
    seams.remote.bring(&reference, &tip)?;
    let ours = format!("{TRAILER}{old}");
    if !objects.message(&tip)?.lines().any(|line| line == ours) {
        return Err(Error::refused(
            "branch-taken",
            format!("the branch `{branch}` exists and its newest commit is not keyroll's"),
        )
        .hint("somebody committed on it: finish or close that work; keyroll never overwrites it"));
    }
    let on_base = objects.parents(&tip)?.first() == Some(&thought.base.commit);
    if on_base && objects.same_files(&tip, &commit)? {
        return Ok(tip);
    }
    seams.remote.push(&reference, &commit, Lease::At(&tip), Rehearse::No)?;
    Ok(commit)
}

fn propose(
    seams: &Seams<'_>,
    user: &UserName,
    old: &AccessKeyId,
    done: &mut Reverted,
) -> Result<()> {
    let changes = done.changes.iter();
    let text = Revert {
        user: user.clone(),
        old: old.clone(),
        new: done.new.clone(),
        branch: done.branch.clone(),
        base: done.base.clone(),
        changes: changes
            .map(|one| ChangedPlace { place: one.place.clone(), role: one.role.clone() })
            .collect(),
    };
    let request = Request {
        head: done.branch.clone(),
        base: done.base.clone(),
        title: revert_title(&text),
        body: revert_body(&text),
        ..Request::default()
    };
    let (opened, warnings) = seams.forge.open(&request).map_err(|error| {
        let error = match seams.forge.compare_url(&request.head, &request.base) {
            Some(url) => error.hint(format!("open it by hand: {url}")),
            None => error,
        };
        error.hint(format!("the branch is pushed; `keyroll reactivate {old} --revert` tries again"))
    })?;
    done.pull_request = opened.url;
    done.request_file = opened.file.map(|file| file.to_string_lossy().into_owned());
    done.warnings.extend(warnings);
    Ok(())
}
