//! What cannot or must not be done is one clear error: exit code, reason word, a message that names
//! the place, a hint what to do; and everything stays as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use keyroll::model::{AccessKeyId, KeyStatus, UserName};
use keyroll::sandbox::Fault;

use crate::context::schema::assert_fits;
use crate::context::servers::{GitHttp, Proxy, Rule};
use crate::context::{Run, save};
use crate::stage::{ID, Simulated, sealed, settings, text};

/// Exit code, reason and a word of the message.
type Wanted<'w> = (i32, &'w str, &'w str);

/// Holds a refusal against what every refusal promises.
#[track_caller]
fn assert_refused(run: &Run, (code, reason, word): Wanted<'_>) {
    assert_eq!(run.code, code, "{reason}\n{run}");
    let answer = run.json();
    assert_fits("error", &answer);
    let error = &answer["error"];
    assert_eq!(error["reason"], reason, "{run}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(word), "`{word}` is not in {run}");
    assert!(!message.ends_with('.') && !message.contains('\n'), "{run}");
    assert!(!error["hints"].as_array().unwrap().is_empty(), "a hint is missing\n{run}");
    assert!(!run.stderr.contains("panicked"), "{run}");
}

/// Refused, and nothing else has changed.
#[track_caller]
fn refused(world: &Simulated, words: &[&str], wanted: Wanted<'_>) {
    let before = world.picture();
    let run = world.stage.run(&[words, &["--yes", "--output", "json"]].concat());
    assert_refused(&run, wanted);
    assert_eq!(world.picture(), before, "{run}");
    assert_eq!(world.sandbox.count("UpdateAccessKey") + world.sandbox.count("DeleteAccessKey"), 0);
}

/// `rotate` of the usual access key.
#[track_caller]
fn rotate_refused(world: &Simulated, words: &[&str], wanted: Wanted<'_>) {
    let usual = ["rotate", &world.old, "--github-repository", "example/secrets"];
    refused(world, &[&usual[..], words].concat(), wanted);
}

#[test]
fn an_access_key_that_is_not_to_be_rotated() {
    let Some(world) = Simulated::start() else { return };
    let operator = world.sandbox.operator().id.to_string();
    let lonely = UserName::new("lonely").unwrap();
    world.sandbox.add_user(&lonely).unwrap();
    let stranger = world.sandbox.add_access_key(&lonely, Duration::ZERO).unwrap().id.to_string();
    let elsewhere = "AKIASP2TPHJSQH3FJRUX";
    for (words, wanted) in [
        (&["rotate", ID][..], (2, "unknown-access-key", ID)),
        (&["rotate", elsewhere], (2, "other-account", "171436882533")),
        (&["rotate", &world.old, "--user", "lonely"], (2, "other-user", "logs-writer")),
        (&["rotate", &operator], (3, "signing-key", &operator)),
        (&["rotate", "ASIAIOSFODNN7EXAMPLE"], (3, "temporary-access-key", "ASIA")),
        (&["rotate", "AKIA-nothing", "./"], (2, "several-repositories", "one")),
        (&["rotate", "AKIAnothing"], (2, "malformed-access-key-id", "AKIAnothing")),
        (&["rotate", &stranger], (3, "no-occurrence", &stranger)),
        (&["rotate", &world.old, &stranger], (2, "several-access-keys", "one")),
        (&["rotate"], (2, "nothing-to-rotate", "no access key")),
        (&["rotate", "--user", "nobody"], (2, "unknown-user", "nobody")),
        (&["resume", &world.old, "./nowhere"], (2, "file-not-found", "nowhere")),
    ] {
        refused(&world, &[words, &["--forge", "local"]].concat(), wanted);
    }
    assert_eq!(world.sandbox.count("CreateAccessKey"), 0);
}

#[test]
fn a_user_with_two_access_keys_is_told_of_both() {
    let Some(world) = Simulated::start() else { return };
    let second = world.sandbox.add_access_key(&world.user, Duration::from_secs(86_400)).unwrap();
    rotate_refused(&world, &[], (3, "two-access-keys", "logs-writer"));
    let error = world.rotate(&[]).json()["error"].clone();
    let hints = error["hints"].to_string();
    assert!(hints.contains(second.id.as_str()) && hints.contains(&world.old), "{hints}");
    assert!(hints.contains("no use recorded") && hints.contains("keyroll find"), "{hints}");
    world.sandbox.set_status(&second.id, KeyStatus::Inactive).unwrap();
    let error = world.rotate(&[]).ends(3).json()["error"].clone();
    assert!(error["hints"].to_string().contains("keyroll reactivate"), "{error:#}");
}

#[test]
fn a_quarantined_user_and_an_access_key_that_is_off() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.quarantine(&world.user).unwrap();
    rotate_refused(&world, &[], (3, "quarantined", "AWSCompromisedKeyQuarantine"));
    let Some(world) = Simulated::start() else { return };
    let old = AccessKeyId::new(world.old.clone()).unwrap();
    world.sandbox.set_status(&old, KeyStatus::Inactive).unwrap();
    rotate_refused(&world, &[], (3, "old-key-not-active", "Inactive"));
}

