//! Rotations followed after their pull request: what `verify` says of each state, what it rests
//! on, and what must never make it *safe*.

mod around;
pub(crate) mod world;

use std::time::Duration;

use keyroll::model::Timestamp;
use keyroll::sandbox::{Fault, Merge};
use serde_json::Value;

use self::world::{DAY, HOUR, MINUTE, World, said};

/// The time of the next look, counted from the simulated now, in seconds.
fn ahead(world: &World, answer: &Value) -> u64 {
    let next = answer["next_check_at"].as_str().expect("a time");
    Timestamp::parse(next).expect("a time").since(world.sandbox.now()).as_secs()
}

/// Whether it is so many days and the lag, give or take an hour.
fn is_days(seconds: u64, days: u64) -> bool {
    (days * DAY + 3 * HOUR..days * DAY + 5 * HOUR).contains(&seconds)
}

/// A rotation that is merged and deployed, with an old key that was used a day before.
fn deployed(files: &[&str], settings: &str) -> World {
    let world = World::with(files, settings);
    world.sandbox.use_access_key(&world.old, "s3", "eu-west-1", Duration::from_secs(DAY));
    let new = world.rotate();
    world.merge(Merge::Commit);
    world.advance(HOUR);
    world.used(&new, "s3");
    world
}

#[test]
fn a_rotation_is_followed_from_its_pull_request_to_safe() {
    let world = World::new(&["staging.yaml"]);
    for day in 1..5 {
        let ago = std::time::Duration::from_secs(day * DAY);
        world.sandbox.use_access_key(&world.old, "s3", "eu-west-1", ago);
    }
    let new = world.rotate();
    let answer = world.verify(&[], 4);
    assert_eq!(said(&answer), ("waiting", "not-merged"));
    assert!(answer["next_check_at"].is_string());
    assert!(answer["rotations"][0]["next"].as_str().unwrap().contains("/pull/1"), "{answer:#}");

    world.merge(Merge::Commit);
    assert_eq!(said(&world.verify(&["--until", "replaced"], 0)), ("safe", "replaced"));
    let answer = world.verify(&["--until", "deployed"], 4);
    assert_eq!(said(&answer), ("waiting", "not-deployed"), "our own probe is no deploy");

    world.advance(HOUR);
    world.used(&new, "s3");
    assert_eq!(said(&world.verify(&["--until", "deployed"], 0)), ("safe", "deployed"));
    let answer = world.verify(&[], 4);
    assert_eq!(said(&answer), ("waiting", "quiet-window"));
    assert!(is_days(ahead(&world, &answer), 7), "{answer:#}");

    world.advance(2 * DAY);
    world.used(&world.old, "sqs");
    let answer = world.verify(&[], 1);
    assert_eq!(said(&answer), ("in-use", "old-key-used"));
    assert!(answer["rotations"][0]["sentence"].as_str().unwrap().contains("service sqs"));

    // A use of the new key moves nothing, and the window counts from the old key's last use.
    world.advance(7 * DAY + 4 * HOUR);
    world.used(&new, "s3");
    assert_eq!(said(&world.verify(&[], 1)), ("in-use", "old-key-used"));
    world.advance(16 * MINUTE);
    assert_eq!(said(&world.verify(&[], 0)), ("safe", "quiet"));
    assert_eq!(world.writes(), 1, "only rotate changed anything");
}

#[test]
fn what_iam_does_not_say_is_unknown_and_changes_nothing() {
    let world = deployed(&["staging.yaml"], "");
    let before = world.writes();
    // Reads are sent three times; both access keys are asked for.
    for (action, fault, times) in [
        ("GetAccessKeyLastUsed", Fault::Throttle, 6),
        ("ListAccessKeys", Fault::FailBefore, 3),
        ("GetCallerIdentity", Fault::FailBefore, 3),
    ] {
        world.sandbox.fault(action, fault, times);
        let answer = world.verify(&[], 2);
        assert_eq!(said(&answer), ("unknown", "facts-missing"), "{action}");
        assert_eq!(said(&world.verify(&[], 4)), ("waiting", "quiet-window"), "after {action}");
    }
    world.sandbox.deny("GetAccessKeyLastUsed");
    assert_eq!(said(&world.verify(&["--until", "deployed"], 2)), ("unknown", "facts-missing"));
    assert_eq!(world.writes(), before);
}

