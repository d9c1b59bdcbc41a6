//! What a rotation may not lose or touch when it is cut short, undone elsewhere or looked at again:
//! an access key that may exist is remembered until it is proven not to, and one that stands on
//! base or that nobody named is left alone.

use std::fs;

use keyroll::sandbox::Fault;
use serde_json::Value;

use crate::stage::Simulated;

const LOCAL: [&str; 2] = ["--forge", "local"];

impl Simulated {
    fn state(&self) -> std::path::PathBuf {
        self.stage.context.home().join("state/keyroll")
    }

    fn intent(&self) -> Value {
        let names = self.stage.journal();
        let name = names.iter().find(|name| name.ends_with(".json")).expect("an intent");
        serde_json::from_slice(&fs::read(self.state().join(name)).unwrap()).unwrap()
    }

    fn active(&self) -> usize {
        self.keys().iter().filter(|(_, status)| status == "Active").count()
    }
}

#[test]
fn a_refusal_after_a_lost_answer_does_not_forget_the_lost_one() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.fault("CreateAccessKey", Fault::DropAnswer, 1);
    world.rotate(&LOCAL).ends(2);
    // As a list that is older than the lost request shows it: nothing was made.
    let lost = world.keys().pop().unwrap().0;
    world.delete_key(&lost);
    world.sandbox.fault("CreateAccessKey", Fault::Throttle, 1);
    world.says("resume", &LOCAL).ends(2);
    assert_eq!(world.intent()["create_sent"], true);
}

#[test]
fn abort_elsewhere_does_not_forget_a_key_that_the_lock_does_not_name() {
    let Some(world) = Simulated::start() else { return };
    world.sandbox.fault("CreateAccessKey", Fault::DropAnswer, 1);
    world.rotate(&LOCAL).ends(2);
    fs::remove_dir_all(world.state()).unwrap();
    let before = world.picture();
    let run = world.says("abort", &LOCAL).ends(3);
    assert_eq!(run.json()["error"]["reason"], "unknown-access-keys");
    assert_eq!(world.picture(), before);
}

#[test]
fn abort_sees_a_merged_pair_in_files_that_were_left_out() {
    let Some(world) = Simulated::start() else { return };
    world.rotate(&LOCAL).ends(0);
    let tip = world.stage.context.git(&world.stage.remote, &["rev-parse", &world.branch()]);
    world.stage.context.git(&world.stage.remote, &["update-ref", "refs/heads/main", &tip]);
    let words = [&LOCAL[..], &["--include", "nothing/**"]].concat();
    let run = world.says("abort", &words).ends(3);
    assert_eq!(run.json()["error"]["reason"], "new-key-on-base");
    assert_eq!(world.active(), 2);
}

#[test]
fn a_branch_whose_access_key_is_gone_is_no_open_rotation() {
    let Some(world) = Simulated::start() else { return };
    let new = world.rotate(&LOCAL).ends(0).json()["new"].as_str().unwrap().to_owned();
    world.delete_key(&new);
    let run = world.rotate(&LOCAL).ends(3);
    assert_eq!(run.json()["error"]["reason"], "new-key-gone");
}

#[test]
fn a_dry_run_leaves_an_open_rotation_as_it_is() {
    let Some(world) = Simulated::start() else { return };
    world.rotate(&LOCAL).ends(0);
    world.stage.push_file("docs/more.md", &format!("It is {}.\n", world.old));
    let before = world.picture();
    world.rotate(&["--forge", "local", "--dry-run"]).ends(0);
    assert_eq!(world.picture(), before);
}

#[test]
fn no_choice_of_log_targets_shows_an_answer() {
    let Some(mut world) = Simulated::start() else { return };
    world.stage.context.set("LOG_SENSITIVE_BODIES", "true");
    let targets = "aws_smithy_runtime::client::orchestrator=trace,keyroll=debug";
    world.stage.context.set("RUST_LOG", targets);
    let run = world.rotate(&LOCAL).ends(0);
    assert!(run.stderr.contains("keyroll"), "{}", run.stderr);
    assert!(!run.stderr.contains("SecretAccessKey"));
}
