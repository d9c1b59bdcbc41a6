//! Each invariant of the protocol is named by a check here, and a deliberate breakage of it turns
//! that check red: the same steps are taken twice, once as the program is and once broken on purpose.

use keyroll::model::KeyStatus;
use keyroll::sandbox::{Fault, Merge};

use crate::context::save;
use crate::verify::world::World;

/// Whether the invariant holds in this world.
type Check = fn(&World) -> bool;

const INVARIANTS: [(&str, Check); 14] = [
    ("I1", the_old_key_works_while_base_holds_it),
    ("I2", one_request_makes_one_access_key),
    ("I3", no_secret_lies_on_the_disk),
    ("I4", nothing_is_made_before_the_preflight_passed),
    ("I5", the_old_id_is_gone_from_the_branch),
    ("I6", both_halves_are_replaced),
    ("I7", another_recipient_is_refused),
    ("I8", an_active_access_key_is_never_deleted),
    ("I9", what_iam_does_not_say_is_unknown),
    ("I10", the_same_command_again_is_the_same_answer),
    ("I11", nothing_is_made_without_the_lock),
    ("I12", unreviewed_settings_have_no_effect),
    ("I13", names_cannot_steer_the_terminal),
    ("I14", a_verdict_shows_its_evidence),
];

fn check(name: &str) {
    let (_, holds) = INVARIANTS.iter().find(|(known, _)| *known == name).unwrap();
    assert!(holds(&World::new(&["staging.yaml"])), "{name} does not hold");
    let mut broken = World::new(&["staging.yaml"]);
    broken.context.set("KEYROLL_BREAK", name);
    assert!(!holds(&broken), "{name} was broken on purpose, and its check did not see it");
}

/// One test for each, so that they run side by side.
macro_rules! each {
    ($($test:ident $name:literal),*) => { $( #[test] fn $test() { check($name); } )* };
}

each!(
    i1 "I1", i2 "I2", i3 "I3", i4 "I4", i5 "I5", i6 "I6", i7 "I7", i8 "I8", i9 "I9", i10 "I10",
    i11 "I11", i12 "I12", i13 "I13", i14 "I14"
);

fn rotate(world: &World) -> i32 {
    world.run(&["rotate", world.old.as_str(), "--yes", "--output", "json"]).code
}

/// What the branch of the rotation holds, compared with base by the program's own reviewer.
fn checked(world: &World) -> serde_json::Value {
    world
        .context
        .git(&world.clone, &["fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
    let range = format!("origin/main..origin/keyroll/rotate/logs-writer/{}", world.old);
    let words = ["check", &range, "--output", "json"];
    world.context.run_in(&world.clone, &words).json()
}

fn has_finding(answer: &serde_json::Value, reason: &str) -> bool {
    let findings = answer["findings"].as_array().unwrap();
    findings.iter().any(|one| one["reason"] == reason)
}

fn the_old_key_works_while_base_holds_it(world: &World) -> bool {
    assert_eq!(rotate(world), 0);
    world.run(&[
        "deactivate",
        world.old.as_str(),
        "--yes",
        "--github-repository",
        "example/secrets",
    ]);
    let keys = world.sandbox.access_keys(&world.user);
    keys.iter().any(|(id, status)| *id == world.old && *status == KeyStatus::Active)
}

fn one_request_makes_one_access_key(world: &World) -> bool {
    world.sandbox.fault("CreateAccessKey", Fault::DropAnswer, 1);
    rotate(world);
    world.sandbox.count("CreateAccessKey") == 1
}

fn no_secret_lies_on_the_disk(world: &World) -> bool {
    assert_eq!(rotate(world), 0);
    let state = world.context.home().join("state/keyroll");
    let files = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap());
    let in_alphabet = |b: &u8| b.is_ascii_alphanumeric() || *b == b'+' || *b == b'/';
    let is_secret = |run: &[u8]| run.len() == 40;
    !texts.into_iter().any(|text| text.split(|b| !in_alphabet(b)).any(is_secret))
}

fn nothing_is_made_before_the_preflight_passed(world: &World) -> bool {
    let mut command = world.context.command(&[
        "rotate",
        world.old.as_str(),
        "--yes",
        "--github-repository",
        "example/secrets",
    ]);
    command.current_dir(&world.clone).env("GITHUB_TOKEN", "not-the-token");
    assert!(!command.output().unwrap().status.success());
    world.sandbox.count("CreateAccessKey") == 0
}

fn the_old_id_is_gone_from_the_branch(world: &World) -> bool {
    assert_eq!(rotate(world), 0);
    !has_finding(&checked(world), "old-remains")
}

fn both_halves_are_replaced(world: &World) -> bool {
    assert_eq!(rotate(world), 0);
    !has_finding(&checked(world), "id-without-secret")
}

fn another_recipient_is_refused(world: &World) -> bool {
    let wrong = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/wrong/public_key.pkcs7.pem");
    world.push(|dir| {
        save(&dir.join("certs/keys/public_key.pkcs7.pem"), std::fs::read(wrong).unwrap())
    });
    rotate(world);
    world.sandbox.count("CreateAccessKey") == 0
}

fn an_active_access_key_is_never_deleted(world: &World) -> bool {
    assert_eq!(rotate(world), 0);
    let old = world.old.as_str();
    world.run(&["delete", old, "--confirm", old, "--yes"]);
    world.sandbox.access_keys(&world.user).iter().any(|(id, _)| *id == world.old)
}

fn what_iam_does_not_say_is_unknown(world: &World) -> bool {
    assert_eq!(rotate(world), 0);
    world.merge(Merge::Commit);
    world.sandbox.fault("GetAccessKeyLastUsed", Fault::Throttle, 1_000);
    world.run(&["verify", world.old.as_str()]).code == 2
}

fn the_same_command_again_is_the_same_answer(world: &World) -> bool {
    assert_eq!(rotate(world), 0);
    rotate(world) == 0 && world.sandbox.count("CreateAccessKey") == 1
}

fn nothing_is_made_without_the_lock(world: &World) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let hook = world.remote.join("hooks/pre-receive");
    save(&hook, "#!/bin/sh\nexit 1\n");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    rotate(world);
    world.sandbox.count("CreateAccessKey") == 0
}

fn unreviewed_settings_have_no_effect(world: &World) -> bool {
    save(&world.clone.join("keyroll.yaml"), "version: 1\npaths: { exclude: [\"hieradata/**\"] }\n");
    world.context.run_in(&world.clone, &["find", world.old.as_str()]).code == 0
}

fn names_cannot_steer_the_terminal(world: &World) -> bool {
    let text = format!("id: {}\n", world.old);
    world.push(|dir| save(&dir.join("hieradata/\u{1b}[2Jx.yaml"), &text));
    world.context.git(&world.clone, &["pull", "-q"]);
    let run = world.context.run_in(&world.clone, &["find", world.old.as_str()]);
    !run.stdout.contains('\u{1b}')
}

fn a_verdict_shows_its_evidence(world: &World) -> bool {
    assert_eq!(rotate(world), 0);
    let run = world.run(&["verify", world.old.as_str(), "--output", "json"]);
    run.json()["rotations"][0]["evidence"].as_array().is_some_and(|facts| !facts.is_empty())
}