#[test]
fn an_old_occurrence_on_base_is_in_use_whatever_the_request_says() {
    let world = World::new(&["staging.yaml"]);
    let new = world.rotate();
    world.push(|dir| {
        std::fs::copy(dir.join("hieradata/staging.yaml"), dir.join("hieradata/late.yaml")).unwrap();
    });
    assert_eq!(said(&world.verify(&[], 4)), ("waiting", "not-merged"));
    world.merge(Merge::Squash);
    let answer = world.verify(&["--until", "replaced"], 1);
    assert_eq!(said(&answer), ("in-use", "occurrence-remains"));
    let sentence = answer["rotations"][0]["sentence"].as_str().unwrap();
    assert!(sentence.contains("hieradata/late.yaml:1"), "{sentence}");
    world.push(|dir| std::fs::remove_file(dir.join("hieradata/late.yaml")).unwrap());
    assert_eq!(said(&world.verify(&["--until", "replaced"], 0)), ("safe", "replaced"));

    // Half of the new pair is not the new pair.
    let file = |dir: &std::path::Path| dir.join("hieradata/staging.yaml");
    let clear = format!("logs::aws_access_key_id: {new}\nlogs::aws_secret_access_key: gone\n");
    world.push(|dir| crate::context::save(&file(dir), clear));
    let run = world.run(&["verify", "--until", "replaced"]);
    assert!(run.code == 0, "seen whole once, and the old key is nowhere:\n{run}");
}

#[test]
fn half_a_pair_on_base_is_not_replaced() {
    let world = World::new(&["staging.yaml"]);
    let new = world.rotate();
    world.merge(Merge::Squash);
    world.push(|dir| {
        let file = dir.join("hieradata/staging.yaml");
        let text = format!("logs::aws_access_key_id: {new}\nlogs::aws_secret_access_key: gone\n");
        crate::context::save(&file, text);
    });
    let answer = world.verify(&[], 1);
    assert_eq!(said(&answer), ("in-use", "pair-missing"));
    let sentence = answer["rotations"][0]["sentence"].as_str().unwrap();
    assert!(sentence.contains("aws_secret_access_key"), "{sentence}");
}

#[test]
fn a_squash_and_a_deleted_branch_leave_the_content_to_decide() {
    for settings in ["", "ledger: none\n"] {
        let world = World::with(&["staging.yaml", "production.yaml"], settings);
        let new = world.rotate();
        world.merge(Merge::Squash);
        let branch = format!("refs/heads/keyroll/rotate/logs-writer/{}", world.old);
        world.context.git(&world.remote, &["update-ref", "-d", &branch]);
        let answer = world.verify(&["--until", "replaced"], 0);
        assert_eq!(said(&answer), ("safe", "replaced"), "{settings}");
        assert_eq!(answer["rotations"][0]["new"], new.as_str());
        world.push(|dir| {
            let moved = dir.join("hieradata/moved.yaml");
            std::fs::rename(dir.join("hieradata/staging.yaml"), moved).unwrap();
        });
        assert_eq!(said(&world.verify(&["--until", "replaced"], 0)), ("safe", "replaced"));
        world.context.git(&world.clone, &["fetch", "-q"]);
        world.push(|dir| {
            world.context.git(dir, &["revert", "--no-edit", "-n", "HEAD", "HEAD~1"]);
        });
        let answer = world.verify(&["--until", "replaced"], 1);
        assert_eq!(said(&answer), ("in-use", "occurrence-remains"), "reverted, {settings}");
    }
}

#[test]
fn a_request_that_was_closed_is_a_no() {
    let world = World::new(&["staging.yaml"]);
    world.rotate();
    let branch = format!("refs/heads/keyroll/rotate/logs-writer/{}", world.old);
    world.context.git(&world.remote, &["update-ref", "-d", &branch]);
    assert_eq!(said(&world.verify(&[], 1)), ("in-use", "closed-unmerged"));
}

