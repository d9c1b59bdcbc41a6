//! A whole rotation, in six beats: read, think, rehearse, issue, write, publish.

use super::adopt::{Found, adopt};
use super::intent::Intent;
use super::preflight::{Standing, only_key, other_account, standing};
use super::run::Run;
use super::seams::{Seams, Wanted};
use super::steps;
use super::think::{Base, Thought, rehearse, think};
use super::trailers::branch;
use crate::breakage;
use crate::error::{Error, Result};
use crate::model::{AccessKeyId, KeyStatus, Occurrence, Place, Role, Scheme, UserName};
use crate::repo::{Lease, Rehearse};

/// One planned or made replacement, for the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Where.
    pub place: Place,
    /// What.
    pub role: Role,
    /// How it is sealed.
    pub scheme: Scheme,
}

impl From<Occurrence> for Replacement {
    fn from(one: Occurrence) -> Self {
        Self { place: one.place, role: one.role, scheme: one.scheme }
    }
}

/// The answer of `rotate`.
#[derive(Debug)]
pub struct Rotated {
    /// The rotation; empty on a dry run.
    pub rotation: String,
    /// The owner.
    pub user: UserName,
    /// The access key that goes.
    pub old: AccessKeyId,
    /// The access key that comes; `None` on a dry run.
    pub new: Option<AccessKeyId>,
    /// The rotation's branch.
    pub branch: String,
    /// The base branch.
    pub base: String,
    /// The commit that was read.
    pub base_commit: String,
    /// The commit with the new pair; `None` on a dry run.
    pub commit: Option<String>,
    /// The pull request's page.
    pub pull_request: Option<String>,
    /// The file with the request's text (`local` forge).
    pub request_file: Option<String>,
    /// What changes.
    pub changes: Vec<Replacement>,
    /// What was left undone without harm.
    pub warnings: Vec<String>,
    /// Whether an open rotation was found and nothing new was made.
    pub adopted: bool,
}

/// Whether anything is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Plans, rehearses and stops.
    DryRun,
    /// Rotates.
    Real,
}

/// Asks whether a plan is meant; an error stops the rotation before anything is made.
pub type Confirm<'c> = dyn Fn(&Thought, &Standing) -> Result<()> + 'c;

/// Rotates one access key, or finds the rotation that is already open.
///
/// # Errors
/// Refusals before anything exists; afterwards errors that name `keyroll resume`.
pub fn rotate(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    mode: Mode,
    confirm: &Confirm<'_>,
) -> Result<Rotated> {
    let standing = standing(seams.iam, &wanted.old, wanted.user.as_ref())?;
    let base = Base::read(seams.remote, wanted.base.as_deref())?;
    match adopt(seams, wanted, &standing, &base, mode)? {
        Found::Open(answer) => return Ok(*answer),
        Found::Ours(intent) => return under_way(seams, wanted, &standing, &intent, mode, confirm),
        Found::Nothing => {}
    }
    room_for_one_more(seams, wanted, &standing)?;
    let thought = think(seams, wanted, &base)?;
    right_accounts(wanted, &standing, &thought)?;
    rehearse(seams, &thought)?;
    if !breakage::is_on("I4") {
        outside_is_ready(seams, wanted, &standing, &base)?;
    }
    if mode == Mode::DryRun {
        return Ok(planned(wanted, &standing, &thought));
    }
    confirm(&thought, &standing)?;
    let mut run = Run::begin(seams, wanted, &standing, thought)?;
    steps::all(&mut run)?;
    finished(&run)
}

/// Goes on with a rotation that this machine began; a dry run only plans on the same commit.
fn under_way(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    standing: &Standing,
    intent: &Intent,
    mode: Mode,
    confirm: &Confirm<'_>,
) -> Result<Rotated> {
    if mode == Mode::DryRun {
        let base =
            Base { reference: intent.base_branch.clone(), commit: intent.base_commit.clone() };
        seams.remote.bring(&base.reference, &base.commit)?;
        let mut answer = planned(wanted, standing, &think(seams, wanted, &base)?);
        answer.warnings.push(format!(
            "this rotation was begun here and cut short after step `{}`: without --dry-run it goes on",
            intent.step
        ));
        return Ok(answer);
    }
    let mut run = super::resume::reopen(seams, wanted, intent)?;
    confirm(&run.thought, standing)?;
    steps::all(&mut run)?;
    finished(&run)
}

