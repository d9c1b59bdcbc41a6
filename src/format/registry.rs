//! The list of formats, and how they share one text: the sealed ones first, then what is left in
//! clear, then once more inside every value that was opened.

use super::eyaml::Eyaml;
use super::plain::{self, Plain, Wanted};
use super::{DEPTH_LIMIT, Format, PARSE_LIMIT, Source};
use crate::error::{Error, Result};
use crate::keyring::{Keyring, Outline};
use crate::model::{Cell, Content, Edit, Lock, LockReason, Route, Scheme, Span, Step};

/// The formats that seal; where two claim the same bytes, the earlier one has them.
const SEALED: &[&dyn Format] = &[&Eyaml];

/// Whether the bytes may hold a value of any sealed format; cheap, and never says no where there
/// is one.
#[must_use]
pub fn bears_marker(bytes: &[u8]) -> bool {
    let nowhere = crate::model::RepoPath::new(Vec::new());
    SEALED.iter().any(|format| format.claims(&nowhere, bytes))
}

/// What the bytes of one sealed cell show without being opened; `None` when that is nothing.
#[must_use]
pub fn outline(raw: &[u8]) -> Option<Outline> {
    SEALED.iter().find_map(|format| format.outline(raw))
}

/// Every cell of a text, of all formats that claim it, in the order of bytes.
///
/// # Errors
/// As [`super::Format::open`].
pub fn open(text: &Source<'_>, keyring: &Keyring) -> Result<Vec<Cell>> {
    open_where(text, keyring, &|_| true)
}

/// As [`open`], with text in clear only where it matters: cells for which `asks` says yes, and
/// what stands beside them or beside a sealed value whose plaintext it says yes to (the entries of
/// the same mapping, the comments around, the other lines of a flat text).
///
/// A text in clear of a million scalars then costs what it takes to read it, not to hold it.
///
/// # Errors
/// As [`super::Format::open`].
pub fn open_where(
    text: &Source<'_>,
    keyring: &Keyring,
    asks: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<Cell>> {
    let mut cells = open_sealed(text, keyring)?;
    if text.depth > 0 {
        return Ok(cells);
    }
    let taken: Vec<Span> = cells.iter().map(|cell| cell.place.span).collect();
    let of_interest: Vec<Span> =
        cells.iter().filter(|cell| interests(cell, asks)).map(|cell| cell.place.span).collect();
    let wanted = Wanted { taken: &taken, of_interest: &of_interest, asks };
    cells.extend(plain::open_where(text, &wanted));
    if text.bytes.len() > PARSE_LIMIT && bears_marker(text.bytes) {
        let limit = PARSE_LIMIT >> 20;
        let detail = format!("the file is larger than {limit} MiB; searched as flat text");
        cells.push(shut(text, LockReason::TooLarge, detail));
    }
    cells.sort_by_key(|cell| cell.place.span);
    Ok(cells)
}

fn open_sealed(text: &Source<'_>, keyring: &Keyring) -> Result<Vec<Cell>> {
    let mut cells: Vec<Cell> = Vec::new();
    if text.bytes.len() > PARSE_LIMIT {
        return Ok(cells);
    }
    for format in SEALED.iter().filter(|format| format.claims(text.path, text.bytes)) {
        let taken: Vec<Span> = cells.iter().map(|cell| cell.place.span).collect();
        let mut more = format.open(text, keyring)?;
        more.retain(|cell| !overlaps(&taken, cell.place.span));
        for cell in &mut more {
            cell.inside = inside(cell, format.name(), text, keyring)?;
        }
        cells.extend(more);
        cells.sort_by_key(|cell| cell.place.span);
    }
    Ok(cells)
}

/// The cells of an opened value's plaintext.
fn inside(
    cell: &Cell,
    format: &'static str,
    text: &Source<'_>,
    keyring: &Keyring,
) -> Result<Vec<Cell>> {
    let Content::Open(plain) = &cell.content else { return Ok(Vec::new()) };
    if !bears_marker(plain.expose()) {
        return Ok(Vec::new());
    }
    let route = cell.place.route.then(Step::Inside(format));
    let inner = Source {
        path: text.path,
        bytes: plain.expose(),
        route: &route,
        line: cell.place.line,
        depth: text.depth + 1,
    };
    if inner.depth > DEPTH_LIMIT {
        let detail = format!("values are sealed inside one another more than {DEPTH_LIMIT} times");
        return Ok(vec![shut(&inner, LockReason::TooDeep, detail)]);
    }
    open_sealed(&inner, keyring)
}

/// A locked cell that stands for a whole text and takes none of its bytes.
fn shut(text: &Source<'_>, reason: LockReason, detail: String) -> Cell {
    Cell {
        place: text.place(1, Route::default(), Span::new(0, 0)),
        scheme: Scheme::Plain,
        content: Content::Locked(Lock { reason, detail }),
        opened_by: None,
        inside: Vec::new(),
    }
}

fn interests(cell: &Cell, asks: &dyn Fn(&[u8]) -> bool) -> bool {
    let own = matches!(&cell.content, Content::Open(plain) if asks(plain.expose()));
    own || cell.inside.iter().any(|cell| interests(cell, asks))
}

fn overlaps(taken: &[Span], span: Span) -> bool {
    taken.iter().any(|other| other.start < span.end && span.start < other.end)
}

/// The text with the edits in it: each is written by the format whose cell it names.
///
/// # Errors
/// As [`super::Format::write`]; a span that no cell has is a defect.
pub fn write(text: &Source<'_>, edits: &[Edit], keyring: &Keyring) -> Result<Vec<u8>> {
    let owners = owners(text);
    let mut order: Vec<(usize, &Edit)> = Vec::new();
    for edit in edits {
        let owner = owners.iter().find(|(_, spans)| spans.contains(&edit.span));
        match owner {
            Some((format, _)) => order.push((*format, edit)),
            None if text.depth == 0 => order.push((SEALED.len(), edit)),
            None => return Err(Error::bug(format!("an edit of `{}` names no cell", text.path))),
        }
    }
    // From the end of the text to its beginning, so that what one format writes does not move
    // what another still has to.
    order.sort_by_key(|(_, edit)| std::cmp::Reverse(edit.span));
    let mut bytes = text.bytes.to_vec();
    for run in order.chunk_by(|a, b| a.0 == b.0) {
        let format = SEALED.get(run[0].0).copied().unwrap_or(&Plain);
        let edits: Vec<Edit> = run.iter().map(|(_, edit)| copy(edit)).collect();
        bytes = format.write(&Source { bytes: &bytes, ..*text }, &edits, keyring)?;
    }
    Ok(bytes)
}

fn copy(edit: &Edit) -> Edit {
    Edit { span: edit.span, before: edit.before.duplicate(), after: edit.after.duplicate() }
}

/// The spans of every sealed format's cells, by its number.
fn owners(text: &Source<'_>) -> Vec<(usize, std::collections::HashSet<Span>)> {
    let claiming =
        SEALED.iter().enumerate().filter(|(_, format)| format.claims(text.path, text.bytes));
    claiming.map(|(number, format)| (number, format.spans(text).into_iter().collect())).collect()
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