#[test]
fn the_same_facts_give_the_same_verdict() {
    let world = deployed(&["staging.yaml"], "");
    let first = world.verify(&["--explain"], 4);
    let second = world.verify(&["--explain"], 4);
    let third = world.verify(&["--explain"], 4);
    assert_eq!(said(&first), said(&second));
    assert_eq!(first["next_check_at"], second["next_check_at"]);
    let facts = |answer: &Value| answer["rotations"].clone();
    assert_eq!(facts(&second), facts(&third), "the record is complete after the first look");
    let events = world.events();
    for word in ["merged", "deployed", "observed"] {
        assert_eq!(events.iter().filter(|event| *event == word).count(), 1, "{events:?}");
    }
}

#[test]
fn several_places_wait_for_the_rarest_consumer_until_people_vouch() {
    let settings = "users:\n  logs-writer: { consumers: [ { name: Fastly logging } ] }\n";
    let world = deployed(&["staging.yaml", "production.yaml"], settings);
    assert!(is_days(ahead(&world, &world.verify(&[], 4)), 31));
    let old = world.old.as_str().to_owned();
    let vouch =
        |place: &str, code| world.json(&["attest", &old, place, "--by", "alice", "--yes"], code);
    assert_eq!(vouch("hieradata/stagin.yaml", 2)["error"]["reason"], "unknown-consumer");
    vouch("hieradata/staging.yaml", 0);
    let answer = vouch("Fastly logging", 0);
    assert_eq!(answer["remaining"], serde_json::json!(["hieradata/production.yaml"]));
    let answer = world.verify(&[], 4);
    assert!(is_days(ahead(&world, &answer), 31), "{answer:#}");
    assert_eq!(answer["rotations"][0]["not_attested"], answer_of("hieradata/production.yaml"));
    let run = world.run(&["verify", &old]).ends(4);
    let command = format!("    keyroll attest {old} 'hieradata/production.yaml' --by WHO");
    assert!(run.stdout.lines().any(|line| line == command), "{run}");
    vouch("hieradata/production.yaml", 0);
    vouch("hieradata/production.yaml", 0);
    assert!(is_days(ahead(&world, &world.verify(&[], 4)), 7));
    assert_eq!(world.events().iter().filter(|word| *word == "attested").count(), 3);
    let run = world.run(&["attest", &old, "hieradata/staging.yaml", "--by", "bob"]).ends(3);
    assert!(run.stderr.contains("nobody can be asked"), "{run}");
}

fn answer_of(place: &str) -> Value {
    serde_json::json!([place])
}

#[test]
fn a_key_that_is_seldom_used_waits_longer_unless_somebody_answers_for_it() {
    let world = World::new(&["staging.yaml"]);
    world.sandbox.use_access_key(&world.old, "s3", "x", Duration::from_secs(20 * DAY));
    let new = world.rotate();
    world.merge(Merge::Commit);
    world.advance(HOUR);
    world.used(&new, "s3");
    let answer = world.verify(&[], 4);
    // Twice the 20 days and the hour since, and the lag.
    let long = ahead(&world, &answer).abs_diff(40 * DAY + 6 * HOUR);
    assert!(long < 2 * HOUR, "{answer:#}");
    let accepted = world.verify(&["--accept-infrequent", "the report ran"], 4);
    assert!(is_days(ahead(&world, &accepted), 7), "{accepted:#}");
    // It is recorded, and holds for the next look as well.
    let later = world.verify(&[], 4);
    assert!(is_days(ahead(&world, &later), 7), "{later:#}");
}

#[test]
fn without_a_ledger_somebody_vouches_for_the_time() {
    let world = deployed(&["staging.yaml"], "ledger: none\n");
    let answer = world.verify(&[], 4);
    assert_eq!(said(&answer), ("waiting", "quiet-window"));
    assert!(answer["notes"].to_string().contains("--deployed-at"), "{answer:#}");
    let at = world.sandbox.now().to_string();
    world.advance(7 * DAY + 5 * HOUR);
    assert_eq!(said(&world.verify(&["--deployed-at", &at], 0)), ("safe", "quiet"));
    let heads = world.context.git(&world.remote, &["for-each-ref", "refs/heads/keyroll/ledger"]);
    assert_eq!(heads, "");
    let place = "hieradata/staging.yaml";
    let refused = world.json(&["attest", world.old.as_str(), place, "--by", "a", "--yes"], 3);
    assert_eq!(refused["error"]["reason"], "no-ledger");
}

