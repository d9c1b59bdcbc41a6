//! `keyroll rotate` from end to end: the real `eyaml` wrote the repository and reads what came of
//! it, AWS is moto behind the real SDK, the branch is asserted in the bare remote and the pull
//! request at the forge. What is the same over every transport runs against the simulation.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::context::aws::Signed;
use crate::context::http::request;
use crate::context::schema::assert_fits;
use crate::context::servers::{Emulate, GitHttp, Moto, Sshd};
use crate::context::{Context, Run, save};
use crate::stage::{Simulated, Stage, keys, opened, sealed_to, settings, tree};

/// A stage whose AWS is moto.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) moto: Moto,
    pub(crate) user: String,
    pub(crate) old: String,
    pub(crate) secret: String,
}

impl World {
    pub(crate) fn start(user: &str) -> Option<Self> {
        let mut context = Context::new();
        let moto = Moto::start(&context)?;
        let (operator, password) = moto.user("operator");
        context.set("AWS_ACCESS_KEY_ID", operator).set("AWS_SECRET_ACCESS_KEY", password);
        context.set("AWS_REGION", "eu-west-1").set("AWS_ENDPOINT_URL", moto.endpoint());
        let (old, secret) = moto.user(user);
        let stage = Stage::with_tree(context, &tree(&old, &secret))?;
        Some(Self { stage, moto, user: user.to_owned(), old, secret })
    }

    /// `rotate` of the old access key, confirmed, answered as JSON.
    pub(crate) fn rotate(&self, words: &[&str]) -> Run {
        let usual = ["rotate", &self.old, "--yes", "--output", "json"];
        self.stage.run(&[&usual[..], words].concat())
    }

