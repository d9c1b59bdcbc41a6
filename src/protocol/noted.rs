//! Writes into the ledger what a look at a rotation saw for the first time. The record serves the
//! next look: a ledger that cannot be written is told, and changes no verdict.

use serde_json::{Map, Value, json};

use super::facts::Extra;
use super::seams::Seams;
use super::tracked::Tracked;
use crate::error::Result;
use crate::model::{Facts, KeyFacts, Replaced, Timestamp};
use crate::repo::{Event, Happening, Ledger, Stamp};
use crate::rotation;

/// Appends `merged`, `deployed`, `observed` and what was vouched for, as far as they are new.
pub(super) fn note_down(seams: &Seams<'_>, tracked: &Tracked, extra: &Extra, facts: &Facts) {
    if !seams.keeps_ledger || !facts.unread.is_empty() {
        return;
    }
    for event in new_events(seams, tracked, extra, facts) {
        if let Err(error) = write(seams, tracked, event) {
            (seams.note)(&format!(
                "the ledger could not be written, the answer does not depend on it: {}",
                error.message()
            ));
            return;
        }
    }
}

fn new_events(seams: &Seams<'_>, tracked: &Tracked, extra: &Extra, facts: &Facts) -> Vec<Event> {
    let mut events = Vec::new();
    if let (Replaced::Yes, Some(at), None) =
        (&facts.replaced, facts.merged_at, tracked.when(&Happening::Merged))
    {
        let evidence = json!({ "pull_request": tracked.pull_request });
        events.push(event(tracked, "merged", Happening::Merged, at, evidence));
    }
    let deployed = rotation::deployed_at(facts).filter(|_| facts.replaced == Replaced::Yes);
    if let (Some(at), None) = (deployed, tracked.when(&Happening::Deployed)) {
        let evidence = match extra.deployed_at {
            Some(_) => json!({ "vouched": true }),
            None => json!({ "service": facts.new.last_used.service,
                            "region": facts.new.last_used.region }),
        };
        events.push(event(tracked, "deployed", Happening::Deployed, at, evidence));
    }
    if let Some(reason) = &extra.accept_infrequent
        && tracked.told(&Happening::Attested, "accept_infrequent") != Some(reason)
    {
        let name = format!("infrequent-{}", super::run::digest(reason.as_bytes()));
        let evidence = json!({ "accept_infrequent": reason });
        events.push(event(tracked, &name, Happening::Attested, (seams.clock)(), evidence));
    }
    events.extend(observation(tracked, &facts.old, Some(&facts.new), facts.read_at));
    events
}

/// The last uses of both access keys, when they are not what was recorded last.
#[must_use]
pub(super) fn observation(
    tracked: &Tracked,
    old: &KeyFacts,
    new: Option<&KeyFacts>,
    read_at: Timestamp,
) -> Option<Event> {
    let at = |key: &KeyFacts| key.last_used.at.map(|at| at.to_string());
    let (of_old, of_new) = (at(old), new.and_then(at));
    let newest = |field: &str| {
        let told = tracked.events.iter().rev().find_map(|event| event.evidence.get(field));
        told.and_then(Value::as_str).map(str::to_owned)
    };
    let known = (newest("old_last_used"), newest("new_last_used"));
    let fresh = |seen: &Option<String>, known: &Option<String>| seen.is_some() && seen != known;
    if !fresh(&of_old, &known.0) && !fresh(&of_new, &known.1) {
        return None;
    }
    let name = format!(
        "observed-{}-{}",
        old.last_used.at.map_or(0, |at| at.0),
        new.and_then(|key| key.last_used.at).map_or(0, |at| at.0)
    );
    let evidence = json!({
        "old_last_used": of_old,
        "old_service": old.last_used.service,
        "old_region": old.last_used.region,
        "new_last_used": of_new,
        "new_service": new.map(|key| key.last_used.service.as_str()),
        "new_region": new.map(|key| key.last_used.region.as_str()),
    });
    Some(event(tracked, &name, Happening::Observed, read_at, evidence))
}

/// An event of a rotation, named so that it is recorded once.
#[must_use]
pub(super) fn event(
    tracked: &Tracked,
    name: &str,
    happening: Happening,
    at: Timestamp,
    evidence: Value,
) -> Event {
    let mut event = Event::new(format!("{}-{name}", tracked.rotation), happening, at.to_string());
    event.rotation = Some(tracked.rotation.clone());
    event.old = Some(tracked.old.to_string());
    event.new = tracked.new.as_ref().map(ToString::to_string);
    event.user = Some(tracked.user.to_string());
    event.account = tracked.account.as_ref().map(ToString::to_string);
    event.evidence = match evidence {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    event
}

/// Appends one event; who runs keyroll is its actor unless somebody else is named.
///
/// # Errors
/// As [`Ledger::append`].
pub(super) fn write(seams: &Seams<'_>, tracked: &Tracked, mut event: Event) -> Result<()> {
    let author = seams.author;
    event.actor.get_or_insert_with(|| format!("{} <{}>", author.name, author.email));
    let stamp = Stamp { author, at: (seams.clock)(), signing: seams.signing };
    Ledger::of(seams.remote).append(&tracked.old, &event, &stamp)
}
