//! `deactivate`: on a fresh verdict, on proven disuse, on the word that somebody else has the key.

use std::fs;
use std::time::Duration;

use keyroll::model::{KeyStatus, UserName};
use keyroll::sandbox::{Fault, Merge};

use super::world::{DAY, FILE, HOUR, World, sealed};

#[test]
fn nothing_but_a_fresh_safe_switches_off() {
    let world = World::start();
    let words = format!("deactivate {} --yes --github-repository example/secrets", world.old);
    assert_eq!(world.refused(3, &words), "not-recorded");
    let new = world.rotate();
    let error = &world.json(4, &words)["error"];
    assert_eq!(error["reason"], "verdict-waiting", "{error:#}");
    assert!(error["message"].as_str().expect("text").contains("not merged"), "{error:#}");
    world.sandbox.merge(1, Merge::Squash).expect("merged");
    world.sandbox.advance(HOUR);
    assert_eq!(world.refused(4, &words), "verdict-waiting");
    world.use_key(&new, Duration::ZERO);
    let error = &world.json(4, &words)["error"];
    assert!(error["next_check_at"].is_string() && error["retryable"] == true, "{error:#}");

    world.sandbox.advance(DAY * 2);
    world.use_key(&world.old, Duration::ZERO);
    world.sandbox.advance(HOUR);
    assert_eq!(world.refused(3, &words), "verdict-in-use");
    world.sandbox.fault("GetAccessKeyLastUsed", Fault::Throttle, 3);
    let answer = world.json(2, &words);
    assert_eq!(answer["error"]["retryable"], true, "unknown is never safe: {answer:#}");
    assert_eq!(world.refused(3, &format!("deactivate {new} --yes")), "is-the-new-key");
    assert_eq!(world.writes(), 0, "no refusal switched anything");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Active));
}

#[test]
fn safe_switches_off_once_and_answers_the_same_again() {
    let world = World::start();
    let new = world.quiet();
    let words = format!("deactivate {}", world.old);
    assert_eq!(world.refused(3, &words), "not-confirmed");
    assert_eq!(world.refused(3, &format!("{words} --confirm {new}")), "wrong-confirmation");
    assert_eq!(world.writes(), 0);
    let first = world.json(0, &format!("{words} --yes"));
    assert_eq!((&first["why"], &first["changed"]), (&"safe".into(), &true.into()));
    assert_eq!(first["recorded"], true, "{first:#}");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Inactive));
    assert_eq!(world.status(&new), Some(KeyStatus::Active), "one Active key always");
    world.sandbox.advance(HOUR);
    let again = world.json(0, &format!("{words} --yes"));
    assert_eq!(again["changed"], false);
    for field in ["why", "at", "delete_after", "recorded", "status", "access_key_id"] {
        assert_eq!(again[field], first[field], "{field}");
    }
    assert_eq!(world.writes(), 1);
    let events = world.ledger(&world.old);
    assert_eq!(events.iter().filter(|word| *word == "deactivated").count(), 1, "{events:?}");
}

