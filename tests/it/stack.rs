//! What the other tests rely on in the stand-ins: each starts, has the property for which it was
//! chosen, and ends. A failure here says that a stand-in changed, not that keyroll did.

use std::net::TcpStream;

use serde_json::{Value, json};

use crate::context::Context;
use crate::context::aws::Signed;
use crate::context::http::request;
use crate::context::servers::{Emulate, GitHttp, Ministack, Moto, Proxy, Rule, Sshd};

#[test]
fn moto_holds_the_quota_and_notes_the_last_use() {
    let context = Context::new();
    let Some(moto) = Moto::start(&context) else { return };
    let (id, secret) = moto.user("logs-writer");
    let asked = moto.iam("GetAccessKeyLastUsed", &[("AccessKeyId", &id)]).is(200);
    assert_eq!(asked.element("LastUsedDate"), None);
    let arn = Signed::by(&moto.endpoint(), &id, &secret).caller().expect("moto takes every pair");
    assert!(arn.ends_with(":user/logs-writer"), "{arn}");
    let asked = moto.iam("GetAccessKeyLastUsed", &[("AccessKeyId", &id)]).is(200);
    assert!(asked.element("LastUsedDate").is_some());
    assert_eq!(asked.element("ServiceName"), Some("sts"));
    moto.access_key("logs-writer");
    let third = moto.iam("CreateAccessKey", &[("UserName", "logs-writer")]).is(409);
    assert_eq!(third.element("Code"), Some("LimitExceeded"));
    let listed = moto.iam("ListAccessKeys", &[("UserName", "logs-writer")]).is(200);
    assert_eq!(listed.body.matches("<AccessKeyId>").count(), 2);
}

#[test]
fn moto_ages_keys_by_its_own_clock() {
    let context = Context::new();
    let Some(moto) = Moto::start_at(&context, "-120d") else { return };
    let (id, _) = moto.user("logs-writer");
    moto.set_clock("-2d");
    moto.use_key(&id);
    let day = |text: Option<&str>| text.expect("a date").get(..10).expect("a day").to_owned();
    let used = moto.iam("GetAccessKeyLastUsed", &[("AccessKeyId", &id)]).is(200);
    let used = day(used.element("LastUsedDate"));
    let made = moto.iam("ListAccessKeys", &[("UserName", "logs-writer")]).is(200);
    let made = day(made.element("CreateDate"));
    let date = |day: &str| keyroll::model::Timestamp::parse(&format!("{day}T00:00:00Z"));
    let apart = date(&used).expect("a date").since(date(&made).expect("a date"));
    assert_eq!(apart.as_secs(), 118 * 86_400, "made {made}, used {used}");
}

