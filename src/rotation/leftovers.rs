//! What of a pair stands where it must not in the commit that a rotation made. Which files are
//! searched is left to `protocol`.

use std::collections::BTreeSet;

use super::compare::Ids;
use super::encode::Needles;
use super::find::{Query, find, find_secret};
use super::neighbours::Neighbours;
use super::pair::pair;
use crate::error::Result;
use crate::model::{AccessKeyId, Finding, KeyIdPattern, Occurrence, Scheme, Secret, SourceFile};

/// Where the old pair still stands, where the new secret stands in clear, and whether it belongs to
/// another access key as well, in opened files of the newer commit.
///
/// # Errors
/// A defect only.
pub fn leftovers(
    files: &[SourceFile],
    ids: &Ids,
    secrets: Option<&(Secret, Secret)>,
    pattern: &KeyIdPattern,
) -> Result<Vec<Finding>> {
    let query = Query::ids(vec![ids.0.clone()])?;
    let remains = |one: &Occurrence, what: &str| {
        Finding::at(&one.place, "old-remains", format!("the old {what} still stands here"))
    };
    let mut found = Vec::new();
    for file in files {
        found.extend(find(file, &query).iter().map(|one| remains(one, "access key ID")));
    }
    let Some((old, new)) = secrets else { return Ok(found) };
    let (old, needles) = (Needles::of(old)?, Needles::of(new)?);
    for file in files {
        let secrets = find_secret(file, &ids.0, &old);
        found.extend(secrets.iter().map(|one| remains(one, "secret")));
        let clear = find_secret(file, &ids.1, &needles);
        let clear = clear.iter().filter(|one| one.scheme == Scheme::Plain);
        found.extend(clear.map(|one| {
            let what = "the new secret stands in clear";
            Finding::at(&one.place, "plaintext-secret", what)
        }));
    }
    found.extend(shared(files, ids, new, pattern)?);
    Ok(found)
}

/// Other access keys that the structure gives the new secret to: a secret belongs to one only.
fn shared(
    files: &[SourceFile],
    ids: &Ids,
    secret: &Secret,
    pattern: &KeyIdPattern,
) -> Result<Vec<Finding>> {
    let all = Query::all(pattern)?;
    let places: Vec<Occurrence> = files.iter().flat_map(|file| find(file, &all)).collect();
    let others: BTreeSet<&AccessKeyId> =
        places.iter().filter_map(|one| one.id.as_ref()).filter(|id| **id != ids.1).collect();
    let mut found = Vec::new();
    let around = Neighbours::of(files, pattern)?;
    for id in others {
        let of_id: Vec<&Occurrence> =
            places.iter().filter(|one| one.id.as_ref() == Some(id)).collect();
        let pairing = pair(id, &around, &of_id, &[])?;
        if pairing.secret.is_some_and(|other| other.same(secret)) {
            let what = format!("the new secret stands beside another access key, too: {id}");
            found.push(Finding::at(&of_id[0].place, "shared-secret", what));
        }
    }
    Ok(found)
}
