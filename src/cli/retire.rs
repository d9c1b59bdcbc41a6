//! `keyroll deactivate` and `delete`: words in, grounds found, the person asked, the answer out.

use super::args::{DeactivateArgs, DeleteArgs};
use super::outside::{aws, confirm};
use super::ready::{Ready, Words};
use super::recorded::{Recorded, unsearched};
use super::rotate::Wishes;
use super::session::Session;
use super::tracked;
use crate::error::{Error, Kind, Result};
use crate::iam::Iam as _;
use crate::model::{AccessKeyId, Policy, Until};
use crate::protocol::{
    self, Deactivated, Deactivation, Deletion, Grounds, Life, Record, Scribe, Seams, Subject,
    Tracked, Why, gather, on_compromise, on_disuse, on_verdict, recorded_successor,
    without_repository,
};
use crate::report::{Outcome, Switched};
use crate::rotation::judge;

/// Switches an access key off.
///
/// # Errors
/// Wrong words; every refusal of the grounds; what the services answered.
pub(super) fn deactivate(session: &Session, args: &DeactivateArgs) -> Result<Outcome> {
    typed_again(&args.id, args.confirm.as_deref())?;
    let words = Words {
        target: args.target.as_deref(),
        repository: &args.repository,
        aws: &args.aws,
        forge: &args.forge,
    };
    let done = match Ready::open(session, &words) {
        Ok(ready) => searched(session, args, &ready)?,
        Err(error) if args.compromised && may_go_on(&error) => alone(session, args, &error)?,
        Err(error) => return Err(error),
    };
    let switched = Switched {
        id: &done.id,
        user: &done.user,
        account: Some(&done.caller.account),
        changed: done.changed,
        at: done.at,
        recorded: done.recorded,
        reason: args.reason.as_deref(),
        evidence: &done.evidence,
        warnings: &done.warnings,
    };
    let form = (session.width, session.paint);
    let why = done.why.word();
    Ok(crate::report::deactivate(&switched, why, &done.breaks, done.delete_after, form))
}

const fn why(args: &DeactivateArgs) -> Why {
    match (args.unused, args.compromised) {
        (true, _) => Why::Unused,
        (_, true) => Why::Compromised,
        _ => Why::Safe,
    }
}

/// A compromised access key does not wait for a repository; wrong words and settings are told.
const fn may_go_on(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Network | Kind::NotFound | Kind::Denied | Kind::Io | Kind::Throttled
    )
}

fn searched(session: &Session, args: &DeactivateArgs, ready: &Ready<'_>) -> Result<Deactivated> {
    let id = ready.settings.pattern.parse(&args.id)?;
    let seams = ready.seams();
    let wishes = Wishes { ready };
    let wanted = Deactivation {
        iam: seams.iam,
        scribe: Scribe::of(&seams),
        policy: seams.policy,
        id: id.clone(),
        why: why(args),
        reason: args.reason.clone(),
    };
    let grounds = |subject: &Subject, life: &Life| match wanted.why {
        Why::Unused => on_disuse(&seams, &wishes.plain(id.clone()), subject, life),
        Why::Compromised => on_compromise(&seams, &wishes.plain(id.clone()), subject, life),
        Why::Safe | Why::FoundInactive => judged(&wishes, &seams, &id, life),
    };
    let agree = |subject: &Subject, grounds: &Grounds| {
        ready.quiet();
        agree(session, args, subject, grounds)
    };
    let done = protocol::deactivate(&wanted, &grounds, &agree)?;
    ready.quiet();
    Ok(done)
}

/// The verdict of right now.
fn judged(
    wishes: &Wishes<'_, '_>,
    seams: &Seams<'_>,
    id: &AccessKeyId,
    life: &Life,
) -> Result<Grounds> {
    let Some(rotation) = Tracked::find(seams, id)? else {
        let missing = || Error::bug(format!("the record names a successor and no rotation: {id}"));
        return Err(recorded_successor(id, life).err().unwrap_or_else(missing));
    };
    let wanted = tracked::wanted(wishes, &rotation)?;
    let extra = tracked::extra(wishes.ready, &rotation, Record::Yes);
    let facts = gather(seams, &wanted, &rotation, &extra)?;
    let verdict = judge(&facts, seams.policy, Until::Quiet);
    on_verdict(id, facts.new.id, verdict)
}

