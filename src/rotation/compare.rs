//! Says of the files that differ between two commits whether one old pair became one new pair and
//! nothing else happened. Listing and opening the files is left to `protocol`, the layout of each
//! file to `differ`.

use std::collections::BTreeSet;

use super::candidates;
use super::differ::{Changed, Differences};
use super::encode::Needles;
use super::find::{Query, find};
use super::form::follows;
use super::neighbours::Neighbours;
use super::pair::{Pairing, pair};
use crate::error::Result;
use crate::model::{
    AccessKeyId, Finding, KeyIdPattern, Occurrence, Place, RepoPath, Role, Scheme, Secret,
    SourceFile, Span, Step, Unseen,
};

/// An old access key and the one that replaces it.
pub type Ids = (AccessKeyId, AccessKeyId);

/// One half of the pair that changed as it should.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exchange {
    /// The value, in the newer commit.
    pub place: Place,
    /// Which half.
    pub role: Role,
    /// How it is sealed.
    pub scheme: Scheme,
}

/// What comparing the files gave.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The access keys that change place; `None` when no such change was seen.
    pub ids: Option<Ids>,
    /// The old secret and the new one, where both were seen.
    pub secrets: Option<(Secret, Secret)>,
    /// What changed as it should.
    pub exchanges: Vec<Exchange>,
    /// What should not be so.
    pub findings: Vec<Finding>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
}

/// Compares the two versions of every file that both commits have and that differs.
///
/// `before` and `after` hold the same paths in the same order, each opened whole. `claim` is what
/// the commits say of themselves: it is held against what is seen, never taken for it.
///
/// # Errors
/// A defect only.
pub fn compare(
    before: &[SourceFile],
    after: &[SourceFile],
    claim: Option<&Ids>,
    pattern: &KeyIdPattern,
) -> Result<Comparison> {
    let mut found = Comparison::default();
    let (mut changed, mut closed) = (Vec::new(), 0);
    for (old, new) in before.iter().zip(after) {
        let differences = Differences::of(old, new);
        found.findings.extend(differences.findings);
        found.unseen.extend(differences.unseen);
        closed += differences.closed.len();
        changed.extend(differences.changed);
    }
    let shape = Query::all(pattern)?;
    found.ids = ids(&changed, claim, &shape, &mut found.findings);
    let Some(ids) = found.ids.clone() else {
        let others = changed.iter().map(|one| other_change(one, None, &shape));
        found.findings.extend(others);
        return Ok(settled(found, changed.len() + closed));
    };
    let halves = Halves::of(&ids, before, after, &changed, pattern)?;
    halves.agree(&ids, closed, &mut found);
    judge(&changed, &ids, &halves, &shape, &mut found)?;
    found.secrets = halves.secrets;
    Ok(settled(found, changed.len() + closed))
}

/// Sorts, and says so when there is no rotation at all.
fn settled(mut found: Comparison, changes: usize) -> Comparison {
    if changes == 0 && found.findings.is_empty() {
        let what = "no access key changes between the two commits";
        found.findings.push(Finding::of_all("no-rotation", what));
    }
    found.findings.sort();
    found.findings.dedup();
    found.unseen.sort();
    found.unseen.dedup();
    found.exchanges.sort();
    found
}