#[test]
fn a_pair_that_cannot_be_replaced_as_it_stands() {
    let Some(world) = Simulated::with_pair(|id, secret| {
        let text = format!("aws_access_key_id: {id}\naws_secret_access_key: {secret}\n");
        vec![("a/clear.yaml".into(), text), ("keyroll.yaml".into(), settings())]
    }) else {
        return;
    };
    rotate_refused(&world, &[], (3, "plaintext-secret", "a/clear.yaml:2"));
    let Some(world) = Simulated::with_pair(|id, _| {
        vec![("lonely.yaml".into(), format!("a: DEC::PKCS7[{id}]!\n"))]
    }) else {
        return;
    };
    rotate_refused(&world, &[], (3, "partner-not-found", "lonely.yaml:1"));
    let Some(world) = Simulated::with_pair(|id, secret| {
        let other = secret.chars().rev().collect::<String>();
        let text =
            format!("x: DEC::PKCS7[{id}]!\ny: DEC::PKCS7[{secret}]!\nz: DEC::PKCS7[{other}]!\n");
        vec![("which.yaml".into(), text), ("keyroll.yaml".into(), settings())]
    }) else {
        return;
    };
    rotate_refused(&world, &[], (3, "ambiguous-partner", "which.yaml"));
    let error = world.rotate(&[]).ends(3).json()["error"].clone();
    assert!(error["hints"].to_string().contains("--pair 'which.yaml#x=which.yaml#y'"), "{error:#}");
    world.rotate(&["--pair", "which.yaml#x=which.yaml#y"]).ends(0);
}

#[test]
fn credentials_that_are_missing_or_not_enough() {
    let Some(mut world) = Simulated::start() else { return };
    for action in ["GetAccessKeyLastUsed", "ListAccessKeys", "ListAttachedUserPolicies"] {
        let Some(world) = Simulated::start() else { return };
        world.sandbox.deny(action);
        rotate_refused(&world, &[], (2, "access-denied", action));
    }
    world.sandbox.deny("CreateAccessKey");
    rotate_refused(&world, &[], (2, "access-denied", "CreateAccessKey"));
    // In the journal and at the remote nothing is left of it: the next attempt begins afresh.
    rotate_refused(&world, &[], (2, "access-denied", "CreateAccessKey"));
    assert_eq!(world.sandbox.count("CreateAccessKey"), 2);
    let root = world.sandbox.add_root_access_key().unwrap();
    let context = &mut world.stage.context;
    context.set("AWS_ACCESS_KEY_ID", root.id.as_str());
    context.set("AWS_SECRET_ACCESS_KEY", text(&root.secret));
    rotate_refused(&world, &[], (3, "root-caller", "root"));
    world.stage.context.set("AWS_SECRET_ACCESS_KEY", "x".repeat(40));
    rotate_refused(&world, &[], (2, "invalid-credentials", "SignatureDoesNotMatch"));
    world.stage.context.set("AWS_ACCESS_KEY_ID", "").set("AWS_SECRET_ACCESS_KEY", "");
    rotate_refused(&world, &[], (2, "no-credentials", "credentials"));
    rotate_refused(&world, &["--aws-profile", "nope"], (2, "no-credentials", "credentials"));
}

#[test]
fn credentials_that_have_expired() {
    let Some(mut world) = Simulated::start() else { return };
    let port = world.sandbox.aws_endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>";
    let rule = Rule::answer("Action=", 403, &[("Content-Type", "text/xml")], body).times(9);
    let Some(proxy) = Proxy::start(&world.stage.context, port, &[rule]) else { return };
    world.stage.context.set("AWS_ENDPOINT_URL", proxy.url());
    rotate_refused(&world, &[], (2, "expired-credentials", "expired"));
}

