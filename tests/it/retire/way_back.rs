//! `reactivate`, alone and with the pull request that brings the old pair back.

use std::fs;

use keyroll::model::KeyStatus;
use keyroll::sandbox::Merge;
use serde_json::json;

use super::world::{DAY, FILE, HOUR, World};

#[test]
fn the_way_back_needs_iam_and_nothing_else() {
    let world = World::start();
    let new = world.quiet();
    world.json(0, &format!("deactivate {} --yes", world.old));
    let moved = world.remote.with_extension("away");
    fs::rename(&world.remote, &moved).expect("our own folder");
    let words = format!("reactivate {}", world.old);
    let answer = world.json(0, &words);
    assert_eq!((&answer["changed"], &answer["recorded"]), (&true.into(), &false.into()));
    let warning = answer["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("again"), "{warning}");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Active));
    assert_eq!(world.status(&new), Some(KeyStatus::Active));
    fs::rename(&moved, &world.remote).expect("our own folder");
    // Run again, it writes what is missing; once more, it changes nothing.
    for _ in 0..2 {
        let again = world.json(0, &words);
        assert_eq!((&again["changed"], &again["recorded"]), (&false.into(), &true.into()));
    }
    let events = world.ledger(&world.old);
    assert_eq!(events.iter().filter(|word| *word == "reactivated").count(), 1, "{events:?}");
    assert_eq!(world.writes(), 2);
}

#[test]
fn outside_of_any_repository_and_with_a_single_permission_it_works() {
    let world = World::start();
    world.sandbox.set_status(&world.old, KeyStatus::Inactive).expect("it exists");
    for action in ["GetAccessKeyLastUsed", "ListAccessKeys"] {
        world.sandbox.deny(action);
    }
    let words = format!("reactivate {}", world.old);
    let run = world.run_in(&world.context.home(), &words).ends(2);
    assert!(run.stderr.contains("--user"), "{run}");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Inactive));
    let words = format!("{words} --user logs-writer");
    world.run_in(&world.context.home(), &words).ends(0);
    assert_eq!(world.status(&world.old), Some(KeyStatus::Active));
}

#[test]
fn what_is_gone_cannot_be_brought_back() {
    let world = World::start();
    let words = "reactivate AKIAIOSFODNN7EXAMPLE";
    assert_eq!(world.refused(2, words), "unknown-access-key");
    assert_eq!(world.refused(2, &format!("{words} --user logs-writer")), "unknown-access-key");
    assert_eq!(world.refused(2, &format!("reactivate {} --exclude x", world.old)), "needs-revert");
    assert_eq!(world.writes(), 0);
}

#[test]
fn the_old_pair_comes_back_byte_for_byte() {
    let world = World::start();
    let before = world.file("main", FILE);
    let new = world.quiet();
    assert_ne!(world.file("main", FILE), before);
    world.json(0, &format!("deactivate {} --yes", world.old));
    // What others changed since stays changed.
    let colleague = world.file("main", FILE) + "logs::added: later\n";
    world.push(FILE, &colleague);
    let words = format!("reactivate {} --revert --github-repository example/secrets", world.old);
    let answer = world.json(0, &words);
    let restored = &answer["revert"];
    let branch = format!("keyroll/revert/logs-writer/{}", world.old);
    assert_eq!(
        (&restored["replaces"], &restored["branch"]),
        (&json!(new.as_str()), &json!(branch))
    );
    assert!(restored["pull_request"].as_str().expect("a page").ends_with("/pull/2"), "{answer:#}");
    assert_eq!(world.file(&branch, FILE), before.clone() + "logs::added: later\n");
    let changed = world.context.git(&world.remote, &["diff", "--name-only", "main", &branch]);
    assert_eq!(changed, FILE);
    let again = world.json(0, &words);
    assert_eq!(again["revert"], *restored, "one branch, one pull request");

    world.push("docs/other.md", "moved on\n");
    let moved = world.json(0, &words);
    assert_ne!(moved["revert"]["commit"], restored["commit"], "base moved");
    assert_eq!(moved["revert"]["pull_request"], restored["pull_request"]);
    world.sandbox.merge(2, Merge::Squash).expect("merged");
    assert_eq!(world.file("main", FILE), before + "logs::added: later\n");
    let done = world.json(0, &words);
    assert_eq!(done["revert"]["commit"], json!(null), "base holds the old pair already");
    assert!(world.ledger(&world.old).contains(&"revert-proposed".to_owned()));

    // The rotation is over: what replaced the old one is an unused access key like any other.
    world.sandbox.advance(DAY * 40);
    let spare = format!("deactivate {new} --unused --reason reverted --yes");
    assert_eq!(world.json(0, &spare)["why"], "unused");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Active));
}

#[test]
fn a_stranger_on_the_branch_and_a_base_without_either_pair_refuse() {
    let world = World::start();
    world.deployed();
    let words = format!("reactivate {} --revert --github-repository example/secrets", world.old);
    let branch = format!("refs/heads/keyroll/revert/logs-writer/{}", world.old);
    world.context.git(&world.remote, &["update-ref", &branch, "main"]);
    assert_eq!(world.refused(3, &words), "branch-taken");
    world.context.git(&world.remote, &["update-ref", "-d", &branch]);
    world.sandbox.advance(HOUR);
    world.push(FILE, "logs::other: gone\n");
    assert_eq!(world.refused(3, &words), "neither-pair");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Active));
}
