//! Canaries: the old secret, the new one and what else is nobody's business are looked for in
//! everything that a run says at its most talkative, and in everything that it leaves behind.

use keyroll::sandbox::Fault;
use serde_json::json;

use crate::context::canary::Canary;
use crate::context::{Run, save};
use crate::stage::{Simulated, opened, text};

/// A value of somebody else in the same file.
const OTHERS: &str = "a password of somebody else";

/// The new secret, as the real `eyaml` reads it on the branch.
fn fresh(world: &Simulated, branch: &str) -> String {
    let staging = world.stage.file(branch, "hieradata/staging.yaml");
    let staging = opened(&world.stage.context, &staging);
    let shape = regex::Regex::new(r"DEC::PKCS7\[([A-Za-z0-9+/]{40})\]").unwrap();
    shape.captures(&staging).expect("eyaml reads the secret")[1].to_owned()
}

/// Every secret there is, with the operator's own and the forge's token.
fn assert_unseen(world: &Simulated, new: Option<&str>, runs: &[&Run]) {
    let operator = text(&world.sandbox.operator().secret).to_owned();
    let mut secrets = vec![
        ("the old secret", world.secret.as_str()),
        ("the operator's secret", &operator),
        ("the forge's token", "sandbox-token"),
        ("another value", OTHERS),
    ];
    secrets.extend(new.map(|new| ("the new secret", new)));
    Canary::new(&secrets).assert_unseen(&world.stage.context, runs);
}

/// The user whose logs are as loud as they get.
fn loud() -> Option<Simulated> {
    let mut world = Simulated::start()?;
    world.stage.context.set("RUST_LOG", "trace").set("RUST_BACKTRACE", "1");
    Some(world)
}

/// Every stage of a rotation that is cut, looked at, resumed and asked for again.
#[test]
fn no_secret_leaves_a_rotation() {
    let Some(world) = loud() else { return };
    let planned = world.rotate(&["--dry-run", "-vv"]).ends(0);
    assert_unseen(&world, None, &[&planned]);
    let rotated = world.rotate(&["-vv"]).ends(0);
    assert!(rotated.stderr.contains("DEBUG"), "it is loud: {rotated}");
    let new = fresh(&world, &world.branch());
    let again = world.rotate(&["-vv"]).ends(0);
    let words = ["find", &world.old, "-vv"];
    let found = world.stage.run(&words).ends(0);
    assert_unseen(&world, Some(&new), &[&rotated, &again, &found]);
}

#[test]
fn no_secret_leaves_a_rotation_that_is_cut_and_resumed() {
    let Some(world) = loud() else { return };
    let hook = world.stage.remote.join("hooks/pre-receive");
    save(&hook, "#!/bin/sh\necho x >> pushes\n[ $(wc -l < pushes) -ne 3 ] || exit 1\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let cut = world.rotate(&["-vv"]).ends(2);
    let journal = world.stage.journal();
    let kinds: Vec<_> = journal.iter().map(|name| name.split_once('.').unwrap().1).collect();
    assert_eq!(kinds, ["identity", "json", "pair.age"], "intent and escrow stand");
    // What the escrow holds is known only once it is written.
    let before = std::fs::read_dir(world.stage.context.home().join("state/keyroll")).unwrap();
    let kept: Vec<u8> = before
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    assert_unseen(&world, None, &[&cut]);
    let resumed = world.says("resume", &["-vv"]).ends(0);
    let new = fresh(&world, &world.branch());
    let seen = Canary::new(&[("the new secret", &new)]).in_bytes(&kept);
    assert!(seen.is_empty(), "journal and escrow: {seen:?}");
    assert_unseen(&world, Some(&new), &[&cut, &resumed]);
}

#[test]
fn no_secret_leaves_a_rotation_that_fails_or_is_undone() {
    let Some(world) = loud() else { return };
    for fault in [Fault::DropAnswer, Fault::CutAnswer(400), Fault::FailAfter, Fault::Throttle] {
        world.sandbox.fault("CreateAccessKey", fault, 1);
        let failed = world.rotate(&["-vv"]).ends(2);
        let undone = world.says("abort", &["-vv"]).ends(0);
        assert_unseen(&world, None, &[&failed, &undone]);
    }
}

#[test]
fn no_secret_leaves_the_text_of_a_request() {
    let Some(world) = loud() else { return };
    let answer = world.rotate(&["--forge", "local"]).ends(0).json();
    let file = answer["request_file"].as_str().unwrap();
    assert!(file.starts_with(world.stage.context.root().to_str().unwrap()), "it is looked into");
    let new = fresh(&world, &world.branch());
    assert_unseen(&world, Some(&new), &[]);
}

#[test]
fn a_pair_from_standard_input_goes_nowhere_else() {
    let Some(world) = loud() else { return };
    let made = world.sandbox.add_access_key(&world.user, std::time::Duration::ZERO).unwrap();
    let new = text(&made.secret).to_owned();
    let pair = json!({"access_key_id": made.id.as_str(), "secret_access_key": new}).to_string();
    let words =
        ["rotate", &world.old, "--yes", "--new-pair-stdin", "--forge", "local", "./secrets"];
    let with = |more: &[&str], input: &str| {
        world.stage.context.run_with(&[&words[..], more].concat(), input.as_bytes())
    };
    // A text that ends too early must not be quoted by the parser's own words.
    let broken = with(&["-vv"], &pair[..pair.len() - 3]).ends(2);
    let twice = with(&["-vv"], &pair.replace("\"access_key_id\"", "\"secret_access_key\"")).ends(2);
    let done = with(&["-vv"], &pair).ends(0);
    assert_eq!(fresh(&world, &world.branch()), new);
    assert_unseen(&world, Some(&new), &[&broken, &twice, &done]);
}

#[test]
fn a_search_shows_places_and_never_values() {
    let Some(world) = loud() else { return };
    let git = |words: &[&str]| world.stage.context.git(&world.stage.clone, words);
    git(&["config", "user.name", "x"]);
    let mut runs = Vec::new();
    for words in [
        &["find", "--text", "password of", "-vv"][..],
        &["find", "--regex", "secret_key = .*", "-vv"],
        &["find", "--all", "-vv", "--output", "json"],
        &["find", &world.old, "-vv", "--output", "sarif"],
        &["find", &world.old, "-vv", "--history"],
        &["find", &world.old, "-vv", "--worktree"],
    ] {
        runs.push(world.stage.run(words).ends(0));
    }
    assert_unseen(&world, None, &runs.iter().collect::<Vec<_>>());
}

#[test]
fn the_canaries_would_sing() {
    let Some(world) = Simulated::start() else { return };
    let run = Run { code: 0, stdout: String::new(), stderr: world.secret.clone() };
    let look = std::panic::AssertUnwindSafe(|| assert_unseen(&world, None, &[&run]));
    assert!(std::panic::catch_unwind(look).is_err());
}