#[test]
fn a_ledger_that_fails_afterwards_is_a_warning_and_the_same_command_writes_it() {
    let world = World::start();
    world.quiet();
    let hook = world.refuse_ledger();
    let words = format!("deactivate {} --yes", world.old);
    let answer = world.json(0, &words);
    assert_eq!((&answer["recorded"], &answer["changed"]), (&false.into(), &true.into()));
    let warning = answer["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains(&format!("keyroll deactivate {}", world.old)), "{warning}");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Inactive));
    fs::remove_file(hook).expect("our own hook");
    world.sandbox.advance(HOUR);
    let again = world.json(0, &words);
    assert_eq!(again["recorded"], true, "{again:#}");
    // When it was set is not known any more: the soak begins with the record.
    assert_ne!(again["at"], answer["at"]);
    assert_eq!(again["why"], "found-inactive");
    assert_eq!(world.writes(), 1);
}

#[test]
fn unused_is_proven_before_it_is_believed() {
    let world = World::start();
    let unused =
        |id: &keyroll::model::AccessKeyId| format!("deactivate {id} --unused --reason spare --yes");
    assert_eq!(world.refused(3, &unused(&world.old)), "still-stands");
    let young = world.sandbox.add_access_key(&world.user, DAY * 6).expect("a pair").id;
    let error = &world.json(4, &unused(&young))["error"];
    assert_eq!(error["reason"], "too-young");
    assert!(error["next_check_at"].is_string());
    world.sandbox.advance(DAY * 2);
    world.use_key(&young, HOUR);
    assert_eq!(world.refused(4, &unused(&young)), "used-recently");
    world.sandbox.advance(DAY * 32);
    world.push("hieradata/locked.yaml", "a: ENC[GPG,aGVsbG8=]\n");
    assert_eq!(world.refused(3, &unused(&young)), "locked-values");
    world.push("hieradata/holds.yaml", &format!("a: {}\n", sealed(young.as_str())));
    let aside = format!("{} --exclude hieradata/locked.yaml", unused(&young));
    assert_eq!(world.refused(3, &aside), "still-stands", "inside a sealed value");
    world.push("hieradata/holds.yaml", "a: b\n");
    assert_eq!(world.writes(), 0);
    let answer = world.json(0, &aside);
    assert_eq!((&answer["why"], &answer["reason"]), (&"unused".into(), &"spare".into()));
    let facts = answer["evidence"].to_string();
    assert!(facts.contains("hieradata/locked.yaml"), "what was left out is named: {facts}");
    assert_eq!(world.status(&young), Some(KeyStatus::Inactive));
    assert_eq!(world.ledger(&young), ["deactivated"]);
}

#[test]
fn the_new_access_key_of_an_open_rotation_is_nobodys_to_switch_off() {
    let world = World::start();
    let new = world.rotate();
    world.sandbox.advance(DAY * 40);
    let unused = format!("deactivate {new} --unused --reason spare --yes");
    assert_eq!(world.refused(3, &unused), "is-the-new-key");
    let leaked = format!("deactivate {new} --compromised --reason leaked --confirm {new}");
    assert_eq!(world.refused(3, &leaked), "is-the-new-key");
    assert_eq!(world.writes(), 0);
    // Merged, it is what consumers run with: an incident may still take it away.
    world.sandbox.merge(1, Merge::Squash).expect("merged");
    let answer = world.json(0, &leaked);
    assert_eq!(answer["breaks"].as_array().map(Vec::len), Some(3), "{answer:#}");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Active));
}

#[test]
fn a_compromised_access_key_goes_at_once_and_its_breakage_is_told() {
    let world = World::start();
    world.use_key(&world.old, HOUR);
    world.sandbox.quarantine(&world.user).expect("a user");
    let words = format!("deactivate {} --compromised --reason leaked", world.old);
    let operator = &world.sandbox.operator().id;
    assert_eq!(world.refused(3, &format!("{words} --confirm {operator}")), "wrong-confirmation");
    assert_eq!(world.writes(), 0);
    let answer = world.json(0, &format!("{words} --confirm {}", world.old));
    let breaks = answer["breaks"].to_string();
    assert!(breaks.contains(FILE) && breaks.contains("service s3"), "{breaks}");
    assert!(answer["warnings"][0].as_str().expect("text").contains("quarantined"), "{answer:#}");
    assert_eq!(answer["recorded"], true);
    assert_eq!(world.status(&world.old), Some(KeyStatus::Inactive));
}

#[test]
fn an_incident_waits_for_no_repository() {
    let world = World::start();
    fs::remove_dir_all(&world.remote).expect("our own folder");
    let words = format!("deactivate {0} --compromised --reason leaked --confirm {0}", world.old);
    let answer = world.json(0, &words);
    assert_eq!(answer["recorded"], false);
    assert!(answer["warnings"].to_string().contains("not looked into"), "{answer:#}");
    assert_eq!(world.status(&world.old), Some(KeyStatus::Inactive));
}

#[test]
fn keys_that_are_not_ours_to_touch_are_refused() {
    let world = World::start();
    let operator = world.sandbox.operator().id.clone();
    let leaked = |id: &str| format!("deactivate {id} --compromised --reason leaked --confirm {id}");
    assert_eq!(world.refused(3, &leaked(operator.as_str())), "signing-key");
    assert_eq!(world.refused(2, &leaked("AKIAIOSFODNN7EXAMPLE")), "unknown-access-key");
    // An ID of account 171436882533.
    assert_eq!(world.refused(2, &leaked("AKIASP2TPHJSQH3FJRUX")), "other-account");
    let odd = world.sandbox.add_access_key(&world.user, DAY).expect("a pair").id;
    world.sandbox.set_status(&odd, KeyStatus::Other("Expired".into())).expect("it exists");
    assert_eq!(world.refused(3, &leaked(odd.as_str())), "unknown-status");
    assert_eq!(world.writes(), 0);
    let stranger = UserName::new("stranger").expect("legal");
    world.sandbox.add_user(&stranger).expect("a user");
    let theirs = world.sandbox.add_access_key(&stranger, DAY * 90).expect("a pair").id;
    assert_eq!(world.refused(3, &format!("deactivate {theirs} --yes")), "not-recorded");
    assert_eq!(world.writes(), 0);
}