#[test]
fn neither_clone_nor_ledger_is_needed() {
    let world = deployed(&["staging.yaml"], "");
    let (old, at) = (world.old.as_str().to_owned(), world.sandbox.now().to_string());
    let listed = world.sandbox.access_keys(&world.user);
    let new = listed.iter().map(|(id, _)| id).find(|id| *id != &world.old).unwrap().to_string();
    let mut words = vec!["verify", "--old", &old, "--new", &new, "--user", "logs-writer"];
    words.extend(["--output", "json"]);
    let run = |words: &[&str], code| {
        let run = world.context.run(words).ends(code);
        run.json()
    };
    assert_eq!(run(&words, 2)["error"]["reason"], "missing-deployed-at");
    words.extend(["--deployed-at", &at]);
    assert_eq!(said(&run(&words, 4)), ("waiting", "quiet-window"));
    world.advance(7 * DAY + 5 * HOUR);
    let answer = run(&words, 0);
    crate::context::schema::assert_fits("verify", &answer);
    assert_eq!(said(&answer), ("safe", "quiet"));
    words[6] = "somebody-else";
    assert_eq!(said(&run(&words, 2)), ("unknown", "facts-missing"));
}

#[test]
fn waiting_asks_again_until_it_is_told() {
    let world = World::new(&["staging.yaml"]);
    let new = world.rotate();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| world.verify(&["--until", "deployed", "--wait", "60s"], 0));
        while world.sandbox.count("ListAccessKeys") < 4 {
            std::thread::sleep(Duration::from_millis(20));
        }
        world.merge(Merge::Squash);
        world.used(&new, "s3");
        world.advance(20 * MINUTE);
        world.used(&new, "s3");
        assert_eq!(said(&waiting.join().unwrap()), ("safe", "deployed"));
    });
    // A window of days is not waited for by a job of minutes.
    assert_eq!(said(&world.verify(&["--wait", "10m"], 4)), ("waiting", "quiet-window"));
}

#[test]
fn a_job_without_identities_recognises_what_the_rotation_wrote() {
    let world = World::new(&["staging.yaml", "production.yaml"]);
    world.rotate();
    world.merge(Merge::Squash);
    std::fs::remove_dir_all(world.clone.join("keys")).unwrap();
    assert_eq!(said(&world.verify(&["--until", "replaced"], 0)), ("safe", "replaced"));
    world.push(|dir| {
        let file = dir.join("hieradata/staging.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        crate::context::save(&dir.join("hieradata/other.yaml"), text);
    });
    let answer = world.verify(&["--until", "replaced"], 2);
    assert_eq!(said(&answer), ("unknown", "facts-missing"));
    let sentence = answer["rotations"][0]["sentence"].as_str().unwrap();
    assert!(sentence.contains("hieradata/other.yaml"), "{sentence}");
}

#[test]
fn a_ledger_that_takes_no_push_changes_no_verdict() {
    let world = deployed(&["staging.yaml"], "");
    let hook = world.remote.join("hooks/pre-receive");
    crate::context::save(&hook, "#!/bin/sh\necho no >&2\nexit 1\n");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let old = world.old.as_str().to_owned();
    let run = world.run(&["verify", &old]).ends(4);
    assert!(run.stderr.contains("the ledger could not be written"), "{run}");
    assert!(run.stdout.starts_with("waiting (quiet-window)"), "{run}");
}

#[test]
fn an_id_without_a_record_is_refused_and_nothing_in_flight_is_safe() {
    let world = World::new(&["staging.yaml"]);
    let answer = world.json(&["verify", "AKIAIOSFODNN7EXAMPLE"], 3);
    assert_eq!(answer["error"]["reason"], "no-record");
    assert!(answer["error"]["hints"].to_string().contains("--deployed-at"), "{answer:#}");
    let answer = world.json(&["verify"], 0);
    assert_eq!(answer["rotations"], serde_json::json!([]));
    world.rotate();
    assert_eq!(said(&world.json(&["verify"], 4)), ("waiting", "not-merged"));
}