#[test]
fn a_server_ends_with_its_test() {
    let context = Context::new();
    let Some(server) = GitHttp::start(&context) else { return };
    let url = server.url("");
    let port: u16 =
        url.trim_end_matches('/').rsplit(':').next().expect("a port").parse().expect("a port");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn ministack_refuses_an_inactive_access_key() {
    use aws_sdk_iam::types::StatusType;
    let context = Context::new();
    let Some(ministack) = Ministack::start(&context) else { return };
    let root = ministack.root();
    let user = root.iam.create_user().user_name("logs-writer").send();
    root.wait(user).expect("a user");
    let made = root.iam.create_access_key().user_name("logs-writer").send();
    let made = root.wait(made).expect("a pair").access_key.expect("a pair");
    let pair = ministack.signed_by(made.access_key_id(), made.secret_access_key());
    assert!(pair.caller().expect("active").ends_with(":user/logs-writer"));
    let forged =
        ministack.signed_by(made.access_key_id(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    assert_eq!(forged.caller(), Err("SignatureDoesNotMatch".to_owned()));
    for (status, answer) in [
        (StatusType::Inactive, Err("InvalidClientTokenId".to_owned())),
        (StatusType::Active, pair.caller()),
    ] {
        let set = root.iam.update_access_key().user_name("logs-writer").status(status);
        root.wait(set.access_key_id(made.access_key_id()).send()).expect("a status");
        assert_eq!(pair.caller(), answer);
    }
}

#[test]
fn emulate_keeps_a_pull_request_until_it_is_merged() {
    let context = Context::new();
    let Some(forge) = Emulate::start(&context) else { return };
    assert!(forge.pulls("keyroll/rotate/x").is_empty());
    forge.announce("keyroll/rotate/x");
    let body = json!({"title": "rotate", "head": "keyroll/rotate/x", "base": "main"});
    let made = forge.call("POST", "/pulls", &body).is(201).json();
    let number = made["number"].as_u64().expect("a number");
    forge
        .call("POST", &format!("/issues/{number}/labels"), &json!({"labels": ["rotation"]}))
        .is(200);
    assert_eq!(forge.pulls("keyroll/rotate/x")[0]["state"], "open");
    forge.merge(number);
    let merged = forge.call("GET", &format!("/pulls/{number}"), &Value::Null).is(200).json();
    assert_eq!(merged["merged"], true);
    assert!(merged["merged_at"].is_string());
    let port: u16 = forge.api().rsplit(':').next().expect("a port").parse().expect("a port");
    let stranger = request(port, "GET /repos/alice/secrets", &[], "").expect("an answer");
    assert!(stranger.status >= 400, "a private repository asks for a token");
}

#[test]
fn the_proxy_counts_and_breaks_answers() {
    let context = Context::new();
    let Some(moto) = Moto::start(&context) else { return };
    moto.iam("CreateUser", &[("UserName", "logs-writer")]).is(200);
    let create = "Action=CreateAccessKey";
    let rules = [
        Rule::throttle(create),
        Rule::refuse(create),
        Rule::lose(create),
        Rule::shorten("Action=ListAccessKeys", 40).after(1).times(2),
        Rule::delay("Action=GetUser", 0.5),
    ];
    let Some(proxy) = Proxy::start(&context, moto.port(), &rules) else { return };
    let ask = |action: &str| {
        let scope = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iam/aws4_request";
        let signed =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let form = "application/x-www-form-urlencoded";
        let headers = [("Authorization", &*signed), ("Content-Type", form)];
        let body = format!("Action={action}&Version=2010-05-08&UserName=logs-writer");
        request(proxy.port(), "POST /", &headers, &body)
    };
    let throttled = ask("CreateAccessKey").expect("an answer").is(400);
    assert_eq!(throttled.element("Code"), Some("Throttling"));
    assert!(ask("CreateAccessKey").is_err(), "refused before the server saw it");
    let whole = ask("ListAccessKeys").expect("an answer").is(200);
    assert_eq!(whole.body.matches("<AccessKeyId>").count(), 0);
    assert!(ask("CreateAccessKey").is_err(), "carried out, and the answer lost");
    for _ in 0..2 {
        assert_eq!(ask("ListAccessKeys").expect("an answer").is(200).body.len(), 40);
    }
    let whole = ask("ListAccessKeys").expect("an answer").is(200);
    assert_eq!(whole.body.matches("<AccessKeyId>").count(), 1);
    let began = std::time::Instant::now();
    ask("GetUser").expect("an answer").is(200);
    assert!(began.elapsed().as_millis() >= 500);
    assert_eq!(proxy.count("CreateAccessKey"), 3);
    assert_eq!(proxy.requests().len(), 8);
    assert!(proxy.url().ends_with(&proxy.port().to_string()));
}

#[test]
fn git_over_http_takes_a_push_with_the_token_only() {
    let context = Context::new();
    let Some(server) = GitHttp::start(&context) else { return };
    // Over 1 MB git sends the body in chunks, which simple servers do not understand.
    let noise: String =
        (0..400_000_u32).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761))).collect();
    let dir = context.repository("secrets", &[("big.txt", &noise)]);
    let remote = context.remote(&dir, "secrets.git");
    context.git(&dir, &["checkout", "-q", "-b", "topic"]);
    context.git(&dir, &["commit", "-q", "--allow-empty", "-m", "more"]);
    context.write("secrets/more.txt", noise.chars().rev().collect::<String>());
    context.git(&dir, &["add", "--all"]);
    context.git(&dir, &["commit", "-q", "-m", "much more"]);
    let bad = context
        .try_git(&dir, &["push", "-q", &server.url_with("ghs_wrong", "secrets.git"), "topic"]);
    assert!(bad.stderr.contains("Authentication failed"), "{bad}");
    let none = context.try_git(&dir, &["push", "-q", &server.url("secrets.git"), "topic"]);
    assert_ne!(none.code, 0, "{none}");
    assert_ne!(context.try_git(&remote, &["rev-parse", "--verify", "-q", "topic"]).code, 0);
    context.git(&dir, &["push", "-q", &server.url_with(GitHttp::TOKEN, "secrets.git"), "topic"]);
    let (ours, theirs) = (["rev-parse", "HEAD"], ["rev-parse", "topic"]);
    assert_eq!(context.git(&dir, &ours), context.git(&remote, &theirs));
}

#[test]
fn git_over_ssh_takes_a_push_and_an_unknown_host_is_refused() {
    let mut context = Context::new();
    let Some(server) = Sshd::start(&context) else { return };
    let dir = context.repository("secrets", &[("a.yaml", "a: b\n")]);
    let remote = context.remote(&dir, "secrets.git");
    let url = server.url("secrets.git");
    context.set("GIT_SSH_COMMAND", server.stranger());
    let stranger = context.try_git(&dir, &["push", "-q", &url, "main:topic"]);
    assert!(stranger.stderr.contains("Host key verification failed"), "{stranger}");
    context.set("GIT_SSH_COMMAND", server.command());
    context.git(&dir, &["push", "-q", &url, "main:topic"]);
    let (ours, theirs) = (["rev-parse", "HEAD"], ["rev-parse", "topic"]);
    assert_eq!(context.git(&dir, &ours), context.git(&remote, &theirs));
}
