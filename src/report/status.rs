//! The answer of `status`: what is in flight, what was left behind, what is too old.

use std::time::Duration;

use serde_json::{Value, json};

use super::Outcome;
use super::text::{Page, Paint, ago, plural};
use crate::model::{AccessKeyId, Timestamp, UserName, format_duration, visible};

/// One rotation in flight.
pub struct Flight<'a> {
    /// The rotation.
    pub rotation: &'a str,
    /// The access key that goes.
    pub old: &'a AccessKeyId,
    /// The access key that comes, once it is known.
    pub new: Option<&'a AccessKeyId>,
    /// The IAM user.
    pub user: &'a UserName,
    /// How far it is.
    pub step: &'a str,
    /// One clause.
    pub waits_for: &'a str,
    /// The next command.
    pub next: Option<&'a str>,
    /// When it is worth asking again.
    pub next_check_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// The branch.
    pub branch: Option<&'a str>,
    /// The pull request's page or file.
    pub pull_request: Option<&'a str>,
    /// Whether it waits longer than its windows.
    pub late: bool,
}

/// Everything that `status` has to say.
pub struct InFlight<'a> {
    /// The remote.
    pub repository: &'a str,
    /// The rotations.
    pub rotations: &'a [Flight<'a>],
    /// Access keys that are switched off: ID, user, since when, the command.
    pub leftover: &'a [(&'a AccessKeyId, &'a UserName, Option<Timestamp>, &'a str)],
    /// Access keys older than the policy allows: ID, user, when created.
    pub overdue: &'a [(&'a AccessKeyId, &'a UserName, Option<Timestamp>)],
    /// What the policy allows.
    pub max_age: Duration,
    /// What could not be read.
    pub unread: &'a [String],
    /// AWS's clock, for ages.
    pub now: Timestamp,
    /// `--fail-if-overdue`.
    pub strict: bool,
}

/// The answer as text and JSON. Exit code 0; with `strict` 1 where something is overdue, and 2
/// where that could not be told.
#[must_use]
pub fn status(answer: &InFlight<'_>, width: usize, paint: Paint) -> Outcome {
    let overdue = !answer.overdue.is_empty() || answer.rotations.iter().any(|one| one.late);
    let code = match (answer.strict, overdue, answer.unread.is_empty()) {
        (false, _, _) | (true, false, true) => 0,
        (true, true, _) => 1,
        (true, false, false) => 2,
    };
    let mut page = Page::new(width, paint);
    if answer.rotations.is_empty() {
        page.line("no rotation is in flight");
    }
    for one in answer.rotations {
        flight(&mut page, answer, one);
    }
    left_and_old(&mut page, answer);
    for clause in answer.unread {
        page.gap();
        page.wrapped(0, &format!("unknown: {}", visible(clause)));
    }
    Outcome { code, human: page.done(), json: json_of(answer), sarif: None }
}

fn flight(page: &mut Page, answer: &InFlight<'_>, one: &Flight<'_>) {
    page.gap();
    let late = if one.late { ", overdue" } else { "" };
    page.heading(&format!("{}{late} {}", one.step, one.old));
    let begun = one
        .started_at
        .map_or_else(String::new, |at| format!(", begun {} ({at})", ago(at, answer.now)));
    page.wrapped(2, &format!("user {}{begun}", one.user));
    if let Some(new) = one.new {
        page.wrapped(2, &format!("new access key {new}"));
    }
    if let Some(request) = one.pull_request {
        page.wrapped(2, &format!("pull request {}", visible(request)));
    }
    page.wrapped(2, &format!("waits for: {}", visible(one.waits_for)));
    if let Some(at) = one.next_check_at {
        page.wrapped(2, &format!("ask again at {at}"));
    }
    if let Some(next) = one.next {
        page.wrapped(2, &format!("next: {next}"));
    }
}

fn left_and_old(page: &mut Page, answer: &InFlight<'_>) {
    if !answer.leftover.is_empty() {
        page.gap();
        page.heading(&format!(
            "{} switched off and still there",
            plural(answer.leftover.len(), "access key")
        ));
    }
    for (id, user, since, next) in answer.leftover {
        let since = since.map_or_else(String::new, |at| format!(", off since {at}"));
        page.wrapped(2, &format!("user {user}{since}: {id}"));
        page.wrapped(4, next);
    }
    if !answer.overdue.is_empty() {
        page.gap();
        page.heading(&format!(
            "{} older than {}",
            plural(answer.overdue.len(), "access key"),
            format_duration(answer.max_age)
        ));
    }
    for (id, user, created) in answer.overdue {
        let age = created.map_or_else(
            || "of unknown age".to_owned(),
            |at| format!("created {} ({at})", ago(at, answer.now)),
        );
        page.wrapped(2, &format!("user {user}, {age}: {id}"));
    }
}

fn json_of(answer: &InFlight<'_>) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let flight = |one: &Flight<'_>| {
        json!({
            "rotation": one.rotation,
            "old": one.old.as_str(),
            "new": one.new.map(AccessKeyId::as_str),
            "user": one.user.as_str(),
            "step": one.step,
            "waits_for": one.waits_for,
            "next": one.next,
            "next_check_at": time(one.next_check_at),
            "started_at": time(one.started_at),
            "branch": one.branch,
            "pull_request": one.pull_request,
            "late": one.late,
        })
    };
    let leftover = answer.leftover.iter().map(|(id, user, since, next)| {
        json!({ "access_key_id": id.as_str(), "user": user.as_str(),
                "inactive_since": time(*since), "next": next })
    });
    let overdue = answer.overdue.iter().map(|(id, user, created)| {
        json!({ "access_key_id": id.as_str(), "user": user.as_str(), "created_at": time(*created) })
    });
    json!({
        "version": 1,
        "command": "status",
        "repository": answer.repository,
        "rotations": answer.rotations.iter().map(flight).collect::<Vec<_>>(),
        "leftover": leftover.collect::<Vec<_>>(),
        "overdue": overdue.collect::<Vec<_>>(),
        "unread": answer.unread,
    })
}
