//! The pull requests of the simulated forge: listed, opened, changed, merged.

use serde_json::{Value, json};

use super::{Merge, Reply, git, not_found, shape};
use crate::error::{Error, Result};
use crate::model::Timestamp;
use crate::sandbox::Options;
use crate::sandbox::http::Request;

/// One pull request.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) head: String,
    pub(super) head_oid: String,
    pub(super) base: String,
    pub(super) base_oid: String,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) draft: bool,
    pub(super) open: bool,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) closed: Option<Timestamp>,
    pub(super) merged: Option<Timestamp>,
    /// The commit that the merge made.
    pub(super) merge_oid: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) reviewers: Vec<String>,
    pub(super) teams: Vec<String>,
}

/// The forge.
#[derive(Debug)]
pub(in crate::sandbox) struct State {
    pub(super) options: Options,
    pub(super) pulls: Vec<Pull>,
    /// `http://127.0.0.1:<port>`.
    pub(super) web: String,
}

impl State {
    pub(in crate::sandbox) const fn new(options: Options) -> Self {
        Self { options, pulls: Vec::new(), web: String::new() }
    }

    pub(in crate::sandbox) fn set_web(&mut self, address: &str) {
        address.clone_into(&mut self.web);
    }

    pub(super) fn slug(&self) -> &str {
        &self.options.slug
    }

    /// The owner: what stands before the slash.
    pub(super) fn owner(&self) -> &str {
        self.options.slug.split('/').next().unwrap_or_default()
    }

    pub(super) fn login(&self) -> &str {
        &self.options.login
    }

    pub(super) fn token(&self) -> &str {
        &self.options.token
    }

    pub(super) fn pull(&mut self, number: u64) -> Result<&mut Pull, Reply> {
        self.pulls.iter_mut().find(|pull| pull.number == number).ok_or_else(not_found)
    }

    /// The tip of a branch; without a repository every branch stands on the null object.
    fn tip(&self, branch: &str) -> Option<String> {
        match &self.options.repository {
            Some(repository) => git::tip(repository, branch),
            None => Some("0".repeat(40)),
        }
    }

    /// Follows what was pushed: a head that moved, a branch that is gone (its pull request is
    /// closed), a head that reached its base by itself (merged).
    pub(super) fn refresh(&mut self, now: Timestamp) {
        let Some(repository) = self.options.repository.clone() else { return };
        for pull in self.pulls.iter_mut().filter(|pull| pull.open) {
            let Some(head) = git::tip(&repository, &pull.head) else {
                pull.close(now);
                continue;
            };
            if head != pull.head_oid {
                git::keep(&repository, pull.number, &head);
                pull.head_oid = head;
                pull.updated = now;
            }
            if git::contains(&repository, &pull.base, &pull.head_oid) {
                pull.merge_oid = Some(pull.head_oid.clone());
                pull.merged = Some(now);
                pull.close(now);
            }
        }
    }

    /// The newest pull request that is open.
    pub(in crate::sandbox) fn newest_open(&mut self, now: Timestamp) -> Option<u64> {
        self.refresh(now);
        self.pulls.iter().filter(|pull| pull.open).map(|pull| pull.number).max()
    }

    /// Merges outside the API, as a person does.
    pub(in crate::sandbox) fn merge_by_hand(
        &mut self,
        number: u64,
        how: Merge,
        now: Timestamp,
    ) -> Result<()> {
        self.refresh(now);
        merge_now(self, number, how, None, now).map(|_| ()).map_err(|reply| {
            let why = reply.body["message"].as_str().unwrap_or_default().to_owned();
            Error::refused("not-mergeable", format!("pull request {number}: {why}"))
        })
    }
}

impl Pull {
    /// An open one; `head` and `base` are branch and commit.
    fn new(number: u64, head: (&str, String), base: (&str, String), now: Timestamp) -> Self {
        Self {
            number,
            head: head.0.to_owned(),
            head_oid: head.1,
            base: base.0.to_owned(),
            base_oid: base.1,
            title: String::new(),
            body: None,
            draft: false,
            open: true,
            created: now,
            updated: now,
            closed: None,
            merged: None,
            merge_oid: None,
            labels: Vec::new(),
            reviewers: Vec::new(),
            teams: Vec::new(),
        }
    }

    fn close(&mut self, now: Timestamp) {
        self.open = false;
        self.closed = Some(now);
        self.updated = now;
    }
}

/// `GET pulls`: newest first, filtered by `state`, `head` (`owner:branch`) and `base`, in pages.
pub(super) fn list(state: &State, request: &Request) -> Reply {
    let wanted = request.query("state").unwrap_or_else(|| "open".to_owned());
    let base = request.query("base");
    // A head without an owner is no filter at all on GitHub.
    let head = request.query("head").filter(|head| head.contains(':'));
    let number = |name: &str, least, most, usual| {
        request
            .query(name)
            .and_then(|n| n.parse().ok())
            .map_or(usual, |n: usize| n.clamp(least, most))
    };
    let (size, page) = (number("per_page", 1, 100, 30), number("page", 1, usize::MAX, 1));
    let mut found: Vec<&Pull> = state
        .pulls
        .iter()
        .filter(|pull| match wanted.as_str() {
            "all" => true,
            "closed" => !pull.open,
            _ => pull.open,
        })
        .filter(|pull| base.as_ref().is_none_or(|base| *base == pull.base))
        .filter(|pull| {
            head.as_ref().is_none_or(|head| *head == format!("{}:{}", state.owner(), pull.head))
        })
        .collect();
    let oldest_first = request.query("direction").as_deref() == Some("asc");
    found.sort_by_key(|pull| pull.number);
    if !oldest_first {
        found.reverse();
    }
    let start = (page - 1).saturating_mul(size);
    let shown: Vec<Value> =
        found.iter().skip(start).take(size).map(|pull| shape::pull(state, pull)).collect();
    let mut reply = Reply::new(200, Value::Array(shown));
    if found.len() > start.saturating_add(size) {
        let next = format!("{}{}?page={}&per_page={size}", state.web, request.path, page + 1);
        reply.link = Some(format!("<{next}>; rel=\"next\""));
    }
    reply
}

