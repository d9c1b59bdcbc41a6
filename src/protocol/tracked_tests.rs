//! Lines of the ledger become rotations.

use serde_json::json;

use super::of_events;
use crate::model::{AccessKeyId, Timestamp};
use crate::repo::{Event, Happening};

const NEW: &str = "AKIAI44QH7DHBEXAMPLE";

fn old() -> AccessKeyId {
    AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").expect("shape")
}

fn event(rotation: Option<&str>, happening: Happening, at: i64) -> Event {
    let mut event = Event::new(format!("{at}"), happening, Timestamp(at).to_string());
    event.rotation = rotation.map(str::to_owned);
    event.user = Some("logs-writer".into());
    event
}

fn proposed(rotation: &str, at: i64) -> Event {
    let mut event = event(Some(rotation), Happening::Proposed, at);
    event.new = Some(NEW.into());
    let evidence = json!({
        "base": "refs/heads/main", "commit": "c1", "old_last_used": "1970-01-01T00:00:05Z",
        "last_probe": "1970-01-01T00:00:09Z", "excluded": ["**/test/**"],
        "accepted_locked": [{ "path": "a.yaml", "reason": "not ours" }],
        "places": [{ "path": "b.yaml", "line": 3, "route": ["x", "y"], "role": "id" }],
    });
    event.evidence = evidence.as_object().expect("an object").clone();
    event
}

#[test]
fn what_was_proposed_is_read_back() {
    let lines = [event(Some("r1"), Happening::Started, 7), proposed("r1", 8)];
    let all = of_events(&old(), &lines);
    let [one] = all.as_slice() else { panic!("one rotation") };
    assert_eq!((one.base.as_deref(), one.commit.as_deref()), (Some("main"), Some("c1")));
    assert_eq!((one.started_at, one.last_probe()), (Some(Timestamp(7)), Some(Timestamp(9))));
    assert_eq!((one.accepted[0].path.as_str(), one.excluded[0].as_str()), ("a.yaml", "**/test/**"));
    assert_eq!(one.places[0].to_string(), "b.yaml:3 x/y");
    assert_eq!(one.observed(), [Timestamp(5)]);
    assert!(one.is_proposed());
}

#[test]
fn the_newest_rotation_that_was_not_undone_counts() {
    let lines = [
        proposed("r1", 1),
        event(Some("r1"), Happening::Aborted, 2),
        proposed("r2", 3),
        event(Some("r3"), Happening::Started, 4),
        event(Some("r3"), Happening::Aborted, 5),
    ];
    let names: Vec<String> =
        of_events(&old(), &lines).into_iter().map(|one| one.rotation).collect();
    assert_eq!(names, ["r2"]);
}

#[test]
fn switching_off_and_on_again_is_followed_and_belongs_to_the_access_key() {
    let mut lines = vec![proposed("r1", 1), event(None, Happening::Deactivated, 2)];
    let since = |lines: &[Event]| of_events(&old(), lines)[0].inactive_since();
    assert_eq!(since(&lines), Some(Timestamp(2)));
    lines.push(event(Some("r1"), Happening::Reactivated, 3));
    assert_eq!(since(&lines), None);
    lines.push(event(None, Happening::Deactivated, 4));
    assert_eq!(since(&lines), Some(Timestamp(4)));
    assert!(!of_events(&old(), &lines)[0].is_over());
    lines.push(event(None, Happening::Deleted, 5));
    assert!(of_events(&old(), &lines)[0].is_over());
}

#[test]
fn a_rotation_that_is_taken_back_is_over_until_the_next_one() {
    let revert = || event(None, Happening::Other("revert-proposed".into()), 2);
    let mut lines = vec![proposed("r1", 1), revert()];
    assert!(of_events(&old(), &lines)[0].is_over());
    lines.push(proposed("r2", 3));
    assert!(!of_events(&old(), &lines)[1].is_over());
}
