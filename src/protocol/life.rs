//! What the ledger tells of one access key, and the writing of what was just done to it. What
//! follows from the record is decided by the steps.

use serde_json::{Map, Value};

use super::seams::Seams;
use crate::error::Result;
use crate::iam::Caller;
use crate::model::{AccessKeyId, Timestamp, UserName};
use crate::repo::{Author, Event, Happening, Ledger, Remote, Signing, Stamp};

/// The ledger and who writes into it.
#[derive(Clone, Copy)]
pub struct Scribe<'a> {
    /// Where the ledger's branch is.
    pub remote: &'a Remote,
    /// Author and committer.
    pub author: &'a Author,
    /// As git is set to sign.
    pub signing: &'a Signing,
    /// The local clock, for the date of the commit only.
    pub clock: &'a dyn Fn() -> Timestamp,
}

impl<'a> Scribe<'a> {
    /// The scribe of a run; `None` where no ledger is kept.
    #[must_use]
    pub fn of(seams: &Seams<'a>) -> Option<Self> {
        seams.keeps_ledger.then_some(Self {
            remote: seams.remote,
            author: seams.author,
            signing: seams.signing,
            clock: seams.clock,
        })
    }

    /// Records an event of an access key.
    ///
    /// # Errors
    /// As `Ledger::append`.
    pub fn write(&self, id: &AccessKeyId, event: &Event) -> Result<()> {
        let stamp = Stamp { author: self.author, at: (self.clock)(), signing: self.signing };
        Ledger::of(self.remote).append(id, event, &stamp)
    }
}

/// A rotation in which an access key is the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsNew {
    /// The access key that it replaces.
    pub old: AccessKeyId,
    /// Whether the rotation came to an end in which the old access key stays: aborted or reverted.
    pub given_up: bool,
    /// Whether the old access key was recorded as switched off or deleted, and is so still.
    pub finished: bool,
}

/// The record of one access key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Life {
    /// What happened to it, oldest first.
    pub events: Vec<Event>,
    /// The rotations in which it is the new one.
    pub as_new: Vec<AsNew>,
}

/// A word for a pull request that brings an old pair back; it ends the rotation.
pub(super) const REVERTED: &str = "revert-proposed";

impl Life {
    /// Reads the ledger.
    ///
    /// # Errors
    /// `damaged-ledger`; network errors.
    pub fn read(scribe: &Scribe<'_>, id: &AccessKeyId) -> Result<Self> {
        Ok(Self::among(Ledger::of(scribe.remote).read_all()?, id))
    }

    /// The life of one access key among the records of all.
    #[must_use]
    pub fn among(all: Vec<(AccessKeyId, Vec<Event>)>, id: &AccessKeyId) -> Self {
        let mut life = Self::default();
        for (of, events) in all {
            if &of == id {
                life.events = events;
            } else if events.iter().any(|one| one.new.as_deref() == Some(id.as_str())) {
                let other = Self { events, as_new: Vec::new() };
                let given_up = other.successor().as_ref() != Some(id);
                let finished = other.inactive_since().is_some() || other.deleted();
                life.as_new.push(AsNew { old: of, given_up, finished });
            }
        }
        life
    }

    /// The access key that replaces it, by the newest rotation that was neither aborted nor
    /// reverted.
    #[must_use]
    pub fn successor(&self) -> Option<AccessKeyId> {
        let mut new = None;
        for event in &self.events {
            match &event.event {
                Happening::Aborted => new = None,
                Happening::Other(word) if word == REVERTED => new = None,
                _ => new = event.new.clone().or(new),
            }
        }
        new.and_then(|id| AccessKeyId::new(id).ok())
    }

    /// The IAM user that it belonged to.
    #[must_use]
    pub fn user(&self) -> Option<UserName> {
        self.events.iter().rev().find_map(|one| UserName::new(one.user.as_deref()?).ok())
    }

    /// Since when it has been switched off; `None` when it was switched on again, or never off.
    #[must_use]
    pub fn inactive_since(&self) -> Option<Timestamp> {
        self.switched_off().and_then(|event| Timestamp::parse(&event.at).ok())
    }

