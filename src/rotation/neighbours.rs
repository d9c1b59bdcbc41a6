//! The neighbourhood of every open value, read once: its name, and the mapping or the section of a
//! flat text that it shares with others. What follows from it is left to `pair`.

use regex::bytes::Regex;

use super::candidates;
use super::find::walk;
use super::names::{Name, label_before};
use crate::error::{Error, Result};
use crate::model::{Cell, Content, KeyIdPattern, Route, SourceFile, Span};

/// One open value as pairing sees it.
pub(super) struct Entry<'c> {
    pub(super) file: usize,
    pub(super) cell: &'c Cell,
    pub(super) text: &'c [u8],
    pub(super) name: Name,
    pub(super) group: Group,
}

/// What entries share when they belong together: the mapping, or the section of a flat text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Group {
    Mapping(Route),
    Section(usize),
}

/// The open values of all files as pairing sees them, read once for all access keys.
pub struct Neighbours<'c> {
    pub(super) files: &'c [SourceFile],
    pub(super) entries: Vec<Entry<'c>>,
    pub(super) shape: Regex,
}

impl<'c> Neighbours<'c> {
    /// Reads names and neighbourhoods of every open value.
    ///
    /// # Errors
    /// A defect only: the pattern compiled before.
    pub fn of(files: &'c [SourceFile], pattern: &KeyIdPattern) -> Result<Self> {
        let shape = Regex::new(&format!("(?-u)^\\s*(?:{})\\s*$", pattern.source()))
            .map_err(|error| Error::bug(error.to_string()))?;
        Ok(Self { files, entries: entries(files), shape })
    }
}

fn entries(files: &[SourceFile]) -> Vec<Entry<'_>> {
    let mut all = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let sections: Vec<usize> = memchr::memmem::find_iter(&file.bytes, b"\n[").collect();
        walk(&file.cells, &mut Vec::new(), &mut |cell, trail, text| {
            all.push(Entry {
                file: at,
                cell,
                text,
                name: name_of(file, cell, trail),
                group: group_of(&sections, cell, trail),
            });
        });
    }
    all
}

pub(super) fn is_flat(cell: &Cell) -> bool {
    cell.place.route.field().is_none()
}

/// The entry's name: the mapping entry, or the label before the value in flat text.
fn name_of(file: &SourceFile, cell: &Cell, trail: &[Span]) -> Name {
    if !is_flat(cell) {
        return Name::new(cell.place.route.field().unwrap_or_default());
    }
    let start = trail.first().map_or(0, |span| span.start);
    if let Some(label) = label_before(&file.bytes[..start.min(file.bytes.len())]) {
        return Name::new(&label);
    }
    // A whole line `NAME=value` in clear: the name stands inside the cell.
    let Content::Open(text) = &cell.content else { return Name::default() };
    candidates::inside(text.expose())
        .first()
        .and_then(|one| label_before(&text.expose()[..one.span.start]))
        .map_or_else(Name::default, |label| Name::new(&label))
}

fn group_of(sections: &[usize], cell: &Cell, trail: &[Span]) -> Group {
    if !is_flat(cell) {
        return Group::Mapping(cell.place.route.mapping().unwrap_or_default());
    }
    let start = trail.first().map_or(0, |span| span.start);
    let before = sections.partition_point(|at| at + 2 <= start);
    Group::Section(before.checked_sub(1).map_or(0, |last| sections[last] + 1))
}
