//! The whole search: opens the files, names the occurrences, pairs IDs with secrets, and finds
//! every further place of each secret. Used by `find`, `rotate`, `verify` and `abort` alike.

use std::collections::BTreeMap;

use super::survey::{Search, Survey};
use crate::error::Result;
use crate::model::{AccessKeyId, KeyIdPattern, Occurrence, Role, Secret};
use crate::repo::Listing;
use crate::rotation::{self, Chosen, Indirect, Needles, Pairing, Query};

/// What a search found.
pub struct Located {
    /// The opened files and what stayed closed.
    pub survey: Survey,
    /// IDs, secrets and texts, in the order of places.
    pub occurrences: Vec<Occurrence>,
    /// What pairing says of each access key that was found.
    pub pairings: BTreeMap<AccessKeyId, Pairing>,
    /// Values that read one of the occurrences by name.
    pub indirect: Vec<Indirect>,
}

/// Searches the files of a listing.
///
/// # Errors
/// When the repository cannot be read, or `--pair` names no value.
pub fn locate(
    search: &Search<'_>,
    listing: &Listing,
    query: &Query,
    chosen: &[Chosen],
    pattern: &KeyIdPattern,
) -> Result<Located> {
    locate_knowing(search, listing, query, chosen, pattern, &Secrets::new())
}

/// Secrets that are known from elsewhere, each with its access key.
pub(super) type Secrets = Vec<(AccessKeyId, Secret)>;

/// Searches the files of a listing, also for secrets that another listing told.
pub(super) fn locate_knowing(
    search: &Search<'_>,
    listing: &Listing,
    query: &Query,
    chosen: &[Chosen],
    pattern: &KeyIdPattern,
    known: &Secrets,
) -> Result<Located> {
    let mut survey = Survey::of(search, listing)?;
    let mut found: Vec<Occurrence> =
        survey.files.iter().flat_map(|file| rotation::find(file, query)).collect();
    let pairings = pair_all(&survey, &mut found, chosen, pattern)?;
    let mut secrets = Vec::new();
    for (id, pairing) in &pairings {
        if let Some(secret) = &pairing.secret {
            secrets.push((id, Needles::of(secret)?));
        }
    }
    for (id, secret) in known {
        let is_told = |one: &Secret| one.same(secret);
        if !pairings.get(id).and_then(|pairing| pairing.secret.as_ref()).is_some_and(is_told) {
            secrets.push((id, Needles::of(secret)?));
        }
    }
    if !secrets.is_empty() {
        let any = |bytes: &[u8]| secrets.iter().any(|(_, needles)| needles.stand_in(bytes));
        survey.extend(search, listing, &any)?;
    }
    for file in &survey.files {
        for (id, needles) in &secrets {
            found.extend(rotation::find_secret(file, id, needles));
        }
    }
    found.sort_by(|a, b| (&a.place, &a.trail, a.range).cmp(&(&b.place, &b.trail, b.range)));
    let indirect = rotation::indirect(&survey.files, &found);
    Ok(Located { survey, occurrences: found, pairings, indirect })
}

fn pair_all(
    survey: &Survey,
    found: &mut [Occurrence],
    chosen: &[Chosen],
    pattern: &KeyIdPattern,
) -> Result<BTreeMap<AccessKeyId, Pairing>> {
    let mut places: BTreeMap<AccessKeyId, Vec<usize>> = BTreeMap::new();
    for (at, occurrence) in found.iter().enumerate() {
        if let (Role::Id, Some(id)) = (&occurrence.role, &occurrence.id) {
            places.entry(id.clone()).or_default().push(at);
        }
    }
    let mut pairings = BTreeMap::new();
    if places.is_empty() {
        return Ok(pairings);
    }
    let neighbours = rotation::Neighbours::of(&survey.files, pattern)?;
    for (id, places) in places {
        let of_id: Vec<&Occurrence> = places.iter().map(|at| &found[*at]).collect();
        let pairing = rotation::pair(&id, &neighbours, &of_id, chosen)?;
        for (at, paired) in places.iter().zip(&pairing.paired) {
            found[*at].paired = *paired;
        }
        pairings.insert(id, pairing);
    }
    Ok(pairings)
}
