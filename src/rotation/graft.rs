//! Puts the sealed bytes of an earlier commit in the place of freshly sealed ones that open to the
//! same text, so that bringing a pair back gives the very bytes that stood there. Whether the result
//! is right is left to `check`.

use super::check::reopened;
use crate::error::Result;
use crate::keyring::Keyring;
use crate::model::{Cell, Change, Content, Plan, Scheme, SourceFile, Span};

/// The changes with the sealed bytes of `earlier` wherever a planned value has the same route and
/// opens to the same text there. What has no such counterpart stays as it was sealed.
///
/// # Errors
/// As `format::open`.
pub fn graft(
    plan: &Plan,
    now: &[SourceFile],
    earlier: &[SourceFile],
    changes: &[Change],
    keyring: &Keyring,
) -> Result<Vec<Change>> {
    let mut all = Vec::new();
    for change in changes {
        let before = now.iter().find(|file| file.path == change.path);
        let then = earlier.iter().find(|file| file.path == change.path);
        let after = match (before, then) {
            (Some(before), Some(then)) => grafted(plan, before, then, change, keyring)?,
            _ => change.after.clone(),
        };
        all.push(Change { path: change.path.clone(), before: change.before.clone(), after });
    }
    Ok(all)
}

fn grafted(
    plan: &Plan,
    before: &SourceFile,
    then: &SourceFile,
    change: &Change,
    keyring: &Keyring,
) -> Result<Vec<u8>> {
    let planned: Vec<Span> = plan
        .swaps()
        .iter()
        .filter(|swap| swap.place.path == change.path)
        .filter_map(|swap| swap.trail.first().copied())
        .collect();
    let after = reopened(change, keyring)?;
    let mut pieces: Vec<(Span, &[u8])> = Vec::new();
    // The rewritten text has the same values in the same order; `check` proves it afterwards.
    for (old, new) in before.cells.iter().zip(&after.cells) {
        let sealed = new.scheme != Scheme::Plain && planned.contains(&old.place.span);
        if let Some(known) = then.cells.iter().find(|cell| sealed && same(cell, new)) {
            pieces.push((new.place.span, known.place.span.of(&then.bytes)));
        }
    }
    pieces.sort_by_key(|(span, _)| *span);
    let mut out = Vec::with_capacity(change.after.len());
    let mut at = 0;
    for (span, bytes) in pieces {
        if span.start < at {
            continue;
        }
        out.extend_from_slice(&change.after[at..span.start]);
        out.extend_from_slice(bytes);
        at = span.end;
    }
    out.extend_from_slice(&change.after[at..]);
    Ok(out)
}

fn same(one: &Cell, other: &Cell) -> bool {
    let texts = match (&one.content, &other.content) {
        (Content::Open(a), Content::Open(b)) => a.same(b),
        _ => false,
    };
    texts && one.scheme == other.scheme && one.place.route == other.place.route
}
