//! Which secret belongs to an access key ID, told by structure: the same text, the names of
//! sibling entries, the same mapping. Never guesses: two different answers are an ambiguity.

use regex::bytes::Regex;

use super::candidates::{self, Candidate};
use super::chosen::Chosen;
use super::names::{Name, label_before};
use super::neighbours::{Entry, Neighbours, is_flat};
use crate::error::{Error, Result};
use crate::model::{AccessKeyId, Occurrence, Place, Route, Secret, SourceFile, Span, Step};

/// What pairing found for one access key.
#[derive(Debug, Default)]
pub struct Pairing {
    /// The secret, when exactly one value was found.
    pub secret: Option<Secret>,
    /// For each occurrence of the ID, in the order given: whether its other half was found.
    pub paired: Vec<bool>,
    /// Occurrences with more than one possible partner.
    pub ambiguous: Vec<Ambiguity>,
    /// Places whose partners hold different secrets; empty when all agree.
    pub conflicting: Vec<Place>,
}

/// One ID with several possible partners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguity {
    /// The ID.
    pub id: Place,
    /// Where the possible secrets stand.
    pub candidates: Vec<Place>,
}

/// One possible partner: its place and the secret it holds.
struct Partner {
    place: Place,
    secret: Secret,
}

/// What the rules say of one occurrence.
#[derive(Default)]
struct Answer {
    /// Partners that the structure names.
    named: Vec<Partner>,
    /// Values beside the ID that could be its secret by shape alone: shown, never chosen.
    possible: Vec<Partner>,
}

/// Pairs every occurrence of one access key ID.
///
/// # Errors
/// `bad-pair` when a route given with `--pair` names no value, or one that holds no secret.
pub fn pair(
    id: &AccessKeyId,
    neighbours: &Neighbours<'_>,
    occurrences: &[&Occurrence],
    chosen: &[Chosen],
) -> Result<Pairing> {
    let Neighbours { files, entries, shape } = neighbours;
    for choice in chosen {
        if !occurrences.iter().any(|one| Chosen::names(&choice.id, &one.place)) {
            return Err(no_such_id(id, choice));
        }
    }
    let mut found = Vec::new();
    for occurrence in occurrences {
        let answer = match chosen_partner(chosen, occurrence, entries)? {
            Some(partner) => Answer { named: vec![partner], possible: Vec::new() },
            None => partners(id, occurrence, files, entries, shape),
        };
        found.push(answer);
    }
    Ok(settle(occurrences, found))
}

/// Agrees on one secret: places with a single answer decide, and settle the others.
fn settle(occurrences: &[&Occurrence], found: Vec<Answer>) -> Pairing {
    let mut pairing = Pairing::default();
    let sure: Vec<&Partner> = found.iter().filter_map(|one| distinct(&one.named)).collect();
    if let Some(first) = sure.first() {
        if let Some(other) = sure.iter().find(|partner| !partner.secret.same(&first.secret)) {
            pairing.conflicting = vec![first.place.clone(), other.place.clone()];
        } else {
            pairing.secret = Some(first.secret.duplicate());
        }
    }
    for (occurrence, answer) in occurrences.iter().zip(&found) {
        let all = || answer.named.iter().chain(&answer.possible);
        let agreed = pairing
            .secret
            .as_ref()
            .is_some_and(|secret| all().any(|candidate| candidate.secret.same(secret)));
        let bare = all().next().is_none() && is_mention(occurrence) && pairing.secret.is_some();
        pairing.paired.push(agreed || bare);
        if !agreed && all().next().is_some() && pairing.conflicting.is_empty() {
            let candidates = all().map(|one| one.place.clone()).collect();
            pairing.ambiguous.push(Ambiguity { id: occurrence.place.clone(), candidates });
        }
    }
    pairing
}

/// The partner, when all candidates hold one and the same secret.
fn distinct(candidates: &[Partner]) -> Option<&Partner> {
    let first = candidates.first()?;
    candidates.iter().all(|other| other.secret.same(&first.secret)).then_some(first)
}

/// An ID that is only spoken of: in a comment, or within a line of flat text in clear.
fn is_mention(occurrence: &Occurrence) -> bool {
    let steps = &occurrence.place.route.0;
    steps.contains(&Step::Comment)
        || (steps.is_empty() && occurrence.scheme == crate::model::Scheme::Plain)
}