#[test]
fn an_access_key_of_the_root_user() {
    let Some(mut world) = Simulated::start() else { return };
    let port = world.sandbox.aws_endpoint().rsplit(':').next().unwrap().parse().unwrap();
    // The owner of such a key is the account itself.
    let body = "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>123456789012</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed></GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>";
    let headers = [("Content-Type", "text/xml"), ("Date", "Sun, 22 Nov 2026 00:00:00 GMT")];
    let rule = Rule::answer("GetAccessKeyLastUsed", 200, &headers, body);
    let Some(proxy) = Proxy::start(&world.stage.context, port, &[rule.times(9)]) else { return };
    world.stage.context.set("AWS_ENDPOINT_URL", proxy.url());
    rotate_refused(&world, &[], (3, "root-access-key", &world.old));
}

#[test]
fn services_that_do_not_answer() {
    let Some(world) = Simulated::start() else { return };
    let nobody = format!("http://127.0.0.1:{}", crate::context::servers::free_port());
    rotate_refused(&world, &["--aws-endpoint", &nobody], (2, "unreachable", "127.0.0.1"));
    let far = ["--aws-endpoint", "http://aws.example.com"];
    rotate_refused(&world, &far, (2, "insecure-endpoint", "aws.example.com"));
    rotate_refused(&world, &["--github-api-url", &nobody], (2, "unreachable", "127.0.0.1"));
    world.sandbox.fault("ListAccessKeys", Fault::Throttle, 50);
    rotate_refused(&world, &[], (2, "throttled", "ListAccessKeys"));
    let run = world.rotate(&[]);
    assert_eq!(run.json()["error"]["retryable"], true, "{run}");
}

#[test]
fn a_forge_that_does_not_let_us_in() {
    let Some(mut world) = Simulated::start() else { return };
    let words = ["rotate", &world.old, "--github-repository", "example/other"];
    refused(&world, &words, (2, "missing-permission", "example/other"));
    world.stage.context.set("GITHUB_TOKEN", "wrong");
    rotate_refused(&world, &[], (2, "bad-token", "token"));
    world.stage.context.set("GITHUB_TOKEN", "");
    rotate_refused(&world, &[], (2, "no-token", "token"));
}

#[test]
fn a_remote_that_takes_no_push() {
    let Some(world) = Simulated::start() else { return };
    let (clone, remote) = (world.stage.clone.clone(), world.stage.remote.clone());
    // In GitHub's own words.
    let hook = remote.join("hooks/pre-receive");
    save(
        &hook,
        "#!/bin/sh\necho 'error: GH006: Protected branch update failed for refs/heads/keyroll/x.' >&2\nexit 1\n",
    );
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    rotate_refused(&world, &[], (2, "protected-branch", "GH006"));
    assert_eq!(world.sandbox.count("CreateAccessKey"), 0);
    fs::remove_file(hook).unwrap();

    let set = |world: &Simulated, url: &str| {
        world.stage.context.git(&clone, &["remote", "set-url", "origin", url]);
    };
    let port = crate::context::servers::free_port();
    set(&world, &format!("http://127.0.0.1:{port}/secrets.git"));
    rotate_refused(&world, &[], (2, "remote-unreachable", "127.0.0.1"));
    set(&world, "/nowhere/secrets.git");
    rotate_refused(&world, &[], (2, "remote-not-found", "/nowhere/secrets.git"));
    set(&world, "http://git.example.com/secrets.git");
    rotate_refused(&world, &[], (3, "remote-address", "git.example.com"));
    if let Some(server) = GitHttp::start(&world.stage.context) {
        // Reading is allowed and writing is not.
        world.stage.context.git(&remote, &["config", "http.receivepack", "false"]);
        let url = server.url_with(GitHttp::TOKEN, "secrets.git");
        set(&world, &url);
        rotate_refused(&world, &["--forge", "local"], (2, "no-permission", "127.0.0.1"));
        set(&world, &server.url_with("ghs_wrong", "secrets.git"));
        rotate_refused(&world, &["--forge", "local"], (2, "authentication-failed", "127.0.0.1"));
    }
    world.stage.context.git(&clone, &["remote", "remove", "origin"]);
    rotate_refused(&world, &[], (2, "no-remote", "remote"));
}

