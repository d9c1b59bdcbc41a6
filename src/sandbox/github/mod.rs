//! GitHub's REST API as far as pull requests need it, for one private repository. Routes and
//! authentication here; what happens is left to `pulls`, `review` and `git`, how it looks to
//! `shape`.

mod git;
mod pulls;
mod review;
mod shape;

use serde_json::{Value, json};

pub(super) use pulls::State;

use super::http::{Answer, Request};
use crate::model::Timestamp;

/// The path of the API, as on GitHub Enterprise Server.
pub(super) const API: &str = "/api/v3";

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// A merge commit with both parents.
    Commit,
    /// One new commit on the base; the branch's commits and their trailers are gone.
    Squash,
}

/// An answer in the making: the status and the document.
#[derive(Debug, Clone, PartialEq)]
struct Reply {
    status: u16,
    body: Value,
    /// The `Link` header of a page.
    link: Option<String>,
}

impl Reply {
    const fn new(status: u16, body: Value) -> Self {
        Self { status, body, link: None }
    }

    /// An error with a message alone.
    fn error(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        Self::new(status, body)
    }

    /// 422 with the errors in GitHub's shape.
    fn unprocessable(error: &Value) -> Self {
        let body = json!({
            "message": "Validation Failed",
            "errors": [error],
            "documentation_url": "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
            "status": "422",
        });
        Self::new(422, body)
    }
}

/// Answers one request.
pub(super) fn answer(state: &mut State, request: &Request, now: Timestamp) -> Answer {
    let reply = route(state, request, now).unwrap_or_else(|refusal| refusal);
    let reset = now.0 + 3600;
    let mut headers = vec![
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-oauth-scopes", "repo".to_owned()),
        ("x-ratelimit-limit", "5000".to_owned()),
        ("x-ratelimit-remaining", "4999".to_owned()),
        ("x-ratelimit-used", "1".to_owned()),
        ("x-ratelimit-reset", reset.to_string()),
    ];
    headers.extend(reply.link.map(|link| ("link", link)));
    Answer {
        status: reply.status,
        headers,
        body: reply.body.to_string().into_bytes(),
        ..Answer::default()
    }
}

fn route(state: &mut State, request: &Request, now: Timestamp) -> Result<Reply, Reply> {
    authenticate(state, request)?;
    state.refresh(now);
    let path = request.path.strip_prefix(API).unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "/user") => return Ok(Reply::new(200, shape::user(state, state.login()))),
        ("GET", "/rate_limit") => return Ok(Reply::new(200, shape::rate_limit(now))),
        _ => {}
    }
    let inner = path
        .strip_prefix("/repos/")
        .and_then(|path| path.strip_prefix(state.slug()))
        .filter(|inner| inner.is_empty() || inner.starts_with('/'))
        .ok_or_else(not_found)?;
    let steps: Vec<&str> = inner.split('/').skip(1).collect();
    let body = || body(request);
    match (request.method.as_str(), steps.as_slice()) {
        ("GET", []) => Ok(Reply::new(200, shape::repository(state))),
        ("GET", ["pulls"]) => Ok(pulls::list(state, request)),
        ("POST", ["pulls"]) => pulls::create(state, &body()?, now),
        ("GET", ["pulls", number]) => pulls::get(state, parse(number)?),
        ("PATCH", ["pulls", number]) => pulls::update(state, parse(number)?, &body()?, now),
        ("PUT", ["pulls", number, "merge"]) => {
            let body = if request.body.is_empty() { json!({}) } else { body()? };
            pulls::merge(state, parse(number)?, &body, now)
        }
        ("POST", ["pulls", number, "requested_reviewers"]) => {
            review::ask(state, parse(number)?, &body()?)
        }
        ("POST", ["issues", number, "labels"]) => review::label(state, parse(number)?, &body()?),
        _ => Err(not_found()),
    }
}

fn authenticate(state: &State, request: &Request) -> Result<(), Reply> {
    let header = request.header("authorization");
    let token = ["Bearer ", "bearer ", "token "]
        .iter()
        .find_map(|scheme| header.strip_prefix(scheme))
        .unwrap_or(header);
    match token {
        "" if request.path.ends_with("/user") => Err(Reply::error(401, "Requires authentication")),
        // Nobody sees a private repository without a token, not even that it exists.
        "" => Err(not_found()),
        token if token == state.token() => Ok(()),
        _ => Err(Reply::error(401, "Bad credentials")),
    }
}

fn body(request: &Request) -> Result<Value, Reply> {
    serde_json::from_slice::<Value>(&request.body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Reply::error(400, "Problems parsing JSON"))
}

fn parse(number: &str) -> Result<u64, Reply> {
    number.parse().map_err(|_| not_found())
}

fn not_found() -> Reply {
    Reply::error(404, "Not Found")
}