    /// The IDs of the user's access keys that have this status.
    pub(crate) fn keys(&self, status: &str) -> Vec<String> {
        let listed = self.moto.iam("ListAccessKeys", &[("UserName", &self.user)]).is(200);
        let members = listed.body.split("<member>").skip(1);
        let of = |member: &str, name: &str| {
            let (_, rest) = member.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        members
            .filter(|member| of(member, "Status") == status)
            .map(|member| of(member, "AccessKeyId"))
            .collect()
    }

    /// Holds the branch at the bare remote against everything that a rotation promises.
    fn assert_rotated(&self, answer: &Value) -> (String, String) {
        assert_fits("rotate", answer);
        let new = answer["new"].as_str().unwrap().to_owned();
        assert_eq!(self.keys("Active"), [self.old.clone(), new.clone()]);
        let branch = answer["branch"].as_str().unwrap();
        let secret = assert_rewritten(&self.stage, answer, (&self.old, &self.secret), &new);
        let tip = self.stage.context.git(&self.stage.remote, &["rev-parse", branch]);
        assert_eq!(answer["commit"], tip);
        assert!(self.stage.journal().is_empty(), "{:?}", self.stage.journal());
        (new, secret)
    }
}

/// The texts between the sealed tokens of a file, and the tokens.
fn parts(text: &[u8]) -> (Vec<String>, Vec<String>) {
    let token = regex::Regex::new(r"(?s)ENC\[PKCS7,.*?\]").unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let tokens = token.find_iter(&text).map(|found| found.as_str().to_owned()).collect();
    (token.split(&text).map(str::to_owned).collect(), tokens)
}

/// What openssl reads in a token.
fn openssl_reads(stage: &Stage, token: &str) -> String {
    let base64: String = token["ENC[PKCS7,".len()..token.len() - 1].split_whitespace().collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
    let file = stage.context.stage().join("token.der");
    save(&file, der);
    let mut command = Command::new("openssl");
    command.args(["smime", "-decrypt", "-binary", "-inform", "DER", "-in"]).arg(file);
    command.arg("-inkey").arg(keys("staging").join("private_key.pkcs7.pem"));
    let output = command.arg("-recip").arg(keys("staging").join("public_key.pkcs7.pem")).output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// The text with the new pair in the place of the old one; inside a URL the secret is always
/// percent-encoded, whether the old one had to be or not.
fn replaced(text: &str, (old, secret): (&str, &str), (new, fresh): (&str, &str)) -> String {
    let in_url = |id: &str, secret: &str| {
        format!("sqs://{id}:{}@", secret.replace('/', "%2F").replace('+', "%2B"))
    };
    let text = text.replace(&in_url(old, secret), &in_url(new, fresh));
    text.replace(old, new).replace(secret, fresh)
}

/// The one commit of the branch: only planned tokens and IDs in clear differ, and the real tools
/// read the new pair. Gives the new secret.
pub(crate) fn assert_rewritten(
    stage: &Stage,
    answer: &Value,
    (old, secret): (&str, &str),
    new: &str,
) -> String {
    let (context, branch) = (&stage.context, answer["branch"].as_str().unwrap());
    let count = context.git(&stage.remote, &["rev-list", "--count", &format!("main..{branch}")]);
    assert_eq!(count, "1");
    let changed = context.git(&stage.remote, &["diff", "--raw", "main", branch]);
    let paths: Vec<_> = changed.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
    assert_eq!(paths, ["docs/who.md", "hieradata/production.yaml", "hieradata/staging.yaml"]);
    assert!(changed.lines().all(|line| line.starts_with(":100644 100644 ")), "{changed}");

    let staging = opened(context, &stage.file(branch, "hieradata/staging.yaml"));
    let fresh = regex::Regex::new(r"DEC::PKCS7\[([A-Za-z0-9+/]{40})\]").unwrap();
    let fresh = fresh.captures(&staging).expect("eyaml reads the secret")[1].to_owned();
    assert_ne!(fresh, secret);
    for (path, plain) in tree(new, &fresh) {
        let (after, before) = (stage.file(branch, &path), stage.file("main", &path));
        if !plain.contains("DEC::PKCS7[") {
            assert_eq!(String::from_utf8(after).unwrap(), plain, "{path}");
            continue;
        }
        // Folded text is unfolded by eyaml: compare what it opens with what it opened before.
        let was = opened(context, &before);
        let replaced = |text: &str| replaced(text, (old, secret), (new, &fresh));
        assert_eq!(opened(context, &after), replaced(&was), "{path}");
        let ((texts, tokens), (before_texts, before_tokens)) = (parts(&after), parts(&before));
        assert_eq!(texts, before_texts, "nothing but tokens differs in {path}");
        for (token, before) in tokens.iter().zip(&before_tokens) {
            let plain = openssl_reads(stage, before);
            assert_eq!(token != before, replaced(&plain) != plain, "{path}");
            // Percent-encoding may make a URL longer or shorter; all else keeps its shape.
            let shape = |token: &str| token.lines().map(str::len).collect::<Vec<_>>();
            assert!(plain.contains("sqs://") || shape(token) == shape(before), "{path}");
            assert_eq!(openssl_reads(stage, token), replaced(&plain));
        }
    }
    fresh
}

/// The answer without what tells a second run from a first.
fn without_adopted(answer: &Value) -> Value {
    let mut answer = answer.clone();
    answer.as_object_mut().unwrap().remove("adopted");
    answer
}

#[test]
fn over_a_path_one_key_one_branch_one_pull_request_however_often() {
    let Some(mut world) = World::start("logs-writer") else { return };
    let Some(forge) = Emulate::start(&world.stage.context) else { return };
    let branch = format!("keyroll/rotate/logs-writer/{}", world.old);
    forge.announce(&branch);
    world.stage.context.set("GITHUB_TOKEN", Emulate::TOKEN).set("GITHUB_API_URL", forge.api());
    let words =
        ["--github-repository", Emulate::REPOSITORY, "--label", "rotation", "--reviewer", "bob"];
    let run = world.rotate(&words).ends(0);
    let answer = run.json();
    let (new, secret) = world.assert_rotated(&answer);
    assert_eq!(answer["branch"], branch);
    assert_eq!(answer["warnings"], json!([]));
    let pulls = forge.pulls(&branch);
    assert_eq!(pulls.len(), 1);
    assert_eq!(pulls[0]["html_url"], answer["pull_request"]);
    let body = pulls[0]["body"].as_str().unwrap();
    assert!(body.contains("hieradata/staging.yaml") && body.contains(&new), "{body}");
    assert!(body.contains("reads::it"), "the interpolation is told: {body}");

    let again = world.rotate(&words).ends(0).json();
    assert_fits("rotate", &again);
    assert_eq!((&answer["adopted"], &again["adopted"]), (&json!(false), &json!(true)));
    assert_eq!(without_adopted(&again), without_adopted(&answer));
    assert_eq!((world.keys("Active").len(), forge.pulls(&branch).len()), (2, 1));
    let refs = world.stage.refs();
    let names: Vec<_> = refs.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        names,
        ["refs/heads/keyroll/ledger", &format!("refs/heads/{branch}"), "refs/heads/main"]
    );

    // moto knows the secret that was written, and no other: checks on.
    let port = world.moto.port();
    let plain = [("Content-Type", "text/plain")];
    request(port, "POST /moto-api/reset-auth", &plain, "0").unwrap().is(200);
    let endpoint = world.moto.endpoint();
    let arn = Signed::by(&endpoint, &new, &secret).caller();
    assert!(arn.as_ref().is_ok_and(|arn| arn.ends_with(":user/logs-writer")), "{arn:?}");
    assert!(Signed::by(&endpoint, &new, &world.secret).caller().is_err(), "checks are on");
}

#[test]
fn over_http_the_forges_token_opens_the_repository() {
    let Some(mut world) = World::start("logs-writer") else { return };
    let Some(server) = GitHttp::start(&world.stage.context) else { return };
    let Some(forge) = Emulate::start(&world.stage.context) else { return };
    let url = server.url("secrets.git");
    let context = &mut world.stage.context;
    context.git(&world.stage.clone, &["remote", "set-url", "origin", &url]);
    let host = url.trim_end_matches("/secrets.git");
    // The forge takes any token as that of its first user.
    context.set("GITHUB_API_URL", forge.api()).set("GITHUB_SERVER_URL", host);
    let words = ["--github-repository", Emulate::REPOSITORY];
    let denied = world.rotate(&words).ends(2).json();
    assert_eq!(denied["error"]["reason"], "authentication-failed", "{denied:#}");
    world.stage.context.set("GITHUB_TOKEN", GitHttp::TOKEN);
    forge.announce(&format!("keyroll/rotate/logs-writer/{}", world.old));
    let answer = world.rotate(&words).ends(0).json();
    world.assert_rotated(&answer);
    assert_eq!(forge.pulls(answer["branch"].as_str().unwrap()).len(), 1);
}

#[test]
fn over_ssh_a_user_whose_name_is_no_legal_ref() {
    let Some(mut world) = World::start("ops+x@y") else { return };
    let Some(server) = Sshd::start(&world.stage.context) else { return };
    let url = server.url("secrets.git");
    world.stage.context.git(&world.stage.clone, &["remote", "set-url", "origin", &url]);
    world.stage.context.set("GIT_SSH_COMMAND", server.stranger());
    let refused = world.rotate(&[]).ends(2).json();
    assert_eq!(refused["error"]["reason"], "unknown-host-key");
    world.stage.context.set("GIT_SSH_COMMAND", server.command());
    let answer = world.rotate(&[]).ends(0).json();
    world.assert_rotated(&answer);
    assert_eq!(answer["branch"], format!("keyroll/rotate/ops=2Bx=40y/{}", world.old));
    // Nobody's host: the request is a file.
    assert_eq!(answer["pull_request"], Value::Null);
    let file = PathBuf::from(answer["request_file"].as_str().unwrap());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("hieradata/production.yaml"), "{text}");
    let again = world.rotate(&[]).ends(0).json();
    assert_eq!(without_adopted(&again), without_adopted(&answer));
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let Some(world) = Simulated::start() else { return };
    let before = (world.picture(), world.stage.context.git(&world.stage.clone, &["status", "-s"]));
    let answer = world.rotate(&["--dry-run"]).ends(0).json();
    assert_fits("rotate", &answer);
    assert_eq!((&answer["dry_run"], &answer["new"]), (&json!(true), &Value::Null));
    assert_eq!(answer["changes"].as_array().unwrap().len(), 7);
    let words = ["rotate", &world.old, "--dry-run", "--github-repository", "example/secrets"];
    let human = world.stage.run(&words).ends(0);
    let filters = [(world.old.as_str(), "[OLD]")];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!("dry_run", human.to_string());
    });
    let after = (world.picture(), world.stage.context.git(&world.stage.clone, &["status", "-s"]));
    assert_eq!(before, after);
    assert_eq!(world.sandbox.count("CreateAccessKey"), 0);
}

