//! Writes a plan into files, in memory: the planned bytes change and no others.

use crate::breakage;
use crate::error::{Error, Result};
use crate::format::{self, Source};
use crate::keyring::Keyring;
use crate::model::{
    AccessKeyId, AccessKeyPair, Cell, Change, Content, Edit, Plan, RepoPath, Role, Route, Secret,
    SourceFile, Span, Swap,
};

use super::encode::encode;

/// The files of the plan with the new pair in them.
///
/// # Errors
/// When a file of the plan is missing, or a format cannot write one of its values.
pub fn apply(
    plan: &Plan,
    files: &[SourceFile],
    pair: &AccessKeyPair,
    keyring: &Keyring,
) -> Result<Vec<Change>> {
    plan.files().into_iter().map(|path| change(plan, files, path, pair, keyring)).collect()
}

fn change(
    plan: &Plan,
    files: &[SourceFile],
    path: &RepoPath,
    pair: &AccessKeyPair,
    keyring: &Keyring,
) -> Result<Change> {
    let file = files
        .iter()
        .find(|file| &file.path == path)
        .ok_or_else(|| Error::bug(format!("{path} of the plan was not opened")))?;
    let mut swaps: Vec<&Swap> =
        plan.swaps().iter().filter(|swap| &swap.place.path == path).collect();
    if breakage::is_on("I5") {
        swaps.drain(..1);
    }
    if breakage::is_on("I6") {
        swaps.retain(|swap| swap.role == Role::Id);
    }
    let route = Route::default();
    let text = Source { path, bytes: &file.bytes, route: &route, line: 1, depth: 0 };
    let after = rewrite(&text, &file.cells, &swaps, pair, keyring)?;
    Ok(Change { path: path.clone(), before: file.bytes.clone(), after })
}

/// One level: every cell that holds a swap gets its new plaintext, the innermost first.
fn rewrite(
    text: &Source<'_>,
    cells: &[Cell],
    swaps: &[&Swap],
    pair: &AccessKeyPair,
    keyring: &Keyring,
) -> Result<Vec<u8>> {
    let mut edits = Vec::new();
    for cell in cells {
        let here: Vec<&Swap> = swaps
            .iter()
            .copied()
            .filter(|swap| swap.trail.get(text.depth) == Some(&cell.place.span))
            .collect();
        if here.is_empty() {
            continue;
        }
        let Content::Open(before) = &cell.content else {
            return Err(Error::bug(format!("the plan changes the locked value {}", cell.place)));
        };
        let (own, inner): (Vec<&Swap>, Vec<&Swap>) =
            here.into_iter().partition(|swap| swap.trail.len() == text.depth + 1);
        let after = if inner.is_empty() {
            swapped(before, &own, pair)?
        } else if own.is_empty() {
            let inside = Source {
                path: text.path,
                bytes: before.expose(),
                route: &cell.place.route,
                line: cell.place.line,
                depth: text.depth + 1,
            };
            Secret::new(rewrite(&inside, &cell.inside, &inner, pair, keyring)?)
        } else {
            return Err(Error::refused(
                "mixed-levels",
                format!("{} holds the access key on two levels at once", cell.place),
            )
            .hint("rewrite this value by hand, and leave the file out with --exclude"));
        };
        edits.push(Edit { span: cell.place.span, before: before.duplicate(), after });
    }
    format::write(text, &edits, keyring)
}

/// The plaintext with the planned ranges replaced.
fn swapped(before: &Secret, swaps: &[&Swap], pair: &AccessKeyPair) -> Result<Secret> {
    let old = before.expose();
    let mut ranges: Vec<(Span, Secret)> = Vec::new();
    for swap in swaps {
        let new = match swap.role {
            Role::Id => Secret::from(pair.id.as_str().to_owned()),
            Role::Secret => encode(&pair.secret, swap.encoding),
            Role::Text => return Err(Error::bug("a plan never changes free text")),
        };
        ranges.push((swap.range, new));
    }
    ranges.sort_by_key(|(range, _)| *range);
    let grown: usize = ranges.iter().map(|(_, new)| new.len()).sum();
    let mut out = Vec::with_capacity(old.len() + grown);
    let mut at = 0;
    for (range, new) in &ranges {
        if range.start < at || range.end > old.len() {
            return Err(Error::bug("planned ranges overlap"));
        }
        out.extend_from_slice(&old[at..range.start]);
        out.extend_from_slice(new.expose());
        at = range.end;
    }
    out.extend_from_slice(&old[at..]);
    Ok(Secret::new(out))
}

/// A pair of the real shape that no service issued, for the rehearsal.
///
/// It holds `+` and `/`, so that every spelling is rehearsed.
///
/// # Errors
/// When the machine gives no random bytes.
pub fn stand_in(old: &AccessKeyId) -> Result<AccessKeyPair> {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut noise = [0_u8; 64];
    aws_lc_rs::rand::fill(&mut noise).map_err(|_| Error::bug("no random bytes"))?;
    let mut id = old.as_str()[..4].to_owned();
    let body = noise.iter().cycle().take(old.as_str().len() - 4);
    id.extend(body.map(|b| char::from(BASE32[usize::from(b % 32)])));
    let mut secret: Vec<u8> = noise[20..58].iter().map(|b| BASE32[usize::from(b % 32)]).collect();
    secret.insert(7, b'+');
    secret.insert(21, b'/');
    AccessKeyPair::new(AccessKeyId::new(id)?, Secret::new(secret))
}
