//! Turns what was found into what will change, or says why it must not.

use super::pair::Pairing;
use crate::error::{Error, Result};
use crate::model::{
    AccessKeyId, LockReason, Locked, Occurrence, Place, Plan, RepoPath, Role, Scheme, Swap,
};

/// What a person answered for: paths whose locked values may stay locked.
pub struct Allowances<'a> {
    /// Paths whose locked values were accepted by name (`--accept-locked`).
    pub accepted: &'a dyn Fn(&RepoPath) -> bool,
}

/// The plan of one rotation.
///
/// `found` holds every occurrence of the ID and of its secret; `locked` every value that stayed
/// closed, excluded paths aside.
///
/// # Errors
/// A refusal (exit code 3): `no-occurrence`, `ambiguous-partner`, `conflicting-secrets`,
/// `partner-not-found`, `plaintext-secret`, `locked-values`.
pub fn plan(
    old: &AccessKeyId,
    base: &str,
    found: &[Occurrence],
    pairing: &Pairing,
    locked: &[Locked],
    allowances: &Allowances<'_>,
) -> Result<Plan> {
    let closed: Vec<&Locked> =
        locked.iter().filter(|one| !(allowances.accepted)(&one.place.path)).collect();
    let ids: Vec<&Occurrence> = found.iter().filter(|one| one.role == Role::Id).collect();
    if ids.is_empty() && closed.is_empty() {
        return Err(Error::refused("no-occurrence", format!("no file of {base} holds {old}"))
            .hint("search the other repositories that your systems read, with `keyroll find`")
            .hint("a key that stands nowhere and is not used can be switched off with `keyroll deactivate --unused`"));
    }
    refuse_locked(&closed)?;
    refuse_unpaired(old, &ids, pairing)?;
    refuse_clear_secret(found)?;
    let swaps = found.iter().map(swap).collect();
    Plan::new(old.clone(), base.to_owned(), swaps)
        .ok_or_else(|| Error::bug("a plan with occurrences came out empty"))
}

fn swap(occurrence: &Occurrence) -> Swap {
    Swap {
        place: occurrence.place.clone(),
        trail: occurrence.trail.clone(),
        range: occurrence.range,
        role: occurrence.role.clone(),
        encoding: occurrence.encoding,
        scheme: occurrence.scheme.clone(),
    }
}

fn refuse_locked(closed: &[&Locked]) -> Result<()> {
    let Some(first) = closed.first() else { return Ok(()) };
    let mut paths: Vec<&RepoPath> = closed.iter().map(|one| &one.place.path).collect();
    paths.dedup();
    let what =
        if closed.len() == 1 { "1 value".to_owned() } else { format!("{} values", closed.len()) };
    let others = paths.len() - 1;
    let more = if others == 0 { String::new() } else { format!(" and {others} more files") };
    Err(Error::refused(
        "locked-values",
        format!(
            "{what} stayed locked in {}{more}: {}",
            first.place.path, first.lock.detail
        ),
    )
    .hint(way_out(first.lock.reason))
    .hint(format!(
        "if they cannot hold this access key: --accept-locked '{}' --reason TEXT, or --exclude GLOB",
        first.place.path
    )))
}

/// What opens a value that is locked for this reason.
const fn way_out(reason: LockReason) -> &'static str {
    match reason {
        LockReason::InvalidYaml | LockReason::InvalidBase64 | LockReason::InvalidStructure => {
            "mend the value or the file: what cannot be read cannot be rewritten"
        }
        LockReason::NotFetched => "fetch the missing objects, or work in a full clone",
        LockReason::TooLarge | LockReason::TooDeep => {
            "split the file, or rewrite this value by hand"
        }
        LockReason::Tampered => "find out who changed it: the value is not what was sealed",
        LockReason::WeakIdentity => "re-encrypt the value to an RSA key of at least 2048 bits",
        LockReason::UnknownScheme | LockReason::ForeignCipher => {
            "this version does not open that scheme: rewrite the value by hand"
        }
        LockReason::NoIdentity | LockReason::WrongIdentity => {
            "give the identity that opens them with --identity, or set `identities` in keyroll.yaml"
        }
    }
}

fn refuse_unpaired(old: &AccessKeyId, ids: &[&Occurrence], pairing: &Pairing) -> Result<()> {
    if let [one, other, ..] = pairing.conflicting.as_slice() {
        return Err(Error::refused(
            "conflicting-secrets",
            format!("{old} has two different secrets: at {one} and at {other}"),
        )
        .hint(
            "an access key has exactly one secret: correct the place that is wrong, or exclude it",
        )
        .hint("if keyroll paired wrongly, name the partner with --pair ID_ROUTE=SECRET_ROUTE"));
    }
    if let Some(ambiguity) = pairing.ambiguous.first() {
        return Err(ambiguous(old, ambiguity));
    }
    let lonely = ids.iter().zip(&pairing.paired).find(|(_, paired)| !**paired);
    match lonely {
        Some((occurrence, _)) => Err(Error::refused(
            "partner-not-found",
            format!("no secret was found for {old} at {}", occurrence.place),
        )
        .hint("name it with --pair ID_ROUTE=SECRET_ROUTE, or leave the file out with --exclude")),
        None => Ok(()),
    }
}

fn ambiguous(old: &AccessKeyId, ambiguity: &super::pair::Ambiguity) -> Error {
    let mut error = Error::refused(
        "ambiguous-partner",
        format!("it is not certain which secret belongs to {old} at {}", ambiguity.id),
    );
    for candidate in ambiguity.candidates.iter().take(5) {
        error = error.hint(format!("--pair '{}={}'", spelled(&ambiguity.id), spelled(candidate)));
    }
    error
}

fn spelled(place: &Place) -> String {
    format!("{}#{}", place.path, place.route)
}

fn refuse_clear_secret(found: &[Occurrence]) -> Result<()> {
    let clear = found.iter().find(|one| one.role == Role::Secret && one.scheme == Scheme::Plain);
    match clear {
        Some(one) => Err(Error::refused(
            "plaintext-secret",
            format!("the secret stands in clear at {}", one.place),
        )
        .hint("treat it as leaked: encrypt the place first, then rotate; the new secret is never written in clear")
        .hint("to rotate without that file: --exclude GLOB")),
        None => Ok(()),
    }
}