#[test]
fn what_a_rotation_says() {
    let Some(world) = Simulated::start() else { return };
    let words = ["rotate", &world.old, "--yes", "--github-repository", "example/secrets"];
    let human = world.stage.run(&words).ends(0);
    let new = world.keys()[1].0.clone();
    let filters = [
        (world.old.as_str(), "[OLD]"),
        (new.as_str(), "[NEW]"),
        (r"http://127.0.0.1:\d+", "[FORGE]"),
    ];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!("rotate_human", human.to_string());
    });
}

#[test]
fn without_yes_and_without_a_terminal_nothing_is_made() {
    let Some(world) = Simulated::start() else { return };
    let before = world.picture();
    let words =
        ["rotate", &world.old, "--output", "json", "--github-repository", "example/secrets"];
    let answer = world.stage.run(&words).ends(3).json();
    assert_eq!(answer["error"]["reason"], "not-confirmed");
    assert_eq!(world.picture(), before);
}

#[test]
fn a_pair_made_elsewhere_is_taken_from_standard_input() {
    let Some(world) = Simulated::start() else { return };
    let made = world.sandbox.add_access_key(&world.user, std::time::Duration::ZERO).unwrap();
    let words = [
        "rotate",
        &world.old,
        "--yes",
        "--new-pair-stdin",
        "--output",
        "json",
        "--github-repository",
        "example/secrets",
        "./secrets",
    ];
    let pair = json!({"AccessKey": {
        "UserName": "logs-writer", "Status": "Active", "AccessKeyId": made.id.as_str(),
        "SecretAccessKey": crate::stage::text(&made.secret),
    }});
    let run = world.stage.context.run_with(&words, pair.to_string().as_bytes()).ends(0);
    let answer = run.json();
    let old = (world.old.as_str(), world.secret.as_str());
    let fresh = assert_rewritten(&world.stage, &answer, old, made.id.as_str());
    assert_eq!(fresh, crate::stage::text(&made.secret));
    assert_eq!(world.sandbox.count("CreateAccessKey"), 0);
    assert!(world.stage.journal().is_empty());
}

