//! A rotation that is cut anywhere: answers that are lost, cut or late, pushes that are declined,
//! processes that are killed. Each ends with one new access key and no orphan, or with none.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use keyroll::sandbox::Fault;
use serde_json::{Value, json};

use crate::context::schema::assert_fits;
use crate::context::servers::{Proxy, Rule};
use crate::context::{Run, save};
use crate::stage::{Simulated, lay_keys};
use crate::story::{World, assert_rewritten};

const CREATE: &str = "Action=CreateAccessKey";
const LOCAL: [&str; 2] = ["--forge", "local"];

/// moto behind a proxy with rules.
fn faulty(rules: &[Rule]) -> Option<(World, Proxy)> {
    let mut world = World::start("logs-writer")?;
    let proxy = Proxy::start(&world.stage.context, world.moto.port(), rules)?;
    world.stage.context.set("AWS_ENDPOINT_URL", proxy.url());
    Some((world, proxy))
}

impl World {
    fn branch(&self) -> String {
        format!("keyroll/rotate/{}/{}", self.user, self.old)
    }

    fn says(&self, verb: &str) -> Run {
        let words = [verb, &self.old, "--yes", "--output", "json"];
        self.stage.run(&[&words[..], &LOCAL].concat())
    }

    /// Whether the rotation's branch stands at the remote.
    fn has_branch(&self) -> bool {
        let name = format!("refs/heads/{} ", self.branch());
        self.stage.refs().iter().any(|line| line.starts_with(&name))
    }
}

/// The one rotation of an answer of `resume` or `abort`.
#[track_caller]
fn only(verb: &str, run: Run) -> Value {
    let answer = run.ends(0).json();
    assert_fits(verb, &answer);
    let all = answer["rotations"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{answer:#}");
    all[0].clone()
}

/// Every way in which the answer of the one irreversible request goes wrong; `made` says whether
/// the access key exists nevertheless.
fn ways(cut: usize) -> Vec<(Rule, bool, &'static str)> {
    let failure = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>x</Message></Error></ErrorResponse>"
        )
    };
    let xml = [("Content-Type", "text/xml")];
    let answer = |status, code: &str| Rule::answer(CREATE, status, &xml, &failure(code));
    vec![
        (Rule::lose(CREATE), true, "network"),
        (Rule::shorten(CREATE, 60), true, "network"),
        (Rule::shorten(CREATE, cut), true, "network"),
        (Rule::throttle(CREATE), false, "throttled"),
        (answer(500, "ServiceFailure"), false, "network"),
        (answer(503, "ServiceUnavailable"), false, "network"),
        (Rule::refuse(CREATE), false, "network"),
    ]
}

#[test]
fn one_request_per_decision_and_resume_converges() {
    every_way(
        |_| true,
        |world, proxy, made| {
            let asked = proxy.count("CreateAccessKey");
            let resumed = only("resume", world.says("resume"));
            let new = resumed["new"].as_str().unwrap().to_owned();
            assert_eq!(proxy.count("CreateAccessKey"), asked + 1);
            assert_eq!(
                world.keys("Active"),
                [world.old.clone(), new.clone()],
                "no orphan ({made})"
            );
            assert!(world.keys("Inactive").is_empty());
            let old = (world.old.as_str(), world.secret.as_str());
            assert_rewritten(&world.stage, &resumed, old, &new);
            assert!(world.stage.journal().is_empty(), "{:?}", world.stage.journal());
        },
    );
}

#[test]
fn abort_leaves_the_old_access_key_alone_and_nothing_else() {
    // For what is left behind it matters only whether there is something.
    every_way(
        |nth| [0, 2, 4].contains(&nth),
        |world, proxy, made| {
            let asked = proxy.count("CreateAccessKey");
            let undone = only("abort", world.says("abort"));
            assert_eq!(undone["retired"]["deleted"], if made { json!(true) } else { Value::Null });
            assert_eq!(proxy.count("CreateAccessKey"), asked);
            assert_eq!(world.keys("Active"), std::slice::from_ref(&world.old));
            assert!(world.keys("Inactive").is_empty());
            assert!(!world.has_branch() && world.stage.journal().is_empty());
            let nothing = world.says("abort").ends(0).json();
            assert_fits("abort", &nothing);
            assert_eq!(nothing["rotations"], json!([]));
        },
    );
}