#[test]
fn a_base_that_is_not_there() {
    let Some(world) = Simulated::start() else { return };
    rotate_refused(&world, &["--base", "no-such"], (2, "missing-base", "no-such"));
    let empty = world.stage.context.stage().join("remotes/empty.git");
    fs::create_dir_all(&empty).unwrap();
    world.stage.context.git(&empty, &["init", "-q", "--bare"]);
    let url = format!("file://{}", empty.display());
    world.stage.context.git(&world.stage.clone, &["remote", "set-url", "origin", &url]);
    rotate_refused(&world, &[], (2, "missing-base", "empty.git"));
    let home = world.stage.context.home();
    let words = ["rotate", &world.old, home.to_str().unwrap()];
    refused(&world, &words, (2, "not-a-repository", "home"));
    let words = ["rotate", &world.old, "https://git.example.com/a/b"];
    refused(&world, &words, (2, "needs-a-clone", "clone"));
}

#[test]
fn settings_with_unknown_words() {
    let Some(world) = Simulated::start() else { return };
    for (text, reason, word) in [
        (format!("{}pull_requests: {{}}\n", settings()), "bad-config", "keyroll.yaml:5"),
        (format!("{}  quiets: 7d\n", settings()), "bad-config", "keyroll.yaml:5"),
        ("version: 2\n".to_owned(), "bad-config", "keyroll.yaml"),
        (format!("{}  quiet: 1h\n", settings()), "policy-too-low", "policy.quiet"),
        (
            format!("{}pull_request: {{ template: no.md }}\n", settings()),
            "missing-template",
            "no.md",
        ),
    ] {
        world.stage.push_file("keyroll.yaml", &text);
        rotate_refused(&world, &[], (2, reason, word));
    }
}

#[test]
fn a_disk_that_takes_nothing() {
    let Some(mut world) = Simulated::start() else { return };
    let before = (world.stage.refs(), world.keys());
    let words = ["rotate", &world.old, "--yes", "--output", "json", "--forge", "local"];
    // Every write fails; the signal that comes with it is ignored.
    let script =
        format!("trap '' XFSZ; ulimit -f 0; exec '{}' \"$@\"", env!("CARGO_BIN_EXE_keyroll"));
    let mut command: Command = world.stage.context.command(&[""; 0]);
    let environment: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command = Command::new("bash");
    command.env_clear().envs(environment).current_dir(&world.stage.clone);
    command.args(["-c", &script, "keyroll"]).args(words);
    // Standard output is a pipe: only files are limited.
    let run = Run::from(command.output().unwrap()).ends(2);
    let error = &run.json()["error"];
    assert_eq!(error["kind"], "io", "{run}");
    assert!(error["message"].to_string().contains('/'), "it names the place: {run}");
    assert_eq!((world.stage.refs(), world.keys()), before);
    assert!(world.stage.journal().is_empty(), "{:?}", world.stage.journal());

    let file = world.stage.context.root().join("file");
    save(&file, "");
    world.stage.context.set("XDG_STATE_HOME", file.to_str().unwrap());
    let run = world.stage.run(&words).ends(2);
    assert_eq!(run.json()["error"]["kind"], "io", "{run}");
    assert!(run.json()["error"]["message"].to_string().contains("/file/keyroll"), "{run}");
    // Where nobody may write, root neither.
    world.stage.context.set("XDG_STATE_HOME", "/sys");
    let run = world.stage.run(&words).ends(2);
    let reason = run.json()["error"]["reason"].as_str().unwrap().to_owned();
    assert!(["permission-denied", "read-only-disk"].contains(&reason.as_str()), "{run}");
    assert_eq!((world.stage.refs(), world.keys()), before);
    assert_eq!(world.sandbox.count("CreateAccessKey"), 0);
}

#[test]
fn names_from_outside_cannot_forge_a_line() {
    let Some(world) = Simulated::start() else { return };
    let name = "a\u{1b}[2Kb\u{202e}.yaml";
    let text = sealed(&world.stage.context, &format!("x: DEC::PKCS7[{}]!\n", world.old)).unwrap();
    world.stage.push_file(name, &text);
    let words = ["rotate", &world.old, "--yes", "--forge", "local"];
    let run = world.stage.run(&words).ends(3);
    assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('\u{202e}'), "{run}");
    assert!(run.stderr.contains("\\u{1b}[2Kb\\u{202e}.yaml"), "{run}");
}
