//! `keyroll reactivate`: IAM first and alone; the ledger and the pull request that brings the old
//! pair back come after, when the repository can be reached.

use super::args::{self, ReactivateArgs};
use super::outside::aws;
use super::ready::{Ready, Words};
use super::recorded::Recorded;
use super::rotate::Wishes;
use super::session::Session;
use super::tracked;
use crate::error::{Error, Kind, Result};
use crate::model::AccessKeyId;
use crate::protocol::{
    self, Reactivated, Reverted, Scribe, Tracked, record_reactivated, record_revert,
};
use crate::report::{Outcome, Restored, Switched};

/// Switches an access key on again.
///
/// # Errors
/// What IAM answered; with `--revert`, why there is no pull request: the access key is Active then.
pub(super) fn reactivate(session: &Session, args: &ReactivateArgs) -> Result<Outcome> {
    let id = AccessKeyId::new(args.id.as_str())?;
    if !args.revert {
        nothing_ignored(args)?;
    }
    let aws = aws(&args.aws, None)?;
    let done = protocol::reactivate(&aws, &id, args.user.as_ref(), &Session::now)?;
    let word = if done.changed { "it is Active again" } else { "it is Active" };
    session.note(&format!("{word}: {id}"));
    let mut warnings = Vec::new();
    let recorded = match record(session, args, &done) {
        Ok(recorded) => recorded,
        Err(error) => {
            warnings.push(format!(
                "the ledger does not say that it is Active ({}): run `keyroll reactivate {id}` again, inside the repository, to record it",
                error.message()
            ));
            false
        }
    };
    let reverted = match args.revert {
        false => None,
        true => Some(revert(session, args, &done, &mut warnings).map_err(|error| {
            error.hint(format!("only the pull request is missing, it is Active: {id}"))
        })?),
    };
    Ok(answer(session, args, &done, recorded, reverted.as_ref(), &warnings))
}

/// Writes it down; `false` where no ledger is kept.
fn record(session: &Session, args: &ReactivateArgs, done: &Reactivated) -> Result<bool> {
    let recorded = Recorded::open(session, args.target.as_deref(), &args.repository)?;
    let Some(scribe) = recorded.scribe() else { return Ok(false) };
    record_reactivated(&scribe, done, args.reason.as_deref())?;
    Ok(true)
}

/// Opens the pull request that brings the old pair back.
fn revert(
    session: &Session,
    args: &ReactivateArgs,
    done: &Reactivated,
    warnings: &mut Vec<String>,
) -> Result<Reverted> {
    let words = Words {
        target: args.target.as_deref(),
        repository: &args.repository,
        aws: &args.aws,
        forge: &args.forge,
    };
    let ready = Ready::open(session, &words)?;
    let seams = ready.seams();
    let rotation = Tracked::find(&seams, &done.id)?;
    let Some((rotation, new)) = rotation.and_then(|one| Some((one.clone(), one.new?))) else {
        return Err(Error::refused(
            "not-recorded",
            format!("nothing tells which access key had replaced it: {}", done.id),
        )
        .hint("find the places with `keyroll find NEW-ID`, and put the old pair back by hand"));
    };
    let wishes = Wishes { ready: &ready };
    let mut wanted = tracked::wanted(&wishes, &rotation)?;
    wanted.old = new;
    let reverted = protocol::revert(&seams, &wanted, &rotation, &done.user)?;
    ready.quiet();
    warnings.extend(reverted.warnings.iter().cloned());
    if let Some(scribe) = Scribe::of(&seams)
        && let Err(error) = record_revert(&scribe, done, &reverted)
    {
        warnings
            .push(format!("the ledger does not tell of the pull request ({})", error.message()));
    }
    Ok(reverted)
}

fn answer(
    session: &Session,
    args: &ReactivateArgs,
    done: &Reactivated,
    recorded: bool,
    reverted: Option<&Reverted>,
    warnings: &[String],
) -> Outcome {
    let switched = Switched {
        id: &done.id,
        user: &done.user,
        account: done.caller.as_ref().map(|caller| &caller.account),
        changed: done.changed,
        at: done.at,
        recorded,
        reason: args.reason.as_deref(),
        evidence: &[],
        warnings,
    };
    let restored = reverted.map(|one| Restored {
        new: &one.new,
        branch: &one.branch,
        base: &one.base,
        commit: one.commit.as_deref(),
        pull_request: one.pull_request.as_deref(),
        request_file: one.request_file.as_deref(),
        changes: one.changes.iter().map(|one| (&one.place, &one.role, &one.scheme)).collect(),
    });
    crate::report::reactivate(&switched, restored.as_ref(), (session.width, session.paint))
}

/// Words that only the pull request would use are refused without it.
fn nothing_ignored(args: &ReactivateArgs) -> Result<()> {
    let args::Repository { include, exclude, environment, identity, .. } = &args.repository;
    let forge = &args.forge;
    let given = [
        ("--include", !include.is_empty()),
        ("--exclude", !exclude.is_empty()),
        ("--environment", !environment.is_empty()),
        ("--identity", !identity.is_empty()),
        ("--forge", forge.forge.is_some()),
        ("--github-api-url", forge.github_api_url.is_some()),
        ("--github-repository", forge.github_repository.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((word, _)) => Err(Error::new(
            Kind::Usage,
            "needs-revert",
            format!("{word} says how a pull request is made, and none was asked for"),
        )
        .hint("add --revert, or leave it out")),
    }
}
