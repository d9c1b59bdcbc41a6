//! The answers of `rotate`, `resume` and `abort`.

use serde_json::{Value, json};

use super::Outcome;
use super::find::place as place_fields;
use super::text::{Page, Paint, plural};
use crate::model::{AccessKeyId, Place, RepoPath, Role, Scheme, UserName, visible};

/// Everything that `rotate` has to say.
pub struct Rotation<'a> {
    /// The rotation; empty on a dry run.
    pub rotation: &'a str,
    /// The owner.
    pub user: &'a UserName,
    /// The access key that goes.
    pub old: &'a AccessKeyId,
    /// The access key that comes.
    pub new: Option<&'a AccessKeyId>,
    /// Whether nothing was made.
    pub dry_run: bool,
    /// Whether an open rotation was found.
    pub adopted: bool,
    /// The rotation's branch.
    pub branch: &'a str,
    /// The base branch.
    pub base: &'a str,
    /// The commit that was read.
    pub base_commit: &'a str,
    /// The commit with the new pair.
    pub commit: Option<&'a str>,
    /// The pull request's page.
    pub pull_request: Option<&'a str>,
    /// The file with the request's text.
    pub request_file: Option<&'a str>,
    /// What changes.
    pub changes: Vec<(&'a Place, &'a Role, &'a Scheme)>,
    /// What was left undone without harm.
    pub warnings: &'a [String],
}

/// The answer as text and JSON. Exit code 0.
#[must_use]
pub fn rotate(facts: &Rotation<'_>, width: usize, paint: Paint) -> Outcome {
    let plan = facts.dry_run && !facts.adopted;
    let human = if plan { planned(facts, width, paint) } else { done(facts, width, paint) };
    Outcome { code: 0, human, json: json_of(facts), sarif: None }
}

/// The plan and a diff in which every value is left out.
fn planned(facts: &Rotation<'_>, width: usize, paint: Paint) -> String {
    let mut page = Page::new(width, paint);
    page.heading("dry run: nothing was changed anywhere");
    page.gap();
    page.wrapped(
        0,
        &format!("user {}, branch {} on {}", facts.user, facts.branch, visible(facts.base)),
    );
    let mut path: Option<&RepoPath> = None;
    for (place, role, scheme) in &facts.changes {
        if path != Some(&place.path) {
            page.gap();
            page.line(&format!("--- a/{}", place.path));
            page.line(&format!("+++ b/{}", place.path));
            path = Some(&place.path);
        }
        page.line(format!("@@ line {} @@ {}", place.line, place.route).trim_end());
        let (old, new) = match role {
            Role::Id => (facts.old.to_string(), "the new access key ID"),
            _ => ("the old secret".to_owned(), "the new secret"),
        };
        page.line(&format!("-[{scheme}: {old}]"));
        page.line(&format!("+[{scheme}: {new}]"));
    }
    page.gap();
    for warning in facts.warnings {
        page.wrapped(0, &format!("note: {}", visible(warning)));
    }
    let files = facts
        .changes
        .iter()
        .map(|(place, ..)| &place.path)
        .collect::<std::collections::BTreeSet<_>>();
    page.wrapped(
        0,
        &format!(
            "{} in {}; rehearsed with a stand-in pair",
            plural(facts.changes.len(), "replacement"),
            plural(files.len(), "file")
        ),
    );
    page.done()
}