/// Meets each way that is taken once, and what comes `after` it.
fn every_way(taken: impl Fn(usize) -> bool, after: impl Fn(&World, &Proxy, bool)) {
    let Some(sample) = World::start("logs-writer") else { return };
    let reply = sample.moto.iam("CreateAccessKey", &[("UserName", "logs-writer")]).is(200);
    let cut = reply.body.find("<SecretAccessKey>").unwrap() + "<SecretAccessKey>".len() + 18;
    drop(sample);
    let ways = ways(cut).into_iter().enumerate().filter(|(nth, _)| taken(*nth));
    for (rule, made, kind) in ways.map(|(_, way)| way) {
        let Some((world, proxy)) = faulty(&[rule]) else { return };
        let run = world.rotate(&LOCAL).ends(2);
        let error = &run.json()["error"];
        assert_eq!(error["kind"], kind, "{run}");
        assert!(error["hints"].to_string().contains("keyroll resume"), "{run}");
        assert_eq!(proxy.count("CreateAccessKey"), 1, "{run}");
        assert_eq!(world.keys("Active").len(), if made { 2 } else { 1 }, "{run}");
        assert!(world.has_branch(), "the lock is held");
        after(&world, &proxy, made);
    }
}

#[test]
fn rotate_itself_goes_on_after_a_lost_answer() {
    let Some(world) = Simulated::start() else { return };
    for fault in [Fault::DropAnswer, Fault::FailAfter, Fault::CutAnswer(400)] {
        world.sandbox.fault("CreateAccessKey", fault, 1);
        world.rotate(&[]).ends(2);
        assert_eq!(world.keys().len(), 2);
        // A look does not touch it.
        let before = world.picture();
        let looked = world.rotate(&["--dry-run"]).ends(0).json();
        assert!(looked["warnings"].to_string().contains("cut short"), "{looked:#}");
        assert_eq!(world.picture(), before);
        // Going on is asked about like a beginning.
        let words =
            ["rotate", &world.old, "--output", "json", "--github-repository", "example/secrets"];
        let asked = world.stage.run(&words).ends(3).json();
        assert_eq!(asked["error"]["reason"], "not-confirmed");
        assert_eq!(world.picture(), before);

        let answer = world.rotate(&[]).ends(0).json();
        let new = answer["new"].as_str().unwrap();
        assert_eq!(
            world.keys().iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
            [&world.old, new]
        );
        world.delete_key(new);
        let reference = format!("refs/heads/{}", world.branch());
        world.stage.context.git(&world.stage.remote, &["update-ref", "-d", &reference]);
    }
}

#[test]
fn what_was_chosen_at_the_beginning_holds_when_it_goes_on() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.fault("CreateAccessKey", Fault::DropAnswer, 1);
    world.rotate(&["--exclude", "docs/**", "--signoff"]).ends(2);
    only("resume", world.says("resume", &[]));
    let git = |words: &[&str]| world.stage.context.git(&world.stage.remote, words);
    let branch = world.branch();
    let changed = git(&["diff", "--name-only", "main", &branch]);
    assert_eq!(changed, "hieradata/production.yaml\nhieradata/staging.yaml");
    assert!(git(&["log", "-1", "--format=%B", &branch]).contains("Signed-off-by: "));
}

#[test]
fn an_orphan_that_may_not_be_deleted_is_named_and_no_other_is_made() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.fault("CreateAccessKey", Fault::DropAnswer, 1);
    world.rotate(&[]).ends(2);
    world.sandbox.deny("DeleteAccessKey");
    let answer = world.says("resume", &[]).ends(3).json();
    assert_eq!(answer["error"]["reason"], "delete-denied", "{answer:#}");
    let orphan = world.keys()[1].clone();
    assert_eq!(orphan.1, "Inactive");
    let command = format!("--user-name logs-writer --access-key-id {}", orphan.0);
    assert!(answer["error"]["hints"].to_string().contains(&command), "{answer:#}");
    assert_eq!(world.sandbox.count("CreateAccessKey"), 1);
    let undone = world.says("abort", &[]).ends(3).json();
    assert_fits("abort", &undone);
    assert_eq!(undone["rotations"][0]["retired"]["deleted"], false);
    assert_eq!(world.keys()[0], (world.old.clone(), "Active".to_owned()));
}

#[test]
fn a_new_access_key_that_somebody_uses_is_not_retired() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.fault("CreateAccessKey", Fault::DropAnswer, 1);
    world.rotate(&[]).ends(2);
    let orphan = keyroll::model::AccessKeyId::new(world.keys()[1].0.clone()).unwrap();
    assert!(world.sandbox.use_access_key(&orphan, "s3", "eu-west-1", Duration::ZERO));
    for verb in ["resume", "abort"] {
        let answer = world.says(verb, &[]).ends(3).json();
        assert_eq!(answer["error"]["reason"], "new-key-in-use", "{answer:#}");
        assert_eq!(world.keys()[1].1, "Active");
    }
}

