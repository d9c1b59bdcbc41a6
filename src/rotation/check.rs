//! Proves that a rewritten file differs from its base exactly as planned (invariant I5), by
//! opening it again and by a second, independent reader. If not, nothing is written.

use super::encode::Needles;
use super::find::{Query, find, find_secret};
use crate::breakage;
use crate::error::{Error, Result};
use crate::format::{self, Source};
use crate::keyring::Keyring;
use crate::model::{
    AccessKeyId, AccessKeyPair, Cell, Change, Content, Occurrence, Plan, Role, Route, Secret,
    SourceFile, Span, Swap,
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
        same_gaps(before, &after)?;
        same_cells(&before.cells, &after.cells, &swaps, 0, pair)?;
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

/// The bytes between the cells are the same on both sides, one gap after the other.
fn same_gaps(before: &SourceFile, after: &SourceFile) -> Result<()> {
    let gaps = |file: &SourceFile| -> Vec<Vec<u8>> {
        let mut at = 0;
        let mut gaps = Vec::new();
        for span in outer_spans(&file.cells) {
            gaps.push(file.bytes.get(at..span.start).unwrap_or_default().to_vec());
            at = span.end;
        }
        gaps.push(file.bytes.get(at..).unwrap_or_default().to_vec());
        gaps
    };
    if gaps(before) == gaps(after) {
        return Ok(());
    }
    Err(broken(&format!("bytes outside the values of {} changed", before.path)))
}

/// The spans of the cells without those that lie inside another (a scalar around a token).
fn outer_spans(cells: &[Cell]) -> Vec<Span> {
    let mut spans: Vec<Span> = cells.iter().map(|cell| cell.place.span).collect();
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut outer: Vec<Span> = Vec::new();
    for span in spans {
        if outer.last().is_none_or(|last| span.start >= last.end) {
            outer.push(span);
        }
    }
    outer
}

/// Cell by cell: the same route and scheme, and the plaintext as it was or as planned.
fn same_cells(
    before: &[Cell],
    after: &[Cell],
    swaps: &[&Swap],
    depth: usize,
    pair: &AccessKeyPair,
) -> Result<()> {
    if before.len() != after.len() {
        let place =
            before.first().or(after.first()).map_or(String::new(), |c| c.place.path.to_string());
        return Err(broken(&format!("{place} has another number of values")));
    }
    for (old, new) in before.iter().zip(after) {
        if old.place.route != new.place.route || old.scheme != new.scheme {
            return Err(broken(&format!("{} became {}", old.place, new.place)));
        }
        let here: Vec<&Swap> = swaps
            .iter()
            .copied()
            .filter(|swap| swap.trail.get(depth) == Some(&old.place.span))
            .collect();
        same_content(old, new, &here, depth, pair)?;
    }
    Ok(())
}

fn same_content(
    old: &Cell,
    new: &Cell,
    here: &[&Swap],
    depth: usize,
    pair: &AccessKeyPair,
) -> Result<()> {
    let fits = match (&old.content, &new.content) {
        (Content::Locked(a), Content::Locked(b)) => here.is_empty() && a == b,
        (Content::Open(a), Content::Open(b)) if here.is_empty() => a.same(b),
        (Content::Open(_), Content::Open(_))
            if here.iter().any(|swap| swap.trail.len() > depth + 1) =>
        {
            return same_cells(&old.inside, &new.inside, here, depth + 1, pair);
        }
        (Content::Open(a), Content::Open(b)) => as_planned(a.expose(), b.expose(), here, pair),
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(broken(&format!("the value at {} is not as planned", old.place)))
    }
}

/// Walks both plaintexts side by side: equal outside the ranges, the new half inside, and that
/// half is told by decoding it, not by the code that encoded it.
fn as_planned(old: &[u8], new: &[u8], here: &[&Swap], pair: &AccessKeyPair) -> bool {
    let mut swaps = here.to_vec();
    swaps.sort_by_key(|swap| swap.range);
    let (mut at_old, mut at_new) = (0, 0);
    for swap in swaps {
        let kept = swap.range.start - at_old;
        if new.get(at_new..at_new + kept) != old.get(at_old..swap.range.start) {
            return false;
        }
        at_new += kept;
        let want = match swap.role {
            Role::Id => pair.id.as_str().as_bytes(),
            _ => pair.secret.expose(),
        };
        let Some(used) = decodes_to(&new[at_new..], want) else { return false };
        at_new += used;
        at_old = swap.range.end;
    }
    new.get(at_new..) == old.get(at_old..)
}

/// How many bytes of `text` spell `want`, character by character, in any known spelling.
fn decodes_to(text: &[u8], want: &[u8]) -> Option<usize> {
    let mut at = 0;
    for byte in want {
        let rest = text.get(at..)?;
        at += if rest.first() == Some(byte) {
            1
        } else if let Some(hex) = rest.strip_prefix(b"%").and_then(|hex| hex.get(..2)) {
            (u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()? == *byte).then_some(3)?
        } else if let Some(hex) = rest.strip_prefix(b"\\u00").and_then(|hex| hex.get(..2)) {
            (u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()? == *byte).then_some(6)?
        } else {
            (rest.strip_prefix(b"\\")?.first() == Some(byte)).then_some(2)?
        };
    }
    Some(at)
}

/// The independent reader: the trees differ at planned routes only. A file that it cannot read
/// (no YAML) is left to the first reader.
fn second_reader(change: &Change, swaps: &[&Swap]) -> Result<()> {
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