/// `POST pulls`.
pub(super) fn create(state: &mut State, body: &Value, now: Timestamp) -> Result<Reply, Reply> {
    let text = |name: &str| {
        let found = body[name].as_str().filter(|text| !text.is_empty());
        found.ok_or_else(|| wrong("missing_field", name))
    };
    let owner = state.owner().to_owned();
    let (head, base, title) = (text("head")?, text("base")?, text("title")?);
    let head = match head.split_once(':') {
        Some((whose, branch)) if whose == owner => branch,
        Some(_) => return Err(wrong("invalid", "head")),
        None => head,
    };
    let head_oid = state.tip(head).ok_or_else(|| wrong("invalid", "head"))?;
    let base_oid = state.tip(base).ok_or_else(|| wrong("invalid", "base"))?;
    if state.pulls.iter().any(|pull| pull.open && pull.head == head && pull.base == base) {
        return Err(custom(&format!("A pull request already exists for {owner}:{head}.")));
    }
    let number = state.pulls.iter().map(|pull| pull.number).max().unwrap_or_default() + 1;
    if let Some(repository) = &state.options.repository {
        if git::contains(repository, base, &head_oid) {
            return Err(custom(&format!("No commits between {base} and {head}")));
        }
        git::keep(repository, number, &head_oid);
    }
    let mut pull = Pull::new(number, (head, head_oid), (base, base_oid), now);
    title.clone_into(&mut pull.title);
    pull.body = body["body"].as_str().map(str::to_owned);
    pull.draft = body["draft"].as_bool().unwrap_or_default();
    let shown = shape::pull(state, &pull);
    state.pulls.push(pull);
    Ok(Reply::new(201, shown))
}

/// 422 for a field that is absent or names nothing.
fn wrong(code: &str, field: &str) -> Reply {
    let error = json!({ "resource": "PullRequest", "code": code, "field": field });
    Reply::unprocessable(&error)
}

/// 422 with a sentence.
fn custom(message: &str) -> Reply {
    let error = json!({ "resource": "PullRequest", "code": "custom", "message": message });
    Reply::unprocessable(&error)
}

/// `GET pulls/N`.
pub(super) fn get(state: &mut State, number: u64) -> Result<Reply, Reply> {
    let pull = state.pull(number)?.clone();
    Ok(Reply::new(200, shape::pull(state, &pull)))
}

/// `PATCH pulls/N`: title, body, base and state.
pub(super) fn update(
    state: &mut State,
    number: u64,
    body: &Value,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let pull = state.pull(number)?;
    match body["state"].as_str() {
        Some("closed") if pull.open => pull.close(now),
        Some("open") if pull.merged.is_some() => {
            return Err(Reply::unprocessable(&json!({
                "resource": "PullRequest", "code": "invalid", "field": "state",
                "message": "state cannot be changed. The pull request has been merged.",
            })));
        }
        Some("open") => {
            pull.open = true;
            pull.closed = None;
        }
        _ => {}
    }
    if let Some(title) = body["title"].as_str() {
        title.clone_into(&mut pull.title);
    }
    if let Some(text) = body["body"].as_str() {
        pull.body = Some(text.to_owned());
    }
    if let Some(base) = body["base"].as_str() {
        base.clone_into(&mut pull.base);
    }
    pull.updated = now;
    get(state, number)
}

/// `PUT pulls/N/merge`.
pub(super) fn merge(
    state: &mut State,
    number: u64,
    body: &Value,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let how = match body["merge_method"].as_str() {
        None | Some("merge") => Merge::Commit,
        Some("squash") => Merge::Squash,
        Some(_) => {
            return Err(Reply::error(405, "Rebase merges are not allowed on this repository."));
        }
    };
    let oid = merge_now(state, number, how, body["sha"].as_str(), now)?;
    let shown = json!({
        "sha": oid, "merged": true, "message": "Pull Request successfully merged",
    });
    Ok(Reply::new(200, shown))
}

/// Merges and returns the new commit's ID.
fn merge_now(
    state: &mut State,
    number: u64,
    how: Merge,
    expected: Option<&str>,
    now: Timestamp,
) -> Result<String, Reply> {
    let repository = state.options.repository.clone();
    let login = state.login().to_owned();
    let pull = state.pull(number)?;
    if !pull.open || pull.draft {
        return Err(Reply::error(405, "Pull Request is not mergeable"));
    }
    if expected.is_some_and(|expected| expected != pull.head_oid) {
        let what = "Head branch was modified. Review and try the merge again.";
        return Err(Reply::error(409, what));
    }
    let oid = match repository {
        Some(repository) => git::merge(&repository, pull, how, &login, now)
            .ok_or_else(|| Reply::error(405, "Pull Request is not mergeable"))?,
        None => "0".repeat(40),
    };
    pull.merge_oid = Some(oid.clone());
    pull.merged = Some(now);
    pull.close(now);
    Ok(oid)
}
