//! Finishes a rotation that was cut short on this machine.

use super::intent::Intent;
use super::preflight::standing;
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
    let mut run = reopen(seams, wanted, &intent)?;
    steps::all(&mut run)?;
    finished(&run)
}

/// Rebuilds a run from its intent: the plan is made again on the same commit.
///
/// # Errors
/// As [`go_on`]; `rotation-ended` when another keyroll was faster.
pub(super) fn reopen<'a>(
    seams: &'a Seams<'a>,
    wanted: &'a Wanted<'a>,
    intent: &Intent,
) -> Result<Run<'a>> {
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
    // What was read before the hold may be old: another keyroll can have gone on or ended it.
    let Some(intent) = intent.again(seams.journal)? else {
        return Err(Error::refused("rotation-ended", "another keyroll has ended this rotation")
            .hint("run `keyroll rotate` again: it finds what is open"));
    };
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
        merged: false,
        warnings: Vec::new(),
    })
}