fn room_for_one_more(seams: &Seams<'_>, wanted: &Wanted<'_>, standing: &Standing) -> Result<()> {
    let Some(given) = &wanted.given else { return only_key(seams.iam, standing, &wanted.old) };
    if given.id == wanted.old {
        return Err(Error::refused(
            "same-access-key",
            format!("the new pair is the old one: {}", given.id),
        ));
    }
    if let Some(key) = standing.listed.keys.iter().find(|key| key.id == given.id) {
        if key.status == KeyStatus::Active {
            return Ok(());
        }
        return Err(Error::refused(
            "new-key-not-active",
            format!(
                "the given access key is {}: {}",
                crate::model::visible(key.status.word()),
                given.id
            ),
        )
        .hint("switch it on first; nothing was changed"));
    }
    Err(Error::refused(
        "other-user",
        format!("the given access key does not belong to user {}: {}", standing.user, given.id),
    )
    .hint("both access keys must belong to one IAM user"))
}

fn right_accounts(wanted: &Wanted<'_>, standing: &Standing, thought: &Thought) -> Result<()> {
    for path in thought.plan.files() {
        if let Some(account) = (wanted.account_of)(path)
            && account != standing.account
        {
            let who = format!("keyroll.yaml gives {path} the account");
            return Err(other_account(&standing.account, &who, &account, &wanted.old));
        }
    }
    Ok(())
}

/// The branch can be pushed and a pull request opened, as far as that can be known without doing it.
fn outside_is_ready(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    standing: &Standing,
    base: &Base,
) -> Result<()> {
    let reference =
        format!("refs/heads/{}", branch(&wanted.branch_prefix, &standing.user, &wanted.old));
    seams.remote.push(&reference, &base.commit, Lease::Absent, Rehearse::Yes)?;
    seams.forge.preflight().map(drop)
}

fn replacements(thought: &Thought) -> Vec<Replacement> {
    let one = |swap: &crate::model::Swap| Replacement {
        place: swap.place.clone(),
        role: swap.role.clone(),
        scheme: swap.scheme.clone(),
    };
    thought.plan.swaps().iter().map(one).collect()
}

fn planned(wanted: &Wanted<'_>, standing: &Standing, thought: &Thought) -> Rotated {
    Rotated {
        rotation: String::new(),
        user: standing.user.clone(),
        old: wanted.old.clone(),
        new: None,
        branch: branch(&wanted.branch_prefix, &standing.user, &wanted.old),
        base: thought.base.branch().to_owned(),
        base_commit: thought.base.commit.clone(),
        commit: None,
        pull_request: None,
        request_file: None,
        changes: replacements(thought),
        warnings: Vec::new(),
        adopted: false,
    }
}

/// The answer of a run that did all its steps.
///
/// # Errors
/// A defect only.
pub(super) fn finished(run: &Run<'_>) -> Result<Rotated> {
    let request = run.pull_request.as_ref();
    let file = request.and_then(|one| one.file.as_ref());
    Ok(Rotated {
        rotation: run.intent.rotation.clone(),
        user: run.user.clone(),
        old: run.wanted.old.clone(),
        new: Some(run.new_id()?),
        branch: run.intent.branch.clone(),
        base: run.thought.base.branch().to_owned(),
        base_commit: run.thought.base.commit.clone(),
        commit: run.intent.rewritten.clone(),
        pull_request: request.and_then(|one| one.url.clone()),
        request_file: file.map(|file| file.to_string_lossy().into_owned()),
        changes: replacements(&run.thought),
        warnings: run.warnings.clone(),
        adopted: false,
    })
}