#[test]
fn what_is_no_pair_on_standard_input_is_refused_and_not_quoted() {
    let Some(world) = Simulated::start() else { return };
    let before = world.picture();
    let stranger = world.sandbox.operator().id.to_string();
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let pair = |id: &str, secret: &str| {
        json!({"access_key_id": id, "secret_access_key": secret}).to_string()
    };
    for (text, code, reason) in [
        (format!("{{\"access_key_id\": \"{secret}"), 2, "malformed-pair"),
        (pair("AKIAI44QH7DHBEXAMPLE", &secret[1..]), 3, "malformed-pair"),
        (pair(&world.old, secret), 3, "same-access-key"),
        (pair(&stranger, secret), 3, "other-user"),
    ] {
        let words = [
            "rotate",
            &world.old,
            "--yes",
            "--new-pair-stdin",
            "--output",
            "json",
            "--github-repository",
            "example/secrets",
            "./secrets",
        ];
        let run = world.stage.context.run_with(&words, text.as_bytes()).ends(code);
        assert_eq!(run.json()["error"]["reason"], reason);
        assert!(!run.to_string().contains(&secret[1..]), "{run}");
        assert_eq!(world.picture(), before, "{reason}");
    }
}

/// The usual tree and a file that nobody here can open.
fn with_foreign_file(texts: Vec<(String, String)>) -> Vec<(String, String)> {
    let text = sealed_to(&Context::new(), "---\nx: DEC::PKCS7[theirs]!\n", "wrong").unwrap();
    [texts, vec![("hieradata/theirs.yaml".to_owned(), text)]].concat()
}

