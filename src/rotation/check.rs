//! Proves that a rewritten file differs from its base exactly as planned (invariant I5), by
//! opening it again and by a second, independent reader. If not, nothing is written.

use super::encode::Needles;
use super::find::{Query, find, find_secret};
use super::form::{departures, follows, gaps};
use crate::breakage;
use crate::error::{Error, Result};
use crate::format::{self, Source};
use crate::keyring::Keyring;
use crate::model::{
    AccessKeyId, AccessKeyPair, Cell, Change, Content, Occurrence, Plan, RepoPath, Role, Route,
    Scheme, Secret, SourceFile, Span, Swap,
};
use crate::yaml;

/// Re-opens every change and compares it with its base.
///
/// # Errors
/// `rewrite-check` naming the first place that differs otherwise than planned.
pub fn check(
    plan: &Plan,
    files: &[SourceFile],
    changes: &[Change],
    old_secret: &Secret,
    pair: &AccessKeyPair,
    keyring: &Keyring,
) -> Result<()> {
    if breakage::is_on("I5") || breakage::is_on("I6") {
        return Ok(());
    }
    let needles = Needles::of(old_secret)?;
    for change in changes {
        let before = files
            .iter()
            .find(|file| file.path == change.path)
            .ok_or_else(|| Error::bug(format!("{} was changed but not opened", change.path)))?;
        let after = reopened(change, keyring)?;
        let swaps: Vec<&Swap> =
            plan.swaps().iter().filter(|swap| swap.place.path == change.path).collect();
        let was = (before.bytes.as_slice(), before.cells.as_slice());
        let is = (after.bytes.as_slice(), after.cells.as_slice());
        same_level(was, is, &swaps, 0, pair, &change.path)?;
        second_reader(change, &swaps)?;
        if let Some(left) = remains(&after, &plan.old, &needles)?.first() {
            return Err(broken(&format!("the old access key still stands at {}", left.place)));
        }
    }
    Ok(())
}

/// Opens the new bytes of a change.
///
/// # Errors
/// As `format::open`.
pub(super) fn reopened(change: &Change, keyring: &Keyring) -> Result<SourceFile> {
    let route = Route::default();
    let text =
        Source { path: &change.path, bytes: &change.after, route: &route, line: 1, depth: 0 };
    let cells = format::open(&text, keyring)?;
    Ok(SourceFile { path: change.path.clone(), bytes: change.after.clone(), cells })
}

/// Every place in a file where the old pair still stands.
///
/// # Errors
/// A defect only.
pub fn remains(file: &SourceFile, old: &AccessKeyId, secret: &Needles) -> Result<Vec<Occurrence>> {
    let mut left = find(file, &Query::ids(vec![old.clone()])?);
    left.extend(find_secret(file, old, secret));
    Ok(left)
}

fn broken(what: &str) -> Error {
    Error::refused("rewrite-check", format!("the rewritten file is not as planned: {what}"))
        .hint("nothing was committed; this is a defect of keyroll, worth a report with the shape of the file")
}

/// One level of a text: the bytes around its cells are the same on both sides, and cell by cell
/// route, scheme and what is inside are as they were or as planned.
fn same_level(
    before: (&[u8], &[Cell]),
    after: (&[u8], &[Cell]),
    swaps: &[&Swap],
    depth: usize,
    pair: &AccessKeyPair,
    path: &RepoPath,
) -> Result<()> {
    let ((old_text, old_cells), (new_text, new_cells)) = (before, after);
    if old_cells.len() != new_cells.len() {
        return Err(broken(&format!("{path} has another number of values")));
    }
    let (old_gaps, new_gaps) = (gaps(old_text, old_cells), gaps(new_text, new_cells));
    let around = |(old, new): (&Span, &Span)| old.of(old_text) == new.of(new_text);
    if old_gaps.len() != new_gaps.len() || !old_gaps.iter().zip(&new_gaps).all(around) {
        return Err(broken(&format!("bytes outside the values of {path} changed")));
    }
    for (old, new) in old_cells.iter().zip(new_cells) {
        if old.place.route != new.place.route || old.scheme != new.scheme {
            return Err(broken(&format!("{} became {}", old.place, new.place)));
        }
        let here: Vec<&Swap> = swaps
            .iter()
            .copied()
            .filter(|swap| swap.trail.get(depth) == Some(&old.place.span))
            .collect();
        let raw = (old.place.span.of(old_text), new.place.span.of(new_text));
        same_value((raw.0, old), (raw.1, new), &here, depth, pair)?;
    }
    Ok(())
}

