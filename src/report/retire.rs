//! The answers of `deactivate`, `reactivate` and `delete`.

use serde_json::{Value, json};

use super::Outcome;
use super::find::place as place_fields;
use super::text::{Page, Paint};
use crate::model::{
    AccessKeyId, AccountId, Evidence, Place, Role, Scheme, Timestamp, UserName, visible,
};

/// Which access key was switched or deleted, and by whom it was recorded.
pub struct Switched<'a> {
    /// The access key.
    pub id: &'a AccessKeyId,
    /// Its owner.
    pub user: &'a UserName,
    /// The account, where STS told.
    pub account: Option<&'a AccountId>,
    /// Whether anything was changed.
    pub changed: bool,
    /// When, by AWS's clock.
    pub at: Timestamp,
    /// Whether the ledger has it.
    pub recorded: bool,
    /// The reason that was given.
    pub reason: Option<&'a str>,
    /// What it rests on.
    pub evidence: &'a [Evidence],
    /// What was left undone without harm.
    pub warnings: &'a [String],
}

impl Switched<'_> {
    fn json(&self, command: &str, status: Option<&str>) -> Value {
        json!({
            "version": 1,
            "command": command,
            "access_key_id": self.id.as_str(),
            "user": self.user.as_str(),
            "account": self.account.map(AccountId::as_str),
            "status": status,
            "changed": self.changed,
            "at": self.at.to_string(),
            "recorded": self.recorded,
            "reason": self.reason,
            "evidence": self.evidence.iter().map(fact).collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
    }

    fn page(&self, heading: &str, width: usize, paint: Paint) -> Page {
        let mut page = Page::new(width, paint);
        page.heading(&format!("{heading}: {}", self.id));
        let account = self.account.map_or(String::new(), |one| format!(" of account {one}"));
        page.wrapped(2, &format!("user {}{account}", self.user));
        if let Some(reason) = self.reason {
            page.wrapped(2, &format!("reason: {}", visible(reason)));
        }
        if !self.evidence.is_empty() {
            page.gap();
            page.heading("evidence");
        }
        for one in self.evidence {
            page.wrapped(2, &format!("{} ({}): {}", one.fact, one.source, visible(&one.value)));
        }
        page
    }

    fn notes(&self, page: &mut Page) {
        if self.warnings.is_empty() {
            return;
        }
        page.gap();
        for one in self.warnings {
            page.wrapped(0, &format!("warning: {}", visible(one)));
        }
    }
}

fn fact(one: &Evidence) -> Value {
    let at = one.at.map(|at| at.to_string());
    json!({ "fact": one.fact, "value": one.value, "at": at, "source": one.source })
}

/// The answer of `deactivate`. Exit code 0, also when it was off already.
#[must_use]
pub fn deactivate(
    done: &Switched<'_>,
    why: &str,
    breaks: &[String],
    delete_after: Timestamp,
    (width, paint): (usize, Paint),
) -> Outcome {
    let heading = if done.changed { "switched off" } else { "switched off already" };
    let mut page = done.page(heading, width, paint);
    tell_breaks(&mut page, breaks);
    done.notes(&mut page);
    page.gap();
    page.wrapped(0, &format!("off since {} ({why}); if anything breaks, at once:", done.at));
    page.line(&format!("  keyroll reactivate {}", done.id));
    page.wrapped(0, &format!("from {delete_after} it may be deleted:"));
    page.line(&format!("  keyroll delete {0} --confirm {0}", done.id));
    let mut json = done.json("deactivate", Some("Inactive"));
    json["why"] = why.into();
    json["breaks"] = breaks.into();
    json["delete_after"] = delete_after.to_string().into();
    Outcome { code: 0, human: page.done(), json, sarif: None }
}

fn tell_breaks(page: &mut Page, breaks: &[String]) {
    if breaks.is_empty() {
        return;
    }
    page.gap();
    page.heading("stops working");
    for one in breaks {
        page.wrapped(2, one);
    }
}

/// What switching off a compromised access key breaks, for the person who is asked.
#[must_use]
pub fn breaks(id: &AccessKeyId, breaks: &[String], notes: &[String], width: usize) -> String {
    let mut page = Page::new(width, Paint::Plain);
    page.heading(&format!("switching this access key off breaks what uses it: {id}"));
    for one in breaks {
        page.wrapped(2, one);
    }
    if breaks.is_empty() {
        page.wrapped(2, "no use of it is recorded, and it was found nowhere");
    }
    for one in notes {
        page.wrapped(0, &format!("note: {}", visible(one)));
    }
    page.done().trim_end().to_owned()
}

/// The pull request that brings an old pair back.
pub struct Restored<'a> {
    /// The access key that goes.
    pub new: &'a AccessKeyId,
    /// The branch with the commit.
    pub branch: &'a str,
    /// The branch it shall go to.
    pub base: &'a str,
    /// The commit; `None` when base holds the old pair already.
    pub commit: Option<&'a str>,
    /// The pull request's page.
    pub pull_request: Option<&'a str>,
    /// The file with the request's text.
    pub request_file: Option<&'a str>,
    /// What changes.
    pub changes: Vec<(&'a Place, &'a Role, &'a Scheme)>,
}

/// The answer of `reactivate`. Exit code 0, also when it was on already.
#[must_use]
pub fn reactivate(
    done: &Switched<'_>,
    restored: Option<&Restored<'_>>,
    (width, paint): (usize, Paint),
) -> Outcome {
    let heading = if done.changed { "switched on again" } else { "it is on already" };
    let mut page = done.page(heading, width, paint);
    if let Some(one) = restored {
        page.gap();
        tell_restored(&mut page, one);
    }
    done.notes(&mut page);
    page.gap();
    page.wrapped(0, "IAM takes some seconds until every endpoint knows");
    let mut json = done.json("reactivate", Some("Active"));
    json["revert"] = restored.map_or(Value::Null, restored_json);
    Outcome { code: 0, human: page.done(), json, sarif: None }
}

fn tell_restored(page: &mut Page, one: &Restored<'_>) {
    if one.commit.is_none() {
        page.wrapped(0, &format!("{} holds the old pair already", visible(one.base)));
        return;
    }
    page.heading("a pull request brings the old pair back");
    page.wrapped(2, &format!("branch {} on {}", one.branch, visible(one.base)));
    if let Some(url) = one.pull_request {
        page.wrapped(2, &format!("pull request {}", visible(url)));
    }
    if let Some(file) = one.request_file {
        page.wrapped(2, &format!("request's text {}", visible(file)));
    }
    for (place, role, scheme) in &one.changes {
        page.wrapped(2, &format!("{place} ({}, {scheme})", role.word()));
    }
    page.wrapped(2, &format!("merging does not deploy by itself; this one goes: {}", one.new));
}

fn restored_json(one: &Restored<'_>) -> Value {
    let change = |(place, role, scheme): &(&Place, &Role, &Scheme)| {
        let mut fields = place_fields(place);
        fields.insert("role".into(), role.word().into());
        fields.insert("scheme".into(), scheme.to_string().into());
        Value::Object(fields)
    };
    json!({
        "replaces": one.new.as_str(),
        "branch": one.branch,
        "base": one.base,
        "commit": one.commit,
        "pull_request": one.pull_request,
        "request_file": one.request_file,
        "changes": one.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

/// The answer of `delete`. Exit code 0, also when it was gone already.
#[must_use]
pub fn delete(
    done: &Switched<'_>,
    inactive_since: Option<Timestamp>,
    attested: bool,
    (width, paint): (usize, Paint),
) -> Outcome {
    let heading = if done.changed { "deleted" } else { "deleted already" };
    let mut page = done.page(heading, width, paint);
    if attested {
        page.gap();
        page.wrapped(0, "since when it had been off was vouched for by a person, not recorded");
    }
    done.notes(&mut page);
    let mut json = done.json("delete", None);
    json["inactive_since"] = inactive_since.map(|at| at.to_string()).into();
    json["attested"] = attested.into();
    Outcome { code: 0, human: page.done(), json, sarif: None }
}