#[test]
fn a_locked_value_refuses_until_it_is_accepted_by_name() {
    let Some(world) = Simulated::with(with_foreign_file) else { return };
    let before = world.picture();
    let refused = world.rotate(&[]).ends(3).json();
    assert_eq!(refused["error"]["reason"], "locked-values");
    assert!(refused["error"]["message"].to_string().contains("hieradata/theirs.yaml"));
    assert_eq!(world.picture(), before);
    let words = ["--accept-locked", "hieradata/theirs.yaml", "--reason", "the other team's file"];
    let answer = world.rotate(&words).ends(0).json();
    let new = answer["new"].as_str().unwrap();
    assert_rewritten(&world.stage, &answer, (&world.old, &world.secret), new);
    let branch = world.branch();
    let message =
        world.stage.context.git(&world.stage.remote, &["log", "-1", "--format=%B", &branch]);
    assert!(!message.contains("Signed-off-by"), "{message}");
}

#[test]
fn an_excluded_path_is_left_as_it_is_and_told() {
    let Some(world) = Simulated::start() else { return };
    let words = ["--exclude", "docs/**", "--exclude", "hieradata/production*", "--forge", "local"];
    let answer = world.rotate(&words).ends(0).json();
    let branch = world.branch();
    let changed =
        world.stage.context.git(&world.stage.remote, &["diff", "--name-only", "main", &branch]);
    assert_eq!(changed, "hieradata/staging.yaml");
    let text = std::fs::read_to_string(answer["request_file"].as_str().unwrap()).unwrap();
    assert!(text.contains("docs/**") && text.contains("hieradata/production*"), "{text}");
}

#[test]
fn a_commit_is_signed_off_and_signed_as_git_is_set() {
    let Some(world) = Simulated::start() else { return };
    let context = &world.stage.context;
    let signing = context.home().join("signing");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&signing);
    assert!(keygen.status().unwrap().success());
    let public = std::fs::read_to_string(signing.with_extension("pub")).unwrap();
    save(&context.home().join("signers"), format!("alice@example.com {public}"));
    for (name, value) in [
        ("gpg.format", "ssh".to_owned()),
        ("commit.gpgsign", "true".to_owned()),
        ("user.signingkey", signing.display().to_string()),
        ("gpg.ssh.allowedSignersFile", context.home().join("signers").display().to_string()),
    ] {
        context.git(&context.home(), &["config", "--global", name, &value]);
    }
    world.rotate(&["--signoff"]).ends(0);
    let branch = world.branch();
    let run = context.try_git(&world.stage.remote, &["verify-commit", "-v", &branch]).ends(0);
    assert!(run.stderr.contains("Good \"git\" signature for alice@example.com"), "{run}");
    let message = context.git(&world.stage.remote, &["log", "-1", "--format=%(trailers)", &branch]);
    for trailer in [
        "Signed-off-by: Alice Example <alice@example.com>",
        "Keyroll-User: logs-writer",
        &format!("Keyroll-Old: {}", world.old),
    ] {
        assert!(message.contains(trailer), "{trailer} in {message}");
    }
}

