//! `doctor`, and the texts that follow from the definitions alone.

use std::fs;

use serde_json::Value;

use super::world::{DAY, World};

fn state<'a>(answer: &'a Value, name: &str) -> &'a str {
    let checks = answer["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {answer:#}"))["state"].as_str().expect("a word")
}

#[test]
fn a_place_where_everything_works_has_no_finding() {
    let world = World::start();
    let answer = world.json(0, "doctor --github-repository example/secrets");
    assert_eq!(answer["ready"], true);
    for name in [
        "git",
        "journal",
        "repository",
        "settings",
        "identities",
        "opens-eyaml-pkcs7",
        "author",
        "signing",
        "remote",
        "push",
        "forge",
        "ledger",
        "caller",
        "clock",
        "iam-get-access-key-last-used",
        "iam-list-access-keys",
        "iam-list-attached-user-policies",
    ] {
        assert_eq!(state(&answer, name), "ok", "{name}");
    }
    for name in ["iam-create-access-key", "iam-update-access-key", "iam-delete-access-key"] {
        assert_eq!(state(&answer, name), "unknown", "{name}");
    }
    let opens = answer["checks"].to_string();
    assert!(opens.contains("3 values open (3 with"), "{opens}");
    assert_eq!(answer["caller"]["arn"], "arn:aws:iam::123456789012:user/operator");
    assert_eq!(world.writes() + world.sandbox.count("CreateAccessKey"), 0);
    let refs = world.context.git(&world.remote, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main", "a dry run pushes nothing");
}

#[test]
fn every_finding_is_told_and_none_hides_another() {
    let mut world = World::start();
    fs::remove_dir_all(&world.remote).expect("our own folder");
    fs::remove_file(world.clone.join("keys/private_key.pkcs7.pem")).expect("our own key");
    world.sandbox.deny("ListAccessKeys");
    world.sandbox.advance(DAY);
    world.context.set("GITHUB_TOKEN", "wrong");
    let answer = world.json(3, "doctor --github-repository example/secrets");
    assert_eq!(answer["ready"], false);
    for name in
        ["opens-eyaml-pkcs7", "remote", "push", "forge", "ledger", "clock", "iam-list-access-keys"]
    {
        assert_eq!(state(&answer, name), "missing", "{name}");
    }
    assert_eq!(state(&answer, "caller"), "ok");
    assert!(answer["checks"].to_string().contains("3 no-identity"), "{answer:#}");
}

#[test]
fn outside_of_a_repository_it_still_says_who_signs() {
    let world = World::start();
    let run = world.run_in(&world.context.home(), "doctor --output json").ends(3);
    assert_eq!(state(&run.json(), "repository"), "missing");
    assert_eq!(state(&run.json(), "caller"), "ok");
    let human = world.run("doctor --github-repository example/secrets").ends(0).stdout;
    assert!(human.ends_with("nothing is missing\n"), "{human}");
    assert!(human.lines().all(|line| line.chars().count() <= 120), "{human}");
}

#[test]
fn generated_texts_need_no_repository() {
    let world = World::start();
    let home = world.context.home();
    let policy = world.run_in(&home, "policy rotate").ends(0).json();
    assert_eq!(policy["Version"], "2012-10-17");
    assert!(world.run_in(&home, "completions bash").ends(0).stdout.contains("_keyroll"));
    assert!(world.run_in(&home, "man").ends(0).stdout.starts_with(".ie "));
}