fn same_value(
    before: (&[u8], &Cell),
    after: (&[u8], &Cell),
    here: &[&Swap],
    depth: usize,
    pair: &AccessKeyPair,
) -> Result<()> {
    let ((old_raw, old), (new_raw, new)) = (before, after);
    let wrong = || broken(&format!("the value at {} is not as planned", old.place));
    if here.is_empty() {
        // Not the plaintext alone: every other ciphertext byte stays as it was, too.
        return if old_raw == new_raw { Ok(()) } else { Err(wrong()) };
    }
    let (Content::Open(was), Content::Open(is)) = (&old.content, &new.content) else {
        return Err(wrong());
    };
    if old.scheme != Scheme::Plain && !departures(old_raw, new_raw).is_empty() {
        return Err(broken(&format!("the value at {} is sealed otherwise than before", old.place)));
    }
    if here.iter().any(|swap| swap.trail.len() > depth + 1) {
        let (was, is) = ((was.expose(), &old.inside[..]), (is.expose(), &new.inside[..]));
        return same_level(was, is, here, depth + 1, pair, &old.place.path);
    }
    let fits = follows(was.expose(), is.expose(), &wanted(here, pair))
        && (old.scheme != Scheme::Plain || written_alike(old_raw, new_raw, was, here, pair));
    if fits { Ok(()) } else { Err(wrong()) }
}

/// Text in clear as it is written, with quotes, folds and escapes: only the ID changed there.
fn written_alike(
    old_raw: &[u8],
    new_raw: &[u8],
    was: &Secret,
    here: &[&Swap],
    pair: &AccessKeyPair,
) -> bool {
    let Some(first) = here.first() else { return old_raw == new_raw };
    let gone = first.range.of(was.expose());
    let ranges: Vec<(Span, &[u8])> = memchr::memmem::find_iter(old_raw, gone)
        .map(|at| (Span::new(at, at + gone.len()), pair.id.as_str().as_bytes()))
        .collect();
    follows(old_raw, new_raw, &ranges)
}

/// What each planned range must become.
fn wanted<'p>(here: &[&Swap], pair: &'p AccessKeyPair) -> Vec<(Span, &'p [u8])> {
    let half = |role: &Role| match role {
        Role::Id => pair.id.as_str().as_bytes(),
        _ => pair.secret.expose(),
    };
    here.iter().map(|swap| (swap.range, half(&swap.role))).collect()
}

/// The independent reader: the trees differ at planned routes only. Flat text, which has no routes,
/// and a file that it cannot read (no YAML) are left to the first reader.
fn second_reader(change: &Change, swaps: &[&Swap]) -> Result<()> {
    let route = Route::default();
    let text =
        Source { path: &change.path, bytes: &change.after, route: &route, line: 1, depth: 0 };
    if !text.is_structured() {
        return Ok(());
    }
    let planned: Vec<Route> = swaps.iter().map(|swap| swap.place.route.clone()).collect();
    match yaml::unplanned(&change.before, &change.after, &planned) {
        Ok(differences) => match differences.first() {
            Some(route) => Err(broken(&format!(
                "a second reader sees a change at {} {route}, which was not planned",
                change.path
            ))),
            None => Ok(()),
        },
        // A text that is no YAML for the second reader is left to the first one.
        Err(unreadable) if unreadable.side == yaml::Side::Before => Ok(()),
        Err(unreadable) => Err(broken(&format!("{}: {unreadable}", change.path))),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
