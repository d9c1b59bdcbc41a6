//! What went wrong between us and GitHub, in words that name the permission which is missing.
//! Whether to try again is left to `client`.

use std::time::Duration;

use http::HeaderMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::error::{Error, Kind};
use crate::model::visible;

/// What was being done: it decides which permission an answer of 403 or 404 speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Look,
    List,
    Create,
    Label,
    Review,
}

impl Doing {
    const fn words(self) -> &'static str {
        match self {
            Self::Look => "look at the repository",
            Self::List => "list pull requests",
            Self::Create => "open a pull request",
            Self::Label => "put labels on a pull request",
            Self::Review => "ask for reviews",
        }
    }

    const fn permission(self) -> &'static str {
        match self {
            Self::Look => "Contents: write",
            Self::List => "Pull requests: read",
            Self::Create | Self::Review => "Pull requests: write",
            Self::Label => "Issues: write",
        }
    }
}

/// One request that did not do what it should.
#[derive(Debug)]
pub(super) struct Failure {
    /// The status of the answer, if there was one.
    pub(super) status: Option<u16>,
    /// How long the forge asks to wait, when that is known.
    pub(super) wait: Option<Duration>,
    /// Whether the request may have been carried out all the same.
    pub(super) ambiguous: bool,
    pub(super) error: Error,
}

impl Failure {
    fn new(error: Error) -> Self {
        Self { status: None, wait: None, ambiguous: false, error }
    }

    /// No answer within our own time limit.
    pub(super) fn late(host: &str) -> Self {
        let error = network("no-answer", format!("`{host}` did not answer in time"));
        Self { ambiguous: true, ..Self::new(error) }
    }
}

fn network(reason: &'static str, message: String) -> Error {
    Error::new(Kind::Network, reason, message)
}

/// Which repository on which host; both were checked and need no escaping.
#[derive(Debug, Clone)]
pub(super) struct Whereabouts {
    pub(super) host: String,
    pub(super) repository: String,
}

/// Reads octocrab's error. `hide` takes the token out of what the server said.
pub(super) fn failure(
    error: octocrab::Error,
    doing: Doing,
    at: &Whereabouts,
    hide: impl Fn(&str) -> String,
) -> Failure {
    match error {
        octocrab::Error::GitHub { source, .. } => {
            let said = shortened(&hide(&source.to_string()));
            let headers = source.headers.unwrap_or_default();
            answered(source.status_code.as_u16(), &headers, &said, doing, at)
        }
        octocrab::Error::Service { source, .. } => unanswered(source.as_ref(), at, hide),
        other => {
            let said = shortened(&hide(&innermost(&other)));
            let message =
                format!("the answer of `{}` was cut or is none of GitHub's: {said}", at.host);
            Failure { ambiguous: true, ..Failure::new(network("cut-answer", message)) }
        }
    }
}

fn answered(
    status: u16,
    headers: &HeaderMap,
    said: &str,
    doing: Doing,
    at: &Whereabouts,
) -> Failure {
    let known = |error| Failure { status: Some(status), ..Failure::new(error) };
    match status {
        401 => known(bad_token(at, said)),
        403 | 429 if is_throttle(status, headers, said) => {
            let message = format!("`{}` asks to come back later: {said}", at.host);
            let error = Error::new(Kind::Throttled, "rate-limit", message);
            Failure { wait: pause(headers), ..known(error) }
        }
        403 | 404 => known(missing_permission(status, headers, said, doing, at)),
        500.. => Failure {
            ambiguous: true,
            ..known(network("server-error", format!("`{}` answered {status}: {said}", at.host)))
        },
        _ => known(Error::refused(
            "request-refused",
            format!("`{}` would not {} in `{}`: {said}", at.host, doing.words(), at.repository),
        )),
    }
}

fn bad_token(at: &Whereabouts, said: &str) -> Error {
    Error::new(
        Kind::Denied,
        "bad-token",
        format!("`{}` does not accept the token: {said}", at.host),
    )
    .hint("set GITHUB_TOKEN or GH_TOKEN to a token that has not expired, or run `gh auth login`")
}

fn missing_permission(
    status: u16,
    headers: &HeaderMap,
    said: &str,
    doing: Doing,
    at: &Whereabouts,
) -> Error {
    let message = format!(
        "the token may not {} in `{}`: it needs `{}` ({status}: {said})",
        doing.words(),
        at.repository,
        doing.permission(),
    );
    let mut error = Error::new(Kind::Denied, "missing-permission", message)
        .hint("give a fine-grained token that permission, a classic token the scope `repo`");
    if status == 404 {
        let name = &at.repository;
        error = error.hint(format!("`{name}` may be misspelt: a private repository looks absent"));
    }
    if headers.contains_key("x-github-sso") {
        error = error.hint("the organisation asks for single sign-on: authorize the token for it");
    }
    if said.contains("GitHub Actions is not permitted") {
        error = error.hint("allow it in the repository's settings: Actions, General, Workflow");
    }
    if doing == Doing::Review {
        error = error.hint("to ask teams the token also needs `Members: read` (`read:org`)");
    }
    error
}

