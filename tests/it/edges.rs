//! Edges of the main job: a merge before the record, files beyond the limit of parsing, a remote
//! that is content of the clone.

use keyroll::sandbox::Merge;

use crate::context::save;
use crate::verify::world::World;

fn executable(path: &std::path::Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    save(path, script);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_rotation_merged_before_its_record_is_finished_by_resume() {
    let world = World::new(&["staging.yaml"]);
    let hook = world.remote.join("hooks/pre-receive");
    let script = "#!/bin/sh\nwhile read old new ref; do\n  \
                  case $ref in refs/heads/keyroll/ledger) exit 1;; esac\ndone\n";
    executable(&hook, script);
    let old = world.old.as_str();
    world.run(&["rotate", old, "--yes"]).ends(2);
    std::fs::remove_file(&hook).unwrap();
    world.merge(Merge::Squash);
    let branch = format!("keyroll/rotate/logs-writer/{old}");
    world.context.git(&world.remote, &["branch", "-q", "-D", &branch]);

    world.run(&["resume", old, "--yes", "--github-repository", "example/secrets"]).ends(0);
    assert_eq!(world.sandbox.count("CreateAccessKey"), 1);
    assert!(world.events().contains(&"proposed".to_owned()), "{:?}", world.events());
    let state = world.context.home().join("state/keyroll");
    let left = std::fs::read_dir(state).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = left.filter(|name| name != "requests").collect();
    assert!(left.is_empty(), "{left:?}");
    let verdict = world.verify(&[], 4);
    assert_eq!(verdict["rotations"][0]["reason"], "not-deployed", "{verdict:#}");
}

#[test]
fn a_file_beyond_the_limit_is_searched_by_lines_and_never_rewritten() {
    let world = World::new(&["staging.yaml"]);
    let old = world.old.as_str();
    let filler = "nothing of interest stands here\n".repeat(17 << 15);
    world.push(|dir| save(&dir.join("big.txt"), format!("{filler}id = {old}\n")));
    world.context.git(&world.clone, &["pull", "-q"]);
    let answer = world.json(&["find", old], 0);
    let lines: Vec<u64> = answer["occurrences"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["path"] == "big.txt")
        .map(|one| one["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [(17 << 15) + 1]);
    let refused = world.json(&["rotate", old, "--dry-run"], 3);
    assert_eq!(refused["error"]["reason"], "file-too-large");

    world.push(|dir| save(&dir.join("big.txt"), format!("{filler}id = {old}\nENC[PKCS7,MIIB]\n")));
    world.context.git(&world.clone, &["pull", "-q"]);
    let answer = world.json(&["find", old], 3);
    assert_eq!(answer["locked"][0]["reason"], "too-large", "{answer:#}");
    assert!(answer["occurrences"].to_string().contains("big.txt"), "{answer:#}");
}

#[test]
fn a_remote_inside_the_clone_is_refused_and_its_hooks_stay_silent() {
    let world = World::new(&["staging.yaml"]);
    let evil = world.clone.join("evil.git");
    let from = format!("file://{}", world.remote.display());
    world.context.git(&world.clone, &["clone", "-q", "--bare", &from, "evil.git"]);
    let canary = world.context.root().join("canary");
    executable(
        &evil.join("hooks/pre-receive"),
        &format!("#!/bin/sh\ntouch {}\n", canary.display()),
    );
    world.context.git(&world.clone, &["remote", "set-url", "origin", "./evil.git"]);
    let refused = world.json(&["rotate", world.old.as_str(), "--yes"], 3);
    assert_eq!(refused["error"]["reason"], "remote-address");
    assert!(!canary.exists());
    assert_eq!(world.sandbox.count("CreateAccessKey"), 0);
}
