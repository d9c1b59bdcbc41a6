//! Rotations followed after their pull request: what `verify` says of each state, what it rests
//! on, and what must never make it *safe*.

pub(crate) mod world;

use keyroll::model::Timestamp;
use keyroll::sandbox::{Fault, Merge};

use self::world::{DAY, HOUR, MINUTE, World, said};

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
    let next = Timestamp::parse(answer["next_check_at"].as_str().unwrap()).unwrap();
    let ahead = next.since(world.sandbox.now()).as_secs();
    assert!((7 * DAY + 3 * HOUR..7 * DAY + 5 * HOUR).contains(&ahead), "{ahead}");

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
