//! The answers of `attest`, `observe` and `ledger show`.

use serde_json::{Map, Value, json};

use super::Outcome;
use super::text::{Page, Paint, plural};
use crate::model::{AccessKeyId, KeyFacts, KeyStatus, Timestamp, UserName, visible};

/// The answer of `attest`. Exit code 0.
#[must_use]
pub fn attest(
    old: &AccessKeyId,
    place: &str,
    by: &str,
    at: Timestamp,
    remaining: &[String],
) -> Outcome {
    let mut human =
        format!("recorded: {} vouches for {}, since {at}\n", visible(by), visible(place));
    match remaining {
        [] => human.push_str("nobody else is waited for\n"),
        open => {
            human.push_str(&format!("not vouched for yet ({}):\n", plural(open.len(), "consumer")));
            for name in open {
                human.push_str(&format!("  {}\n", visible(name)));
            }
        }
    }
    human.push_str(&format!("next: keyroll verify {old}\n"));
    let json = json!({
        "version": 1,
        "command": "attest",
        "access_key_id": old.as_str(),
        "place": place,
        "by": by,
        "at": at.to_string(),
        "recorded": true,
        "remaining": remaining,
    });
    Outcome { code: 0, human, json, sarif: None }
}

/// The answer of `observe`. Exit code 0, or 2 where something could not be read.
#[must_use]
pub fn observe(
    repository: &str,
    keys: &[(&KeyFacts, &UserName, Timestamp)],
    recorded: bool,
    unread: &[String],
) -> Outcome {
    let mut human = String::new();
    for (key, user, _) in keys {
        let used = match key.last_used.at {
            Some(at) => {
                let service = visible(&key.last_used.service);
                format!(
                    "last used {at} (service {service}, region {})",
                    visible(&key.last_used.region)
                )
            }
            None => "no use recorded".to_owned(),
        };
        let status = key.status.as_ref().map_or("gone", KeyStatus::word);
        human.push_str(&format!("user {user}, {}, {used}: {}\n", visible(status), key.id));
    }
    if keys.is_empty() && unread.is_empty() {
        human.push_str("no rotation is in flight: there is nothing to observe\n");
    }
    human.push_str(if recorded { "noted in the ledger\n" } else { "nothing new to note\n" });
    for clause in unread {
        human.push_str(&format!("unknown: {}\n", visible(clause)));
    }
    let observed = keys.iter().map(|(key, user, read_at)| {
        json!({
            "access_key_id": key.id.as_str(),
            "user": user.as_str(),
            "status": key.status.as_ref().map(KeyStatus::word),
            "last_used_at": key.last_used.at.map(|at| at.to_string()),
            "service": key.last_used.service,
            "region": key.last_used.region,
            "read_at": read_at.to_string(),
        })
    });
    let json = json!({
        "version": 1,
        "command": "observe",
        "repository": repository,
        "observed": observed.collect::<Vec<_>>(),
        "recorded": recorded,
        "unread": unread,
    });
    Outcome { code: if unread.is_empty() { 0 } else { 2 }, human, json, sarif: None }
}

/// One line of the ledger.
pub struct Line<'a> {
    /// What happened.
    pub word: String,
    /// When, as it is written.
    pub at: &'a str,
    /// Who.
    pub actor: Option<&'a str>,
    /// The IAM user.
    pub user: Option<&'a str>,
    /// The access key that goes.
    pub old: Option<&'a str>,
    /// The access key that comes.
    pub new: Option<&'a str>,
    /// The rotation.
    pub rotation: Option<&'a str>,
    /// What it rests on.
    pub evidence: &'a Map<String, Value>,
}

/// The answer of `ledger show`. Exit code 0, or 1 where nothing is recorded.
#[must_use]
pub fn ledger(
    repository: &str,
    id: &AccessKeyId,
    lines: &[Line<'_>],
    width: usize,
    paint: Paint,
) -> Outcome {
    let mut page = Page::new(width, paint);
    if lines.is_empty() {
        page.line(&format!("nothing is recorded of {id}"));
    }
    for line in lines {
        let actor = line.actor.map(|who| format!(" by {}", visible(who))).unwrap_or_default();
        page.heading(&format!("{}  {}{actor}", visible(line.at), visible(&line.word)));
        for (name, value) in line.evidence {
            evidence(&mut page, name, value);
        }
    }
    let event = |line: &Line<'_>| {
        json!({
            "event": line.word,
            "at": line.at,
            "actor": line.actor,
            "rotation": line.rotation,
            "old": line.old,
            "new": line.new,
            "evidence": line.evidence,
        })
    };
    let json = json!({
        "version": 1,
        "command": "ledger",
        "repository": repository,
        "access_key_id": id.as_str(),
        "user": lines.iter().rev().find_map(|line| line.user),
        "events": lines.iter().map(event).collect::<Vec<_>>(),
    });
    Outcome { code: u8::from(lines.is_empty()), human: page.done(), json, sarif: None }
}

/// One thing recorded: on its own line, or each item of a list on one; nothing for what says nothing.
fn evidence(page: &mut Page, name: &str, value: &Value) {
    let name = visible(name);
    match value {
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            page.line(&format!("    {name}:"));
            let mut items: Vec<String> = items.iter().map(item).collect();
            // ID and secret of one entry stand at one place.
            items.dedup();
            items.iter().for_each(|item| page.wrapped(6, &visible(item)));
        }
        other => page.wrapped(4, &format!("{name}: {}", visible(&item(other)))),
    }
}

/// A place as `path:line`, a fact as `fact (source): value`, a text as it is, all else as JSON.
fn item(value: &Value) -> String {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    match (value, field("path"), field("fact")) {
        (_, Some(path), _) => match value.get("line") {
            Some(line) => format!("{path}:{line}"),
            None => path.to_owned(),
        },
        (_, None, Some(fact)) => {
            let source = field("source").map(|source| format!(" ({source})")).unwrap_or_default();
            format!("{fact}{source}: {}", field("value").unwrap_or_default())
        }
        (Value::String(text), ..) => text.clone(),
        (other, ..) => other.to_string(),
    }
}
