//! The answer of `find`.

use serde_json::{Value, json};

use super::Outcome;
use super::text::{Page, Paint, ago, plural};
use crate::model::{AccessKeyId, Locked, Occurrence, Place, RepoPath, Role, Timestamp, visible};

/// Everything that `find` has to say.
pub struct Answer<'a> {
    /// The repository, as it was named.
    pub repository: &'a str,
    /// The commit that was read; `None` for the work tree.
    pub commit: Option<&'a str>,
    /// How the commit was named.
    pub reference: &'a str,
    /// When the clone was last fetched.
    pub fetched_at: Option<Timestamp>,
    /// The local clock, for ages.
    pub now: Timestamp,
    /// The access keys that were asked for (or found, with `--all`).
    pub ids: &'a [AccessKeyId],
    /// Every place, in order.
    pub occurrences: &'a [Occurrence],
    /// For each occurrence the newest commit that holds it, with `--history`; else empty.
    pub commits: &'a [String],
    /// IDs with several possible partners, and those.
    pub ambiguous: &'a [(Place, Vec<Place>)],
    /// Values that read one by name, and the name.
    pub indirect: &'a [(Place, String)],
    /// What stayed closed.
    pub locked: &'a [Locked],
    /// Path and kind of what is never searched.
    pub not_searched: &'a [(RepoPath, &'static str)],
    /// Commits and folders of the past that the clone lacks.
    pub missing: usize,
    /// Files whose bytes were read.
    pub files_read: usize,
    /// Sealed values that opened.
    pub values_opened: usize,
}

impl Answer<'_> {
    /// Whether everything that was to be searched could be.
    fn is_complete(&self) -> bool {
        self.locked.is_empty() && self.missing == 0
    }
}

/// The answer as text and JSON. Exit code 0 found, 1 nowhere, 3 when something stayed closed.
#[must_use]
pub fn find(answer: &Answer<'_>, width: usize, paint: Paint) -> Outcome {
    let code = match (answer.is_complete(), answer.occurrences.is_empty()) {
        (false, _) => 3,
        (true, true) => 1,
        (true, false) => 0,
    };
    Outcome { code, human: human(answer, width, paint), json: json_of(answer), sarif: None }
}

fn human(answer: &Answer<'_>, width: usize, paint: Paint) -> String {
    let mut page = Page::new(width, paint);
    places(answer, &mut page);
    for (id, candidates) in answer.ambiguous {
        page.gap();
        page.heading(&format!("not certain which secret belongs to {id}"));
        for candidate in candidates {
            page.wrapped(2, &candidate.to_string());
        }
    }
    if !answer.indirect.is_empty() {
        page.gap();
        page.heading("read by name (hiera interpolation)");
        for (place, through) in answer.indirect {
            page.wrapped(2, &format!("{place} reads {}", visible(through)));
        }
    }
    if !answer.locked.is_empty() {
        page.gap();
        page.heading(&format!("could not look: {}", plural(answer.locked.len(), "value")));
        for one in answer.locked {
            page.wrapped(
                2,
                &format!(
                    "{}: {} ({}, {})",
                    one.place,
                    one.lock.detail,
                    one.scheme,
                    one.lock.reason.word()
                ),
            );
        }
    }
    summary(answer, &mut page);
    page.done()
}

fn places(answer: &Answer<'_>, page: &mut Page) {
    let mut path: Option<&RepoPath> = None;
    for (at, one) in answer.occurrences.iter().enumerate() {
        if path != Some(&one.place.path) {
            page.gap();
            page.heading(&one.place.path.to_string());
            path = Some(&one.place.path);
        }
        let route = one.place.route.to_string();
        let route = if route.is_empty() { "(text)".to_owned() } else { route };
        page.line(&format!("{:>7}  {:<6}  {route}", one.place.line, one.role.word()));
        let mut notes = vec![one.scheme.to_string()];
        notes.extend(one.environment.as_deref().map(visible));
        if one.role == Role::Id {
            notes.push(if one.paired { "secret found" } else { "secret not found" }.to_owned());
        }
        if let Some(identity) = &one.opened_by {
            notes.push(format!("opened with {}", visible(identity)));
        }
        notes.extend(answer.commits.get(at).map(|commit| format!("commit {}", short(commit))));
        if answer.ids.len() > 1 {
            notes.extend(one.id.as_ref().map(ToString::to_string));
        }
        page.wrapped(17, &notes.join(", "));
    }
}