#[test]
fn a_strangers_access_key_is_never_taken_for_ours() {
    let Some(world) = Simulated::start() else { return };
    // Refused for certain: what appears afterwards is somebody else's.
    world.sandbox.fault("CreateAccessKey", Fault::Throttle, 1);
    world.rotate(&[]).ends(2);
    world.sandbox.add_access_key(&world.user, Duration::ZERO).unwrap();
    let answer = world.says("resume", &[]).ends(3).json();
    assert_eq!(answer["error"]["reason"], "unknown-access-keys", "{answer:#}");
    let undone = only("abort", world.says("abort", &[]));
    assert_eq!(undone["retired"], Value::Null);
    assert!(world.keys().iter().all(|(_, status)| status == "Active"));
    assert_eq!(world.keys().len(), 2);
}

#[test]
fn two_at_once_make_one_access_key() {
    let Some((world, proxy)) = faulty(&[Rule::delay(CREATE, 4.0)]) else { return };
    let context = &world.stage.context;
    let from = format!("file://{}", world.stage.remote.display());
    context.git(&context.work(), &["clone", "-q", &from, "second"]);
    lay_keys(&context.work().join("second"));
    let words = ["rotate", &world.old, "--yes", "--output", "json", "--forge", "local"];
    let start = |dir: &Path, state: &str| {
        let mut command = context.command(&words);
        command.current_dir(dir).env("XDG_STATE_HOME", context.home().join(state));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start(&world.stage.clone, "one"), start(&context.work().join("second"), "two")];
    let both = both.map(|child| Run::from(child.wait_with_output().unwrap()));
    let mut codes = both.each_ref().map(|run| run.code);
    codes.sort_unstable();
    assert_eq!(codes, [0, 3], "{}\n{}", both[0], both[1]);
    assert_eq!(proxy.count("CreateAccessKey"), 1);
    assert_eq!(world.keys("Active").len(), 2);
    for run in &both {
        if run.code == 3 {
            let error = &run.json()["error"];
            assert_eq!(error["reason"], "lock-held", "{run}");
            assert!(!error["hints"].as_array().unwrap().is_empty(), "{run}");
        } else {
            assert_fits("rotate", &run.json());
        }
    }
    // Both machines give the same answer from now on.
    let again = ["one", "two"].map(|state| {
        let child = start(&world.stage.clone, state);
        Run::from(child.wait_with_output().unwrap()).ends(0).json()["new"].clone()
    });
    assert_eq!(again[0], again[1]);
    assert_eq!(proxy.count("CreateAccessKey"), 1);
}