/// Without a repository: IAM alone, and no record.
fn alone(session: &Session, args: &DeactivateArgs, missing: &Error) -> Result<Deactivated> {
    let id = AccessKeyId::new(args.id.as_str())?;
    let aws = aws(&args.aws, None)?;
    let policy = Policy::default();
    let reason = args.reason.clone();
    let why = Why::Compromised;
    let wanted = Deactivation { iam: &aws, scribe: None, policy: &policy, id, why, reason };
    let grounds = |subject: &Subject, _: &Life| {
        let mut grounds = without_repository(&aws, subject);
        grounds.warnings.push(format!(
            "the repository was not looked into and nothing is recorded: {}; run the same command again later",
            missing.message()
        ));
        Ok(grounds)
    };
    let agree = |subject: &Subject, grounds: &Grounds| agree(session, args, subject, grounds);
    protocol::deactivate(&wanted, &grounds, &agree)
}

fn agree(
    session: &Session,
    args: &DeactivateArgs,
    subject: &Subject,
    grounds: &Grounds,
) -> Result<()> {
    let id = &subject.key.id;
    if args.compromised {
        let text = crate::report::breaks(id, &grounds.breaks, &grounds.warnings, session.width);
        session.note(&text);
    }
    let question = format!(
        "Switch off the access key of user {} in account {}: {id}?",
        subject.user, subject.caller.account
    );
    ask(session, args.yes, args.confirm.is_some(), &question)
}

/// Asks a person where there is one. The ID typed twice is as good as `--yes` where there is none.
fn ask(session: &Session, yes: bool, typed_twice: bool, question: &str) -> Result<()> {
    if typed_twice && !session.can_ask {
        return Ok(());
    }
    confirm(session, yes, question)
}

/// `--confirm` names the same access key.
fn typed_again(id: &str, confirm: Option<&str>) -> Result<()> {
    if confirm.is_none_or(|again| again == id) {
        return Ok(());
    }
    Err(Error::refused("wrong-confirmation", "--confirm names another access key")
        .hint("type the ID of the very access key that is meant, twice; nothing was changed"))
}

/// Deletes an access key.
///
/// # Errors
/// Wrong words; every refusal of the protocol; what the services answered.
pub(super) fn delete(session: &Session, args: &DeleteArgs) -> Result<Outcome> {
    typed_again(&args.id, Some(&args.confirm))?;
    let flags = unsearched(&args.origin);
    let recorded = Recorded::open(session, args.target.as_deref(), &flags)?;
    let id = recorded.settings.pattern.parse(&args.id)?;
    let aws = aws(&args.aws, None)?;
    let policy = &recorded.settings.config.policy;
    policy.check(aws.endpoint())?;
    let wanted = Deletion {
        iam: &aws,
        scribe: recorded.scribe(),
        policy,
        id: id.clone(),
        vouched: args.inactive_since,
        reason: args.reason.clone(),
    };
    let done = protocol::delete(&wanted, &|subject| {
        let question = format!(
            "Delete the access key of user {} in account {} for good: {id}?",
            subject.user, subject.caller.account
        );
        ask(session, args.yes, true, &question)
    })?;
    let switched = Switched {
        id: &id,
        user: &done.user,
        account: Some(&done.caller.account),
        changed: done.changed,
        at: done.at,
        recorded: done.recorded,
        reason: args.reason.as_deref(),
        evidence: &done.evidence,
        warnings: &done.warnings,
    };
    let form = (session.width, session.paint);
    Ok(crate::report::delete(&switched, done.inactive_since, done.attested, form))
}