/// The access keys that change: what the commits claim, else what is seen most often.
fn ids(
    changed: &[Changed<'_>],
    claim: Option<&Ids>,
    shape: &Query,
    findings: &mut Vec<Finding>,
) -> Option<Ids> {
    let seen: Vec<Ids> = changed.iter().flat_map(|one| id_exchanges(one, shape)).collect();
    let most = most_frequent(&seen).cloned();
    let Some(claim) = claim else { return most };
    match most {
        Some(most) if !seen.contains(claim) => {
            let what = format!(
                "the commits say that {} becomes {}, and what changes is {}",
                claim.0, claim.1, most.0
            );
            findings.push(Finding::of_all("trailers-differ", what));
            Some(most)
        }
        Some(_) => Some(claim.clone()),
        None => None,
    }
}

/// The first of those that come most often.
fn most_frequent<T: PartialEq>(all: &[T]) -> Option<&T> {
    let count = |one: &T| all.iter().filter(|other| *other == one).count();
    all.iter().rev().max_by_key(|one| count(one))
}

/// The IDs that stand at the same position in both texts, where they differ.
fn id_exchanges(one: &Changed<'_>, shape: &Query) -> Vec<Ids> {
    let ids = |text| shape.hits(text).into_iter().filter_map(|(_, _, id)| id);
    let (old, new): (Vec<_>, Vec<_>) = (ids(one.before).collect(), ids(one.after).collect());
    if old.len() != new.len() {
        return Vec::new();
    }
    old.into_iter().zip(new).filter(|(old, new)| old != new).collect()
}

/// What looks like a secret at the same position in both texts, where it differs.
fn secret_exchanges(one: &Changed<'_>) -> Vec<(Secret, Secret)> {
    let (old, new) = (candidates::inside(one.before), candidates::inside(one.after));
    if old.len() != new.len() {
        return Vec::new();
    }
    let both = old.into_iter().zip(new).map(|(old, new)| (old.secret, new.secret));
    both.filter(|(old, new)| !old.same(new)).collect()
}

/// What is known of the secrets that belong to the two IDs.
struct Halves {
    secrets: Option<(Secret, Secret)>,
    /// The secret that the structure gives the old ID.
    old: Pairing,
    /// The secret that the structure gives the new ID.
    new: Pairing,
}

impl Halves {
    fn of(
        ids: &Ids,
        before: &[SourceFile],
        after: &[SourceFile],
        changed: &[Changed<'_>],
        pattern: &KeyIdPattern,
    ) -> Result<Self> {
        let old = paired(&ids.0, before, pattern)?;
        let new = paired(&ids.1, after, pattern)?;
        let seen: Vec<(Secret, Secret)> = changed.iter().flat_map(secret_exchanges).collect();
        let same = |a: &(Secret, Secret), b: &(Secret, Secret)| a.0.same(&b.0) && a.1.same(&b.1);
        let count = |one: &(Secret, Secret)| seen.iter().filter(|other| same(one, other)).count();
        let of_old =
            |one: &&(Secret, Secret)| old.secret.as_ref().is_none_or(|secret| secret.same(&one.0));
        let most = seen.iter().rev().filter(of_old).max_by_key(|one| count(one));
        let secrets = match (most, &old.secret, &new.secret) {
            (Some((was, is)), ..) => Some((was.duplicate(), is.duplicate())),
            (None, Some(was), Some(is)) if !was.same(is) => Some((was.duplicate(), is.duplicate())),
            _ => None,
        };
        Ok(Self { secrets, old, new })
    }

    /// Holds the secrets that changed against those that the structure gives the two IDs.
    fn agree(&self, ids: &Ids, closed: usize, found: &mut Comparison) {
        for (id, pairing) in [(&ids.0, &self.old), (&ids.1, &self.new)] {
            if let Some(place) = pairing.conflicting.first() {
                let what = format!("two different secrets stand beside {id}");
                found.findings.push(Finding::at(place, "conflicting-secrets", what));
            }
        }
        let Some((was, is)) = &self.secrets else {
            if closed == 0 {
                let what = format!("no secret changes together with {}", ids.0);
                found.findings.push(Finding::of_all("id-without-secret", what));
            }
            return found.unseen.push(partner(&ids.0));
        };
        for (id, pairing, secret) in [(&ids.0, &self.old, was), (&ids.1, &self.new, is)] {
            match &pairing.secret {
                Some(known) if !known.same(secret) => {
                    let what = format!("the secret beside {id} is not the one that changed");
                    found.findings.push(Finding::of_all("other-secret", what));
                }
                Some(_) if pairing.ambiguous.is_empty() => {}
                _ => found.unseen.push(partner(id)),
            }
        }
    }
}

fn partner(id: &AccessKeyId) -> Unseen {
    let message = format!("which secret belongs to {id} everywhere");
    Unseen { what: "partner", path: None, message }
}

fn paired(id: &AccessKeyId, files: &[SourceFile], pattern: &KeyIdPattern) -> Result<Pairing> {
    let query = Query::ids(vec![id.clone()])?;
    let found: Vec<Occurrence> = files.iter().flat_map(|file| find(file, &query)).collect();
    let around = Neighbours::of(files, pattern)?;
    pair(id, &around, &found.iter().collect::<Vec<_>>(), &[])
}

/// Holds every changed text against the pair.
fn judge(
    changed: &[Changed<'_>],
    ids: &Ids,
    halves: &Halves,
    shape: &Query,
    found: &mut Comparison,
) -> Result<()> {
    let expected = Expected::of(ids, halves.secrets.as_ref())?;
    for one in changed {
        let roles = expected.exchanged(one);
        if roles.is_empty() {
            found.findings.push(other_change(one, Some((ids, halves)), shape));
            continue;
        }
        for role in roles {
            if role == Role::Secret && one.scheme == Scheme::Plain {
                let what = "the new secret stands in clear";
                found.findings.push(Finding::at(&one.place, "plaintext-secret", what));
            }
            let (place, scheme) = (one.place.clone(), one.scheme.clone());
            found.exchanges.push(Exchange { place, role, scheme });
        }
    }
    Ok(())
}

/// What must become what.
struct Expected<'p> {
    ids: Query,
    new_id: &'p AccessKeyId,
    secrets: Option<(Needles, &'p Secret)>,
}

impl<'p> Expected<'p> {
    fn of(ids: &'p Ids, secrets: Option<&'p (Secret, Secret)>) -> Result<Self> {
        let secrets = match secrets {
            Some((old, new)) => Some((Needles::of(old)?, new)),
            None => None,
        };
        Ok(Self { ids: Query::ids(vec![ids.0.clone()])?, new_id: &ids.1, secrets })
    }

    /// The halves that changed in a text; none when it changed in any other way, too.
    fn exchanged(&self, one: &Changed<'_>) -> Vec<Role> {
        let planned = self.ranges(one.before);
        let plain: Vec<(Span, &[u8])> =
            planned.iter().map(|(span, _, want)| (*span, *want)).collect();
        let written = one.written.is_none_or(|(before, after)| {
            let planned = self.ranges(before);
            let ranges: Vec<(Span, &[u8])> =
                planned.iter().map(|(span, _, want)| (*span, *want)).collect();
            follows(before, after, &ranges)
        });
        if plain.is_empty() || !written || !follows(one.before, one.after, &plain) {
            return Vec::new();
        }
        planned.into_iter().map(|(_, role, _)| role).collect()
    }

    fn ranges(&self, text: &[u8]) -> Vec<(Span, Role, &[u8])> {
        let ids = self.ids.hits(text).into_iter();
        let mut all: Vec<(Span, Role, &[u8])> =
            ids.map(|(span, role, _)| (span, role, self.new_id.as_str().as_bytes())).collect();
        if let Some((needles, new)) = &self.secrets {
            let secrets = needles.find(text).into_iter();
            all.extend(secrets.map(|(span, _)| (span, Role::Secret, new.expose())));
        }
        all.sort_by_key(|(span, ..)| *span);
        all
    }
}

/// A change that belongs to no rotation, or not to this one.
fn other_change(one: &Changed<'_>, known: Option<(&Ids, &Halves)>, shape: &Query) -> Finding {
    let ids = |text| -> BTreeSet<AccessKeyId> {
        shape.hits(text).into_iter().filter_map(|(_, _, id)| id).collect()
    };
    let (old, new) = (ids(one.before), ids(one.after));
    if let Some(((was, is), _)) = known
        && let Some(other) = new.iter().find(|id| !old.contains(*id) && *id != is)
    {
        let what = if old.contains(was) {
            format!("another access key than {is} replaces the old one here: {other}")
        } else {
            format!("an access key that is not part of this rotation was put here: {other}")
        };
        return Finding::at(&one.place, "other-access-key", what);
    }
    let came = came(one);
    if came && one.scheme == Scheme::Plain {
        let what = "text with the shape of a secret stands in clear here now";
        return Finding::at(&one.place, "plaintext-secret", what);
    }
    if came && known.is_some_and(|(_, halves)| halves.secrets.is_some()) {
        let what = "another secret than that of the new access key was put here";
        return Finding::at(&one.place, "other-secret", what);
    }
    if one.place.route.0.last() == Some(&Step::Comment) && one.scheme == Scheme::Plain {
        return Finding::at(&one.place, "comment-changed", "a comment changed");
    }
    let what = "this value changed in another way than from the old pair to the new one";
    Finding::at(&one.place, "value-changed", what)
}

/// Whether something with the shape of a secret stands in the newer text that the older lacks.
fn came(one: &Changed<'_>) -> bool {
    let old = candidates::inside(one.before);
    let new = candidates::inside(one.after);
    new.iter().any(|one| !old.iter().any(|other| other.secret.same(&one.secret)))
}

/// Whether a file says whom values are sealed to: trust rests on it.
#[must_use]
pub fn is_certificate(path: &RepoPath, bytes: &[u8]) -> bool {
    let name = path.file_name();
    let by_name = [&b".pem"[..], b".crt", b".cer", b".pub", b".asc", b".gpg"]
        .iter()
        .any(|end| name.ends_with(end));
    let begins = [&b"-----BEGIN CERTIFICATE"[..], b"-----BEGIN PUBLIC", b"-----BEGIN PGP PUBLIC"];
    by_name || begins.iter().any(|head| bytes.trim_ascii_start().starts_with(head))
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