fn chosen_partner(
    chosen: &[Chosen],
    occurrence: &Occurrence,
    entries: &[Entry<'_>],
) -> Result<Option<Partner>> {
    let Some(choice) = chosen.iter().find(|choice| Chosen::names(&choice.id, &occurrence.place))
    else {
        return Ok(None);
    };
    let all: Vec<&Entry<'_>> =
        entries.iter().filter(|entry| Chosen::names(&choice.secret, &entry.cell.place)).collect();
    let here = |entry: &&Entry<'_>| entry.cell.place.path == occurrence.place.path;
    let same_file: Vec<&Entry<'_>> = all.iter().copied().filter(here).collect();
    let named = if same_file.is_empty() { all } else { same_file };
    let shown = crate::model::visible(&choice.secret);
    let Some(first) = named.first() else {
        return Err(Error::refused("bad-pair", format!("no opened value has the route `{shown}`"))
            .hint("`keyroll find` prints the routes of all values that hold the access key"));
    };
    let held: Vec<Partner> = named.iter().flat_map(|entry| secrets_of(entry)).collect();
    match (distinct(&held), held.is_empty()) {
        (Some(one), _) => {
            Ok(Some(Partner { place: one.place.clone(), secret: one.secret.duplicate() }))
        }
        (None, true) => Err(Error::refused(
            "bad-pair",
            format!("{} holds nothing like a secret", first.cell.place),
        )),
        (None, false) => {
            let what = format!("the route `{shown}` names more than one possible secret");
            Err(Error::refused("bad-pair", what)
                .hint("give each secret a name of its own, or leave the file out with --exclude"))
        }
    }
}

fn no_such_id(id: &AccessKeyId, choice: &Chosen) -> Error {
    let shown = crate::model::visible(&choice.id);
    Error::refused("bad-pair", format!("{id} does not stand at the route `{shown}`"))
        .hint("`keyroll find` prints the routes of all values that hold the access key")
}

/// Every secret that a value could hold: itself, else what stands inside it.
fn secrets_of(entry: &Entry<'_>) -> Vec<Partner> {
    let found = candidates::whole(entry.text)
        .map_or_else(|| candidates::inside(entry.text), |candidate| vec![candidate]);
    let place = |one: Candidate| Partner { place: entry.cell.place.clone(), secret: one.secret };
    found.into_iter().map(place).collect()
}

/// The partners of one occurrence by the first rule that answers, from the surest down.
fn partners(
    id: &AccessKeyId,
    occurrence: &Occurrence,
    files: &[SourceFile],
    entries: &[Entry<'_>],
    shape: &Regex,
) -> Answer {
    let Some(at) = entries.iter().position(|entry| {
        files[entry.file].path == occurrence.place.path
            && entry.cell.place.span == *occurrence.trail.last().unwrap_or(&occurrence.place.span)
            && entry.text.get(occurrence.range.start..occurrence.range.end)
                == Some(id.as_str().as_bytes())
    }) else {
        return Answer::default();
    };
    let own = &entries[at];
    let rules: [&dyn Fn() -> Vec<Partner>; 5] = [
        &|| same_text(own, occurrence.range),
        &|| same_scalar(own, entries),
        &|| named(own, occurrence, entries, shape, Reach::File),
        &|| alone_beside(own, entries, shape, Sign::Named),
        &|| named(own, occurrence, entries, shape, Reach::Repository),
    ];
    let named = rules.iter().map(|rule| rule()).find(|found| !found.is_empty());
    match named {
        Some(named) => Answer { named, possible: Vec::new() },
        None => {
            Answer { named: Vec::new(), possible: alone_beside(own, entries, shape, Sign::Shape) }
        }
    }
}

/// Inside one plaintext: what stands behind the ID and before the next one, else what stands alone.
fn same_text(own: &Entry<'_>, id: Span) -> Vec<Partner> {
    let all = candidates::inside(own.text);
    if all.is_empty() {
        return Vec::new();
    }
    let next = next_boundary(own.text, id.end);
    let previous = previous_boundary(own.text, id.start);
    let (behind, before): (Vec<Candidate>, Vec<Candidate>) = all
        .into_iter()
        .filter(|one| one.span.start >= previous && one.span.end <= next)
        .partition(|one| one.span.start >= id.end);
    let says_secret = |one: &Candidate| {
        label_before(&own.text[..one.span.start]).is_some_and(|name| Name::new(&name).says_secret)
    };
    let place = |one: Candidate| Partner { place: own.cell.place.clone(), secret: one.secret };
    // Several pairs with a secret before the first ID: which side belongs to an ID is not certain.
    if !behind.is_empty() && !before.is_empty() && secret_leads(own.text, id) {
        return before.into_iter().chain(behind).map(place).collect();
    }
    for side in [behind, before] {
        let (labelled, other): (Vec<_>, Vec<_>) = side.into_iter().partition(says_secret);
        for group in [labelled, other] {
            if !group.is_empty() {
                return group.into_iter().map(place).collect();
            }
        }
    }
    Vec::new()
}

/// Where another access key's part of the text begins: the next ID, INI section or blank line.
fn next_boundary(text: &[u8], from: usize) -> usize {
    let rest = &text[from..];
    let ends = ["\n[", "\n\n", "\r\n\r\n", "AKIA"];
    let at = ends.iter().filter_map(|end| memchr::memmem::find(rest, end.as_bytes())).min();
    at.map_or(text.len(), |at| from + at)
}

fn previous_boundary(text: &[u8], to: usize) -> usize {
    let head = &text[..to];
    let ends = ["\n[", "\n\n", "\r\n\r\n", "AKIA"];
    let found = ends.iter().filter_map(|end| memchr::memmem::rfind(head, end.as_bytes())).max();
    found.unwrap_or(0)
}

/// Whether the part of the text around the ID (to the next section or blank line) holds several
/// IDs, and something like a secret before the first of them.
fn secret_leads(text: &[u8], id: Span) -> bool {
    let ends = ["\n[", "\n\n", "\r\n\r\n"];
    let start =
        ends.iter().filter_map(|end| memchr::memmem::rfind(&text[..id.start], end.as_bytes()));
    let start = start.max().unwrap_or(0);
    let stop = ends.iter().filter_map(|end| memchr::memmem::find(&text[id.end..], end.as_bytes()));
    let stop = stop.min().map_or(text.len(), |at| id.end + at);
    let part = &text[start..stop];
    let mut ids = memchr::memmem::find_iter(part, "AKIA");
    let (first, more) = (ids.next(), ids.next().is_some());
    first.is_some_and(|first| more && !candidates::inside(&part[..first]).is_empty())
}

/// Several tokens in one scalar, such as `sqs://ENC[…]:ENC[…]@host`.
fn same_scalar(own: &Entry<'_>, entries: &[Entry<'_>]) -> Vec<Partner> {
    let scalar = scalar_of(&own.cell.place.route);
    if scalar.0.is_empty() || scalar.0.last() == Some(&Step::Comment) {
        return Vec::new();
    }
    let others = entries.iter().filter(|entry| {
        entry.file == own.file
            && !std::ptr::eq(entry.cell, own.cell)
            && entry.cell.place.line == own.cell.place.line
            && scalar_of(&entry.cell.place.route) == scalar
    });
    others.filter_map(partner).collect()
}

fn scalar_of(route: &Route) -> Route {
    let mut steps = route.0.clone();
    while matches!(steps.last(), Some(Step::Token(_))) {
        steps.pop();
    }
    Route(steps)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    File,
    Repository,
}

/// Entries whose name says "the secret of the same thing".
fn named(
    own: &Entry<'_>,
    occurrence: &Occurrence,
    entries: &[Entry<'_>],
    shape: &Regex,
    reach: Reach,
) -> Vec<Partner> {
    let label = label_before(&own.text[..occurrence.range.start]);
    let name = label.map_or_else(|| own.name.clone(), |label| Name::new(&label));
    if reach == Reach::Repository && (name.stem.is_empty() || own.cell.place.route.0.is_empty()) {
        return Vec::new();
    }
    let fits = |entry: &&Entry<'_>| {
        name.is_partner(&entry.name)
            && match reach {
                Reach::File => entry.file == own.file && entry.group == own.group,
                // In another file a name alone is weak: it must not be the partner of an ID there.
                Reach::Repository => {
                    entry.file != own.file
                        && entry.group == own.group
                        && !has_own_id(entry, entries, shape)
                }
            }
    };
    entries.iter().filter(fits).filter_map(partner).collect()
}

/// Whether an access key ID stands beside the entry under the matching name.
fn has_own_id(secret: &Entry<'_>, entries: &[Entry<'_>], shape: &Regex) -> bool {
    entries.iter().any(|entry| {
        entry.file == secret.file
            && entry.group == secret.group
            && entry.name.is_partner(&secret.name)
            && shape.is_match(entry.text)
    })
}

