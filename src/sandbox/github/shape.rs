//! GitHub's JSON documents, with every field that its schema marks as required and that clients
//! read.

use serde_json::{Value, json};

use super::API;
use super::pulls::{Pull, State};
use crate::model::Timestamp;

/// A user (`simple-user`).
pub(super) fn user(state: &State, login: &str) -> Value {
    let api = format!("{}{API}/users/{login}", state.web);
    json!({
        "login": login,
        "id": id_of(login),
        "node_id": format!("U_{login}"),
        "avatar_url": format!("{}/avatars/{login}", state.web),
        "gravatar_id": "",
        "url": api,
        "html_url": format!("{}/{login}", state.web),
        "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following"),
        "gists_url": format!("{api}/gists"),
        "starred_url": format!("{api}/starred"),
        "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events"),
        "received_events_url": format!("{api}/received_events"),
        "type": "User",
        "site_admin": false,
    })
}

/// The repository, with what the token may do there.
pub(super) fn repository(state: &State) -> Value {
    let slug = state.slug();
    let name = slug.split('/').next_back().unwrap_or_default();
    json!({
        "id": id_of(slug),
        "node_id": "R_sandbox",
        "name": name,
        "full_name": slug,
        "private": true,
        "owner": user(state, state.owner()),
        "html_url": format!("{}/{slug}", state.web),
        "description": Value::Null,
        "fork": false,
        "url": format!("{}{API}/repos/{slug}", state.web),
        "default_branch": default_branch(state),
        "archived": false,
        "disabled": false,
        "visibility": "private",
        "allow_merge_commit": true,
        "allow_squash_merge": true,
        "allow_rebase_merge": false,
        "permissions": {
            "admin": false, "maintain": false, "push": true, "triage": true, "pull": true,
        },
    })
}

/// A pull request.
pub(super) fn pull(state: &State, pull: &Pull) -> Value {
    let slug = state.slug();
    let number = pull.number;
    let api = format!("{}{API}/repos/{slug}", state.web);
    let page = format!("{}/{slug}/pull/{number}", state.web);
    let url = format!("{api}/pulls/{number}");
    json!({
        "id": number,
        "node_id": format!("PR_{number}"),
        "number": number,
        "url": url,
        "html_url": page,
        "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"),
        "issue_url": format!("{api}/issues/{number}"),
        "commits_url": format!("{url}/commits"),
        "comments_url": format!("{api}/issues/{number}/comments"),
        "state": if pull.open { "open" } else { "closed" },
        "locked": false,
        "title": pull.title,
        "user": user(state, state.login()),
        "body": pull.body,
        "labels": pull.labels.iter().map(|name| label(state, name)).collect::<Vec<_>>(),
        "milestone": Value::Null,
        "created_at": pull.created.to_string(),
        "updated_at": pull.updated.to_string(),
        "closed_at": time(pull.closed),
        "merged_at": time(pull.merged),
        "merged": pull.merged.is_some(),
        "mergeable": pull.open.then_some(true),
        "mergeable_state": if pull.draft { "draft" } else { "clean" },
        "merge_commit_sha": pull.merge_oid,
        "assignee": Value::Null,
        "assignees": [],
        "requested_reviewers":
            pull.reviewers.iter().map(|login| user(state, login)).collect::<Vec<_>>(),
        "requested_teams": pull.teams.iter().map(|slug| team(state, slug)).collect::<Vec<_>>(),
        "head": end(state, &pull.head, &pull.head_oid),
        "base": end(state, &pull.base, &pull.base_oid),
        "author_association": "MEMBER",
        "draft": pull.draft,
    })
}

/// A label.
pub(super) fn label(state: &State, name: &str) -> Value {
    json!({
        "id": id_of(name),
        "node_id": format!("LA_{name}"),
        "url": format!("{}{API}/repos/{}/labels/label", state.web, state.slug()),
        "name": name,
        "description": Value::Null,
        "color": "ededed",
        "default": false,
    })
}

/// The rate limit.
pub(super) fn rate_limit(now: Timestamp) -> Value {
    let of = |limit: u64| json!({ "limit": limit, "used": 1, "remaining": limit - 1, "reset": now.0 + 3600 });
    json!({ "resources": { "core": of(5000), "search": of(30), "graphql": of(5000) }, "rate": of(5000) })
}

fn end(state: &State, branch: &str, oid: &str) -> Value {
    json!({
        "label": format!("{}:{branch}", state.owner()),
        "ref": branch,
        "sha": oid,
        "user": user(state, state.owner()),
        "repo": repository(state),
    })
}

fn team(state: &State, slug: &str) -> Value {
    let api = format!("{}{API}/teams/{}", state.web, id_of(slug));
    json!({
        "id": id_of(slug),
        "node_id": format!("T_{slug}"),
        "url": api,
        "html_url": format!("{}/orgs/{}/teams/{slug}", state.web, state.owner()),
        "name": slug,
        "slug": slug,
        "description": Value::Null,
        "privacy": "closed",
        "permission": "push",
        "members_url": format!("{api}/members"),
        "repositories_url": format!("{api}/repos"),
        "parent": Value::Null,
    })
}

fn default_branch(state: &State) -> String {
    let found = state.options.repository.as_ref().and_then(|path| super::git::default_branch(path));
    found.unwrap_or_else(|| "main".to_owned())
}

fn time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(at.to_string()))
}

/// A number that stays the same for the same name.
fn id_of(name: &str) -> u64 {
    name.bytes().fold(7, |id: u64, byte| (id * 31 + u64::from(byte)) % 1_000_000_007)
}
