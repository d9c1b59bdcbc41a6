//! Finishes or undoes a rotation that was cut short on this machine.

use super::intent::Intent;
use super::preflight::standing;
use super::retire::{Retired, retire};
use super::rotate::{Rotated, finished};
use super::run::Run;
use super::seams::{Seams, Wanted};
use super::steps;
use super::think::{Base, think};
use crate::error::{Error, Result};
use crate::model::{AccessKeyId, AccountId, UserName};

/// Goes on where a rotation stopped.
///
/// # Errors
/// As the steps; `other-account` when the credentials are not those it began with.
pub fn go_on(seams: &Seams<'_>, wanted: &Wanted<'_>, intent: Intent) -> Result<Rotated> {
    let mut run = reopen(seams, wanted, intent)?;
    steps::all(&mut run)?;
    finished(&run)
}

/// Rebuilds a run from its intent: the plan is made again on the same commit.
fn reopen<'a>(seams: &'a Seams<'a>, wanted: &'a Wanted<'a>, intent: Intent) -> Result<Run<'a>> {
    let old = AccessKeyId::new(intent.old.as_str())?;
    let user = UserName::new(intent.user.as_str())?;
    let account = AccountId::new(intent.account.as_str())?;
    let now = standing(seams.iam, &old, Some(&user))?;
    if now.account != account {
        return Err(super::preflight::other_account(
            &now.account,
            "this rotation began in",
            &account,
            &old,
        ));
    }
    let hold = seams.journal.hold(old.as_str())?;
    let base = Base { reference: intent.base_branch.clone(), commit: intent.base_commit.clone() };
    seams.remote.bring(&base.reference, &base.commit)?;
    let thought = think(seams, wanted, &base)?;
    (seams.note)(&format!("going on with rotation {} after step {}", intent.rotation, intent.step));
    Ok(Run {
        seams,
        wanted,
        thought,
        intent,
        hold,
        user,
        account,
        escrow: None,
        pair: None,
        pull_request: None,
        warnings: Vec::new(),
    })
}

/// What `abort` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aborted {
    /// The rotation.
    pub rotation: String,
    /// The access key that stays.
    pub old: AccessKeyId,
    /// The new access key, and what became of it.
    pub retired: Option<(AccessKeyId, Retired)>,
    /// The branch that was removed.
    pub branch: String,
}

/// Undoes a rotation: the new access key is retired, branch and escrow are removed. The old access
/// key is not touched.
///
/// # Errors
/// `already-merged` (use `reactivate --revert`), or why the new key may not be retired.
pub fn undo(seams: &Seams<'_>, wanted: &Wanted<'_>, intent: Intent) -> Result<Aborted> {
    let run = reopen(seams, wanted, intent)?;
    let mut retired = None;
    let candidates = left_behind(&run)?;
    for id in candidates {
        retired = Some((id.clone(), retire(&run, &id)?));
    }
    if let (Some(commit), Some(_)) =
        (&run.intent.branch_commit, seams.remote.ref_at(&run.reference())?)
    {
        seams.remote.delete_ref(&run.reference(), commit)?;
    }
    run.intent.forget(&run.hold)?;
    Ok(Aborted {
        rotation: run.intent.rotation.clone(),
        old: run.wanted.old.clone(),
        retired,
        branch: run.intent.branch.clone(),
    })
}

/// The access keys that this rotation made: the one it knows, or the one whose answer was lost.
fn left_behind(run: &Run<'_>) -> Result<Vec<AccessKeyId>> {
    if run.intent.given {
        return Ok(Vec::new());
    }
    let listed = run.seams.iam.access_keys(&run.user)?;
    let unknown: Vec<AccessKeyId> = listed
        .keys
        .into_iter()
        .map(|key| key.id)
        .filter(|id| !run.intent.listed.iter().any(|known| known == id.as_str()))
        .collect();
    if unknown.len() > 1 {
        return Err(Error::refused(
            "unknown-access-keys",
            format!("user {} has more than one access key that stood not there before", run.user),
        )
        .hint("a human must decide which of them to delete"));
    }
    let made_here = run.intent.create_sent || run.intent.new.is_some();
    Ok(if made_here { unknown } else { Vec::new() })
}