#[test]
fn a_branch_prefix_and_a_title_are_taken() {
    let Some(world) = Simulated::start() else { return };
    let words =
        ["--branch-prefix", "bot/keys", "--title", "Replace the key of {user}", "--forge", "local"];
    let answer = world.rotate(&words).ends(0).json();
    let branch = format!("bot/keys/logs-writer/{}", world.old);
    assert_eq!(answer["branch"], branch);
    let text = std::fs::read_to_string(answer["request_file"].as_str().unwrap()).unwrap();
    assert!(text.starts_with("# Replace the key of logs-writer\n"), "{text}");
}

#[test]
fn the_one_access_key_of_a_user_is_rotated_by_the_users_name() {
    let Some(world) = Simulated::start() else { return };
    let words =
        ["rotate", "--user", "logs-writer", "--yes", "--output", "json", "--forge", "local"];
    let answer = world.stage.run(&words).ends(0).json();
    assert_eq!(answer["old"], world.old);
    let new = answer["new"].as_str().unwrap();
    assert_rewritten(&world.stage, &answer, (&world.old, &world.secret), new);
}

#[test]
fn kinds_of_clones_are_rotated_alike() {
    let Some(world) = Simulated::start() else { return };
    let (context, stage) = (&world.stage.context, &world.stage);
    stage.push_file("later.txt", "x\n");
    context.git(&stage.remote, &["config", "uploadpack.allowFilter", "true"]);
    let from = format!("file://{}", stage.remote.display());
    let identity = keys("staging").join("private_key.pkcs7.pem");
    let main = context.git(&stage.remote, &["rev-parse", "main"]);
    for (name, words) in [
        ("bare", &["--bare"][..]),
        ("shallow", &["--depth=1"]),
        ("partial", &["--filter=blob:none", "--no-checkout"]),
        ("ci", &["--depth=1"]),
    ] {
        context.git(&context.work(), &[&["clone", "-q"], words, &[&from, name]].concat());
        if name == "ci" {
            let dir = context.work().join(name);
            context.git(&dir, &["remote", "set-head", "origin", "--delete"]);
            context.git(&dir, &["checkout", "-q", "--detach", "HEAD"]);
            save(&dir.join("hieradata/staging.yaml"), "dirty: true\n");
        }
        let path = format!("./{name}");
        let words = [
            &path,
            "--identity",
            identity.to_str().unwrap(),
            "--branch-prefix",
            name,
            "--forge",
            "local",
        ];
        let answer = context
            .run(&[&["rotate", &world.old, "--yes", "--output", "json"], &words[..]].concat())
            .ends(0)
            .json();
        assert_eq!(answer["base_commit"], main, "{name}");
        let branch = answer["branch"].as_str().unwrap();
        let changed = context.git(&stage.remote, &["diff", "--name-only", "main", branch]);
        assert_eq!(
            changed.lines().collect::<Vec<_>>(),
            ["docs/who.md", "hieradata/production.yaml", "hieradata/staging.yaml"]
        );
        world.delete_key(answer["new"].as_str().unwrap());
    }
}

#[test]
fn a_base_branch_is_named_or_told_by_the_settings() {
    let Some(world) = Simulated::with(|mut texts| {
        texts.retain(|(path, _)| path != "keyroll.yaml");
        texts.push(("keyroll.yaml".to_owned(), format!("{}base: release\n", settings())));
        texts
    }) else {
        return;
    };
    let missing = world.rotate(&["--forge", "local"]).ends(2).json();
    assert_eq!(missing["error"]["reason"], "missing-base");
    let (context, remote) = (&world.stage.context, &world.stage.remote);
    context.git(remote, &["branch", "release", "main"]);
    let answer = world.rotate(&["--forge", "local", "--dry-run"]).ends(0).json();
    assert_eq!(answer["base"], "release");
    let answer = world.rotate(&["--forge", "local", "--dry-run", "--base", "main"]).ends(0).json();
    assert_eq!(answer["base"], "main");
}
