//! `keyroll status`, `attest`, `observe` and `ledger show`: what is known of rotations in flight.

use super::args::{self, AttestArgs, LedgerArgs, LedgerCommand, ObserveArgs, Origin, StatusArgs};
use super::outside::confirm;
use super::ready::{Ready, Words};
use super::rotate::Wishes;
use super::session::Session;
use super::tracked;
use super::verify::no_record;
use crate::error::Result;
use crate::model::{UserName, visible};
use crate::protocol::{self, Record, Tracked};
use crate::repo::{Event, Ledger};
use crate::report::{self, Outcome};

/// Every rotation in flight and what it waits for.
///
/// # Errors
/// When repository, remote or journal cannot be read. AWS may be out of reach.
pub(super) fn status(session: &Session, args: &StatusArgs) -> Result<Outcome> {
    let target = args.target.as_deref();
    let words = Words { target, repository: &args.repository, aws: &args.aws, forge: &args.forge };
    let ready = Ready::looking(session, &words)?;
    let seams = ready.seams();
    let wishes = Wishes { ready: &ready };
    let settled = |one: &Tracked| {
        Ok((tracked::wanted(&wishes, one)?, tracked::extra(&ready, one, Record::No)))
    };
    let users: Vec<UserName> =
        ready.settings.config.users.iter().map(|one| one.name.clone()).collect();
    let status = protocol::status(&seams, &settled, &users)?;
    ready.quiet();
    let rotations: Vec<report::Flight<'_>> = status
        .rotations
        .iter()
        .map(|one| report::Flight {
            rotation: &one.rotation,
            old: &one.old,
            new: one.new.as_ref(),
            user: &one.user,
            step: one.step,
            waits_for: &one.waits_for,
            next: one.next.as_deref(),
            next_check_at: one.next_check_at,
            started_at: one.started_at,
            branch: one.branch.as_deref(),
            pull_request: one.pull_request.as_deref(),
            late: one.late,
        })
        .collect();
    let leftover: Vec<_> = status
        .leftover
        .iter()
        .map(|one| (&one.id, &one.user, one.inactive_since, one.next.as_str()))
        .collect();
    let overdue: Vec<_> =
        status.overdue.iter().map(|one| (&one.id, &one.user, one.created)).collect();
    let answer = report::InFlight {
        repository: &seams.remote.shown(),
        rotations: &rotations,
        leftover: &leftover,
        overdue: &overdue,
        max_age: seams.policy.max_age,
        unread: &status.unread,
        now: status.read_at,
        strict: args.fail_if_overdue,
    };
    Ok(report::status(&answer, session.width, session.paint))
}

/// A person vouches for a consumer.
///
/// # Errors
/// `no-record`, `no-ledger`, `unknown-consumer`; when the ledger cannot be written.
pub(super) fn attest(session: &Session, args: &AttestArgs) -> Result<Outcome> {
    let opened = Opened::new(&args.origin);
    let ready = Ready::looking(session, &opened.words(args.target.as_deref(), &opened.aws))?;
    let old = ready.settings.pattern.parse(&args.id)?;
    let seams = ready.seams();
    let found = Tracked::find(&seams, &old)?.ok_or_else(|| no_record(&old))?;
    let wishes = Wishes { ready: &ready };
    let wanted = tracked::wanted(&wishes, &found)?;
    let consumers = protocol::consumer(&seams, &wanted, &found, &args.place)?;
    let (place, by) = (visible(&args.place), visible(&args.by));
    confirm(
        session,
        args.yes,
        &format!("Record that {by} vouches: `{place}` runs without {old}?"),
    )?;
    let done = protocol::attest(&seams, &found, &consumers, &args.place, &args.by)?;
    ready.quiet();
    Ok(report::attest(&old, &done.place, &done.by, done.at, &done.remaining))
}

/// Notes last-used dates of tracked access keys.
///
/// # Errors
/// `no-ledger`; when the ledger cannot be read or written.
pub(super) fn observe(session: &Session, args: &ObserveArgs) -> Result<Outcome> {
    let opened = Opened::new(&args.origin);
    let ready = Ready::looking(session, &opened.words(args.target.as_deref(), &args.aws))?;
    let seams = ready.seams();
    confirm(
        session,
        args.yes,
        &format!("Note last-used dates in the ledger of {}?", seams.remote.shown()),
    )?;
    let seen = protocol::observe(&seams)?;
    ready.quiet();
    let keys: Vec<_> = seen.observed.iter().map(|one| (&one.key, &one.user, one.read_at)).collect();
    Ok(report::observe(&seams.remote.shown(), &keys, seen.recorded, &seen.unread))
}

/// What the ledger holds.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) fn ledger(session: &Session, args: &LedgerArgs) -> Result<Outcome> {
    let LedgerCommand::Show(args) = &args.command;
    let opened = Opened::new(&args.origin);
    let ready = Ready::looking(session, &opened.words(args.target.as_deref(), &opened.aws))?;
    let id = ready.settings.pattern.parse(&args.id)?;
    let remote = &ready.connected.remote;
    // A new access key's life begins in the record of the old one.
    let mut events: Vec<Event> = Vec::new();
    for (of, lines) in Ledger::of(remote).read_all()? {
        let ours = |event: &Event| of == id || event.new.as_deref() == Some(id.as_str());
        events.extend(lines.into_iter().filter(ours));
    }
    events.sort_by(|a, b| a.at.cmp(&b.at));
    ready.quiet();
    let lines: Vec<report::Line<'_>> = events.iter().map(line).collect();
    Ok(report::ledger(&remote.shown(), &id, &lines, session.width, session.paint))
}

fn line(event: &Event) -> report::Line<'_> {
    report::Line {
        word: serde_json::to_value(&event.event)
            .ok()
            .and_then(|word| word.as_str().map(str::to_owned))
            .unwrap_or_default(),
        at: &event.at,
        actor: event.actor.as_deref(),
        user: event.user.as_deref(),
        old: event.old.as_deref(),
        new: event.new.as_deref(),
        rotation: event.rotation.as_deref(),
        evidence: &event.evidence,
    }
}

/// The words of a verb that opens no sealed value and asks no forge.
struct Opened {
    repository: args::Repository,
    forge: args::Forge,
    aws: args::Aws,
}

impl Opened {
    fn new(origin: &Origin) -> Self {
        Self {
            repository: args::Repository {
                origin: origin.clone(),
                include: Vec::new(),
                exclude: Vec::new(),
                environment: Vec::new(),
                identity: Vec::new(),
            },
            forge: args::Forge { forge: None, github_api_url: None, github_repository: None },
            aws: args::Aws {
                aws_profile: None,
                aws_role_arn: None,
                aws_region: None,
                aws_endpoint: None,
            },
        }
    }

    const fn words<'w>(&'w self, target: Option<&'w str>, aws: &'w args::Aws) -> Words<'w> {
        Words { target, repository: &self.repository, aws, forge: &self.forge }
    }
}