fn done(facts: &Rotation<'_>, width: usize, paint: Paint) -> String {
    let mut page = Page::new(width, paint);
    page.heading(if facts.adopted { "this rotation is already open" } else { "rotated" });
    page.line(&format!("  user    {}", facts.user));
    page.line(&format!("  old     {}", facts.old));
    if let Some(new) = facts.new {
        page.line(&format!("  new     {new}"));
    }
    page.line(&format!("  branch  {}", facts.branch));
    page.line(&format!("  base    {}", visible(facts.base)));
    if let Some(url) = facts.pull_request {
        page.line(&format!("  pull request  {}", visible(url)));
    }
    if let Some(file) = facts.request_file {
        page.line(&format!("  its text      {}", visible(file)));
    }
    page.gap();
    let mut path: Option<&RepoPath> = None;
    for (place, role, scheme) in &facts.changes {
        if path != Some(&place.path) {
            page.line(&format!("  {}", place.path));
            path = Some(&place.path);
        }
        page.line(&format!("{:>7}  {:<6}  {}", place.line, role.word(), place.route));
        page.line(&format!("{:17}{scheme}", ""));
    }
    page.gap();
    for warning in facts.warnings {
        page.wrapped(0, &format!("note: {}", visible(warning)));
    }
    page.gap();
    page.wrapped(0, "merging does not deploy by itself; the old access key stays Active until you switch it off");
    page.wrapped(0, &format!("next: review and merge, deploy, then keyroll verify {}", facts.old));
    page.done()
}

fn json_of(facts: &Rotation<'_>) -> Value {
    let changes: Vec<Value> = facts
        .changes
        .iter()
        .map(|(place, role, scheme)| {
            let mut fields = place_fields(place);
            fields.insert("role".into(), role.word().into());
            fields.insert("scheme".into(), scheme.to_string().into());
            Value::Object(fields)
        })
        .collect();
    json!({
        "version": 1,
        "command": "rotate",
        "rotation": if facts.rotation.is_empty() { Value::Null } else { facts.rotation.into() },
        "user": facts.user.as_str(),
        "old": facts.old.as_str(),
        "new": facts.new.map(AccessKeyId::as_str),
        "dry_run": facts.dry_run,
        "adopted": facts.adopted,
        "branch": facts.branch,
        "base": facts.base,
        "base_commit": facts.base_commit,
        "commit": facts.commit,
        "pull_request": facts.pull_request,
        "request_file": facts.request_file,
        "changes": changes,
        "warnings": facts.warnings,
    })
}

/// The answer of `resume`. Exit code 0.
#[must_use]
pub fn resume(facts: &Rotation<'_>, width: usize, paint: Paint) -> Outcome {
    let mut outcome = rotate(facts, width, paint);
    let mut rotation = outcome.json.take();
    if let Some(fields) = rotation.as_object_mut() {
        for of_rotate in ["version", "command", "dry_run", "adopted"] {
            fields.remove(of_rotate);
        }
    }
    outcome.json = json!({ "version": 1, "command": "resume", "rotations": [rotation] });
    outcome
}

/// The answer of `resume` and `abort` when nothing is under way. Exit code 0.
#[must_use]
pub fn nothing_open(command: &str) -> Outcome {
    Outcome {
        code: 0,
        human: "no rotation was cut short here\n".to_owned(),
        json: json!({ "version": 1, "command": command, "rotations": [] }),
        sarif: None,
    }
}

/// The answer of `abort`. Exit code 0, or 3 when the new access key could only be switched off.
#[must_use]
pub fn abort(
    rotation: &str,
    user: &UserName,
    old: &AccessKeyId,
    retired: Option<(&AccessKeyId, bool)>,
    branch: &str,
) -> Outcome {
    let (became, code) = match retired {
        None => ("no new access key had been made".to_owned(), 0),
        Some((id, true)) => (format!("the new access key was deleted: {id}"), 0),
        Some((id, false)) => (
            format!(
                "the new access key is Inactive, and an administrator must delete it: aws iam delete-access-key --user-name {user} --access-key-id {id}"
            ),
            3,
        ),
    };
    let human = format!("undone: {became}\nthe branch {branch} is removed\nuntouched: {old}\n");
    let retired =
        retired.map(|(id, deleted)| json!({ "access_key_id": id.as_str(), "deleted": deleted }));
    let undone = json!({
        "rotation": rotation,
        "user": user.as_str(),
        "old": old.as_str(),
        "retired": retired,
        "branch": branch,
        "branch_removed": true,
    });
    let json = json!({ "version": 1, "command": "abort", "rotations": [undone] });
    Outcome { code, human, json, sarif: None }
}