/// Every 429; and a 403 that says so by its headers or, for secondary limits, by its words alone.
fn is_throttle(status: u16, headers: &HeaderMap, said: &str) -> bool {
    status == 429
        || headers.contains_key("retry-after")
        || text(headers, "x-ratelimit-remaining") == Some("0")
        || said.to_lowercase().contains("rate limit")
}

/// `Retry-After` in seconds, else the time from the answer's `Date` to the reset. The server's own
/// clock is the only one that is asked.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    if let Some(seconds) = text(headers, "retry-after") {
        return seconds.parse().ok().map(Duration::from_secs);
    }
    if text(headers, "x-ratelimit-remaining") != Some("0") {
        // GitHub: without these headers wait for at least one minute.
        return Some(Duration::from_secs(60));
    }
    let reset: i64 = text(headers, "x-ratelimit-reset")?.parse().ok()?;
    let date = OffsetDateTime::parse(text(headers, "date")?, &Rfc2822).ok()?;
    let left = reset.saturating_sub(date.unix_timestamp()).saturating_add(1);
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn unanswered(
    source: &(dyn std::error::Error + 'static),
    at: &Whereabouts,
    hide: impl Fn(&str) -> String,
) -> Failure {
    let said = shortened(&hide(&innermost(source)));
    if chain(source).any(is_connect) {
        let message = format!("`{}` could not be reached: {said}", at.host);
        let error = network("unreachable", message)
            .hint("check the network, and GITHUB_API_URL or --github-api-url");
        return Failure::new(error);
    }
    let message = format!("the answer of `{}` was cut: {said}", at.host);
    Failure { ambiguous: true, ..Failure::new(network("cut-answer", message)) }
}

fn is_connect(error: &(dyn std::error::Error + 'static)) -> bool {
    error
        .downcast_ref::<hyper_util::client::legacy::Error>()
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
}

fn chain<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn shortened(said: &str) -> String {
    let line = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    crate::forge::markdown::clip(&visible(&line.join("; ")), 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[(&'static str, &str)]) -> HeaderMap {
        rows.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn waits_as_long_as_the_server_says() {
        let date = ("date", "Sat, 28 Nov 2026 10:00:00 GMT");
        let none = ("x-ratelimit-remaining", "0");
        let soon = ("x-ratelimit-reset", "1795860030");
        let past = ("x-ratelimit-reset", "1795859000");
        let after = ("retry-after", "7");
        let rows = [
            (vec![after], Some(7)),
            (vec![after, none], Some(7)),
            (vec![none, soon, date], Some(31)),
            (vec![none, past, date], Some(0)),
            (vec![none, soon], None),
            (vec![], Some(60)),
        ];
        for (given, wanted) in rows {
            assert_eq!(pause(&headers(&given)), wanted.map(Duration::from_secs), "{given:?}");
        }
    }

    #[test]
    fn a_denied_request_is_no_throttle() {
        let plenty = headers(&[("x-ratelimit-remaining", "4999")]);
        assert!(!is_throttle(403, &plenty, "Resource not accessible by personal access token"));
        assert!(is_throttle(403, &plenty, "You have exceeded a secondary rate limit"));
        assert!(is_throttle(429, &plenty, ""));
        assert!(is_throttle(403, &headers(&[("x-ratelimit-remaining", "0")]), "API quota"));
    }

    #[test]
    fn names_the_permission_and_hides_control_characters() {
        let at = Whereabouts { host: "api.github.com".into(), repository: "a/b".into() };
        let rows = [
            (403, Doing::Create, "missing-permission", "`Pull requests: write`"),
            (404, Doing::Look, "missing-permission", "`Contents: write`"),
            (403, Doing::Label, "missing-permission", "`Issues: write`"),
            (404, Doing::List, "missing-permission", "`Pull requests: read`"),
            (401, Doing::Look, "bad-token", "does not accept the token"),
            (422, Doing::Create, "request-refused", "would not open a pull request in `a/b`"),
            (502, Doing::Create, "server-error", "answered 502"),
        ];
        for (status, doing, reason, words) in rows {
            let said = shortened("no\u{1b}[2J\nreally");
            let failure = answered(status, &HeaderMap::new(), &said, doing, &at);
            assert_eq!(failure.error.reason(), reason, "{status}");
            assert!(failure.error.message().contains(words), "{}", failure.error);
            assert!(failure.error.message().contains("no\\u{1b}[2J; really"), "{}", failure.error);
            assert_eq!(failure.ambiguous, status == 502);
        }
    }
}