/// Puts a hook into the remote.
fn hook(remote: &Path, name: &str, script: &str) {
    let path = remote.join("hooks").join(name);
    save(&path, format!("#!/bin/sh\n{script}"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_declined_lock_leaves_nothing_and_a_declined_rewrite_is_finished_later() {
    let Some(world) = Simulated::start() else { return };
    let before = world.picture();
    hook(&world.stage.remote, "pre-receive", "echo 'no bots here' >&2; exit 1\n");
    let declined = world.rotate(&[]).ends(2).json();
    assert_eq!(declined["error"]["reason"], "push-declined", "{declined:#}");
    assert_eq!(world.picture(), before);
    assert_eq!(world.sandbox.count("CreateAccessKey"), 0);

    // Lock and announcement pass, the rewrite does not.
    let counting = "while read old new ref; do case $ref in */rotate/*) echo x >> pushes;; esac; done\n\
                    [ $(wc -l < pushes) -ne 3 ] || { echo 'no secrets here' >&2; exit 1; }\n";
    hook(&world.stage.remote, "pre-receive", counting);
    let declined = world.rotate(&[]).ends(2).json();
    assert_eq!(declined["error"]["reason"], "push-declined", "{declined:#}");
    assert!(declined["error"]["hints"].to_string().contains("keyroll resume"), "{declined:#}");
    let made = world.keys()[1].0.clone();
    let resumed = only("resume", world.says("resume", &[]));
    assert_eq!(resumed["new"], made);
    assert_eq!(world.sandbox.count("CreateAccessKey"), 1);
    assert_rewritten(&world.stage, &resumed, (&world.old, &world.secret), &made);
}

/// Starts a rotation and kills it, without a word of warning, once something holds.
fn killed_when(world: &Simulated, holds: impl Fn() -> bool) {
    let words = ["rotate", &world.old, "--yes", "--github-repository", "example/secrets"];
    let mut command = world.stage.context.command(&words);
    command.current_dir(&world.stage.clone).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "the moment never came");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// After a kill: `resume` ends with the same answer as an undisturbed run, and repeats it.
fn converges(world: &Simulated, what: &str) {
    let resumed = only("resume", world.says("resume", &[]));
    let new = resumed["new"].as_str().unwrap();
    let keys = world.keys();
    assert_eq!(
        keys,
        [(world.old.clone(), "Active".into()), (new.to_owned(), "Active".into())],
        "{what}"
    );
    assert_rewritten(&world.stage, &resumed, (&world.old, &world.secret), new);
    assert!(world.stage.journal().is_empty(), "{what}: {:?}", world.stage.journal());
    let again = world.rotate(&[]).ends(0).json();
    assert_eq!((&again["new"], &again["adopted"]), (&resumed["new"], &json!(true)), "{what}");
    assert_eq!(again["pull_request"], resumed["pull_request"], "{what}");
    let ledger = world
        .stage
        .context
        .git(&world.stage.remote, &["show", &format!("keyroll/ledger:keys/{}.jsonl", world.old)]);
    for event in ["started", "created", "proposed"] {
        let lines = ledger.lines().filter(|line| line.contains(&format!("-{event}\""))).count();
        assert_eq!(lines, 1, "{what}: {event} once in\n{ledger}");
    }
}

#[test]
fn killed_between_the_request_and_its_answer() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.fault("CreateAccessKey", Fault::DelayAnswer(Duration::from_secs(20)), 1);
    killed_when(&world, || world.keys().len() == 2);
    let orphan = world.keys()[1].0.clone();
    converges(&world, "an access key whose answer nobody heard");
    assert_ne!(world.keys()[1].0, orphan);
    assert_eq!(world.sandbox.count("CreateAccessKey"), 2);
}

#[test]
fn killed_while_the_new_pair_proves_itself() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.delay_new_access_keys(1_000);
    killed_when(&world, || world.keys().len() == 2 && world.sandbox.count("GetCallerIdentity") > 3);
    let made = world.keys()[1].0.clone();
    world.sandbox.delay_new_access_keys(0);
    let undone = world.says("abort", &[]);
    let undone = only("abort", undone);
    assert_eq!(undone["retired"], json!({"access_key_id": made, "deleted": true}));
    assert_eq!(world.keys(), [(world.old.clone(), "Active".to_owned())]);
    assert_eq!(world.stage.refs().len(), 1, "{:?}", world.stage.refs());
    assert!(world.stage.journal().is_empty());
}

#[test]
fn killed_at_a_push_that_arrives() {
    killed_at_each_push(true);
}

#[test]
fn killed_at_a_push_that_never_arrives() {
    killed_at_each_push(false);
}

fn killed_at_each_push(arrives: bool) {
    // 1 lock, 2 announcement, 3 rewrite, 4 the first line of the ledger.
    for nth in 1..=4 {
        let Some(world) = Simulated::start() else { return };
        let remote = &world.stage.remote;
        let sleep = format!(
            "echo x >> pushes\n\
                 [ $(wc -l < pushes) -ne {nth} ] || {{ echo $$ > sleeping; sleep 2; echo > woken; }}\n"
        );
        let name = if arrives { "post-receive" } else { "pre-receive" };
        let refuse = if arrives { "" } else { "[ ! -e woken ] || [ -e later ] || exit 1\n" };
        hook(remote, name, &format!("{sleep}{refuse}"));
        killed_when(&world, || remote.join("sleeping").is_file());
        let began = Instant::now();
        while !remote.join("woken").is_file() && began.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        // The server ends by itself what it has begun.
        std::thread::sleep(Duration::from_millis(300));
        save(&remote.join("later"), "");
        converges(&world, &format!("push {nth}, arrives: {arrives}"));
        assert_eq!(world.sandbox.count("CreateAccessKey"), 1);
    }
}

#[test]
fn a_branch_that_somebody_moved_is_left_to_them() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.fault("CreateAccessKey", Fault::DropAnswer, 1);
    world.rotate(&[]).ends(2);
    let branch = world.branch();
    let context = &world.stage.context;
    let moved = ["commit-tree", "-p", &branch, "-m", "mine now", &format!("{branch}^{{tree}}")];
    let tip = context.git(&world.stage.remote, &moved);
    let reference = format!("refs/heads/{branch}");
    context.git(&world.stage.remote, &["update-ref", &reference, &tip]);
    let before = world.picture();
    for verb in ["resume", "abort"] {
        let answer = world.says(verb, &[]).ends(3).json();
        assert_eq!(answer["error"]["reason"], "lock-lost", "{answer:#}");
        assert_eq!(world.picture(), before);
    }
}
