//! The GitHub forge against replayed answers: what stand-ins do not do (duplicates, bad tokens,
//! missing permissions, limits, cut answers).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keyroll::forge::{Choice, Forge, Permission, PullRequest, Request, State, connect};
use keyroll::model::{Secret, Timestamp};
use keyroll::{Kind, Result};

const TOKEN: &str = "ghp_canary0123456789";
const HEAD: &str = "keyroll/rotate/a/AKIAIOSFODNN7EXAMPLE";

/// One request as it arrived.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    headers: String,
    body: String,
}

/// Answers the n-th request with the n-th text, whatever it asks for, and keeps what was asked.
struct Replay {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Replay {
    fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                kept.lock().unwrap().push(read(&stream));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, seen }
    }

    fn forge(&self) -> Box<dyn Forge> {
        forge_at(&self.url)
    }

    /// The request lines, each without the HTTP version.
    fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|seen| seen.line.replace(" HTTP/1.1", "")).collect()
    }
}

fn forge_at(url: &str) -> Box<dyn Forge> {
    connect(&Choice {
        api_url: Some(url.to_owned()),
        repository: Some("alice/secrets".to_owned()),
        token: Some(Secret::from(TOKEN.to_owned())),
        ..Choice::default()
    })
    .unwrap()
}

fn read(stream: &TcpStream) -> Seen {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let (mut headers, mut length) = (String::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        headers.push_str(&header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Seen { line: line.trim().to_owned(), headers, body: String::from_utf8(body).unwrap() }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

fn ok(body: &str) -> String {
    answer("200 OK", "", body)
}

fn pull(number: u64, head: &str, more: &str) -> String {
    format!(
        r#"{{"number":{number},"html_url":"https://github.com/alice/secrets/pull/{number}",
           "head":{{"ref":"{head}","repo":{{"full_name":"alice/secrets"}}}},
           "base":{{"ref":"main","repo":{{"full_name":"Alice/secrets"}}}},{more}}}"#
    )
}

fn open_pull(number: u64) -> String {
    pull(number, HEAD, r#""state":"open","merged_at":null"#)
}

fn created(number: u64) -> String {
    answer("201 Created", "", &open_pull(number))
}

fn duplicate() -> String {
    answer(
        "422 Unprocessable Entity",
        "",
        r#"{"message":"Validation Failed","errors":[{"message":"A pull request already exists for alice:x."}]}"#,
    )
}

fn broken(status: &str) -> String {
    answer(status, "", "<html>no</html>")
}

/// Says that more comes than does.
fn cut() -> String {
    "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"num"
        .to_owned()
}

fn request() -> Request {
    Request {
        head: HEAD.to_owned(),
        base: "main".to_owned(),
        title: "Rotate".to_owned(),
        body: "text".to_owned(),
        ..Request::default()
    }
}

fn opened(answers: Vec<String>) -> (Result<(PullRequest, Vec<String>)>, Replay) {
    let replay = Replay::start(answers);
    let outcome = replay.forge().open(&request());
    (outcome, replay)
}

#[test]
fn opens_with_labels_and_reviewers() {
    let done = || answer("200 OK", "", "[]");
    let replay = Replay::start(vec![ok("[]"), created(7), done(), done(), done()]);
    let asked = Request {
        labels: vec!["rotation".into()],
        reviewers: vec!["bob".into()],
        team_reviewers: vec!["ops".into()],
        draft: true,
        ..request()
    };
    let (made, undone) = replay.forge().open(&asked).unwrap();
    assert_eq!(made.url.as_deref(), Some("https://github.com/alice/secrets/pull/7"));
    assert_eq!((made.number, made.state, made.file), (7, State::Open, None));
    assert!(undone.is_empty(), "{undone:?}");
    assert_eq!(
        replay.lines(),
        [
            "GET /repos/alice/secrets/pulls?state=all&head=alice%3Akeyroll%2Frotate%2Fa%2FAKIAIOSFODNN7EXAMPLE&per_page=100&page=1",
            "POST /repos/alice/secrets/pulls",
            "POST /repos/alice/secrets/issues/7/labels",
            "POST /repos/alice/secrets/pulls/7/requested_reviewers",
            "POST /repos/alice/secrets/pulls/7/requested_reviewers",
        ]
    );
    let seen = replay.seen.lock().unwrap();
    let body: serde_json::Value = serde_json::from_str(&seen[1].body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"title": "Rotate", "head": HEAD, "base": "main", "body": "text", "draft": true})
    );
    assert_eq!(seen[2].body, r#"{"labels":["rotation"]}"#);
    assert_eq!(seen[3].body, r#"{"reviewers":["bob"]}"#);
    assert_eq!(seen[4].body, r#"{"team_reviewers":["ops"]}"#);
    for each in seen.iter() {
        let headers = each.headers.to_lowercase();
        assert!(headers.contains(&format!("authorization: bearer {TOKEN}")), "{headers}");
        assert!(headers.contains("user-agent: keyroll/"), "{headers}");
    }
}

#[test]
fn the_path_of_an_enterprise_url_is_kept() {
    let replay = Replay::start(vec![ok("[]")]);
    assert_eq!(forge_at(&format!("{}/api/v3", replay.url)).find(HEAD, "main").unwrap(), None);
    assert!(replay.lines()[0].starts_with("GET /api/v3/repos/alice/secrets/pulls?"));
}

#[test]
fn adopts_what_is_open_and_touches_nothing() {
    let (outcome, replay) = opened(vec![ok(&format!("[{}]", open_pull(4)))]);
    assert_eq!(outcome.unwrap().0.number, 4);
    assert_eq!(replay.lines().len(), 1, "no second request");
}

#[test]
fn a_duplicate_is_found_and_adopted() {
    let (outcome, replay) = opened(vec![ok("[]"), duplicate(), ok(&format!("[{}]", open_pull(5)))]);
    assert_eq!(outcome.unwrap().0.number, 5);
    assert_eq!(replay.lines().len(), 3);
}

#[test]
fn a_duplicate_that_is_not_listed_is_an_error() {
    let (outcome, _) = opened(vec![ok("[]"), duplicate(), ok("[]")]);
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (Kind::Refused, "request-refused"));
    assert!(error.message().contains("A pull request already exists"), "{error}");
}

#[test]
fn only_our_own_branch_passes_for_ours() {
    let fork =
        open_pull(8).replace(r#""full_name":"alice/secrets""#, r#""full_name":"eve/secrets""#);
    let gone = open_pull(9).replace(r#"{"full_name":"alice/secrets"}"#, "null");
    let other = pull(10, "keyroll/rotate/a/OTHER", r#""state":"open","merged_at":null"#);
    let elsewhere = open_pull(11).replace(r#""ref":"main""#, r#""ref":"release""#);
    let list = format!("[{fork},{gone},{other},{elsewhere},{}]", open_pull(3));
    let replay = Replay::start(vec![ok(&list)]);
    let found = replay.forge().find(HEAD, "main").unwrap().unwrap();
    assert_eq!(found.number, 3);
}

#[test]
fn finds_the_open_one_else_the_newest_with_the_forges_own_merge_time() {
    let merged = pull(6, HEAD, r#""state":"closed","merged_at":"2026-11-28T10:00:00Z""#);
    let closed = pull(5, HEAD, r#""state":"closed","merged_at":null"#);
    let rows = [
        (format!("[{closed},{merged}]"), 6, State::Merged(Timestamp(1_795_860_000))),
        (format!("[{closed}]"), 5, State::Closed),
        (format!("[{merged},{}]", open_pull(2)), 2, State::Open),
    ];
    for (list, number, state) in rows {
        let replay = Replay::start(vec![ok(&list)]);
        let found = replay.forge().find(HEAD, "main").unwrap().unwrap();
        assert_eq!((found.number, found.state), (number, state));
    }
}

#[test]
fn reads_further_pages() {
    let page = vec![pull(1, "other", r#""state":"open","merged_at":null"#); 100].join(",");
    let replay = Replay::start(vec![ok(&format!("[{page}]")), ok(&format!("[{}]", open_pull(2)))]);
    assert_eq!(replay.forge().find(HEAD, "main").unwrap().unwrap().number, 2);
    assert!(replay.lines()[1].ends_with("&page=2"));
}

#[test]
fn a_bad_token_is_named_and_never_shown() {
    let said = format!(r#"{{"message":"Bad credentials {TOKEN}"}}"#);
    let replay = Replay::start(vec![answer("401 Unauthorized", "", &said)]);
    let error = replay.forge().preflight().unwrap_err();
    assert_eq!((error.kind(), error.reason()), (Kind::Denied, "bad-token"));
    assert!(error.message().contains("Bad credentials …"), "{error}");
    assert!(!format!("{error:?}").contains(TOKEN));
}

#[test]
fn waits_when_asked_for_a_short_time() {
    let limited = answer("403 Forbidden", "retry-after: 1\r\n", r#"{"message":"slow down"}"#);
    let started = Instant::now();
    let (outcome, replay) = opened(vec![ok("[]"), limited, created(7)]);
    assert_eq!(outcome.unwrap().0.number, 7);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(replay.lines().len(), 3);
}

#[test]
fn does_not_wait_for_long_nor_for_ever() {
    let long = answer("429 Too Many Requests", "retry-after: 3600\r\n", r#"{"message":"later"}"#);
    let again = answer("429 Too Many Requests", "retry-after: 0\r\n", r#"{"message":"later"}"#);
    for (answers, sent) in [(vec![long], 1), (vec![again; 3], 3)] {
        let replay = Replay::start(answers);
        let error = replay.forge().find(HEAD, "main").unwrap_err();
        assert_eq!((error.kind(), error.reason()), (Kind::Throttled, "rate-limit"));
        assert_eq!(replay.lines().len(), sent);
    }
}

#[test]
fn a_missing_permission_is_named() {
    let rows = [
        (
            "403 Forbidden",
            "Resource not accessible by personal access token",
            "Pull requests: write",
        ),
        ("404 Not Found", "Not Found", "a private repository looks absent"),
    ];
    for (status, said, wanted) in rows {
        let refusal = answer(status, "", &format!(r#"{{"message":"{said}"}}"#));
        let (outcome, _) = opened(vec![ok("[]"), refusal]);
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (Kind::Denied, "missing-permission"));
        let told = format!("{error} {}", error.hints().join(" "));
        assert!(told.contains(wanted) && told.contains(said), "{told}");
    }
}

#[test]
fn after_a_lost_answer_it_looks_before_it_asks_again() {
    // Carried out, and the answer was lost: found, not made twice.
    for lost in [broken("502 Bad Gateway"), cut()] {
        let (outcome, replay) = opened(vec![ok("[]"), lost, ok(&format!("[{}]", open_pull(9)))]);
        assert_eq!(outcome.unwrap().0.number, 9);
        assert_eq!(replay.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
    }
    // Not carried out: asked again.
    let (outcome, _) = opened(vec![ok("[]"), broken("502 Bad Gateway"), ok("[]"), created(3)]);
    assert_eq!(outcome.unwrap().0.number, 3);
    // Never carried out: an error in the end.
    let mut answers = vec![ok("[]")];
    for _ in 0..3 {
        answers.extend([broken("503 Service Unavailable"), ok("[]")]);
    }
    let (outcome, _) = opened(answers);
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.reason()), (Kind::Network, "server-error"));
}

#[test]
fn a_failing_list_is_never_no_pull_request() {
    for (bad, reason) in
        [(broken("500 Internal Server Error"), "server-error"), (cut(), "cut-answer")]
    {
        let replay = Replay::start(vec![bad; 3]);
        let error = replay.forge().find(HEAD, "main").unwrap_err();
        assert_eq!((error.kind(), error.reason()), (Kind::Network, reason));
    }
    let replay = Replay::start(vec![ok(r#"{"hello":1}"#); 3]);
    assert_eq!(replay.forge().find(HEAD, "main").unwrap_err().reason(), "cut-answer");
}

#[test]
fn an_unreachable_host_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = forge_at(&format!("http://127.0.0.1:{port}")).preflight().unwrap_err();
    assert_eq!((error.kind(), error.reason()), (Kind::Network, "unreachable"));
    assert!(error.message().contains("`127.0.0.1`"), "{error}");
}

#[test]
fn the_encrypted_way_has_its_provider() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let forge = connect(&Choice {
        api_url: Some(format!("https://127.0.0.1:{port}")),
        repository: Some("alice/secrets".to_owned()),
        token: Some(Secret::from(TOKEN.to_owned())),
        ..Choice::default()
    });
    let reason = match forge {
        Ok(forge) => forge.preflight().unwrap_err().reason(),
        Err(error) => error.reason(),
    };
    // The second is the right answer on a machine without a certificate store.
    assert!(["unreachable", "no-certificates"].contains(&reason), "{reason}");
}

#[test]
fn what_fails_after_the_opening_is_a_note() {
    let draft = answer(
        "422 Unprocessable Entity",
        "",
        r#"{"message":"Draft pull requests are not supported in this repository."}"#,
    );
    let denied = || answer("403 Forbidden", "", r#"{"message":"no"}"#);
    let unknown = answer("422 Unprocessable Entity", "", r#"{"message":"no such user"}"#);
    let replay = Replay::start(vec![ok("[]"), draft, created(7), denied(), unknown, ok("{}")]);
    let asked = Request {
        draft: true,
        labels: vec!["rotation".into()],
        reviewers: vec!["nobody".into(), "bob".into()],
        ..request()
    };
    let (made, undone) = replay.forge().open(&asked).unwrap();
    assert_eq!(made.number, 7);
    let expected = [
        ("it is no draft", "not supported"),
        ("no label `rotation`", "Issues: write"),
        ("not asked `nobody`", "no such user"),
    ];
    assert_eq!(undone.len(), expected.len(), "{undone:?}");
    for (note, (what, why)) in undone.iter().zip(expected) {
        assert!(note.starts_with(what) && note.contains(why), "{note}");
    }
}

#[test]
fn preflight_says_what_the_forge_says() {
    let rows = [
        (r#"{"permissions":{"push":true}}"#, Ok(Permission::Granted)),
        (r#"{"permissions":{"push":false}}"#, Err("missing-permission")),
        (r#"{"permissions":{"push":true},"archived":true}"#, Err("archived-repository")),
        (r#"{"full_name":"alice/secrets"}"#, Ok(Permission::Unknown)),
    ];
    for (body, wanted) in rows {
        let replay = Replay::start(vec![ok(body)]);
        let answer = replay.forge().preflight();
        assert_eq!(
            answer.as_ref().map_err(|error| error.reason()),
            wanted.as_ref().map_err(|r| *r)
        );
        assert_eq!(replay.lines(), ["GET /repos/alice/secrets"]);
    }
}

#[test]
fn changes_keep_their_distance() {
    let done = || answer("200 OK", "", "[]");
    let replay = Replay::start(vec![ok("[]"), created(7), done(), done()]);
    let forge = connect(&Choice {
        api_url: Some(replay.url.clone()),
        repository: Some("alice/secrets".to_owned()),
        token: Some(Secret::from(TOKEN.to_owned())),
        pause: Some(Duration::from_millis(300)),
        ..Choice::default()
    })
    .unwrap();
    let asked = Request { labels: vec!["a".into()], reviewers: vec!["b".into()], ..request() };
    let started = Instant::now();
    forge.open(&asked).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(600), "{:?}", started.elapsed());
}