fn summary(answer: &Answer<'_>, page: &mut Page) {
    page.gap();
    for id in answer.ids {
        let count = |role: &Role| {
            let of = |one: &&Occurrence| one.id.as_ref() == Some(id) && one.role == *role;
            answer.occurrences.iter().filter(of).count()
        };
        let (ids, secrets) = (count(&Role::Id), count(&Role::Secret));
        let account = id.account().map_or("account unknown".to_owned(), |a| format!("account {a}"));
        let found = match ids {
            0 => "stands nowhere".to_owned(),
            n => format!("{}, its secret {}", plural(n, "place"), plural(secrets, "place")),
        };
        page.wrapped(0, &format!("{id} ({account}): {found}"));
    }
    for kind in ["symlink", "submodule", "lfs-pointer", "special"] {
        let of_kind: Vec<String> = answer
            .not_searched
            .iter()
            .filter(|(_, what)| *what == kind)
            .map(|(path, _)| path.to_string())
            .collect();
        if !of_kind.is_empty() {
            page.wrapped(
                0,
                &format!("not searched, {}: {}", plural(of_kind.len(), kind), of_kind.join(", ")),
            );
        }
    }
    let fetched =
        answer.fetched_at.map_or(String::new(), |at| format!(", fetched {}", ago(at, answer.now)));
    let commit = answer.commit.map_or(String::new(), |commit| format!(" at {}", short(commit)));
    page.wrapped(
        0,
        &format!(
            "searched {}, opened {}{commit} ({}{fetched})",
            plural(answer.files_read, "file"),
            plural(answer.values_opened, "sealed value"),
            visible(answer.reference)
        ),
    );
    if !answer.locked.is_empty() {
        page.wrapped(0, "this search is not complete: what stayed closed may hold the access key");
    }
    if answer.missing > 0 {
        let lacks = plural(answer.missing, "object");
        let words = format!(
            "this search is not complete: the clone lacks {lacks} of its history; fetch them"
        );
        page.wrapped(0, &words);
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn json_of(answer: &Answer<'_>) -> Value {
    let occurrence_of = |(at, one)| occurrence(one, answer.commits.get(at));
    let accounts: std::collections::BTreeSet<String> =
        answer.ids.iter().filter_map(|id| id.account().map(|a| a.to_string())).collect();
    let account = if accounts.len() == 1 { accounts.first().cloned() } else { None };
    let ids: Vec<Value> = answer
        .ids
        .iter()
        .map(|id| {
            let of = |one: &&Occurrence| one.id.as_ref() == Some(id) && one.role == Role::Id;
            let mine: Vec<&Occurrence> = answer.occurrences.iter().filter(of).collect();
            json!({
                "access_key_id": id.as_str(),
                "account": id.account().map(|a| a.to_string()),
                "occurrences": mine.len(),
                "paired": !mine.is_empty() && mine.iter().all(|one| one.paired),
            })
        })
        .collect();
    json!({
        "version": 1,
        "command": "find",
        "repository": answer.repository,
        "commit": answer.commit,
        "reference": answer.reference,
        "fetched_at": answer.fetched_at.map(|at| at.to_string()),
        "complete": answer.is_complete(),
        "missing": answer.missing,
        "access_keys": ids,
        "occurrences": answer.occurrences.iter().enumerate().map(occurrence_of).collect::<Vec<_>>(),
        "ambiguous": answer.ambiguous.iter().map(ambiguity).collect::<Vec<_>>(),
        "indirect": answer.indirect.iter().map(indirect).collect::<Vec<_>>(),
        "locked": answer.locked.iter().map(locked).collect::<Vec<_>>(),
        "not_searched": answer.not_searched.iter().map(not_searched).collect::<Vec<_>>(),
        "account": account,
        "files_read": answer.files_read,
        "values_opened": answer.values_opened,
    })
}

/// Path, line and route of a place, to which the other fields are added.
#[must_use]
pub(crate) fn place(place: &Place) -> serde_json::Map<String, Value> {
    let mut fields = serde_json::Map::new();
    fields.insert("path".into(), place.path.to_text().into());
    fields.insert("line".into(), place.line.into());
    fields.insert("route".into(), place.route.words().into());
    fields
}

fn occurrence(one: &Occurrence, commit: Option<&String>) -> Value {
    let mut fields = place(&one.place);
    fields.insert("role".into(), one.role.word().into());
    fields.insert("scheme".into(), one.scheme.to_string().into());
    fields.insert("access_key_id".into(), one.id.as_ref().map(ToString::to_string).into());
    fields.insert("paired".into(), one.paired.into());
    fields.insert("environment".into(), one.environment.clone().into());
    fields.insert("identity".into(), one.opened_by.clone().into());
    if let Some(commit) = commit {
        fields.insert("commit".into(), commit.clone().into());
    }
    Value::Object(fields)
}

fn ambiguity((id, candidates): &(Place, Vec<Place>)) -> Value {
    let mut fields = place(id);
    let candidates: Vec<Value> = candidates.iter().map(|one| Value::Object(place(one))).collect();
    fields.insert("candidates".into(), candidates.into());
    Value::Object(fields)
}

fn indirect((at, through): &(Place, String)) -> Value {
    let mut fields = place(at);
    fields.insert("through".into(), through.clone().into());
    Value::Object(fields)
}

/// A value that stayed closed.
#[must_use]
pub(crate) fn locked(one: &Locked) -> Value {
    let mut fields = place(&one.place);
    fields.insert("scheme".into(), one.scheme.to_string().into());
    fields.insert("reason".into(), one.lock.reason.word().into());
    fields.insert("detail".into(), one.lock.detail.clone().into());
    Value::Object(fields)
}

fn not_searched((path, what): &(RepoPath, &'static str)) -> Value {
    json!({ "path": path.to_text(), "kind": what })
}
