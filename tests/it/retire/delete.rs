//! `delete`: what has to hold before an access key goes for good.

use std::time::Duration;

use keyroll::model::{KeyStatus, UserName};

use super::world::{DAY, HOUR, World};

fn words(id: &keyroll::model::AccessKeyId) -> String {
    format!("delete {id} --confirm {id}")
}

#[test]
fn only_what_is_off_soaked_and_replaced_is_deleted() {
    let world = World::start();
    let new = world.quiet();
    assert_eq!(world.refused(3, &words(&world.old)), "still-active");
    assert_eq!(world.refused(3, &words(&new)), "still-active");
    let off = world.json(0, &format!("deactivate {} --yes", world.old));
    let error = &world.json(4, &words(&world.old))["error"];
    assert_eq!(
        (&error["reason"], &error["next_check_at"]),
        (&"not-soaked".into(), &off["delete_after"])
    );
    let swapped = format!("delete {} --confirm {new}", world.old);
    assert_eq!(world.refused(3, &swapped), "wrong-confirmation");
    world.sandbox.advance(DAY * 14 + HOUR);
    // Nobody has used the new one since: something may be broken that AWS does not show.
    let error = &world.json(4, &words(&world.old))["error"];
    assert_eq!(error["reason"], "new-key-unused");
    assert!(error["next_check_at"].is_string());
    world.use_key(&new, HOUR);
    world.sandbox.set_status(&new, KeyStatus::Inactive).expect("it exists");
    assert_eq!(world.refused(3, &words(&world.old)), "new-key-not-active");
    assert_eq!(world.refused(3, &words(&new)), "not-recorded", "never the new one");
    world.sandbox.set_status(&new, KeyStatus::Active).expect("it exists");
    assert_eq!(world.sandbox.count("DeleteAccessKey"), 0);

    let done = world.json(0, &words(&world.old));
    assert_eq!((&done["changed"], &done["attested"]), (&true.into(), &false.into()));
    assert_eq!(done["inactive_since"], off["at"]);
    assert_eq!(world.status(&world.old), None);
    assert_eq!(world.status(&new), Some(KeyStatus::Active));
    let again = world.json(0, &words(&world.old));
    assert_eq!((&again["changed"], &again["recorded"]), (&false.into(), &true.into()));
    assert_eq!(world.sandbox.count("DeleteAccessKey"), 1);
    assert_eq!(world.ledger(&world.old).last().map(String::as_str), Some("deleted"));
}

#[test]
fn old_and_new_swapped_is_refused_even_when_everything_else_fits() {
    let world = World::start();
    let new = world.deployed();
    let leaked = format!("deactivate {new} --compromised --reason leaked --confirm {new}");
    world.json(0, &leaked);
    world.sandbox.advance(DAY * 20);
    world.use_key(&world.old, HOUR);
    assert_eq!(world.refused(3, &words(&new)), "is-the-new-key");
    assert_eq!(world.sandbox.count("DeleteAccessKey"), 0);
}

#[test]
fn a_use_after_it_was_off_begins_the_soak_again() {
    let world = World::start();
    let new = world.quiet();
    world.json(0, &format!("deactivate {} --yes", world.old));
    world.sandbox.advance(DAY);
    // Somebody switched it on and off again in the console, and used it meanwhile.
    world.sandbox.set_status(&world.old, KeyStatus::Active).expect("it exists");
    world.use_key(&world.old, HOUR);
    world.sandbox.set_status(&world.old, KeyStatus::Inactive).expect("it exists");
    world.sandbox.advance(DAY * 13 + HOUR);
    world.use_key(&new, HOUR);
    assert_eq!(world.refused(4, &words(&world.old)), "used-while-off");
    world.sandbox.advance(DAY);
    world.json(0, &words(&world.old));
}

#[test]
fn an_unused_access_key_is_deleted_after_its_soak_without_a_successor() {
    let world = World::start();
    let spare = world.sandbox.add_access_key(&world.user, DAY * 30).expect("a pair").id;
    world.json(0, &format!("deactivate {spare} --unused --reason spare --yes"));
    assert_eq!(world.refused(4, &words(&spare)), "not-soaked");
    world.sandbox.advance(DAY * 14 + HOUR);
    assert_eq!(world.json(0, &words(&spare))["changed"], true);
    assert_eq!(world.status(&spare), None);
    assert_eq!(world.status(&world.old), Some(KeyStatus::Active));
}

#[test]
fn without_a_ledger_a_person_vouches_and_the_answer_says_so() {
    let world = World::with("version: 1\nledger: none\n");
    let spare = world.sandbox.add_access_key(&world.user, DAY * 90).expect("a pair").id;
    world.sandbox.set_status(&spare, KeyStatus::Inactive).expect("it exists");
    let since = |days: u32| format!(" --inactive-since {}", world.sandbox.now().minus(DAY * days));
    assert_eq!(world.refused(3, &words(&spare)), "needs-inactive-since");
    assert_eq!(world.refused(4, &(words(&spare) + &since(13))), "not-soaked");
    assert_eq!(world.refused(4, &(words(&spare) + &since(20))), "new-key-unused");
    world.use_key(&world.old, Duration::ZERO);
    let later = format!("{} --inactive-since {}", words(&spare), world.sandbox.now().plus(DAY));
    assert_eq!(world.refused(3, &later), "time-to-come");
    let done = world.json(0, &(words(&spare) + &since(20)));
    assert_eq!((&done["attested"], &done["recorded"]), (&true.into(), &false.into()));
    assert_eq!(world.status(&spare), None);
    // The last one has no successor that could tell.
    world.sandbox.set_status(&world.old, KeyStatus::Inactive).expect("it exists");
    assert_eq!(world.refused(3, &(words(&world.old) + &since(20))), "no-successor");
    assert_eq!(world.sandbox.count("DeleteAccessKey"), 1);
}

#[test]
fn a_time_vouched_for_does_not_overrule_the_ledger() {
    let world = World::start();
    world.quiet();
    world.json(0, &format!("deactivate {} --yes", world.old));
    let vouched =
        format!("{} --inactive-since {}", words(&world.old), world.sandbox.now().minus(DAY * 90));
    assert_eq!(world.refused(3, &vouched), "ledger-exists");
    let stranger = UserName::new("stranger").expect("legal");
    world.sandbox.add_user(&stranger).expect("a user");
    let theirs = world.sandbox.add_access_key(&stranger, DAY * 90).expect("a pair").id;
    world.sandbox.set_status(&theirs, KeyStatus::Inactive).expect("it exists");
    assert_eq!(world.refused(3, &words(&theirs)), "not-recorded");
    assert_eq!(world.sandbox.count("DeleteAccessKey"), 0);
}