    /// Why it was switched off: `safe`, `unused` or `compromised`.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.switched_off()?.evidence.get("why").and_then(Value::as_str)
    }

    fn switched_off(&self) -> Option<&Event> {
        let turn =
            |one: &&Event| matches!(one.event, Happening::Deactivated | Happening::Reactivated);
        self.events.iter().rfind(turn).filter(|one| one.event == Happening::Deactivated)
    }

    /// Whether its deletion is recorded.
    #[must_use]
    pub fn deleted(&self) -> bool {
        self.events.iter().any(|one| one.event == Happening::Deleted)
    }

    /// Our last recorded probe with the pair that replaced it.
    #[must_use]
    pub fn last_probe(&self) -> Option<Timestamp> {
        let told = |one: &Event| Timestamp::parse(one.evidence.get("last_probe")?.as_str()?).ok();
        self.events.iter().filter_map(told).max()
    }

    /// The next event of a kind. Its name counts those before it, so that two runs at once write
    /// one line.
    #[must_use]
    pub(super) fn next(&self, id: &AccessKeyId, word: Happening, at: Timestamp) -> Event {
        let name = serde_json::to_value(&word).ok();
        let name = name.as_ref().and_then(Value::as_str).unwrap_or("event").to_owned();
        let before = self.events.iter().filter(|one| one.event == word).count();
        let mut event = Event::new(format!("{id}-{name}-{}", before + 1), word, at.to_string());
        event.old = Some(id.to_string());
        event
    }
}

/// Says in an event who did it and on what it rests.
#[must_use]
pub(super) fn signed(
    mut event: Event,
    caller: Option<&Caller>,
    user: &UserName,
    evidence: Map<String, Value>,
) -> Event {
    event.actor = caller.map(|one| one.arn.clone());
    event.account = caller.map(|one| one.account.to_string());
    event.user = Some(user.to_string());
    event.evidence = evidence;
    event
}

#[cfg(test)]
mod tests {
    use super::{AsNew, Life};
    use crate::model::{AccessKeyId, Timestamp};
    use crate::repo::{Event, Happening};

    const OLD: &str = "AKIAIOSFODNN7EXAMPLE";
    const NEW: &str = "AKIAI44QH7DHBEXAMPLE";

    fn id(text: &str) -> AccessKeyId {
        AccessKeyId::new(text).expect("shape")
    }

    fn event(word: Happening, day: u32, new: Option<&str>) -> Event {
        let mut event = Event::new("x", word, format!("2026-01-{day:02}T00:00:00Z"));
        event.new = new.map(str::to_owned);
        event
    }

    fn life(events: &[Event]) -> Life {
        Life { events: events.to_vec(), as_new: Vec::new() }
    }

    #[test]
    fn the_newest_rotation_that_still_holds_names_the_successor() {
        let made = event(Happening::Created, 1, Some(NEW));
        let rows = [
            (vec![made.clone()], Some(NEW)),
            (vec![made.clone(), event(Happening::Aborted, 2, None)], None),
            (vec![made.clone(), event(Happening::Other("revert-proposed".into()), 2, None)], None),
            (vec![made.clone(), event(Happening::Aborted, 2, Some(NEW)), made.clone()], Some(NEW)),
            (vec![made, event(Happening::Observed, 2, None)], Some(NEW)),
        ];
        for (events, wanted) in rows {
            assert_eq!(life(&events).successor(), wanted.map(id), "{events:?}");
        }
    }

    #[test]
    fn a_key_that_was_switched_on_again_soaks_anew() {
        let (off, on) = (Happening::Deactivated, Happening::Reactivated);
        let mut events = vec![event(off.clone(), 1, None)];
        assert_eq!(
            life(&events).inactive_since(),
            Some(Timestamp::parse("2026-01-01T00:00:00Z").unwrap())
        );
        events.push(event(on, 2, None));
        assert_eq!(life(&events).inactive_since(), None);
        events.push(event(off, 3, None));
        assert_eq!(
            life(&events).inactive_since(),
            Some(Timestamp::parse("2026-01-03T00:00:00Z").unwrap())
        );
    }

    #[test]
    fn the_record_of_another_key_says_that_this_one_is_its_new_one() {
        let made = event(Happening::Created, 1, Some(NEW));
        let of = |events: &[Event]| Life::among(vec![(id(OLD), events.to_vec())], &id(NEW)).as_new;
        let open = AsNew { old: id(OLD), given_up: false, finished: false };
        assert_eq!(of(std::slice::from_ref(&made)), vec![open.clone()]);
        let off = event(Happening::Deactivated, 2, Some(NEW));
        assert_eq!(of(&[made.clone(), off]), [AsNew { finished: true, ..open.clone() }]);
        let aborted = event(Happening::Aborted, 2, None);
        assert_eq!(of(&[made, aborted]), [AsNew { given_up: true, ..open }]);
        assert_eq!(of(&[]), []);
    }

    #[test]
    fn events_are_counted_by_kind() {
        let life = life(&[event(Happening::Deactivated, 1, None)]);
        let at = Timestamp::parse("2026-01-02T00:00:00Z").unwrap();
        let name = |word| life.next(&id(OLD), word, at).id;
        assert_eq!(name(Happening::Deactivated), format!("{OLD}-deactivated-2"));
        assert_eq!(name(Happening::Reactivated), format!("{OLD}-reactivated-1"));
    }
}
