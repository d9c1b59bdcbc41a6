//! What stands around a verdict: `status`, `observe`, `ledger show`, and GitHub Actions.

use std::time::Duration;

use keyroll::model::KeyStatus;
use keyroll::sandbox::Merge;
use serde_json::{Value, json};

use super::deployed;
use super::world::{DAY, HOUR, World};

fn only(answer: &Value) -> &Value {
    assert_eq!(answer["rotations"].as_array().map(Vec::len), Some(1), "{answer:#}");
    &answer["rotations"][0]
}

#[test]
fn status_tells_each_step_and_what_it_waits_for() {
    let world = World::new(&["staging.yaml"]);
    let answer = world.json(&["status"], 0);
    assert_eq!(answer["rotations"], json!([]));
    let new = world.rotate();
    let old = world.old.to_string();
    let answer = world.json(&["status"], 0);
    let one = only(&answer);
    assert_eq!((&one["step"], &one["new"]), (&json!("proposed"), &json!(new.as_str())));
    assert!(one["pull_request"].as_str().unwrap().ends_with("/pull/1"), "{one:#}");
    world.merge(Merge::Squash);
    let step = |wanted: &str, next: &str| {
        let answer = world.json(&["status"], 0);
        let one = only(&answer);
        assert_eq!(one["step"], wanted, "{one:#}");
        assert!(one["next"].as_str().unwrap().starts_with(next), "{one:#}");
    };
    step("merged", "keyroll verify");
    world.advance(HOUR);
    world.used(&new, "s3");
    step("deployed", "keyroll verify");
    let run = world.run(&["verify", &old]);
    assert_eq!(run.code, 4, "{run}");
    world.advance(80 * DAY);
    step("quiet", &format!("keyroll deactivate {old}"));
}

#[test]
fn status_without_aws_tells_what_the_repository_knows() {
    let mut world = World::new(&["staging.yaml"]);
    world.rotate();
    world.context.set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    let answer = world.json(&["status"], 0);
    assert_eq!(only(&answer)["step"], "proposed");
    assert_eq!(answer["unread"].as_array().map(Vec::len), Some(1), "{answer:#}");
    world.merge(Merge::Squash);
    let answer = world.json(&["status"], 0);
    assert_eq!(only(&answer)["step"], "merged");
    assert!(only(&answer)["waits_for"].as_str().unwrap().contains("AWS could not be asked"));
    world.json(&["status", "--fail-if-overdue"], 2);
}

#[test]
fn status_fails_for_what_is_overdue_and_names_what_was_left_behind() {
    let settings = "users:\n  logs-writer: { owner: ops }\n";
    let world = World::with(&["staging.yaml"], settings);
    let answer = world.json(&["status", "--fail-if-overdue"], 1);
    assert_eq!(answer["overdue"][0]["access_key_id"], world.old.as_str());
    world.json(&["status"], 0);
    let left = world.sandbox.add_access_key(&world.user, Duration::from_secs(DAY)).unwrap();
    world.sandbox.set_status(&left.id, KeyStatus::Inactive).unwrap();
    let answer = world.json(&["status"], 0);
    let next = answer["leftover"][0]["next"].as_str().unwrap();
    assert!(next.starts_with(&format!("keyroll delete {0} --confirm {0}", left.id)), "{next}");
}

#[test]
fn status_knows_a_rotation_that_waits_too_long() {
    let world = World::with(&["staging.yaml"], "");
    world.rotate();
    let late = || only(&world.json(&["status"], 0))["late"].clone();
    assert_eq!(late(), json!(false));
    world.advance(8 * DAY);
    assert_eq!(late(), json!(true));
    world.json(&["status", "--fail-if-overdue"], 1);
}

#[test]
fn observe_notes_what_changed_and_only_that() {
    let world = World::new(&["staging.yaml"]);
    let answer = world.json(&["observe", "--yes"], 0);
    assert_eq!((&answer["observed"], &answer["recorded"]), (&json!([]), &json!(false)));
    world.rotate();
    world.used(&world.old, "s3");
    let answer = world.json(&["observe", "--yes"], 0);
    assert_eq!(answer["recorded"], true, "{answer:#}");
    assert_eq!(answer["observed"].as_array().map(Vec::len), Some(2));
    let again = world.json(&["observe", "--yes"], 0);
    assert_eq!(again["recorded"], false, "{again:#}");
    world.advance(HOUR);
    world.used(&world.old, "s3");
    assert_eq!(world.json(&["observe", "--yes"], 0)["recorded"], true);
    assert_eq!(world.events().iter().filter(|word| *word == "observed").count(), 2);
    world.sandbox.deny("GetAccessKeyLastUsed");
    let answer = world.json(&["observe", "--yes"], 2);
    assert_eq!(answer["recorded"], false);
    assert!(answer["unread"][0].is_string(), "{answer:#}");
}

#[test]
fn a_life_is_told_from_both_ids_and_without_secrets() {
    let world = deployed(&["staging.yaml"], "");
    let old = world.old.to_string();
    world.run(&["verify", &old]).ends(4);
    let answer = world.json(&["ledger", "show", &old], 0);
    let words: Vec<&str> =
        answer["events"].as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
    for word in ["started", "created", "proposed", "merged", "deployed", "observed"] {
        assert!(words.contains(&word), "{words:?}");
    }
    let new = answer["events"][0]["new"].as_str().unwrap().to_owned();
    assert_eq!(world.json(&["ledger", "show", &new], 0)["events"], answer["events"]);
    let run = world.run(&["ledger", "show", &old]).ends(0);
    for place in ["hieradata/staging.yaml:1\n", "hieradata/staging.yaml:2\n"] {
        assert!(run.stdout.contains(place), "{run}");
    }
    let none = world.json(&["ledger", "show", "AKIAIOSFODNN7EXAMPLE"], 1);
    assert_eq!(none["events"], json!([]));
}

#[test]
fn github_actions_gets_annotations_and_a_summary() {
    let mut world = deployed(&["staging.yaml"], "");
    let summary = world.context.work().join("summary.md");
    world.context.set("GITHUB_ACTIONS", "true");
    world.context.set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let old = world.old.to_string();
    let run = world.run(&["verify", &old]).ends(4);
    let notice = format!("::notice title=keyroll%3A waiting {old}::");
    assert!(run.stdout.contains(&notice), "{run}");
    world.advance(HOUR);
    world.used(&world.old, "sqs");
    let run = world.run(&["verify", &old, "--output", "json"]).ends(1);
    run.json();
    assert!(run.stderr.contains(&format!("::error title=keyroll%3A in-use {old}::")), "{run}");
    let text = std::fs::read_to_string(summary).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("service sqs"), "{text}");
}

#[test]
fn a_person_reads_verdict_reason_evidence_and_the_next_command() {
    let world = deployed(&["staging.yaml"], "");
    let old = world.old.to_string();
    let run = world.run(&["verify", &old]).ends(4);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], format!("waiting (quiet-window) {old}"));
    for part in ["old-last-used: ", "base-content: ", "deployed: ", "ask again at ", "next: "] {
        assert!(run.stdout.contains(part), "{part}\n{run}");
    }
    assert!(lines.iter().all(|line| line.len() <= 80 || !line.contains(' ')), "{run}");
    let explained = world.run(&["verify", &old, "--explain"]).ends(4);
    for part in ["windows: quiet 7d, lag 4h", "quiet-until: ", "last-probe: ", "new-status: "] {
        assert!(explained.stdout.contains(part), "{part}\n{explained}");
        assert!(!run.stdout.contains(part), "{part}\n{run}");
    }
}