/// What a value beside the ID must show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// A name that says "secret", or no name at all (items of one list).
    Named,
    /// The shape alone.
    Shape,
}

/// Secret-shaped values in the mapping or list of an ID that is the only ID there.
fn alone_beside(own: &Entry<'_>, entries: &[Entry<'_>], shape: &Regex, sign: Sign) -> Vec<Partner> {
    let list = list_of(&own.cell.place.route);
    let beside = |entry: &&Entry<'_>| {
        entry.file == own.file
            && entry.group == own.group
            && !std::ptr::eq(entry.cell, own.cell)
            && (list.is_none() || list_of(&entry.cell.place.route) == list)
    };
    if entries.iter().filter(beside).any(|entry| shape.is_match(entry.text)) {
        return Vec::new();
    }
    let shows = |entry: &&Entry<'_>| {
        sign == Sign::Shape || list.is_some() || own.name.may_share(&entry.name)
    };
    entries.iter().filter(beside).filter(shows).filter_map(partner).collect()
}

/// The list that holds the value directly.
fn list_of(route: &Route) -> Option<Route> {
    let scalar = scalar_of(route);
    let (last, rest) = scalar.0.split_last()?;
    matches!(last, Step::Item(_)).then(|| Route(rest.to_vec()))
}

fn partner(entry: &Entry<'_>) -> Option<Partner> {
    let candidate = match candidates::whole(entry.text) {
        Some(candidate) => candidate,
        // A whole line `NAME=value` of flat text in clear is one cell.
        None if is_flat(entry.cell) => {
            let mut all = candidates::inside(entry.text).into_iter();
            all.next().filter(|_| all.next().is_none())?
        }
        None => return None,
    };
    Some(Partner { place: entry.cell.place.clone(), secret: candidate.secret })
}

#[cfg(test)]
#[path = "pair_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "pair_wrong_tests.rs"]
mod wrong_tests;
