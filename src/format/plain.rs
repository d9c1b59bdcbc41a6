//! Text in clear: every YAML scalar, key and comment, else every line, as far as no other format
//! has taken it. Which of it looks like an access key is left to `rotation`.

use std::collections::HashSet;

use super::{Format, Source};
use crate::error::{Error, Result};
use crate::keyring::{Keyring, Outline};
use crate::model::{
    Cell, Content, Edit, Lock, LockReason, RepoPath, Route, Scheme, Secret, Span, Step,
};
use crate::yaml;

/// The format.
pub(super) struct Plain;

/// The shortest run of a binary text that becomes a cell: no access key ID is shorter.
const SHORTEST: usize = 16;

/// Which cells are wanted. A cell that is not may be returned all the same.
pub(super) struct Wanted<'w> {
    /// Spans that other formats have taken, in order; they are no text in clear.
    pub(super) taken: &'w [Span],
    /// Those of them that are of interest: what stands beside them is then wanted too.
    pub(super) of_interest: &'w [Span],
    /// Whether a text is of interest.
    pub(super) asks: &'w dyn Fn(&[u8]) -> bool,
}

impl Format for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn claims(&self, _path: &RepoPath, _bytes: &[u8]) -> bool {
        true
    }

    fn spans(&self, text: &Source<'_>) -> Vec<Span> {
        let wanted = Wanted { taken: &[], of_interest: &[], asks: &|_| true };
        open_where(text, &wanted).into_iter().map(|cell| cell.place.span).collect()
    }

    fn open(&self, text: &Source<'_>, _keyring: &Keyring) -> Result<Vec<Cell>> {
        Ok(open_where(text, &Wanted { taken: &[], of_interest: &[], asks: &|_| true }))
    }

    fn write(&self, text: &Source<'_>, edits: &[Edit], _keyring: &Keyring) -> Result<Vec<u8>> {
        let mut parts = Vec::new();
        for edit in edits {
            let raw = text.bytes.get(edit.span.start..edit.span.end);
            let raw = raw.ok_or_else(|| {
                Error::bug(format!("an edit reaches beyond the end of `{}`", text.path))
            })?;
            let hunks = hunks(raw, edit.before.expose(), edit.after.expose());
            let hunks = hunks.ok_or_else(|| escaped(text, edit.span))?;
            parts.extend(hunks.into_iter().map(|(span, bytes)| {
                (Span::new(edit.span.start + span.start, edit.span.start + span.end), bytes)
            }));
        }
        yaml::splice(text.bytes, &parts)
            .map_err(|yaml::Overlap| Error::bug(format!("two edits overlap in `{}`", text.path)))
    }

    fn outline(&self, _raw: &[u8]) -> Option<Outline> {
        None
    }
}

fn escaped(text: &Source<'_>, span: Span) -> Error {
    let line = yaml::Lines::new(text.bytes).of(span.start);
    let place = text.place(line, Route::default(), span);
    Error::refused(
        "written-with-escapes",
        format!("the value at {place} is written with escapes or broken over lines"),
    )
    .hint("write the access key ID and the secret without escapes, each on one line")
}

/// Every cell in clear that is wanted, with what stands beside it: in YAML the other entries of
/// the same mapping or list and the comments around, else the whole text. Memory is spent on
/// those alone.
pub(super) fn open_where(text: &Source<'_>, wanted: &Wanted<'_>) -> Vec<Cell> {
    let scan = (text.is_structured() && text.bytes.len() <= super::PARSE_LIMIT)
        .then(|| yaml::scan(text.bytes));
    match scan {
        Some(Ok(scan)) => in_yaml(text, &scan, wanted),
        Some(Err(error)) if text.is_yaml() => {
            let mut cells = vec![unparsed(text, &error)];
            cells.extend(in_lines(text, wanted));
            cells
        }
        _ => in_lines(text, wanted),
    }
}

/// The cell that stands for a file whose structure was not understood.
fn unparsed(text: &Source<'_>, error: &yaml::ScanError) -> Cell {
    let detail = format!("line {}: {}; searched as flat text", error.line, error.message);
    Cell {
        place: text.place(error.line, Route::default(), Span::new(0, 0)),
        scheme: Scheme::Plain,
        content: Content::Locked(Lock { reason: LockReason::InvalidYaml, detail }),
        opened_by: None,
        inside: Vec::new(),
    }
}

fn in_yaml(text: &Source<'_>, scan: &yaml::Scan<'_>, wanted: &Wanted<'_>) -> Vec<Cell> {
    let asked: Vec<bool> =
        scan.scalars.iter().map(|scalar| (wanted.asks)(scalar.text.as_str().as_bytes())).collect();
    let beside: HashSet<yaml::Node> = scan
        .scalars
        .iter()
        .zip(&asked)
        .filter(|(scalar, asked)| **asked || touches(wanted.of_interest, scalar.span))
        .map(|(scalar, _)| scan.parent(scalar.node))
        .collect();
    let mut cells = Vec::new();
    for (scalar, asked) in scan.scalars.iter().zip(&asked) {
        if scalar.span.start == scalar.span.end
            || !(*asked || beside.contains(&scan.parent(scalar.node)))
        {
            continue;
        }
        let route = || scan.route(scalar.node);
        if touches(wanted.taken, scalar.span) {
            for span in gaps(wanted.taken, scalar.span) {
                cells.extend(raw_cell(text, span, scalar.line, route()));
            }
        } else {
            let plain = scalar.text.as_str().as_bytes().to_vec();
            cells.push(cell(text, scalar.span, scalar.line, route(), plain));
        }
    }
    in_comments(text, scan, wanted, &mut cells);
    cells.sort_by_key(|cell| cell.place.span);
    cells
}

fn in_comments(
    text: &Source<'_>,
    scan: &yaml::Scan<'_>,
    wanted: &Wanted<'_>,
    cells: &mut Vec<Cell>,
) {
    // A pair that was commented out stands on lines that follow one another.
    for group in scan.comments.chunk_by(|a, b| a.own_line && b.own_line && a.line + 1 == b.line) {
        let whole = Span::new(group[0].span.start, group[group.len() - 1].span.end);
        let asked = touches(wanted.of_interest, whole)
            || group.iter().any(|comment| (wanted.asks)(comment.span.of(text.bytes)));
        for comment in group.iter().filter(|_| asked) {
            for span in gaps(wanted.taken, comment.span) {
                let route = Route(vec![Step::Comment]);
                cells.extend(raw_cell(text, span, comment.line, route));
            }
        }
    }
}

/// Every line of a text without structure; of a binary one every run between control characters.
fn in_lines(text: &Source<'_>, wanted: &Wanted<'_>) -> Vec<Cell> {
    let binary = memchr::memchr(0, text.bytes).is_some();
    let lines = yaml::Lines::new(text.bytes);
    let runs: Vec<Span> = if binary { runs(text.bytes) } else { lines.spans(text.bytes).collect() };
    let asked = |span: &Span| (wanted.asks)(span.of(text.bytes));
    if wanted.of_interest.is_empty() && !runs.iter().any(asked) {
        return Vec::new();
    }
    // A binary text has no neighbourhood, and a huge one too much of it.
    let all = !binary && text.bytes.len() <= super::PARSE_LIMIT;
    runs.iter()
        .filter(|run| all || asked(run))
        .flat_map(|run| gaps(wanted.taken, *run))
        .filter_map(|span| raw_cell(text, span, lines.of(span.start), Route::default()))
        .collect()
}

fn runs(bytes: &[u8]) -> Vec<Span> {
    let mut runs = Vec::new();
    let mut start = 0;
    for at in 0..=bytes.len() {
        if bytes.get(at).is_none_or(|byte| *byte < b' ' && *byte != b'\t') {
            if at - start >= SHORTEST {
                runs.push(Span::new(start, at));
            }
            start = at + 1;
        }
    }
    runs
}

fn touches(taken: &[Span], span: Span) -> bool {
    let first = taken.partition_point(|other| other.end <= span.start);
    taken.get(first).is_some_and(|other| other.start < span.end)
}

/// What is left of `span` without what was taken.
fn gaps(taken: &[Span], span: Span) -> Vec<Span> {
    let first = taken.partition_point(|other| other.end <= span.start);
    let mut gaps = Vec::new();
    let mut at = span.start;
    for other in taken[first..].iter().take_while(|other| other.start < span.end) {
        if other.start > at {
            gaps.push(Span::new(at, other.start));
        }
        at = at.max(other.end);
    }
    if at < span.end {
        gaps.push(Span::new(at, span.end));
    }
    gaps
}

/// A cell of bytes as they stand there; `None` for blanks.
fn raw_cell(text: &Source<'_>, span: Span, line: usize, route: Route) -> Option<Cell> {
    let raw = span.of(text.bytes);
    let blank = raw.iter().all(u8::is_ascii_whitespace);
    (!blank).then(|| cell(text, span, line, route, raw.to_vec()))
}

fn cell(text: &Source<'_>, span: Span, line: usize, route: Route, plain: Vec<u8>) -> Cell {
    Cell {
        place: text.place(line, route, span),
        scheme: Scheme::Plain,
        content: Content::Open(Secret::new(plain)),
        opened_by: None,
        inside: Vec::new(),
    }
}

type Hunk = (Span, Vec<u8>);

/// What changes in the raw bytes of a value when its text goes from `before` to `after`; `None`
/// when what differs does not stand there literally.
fn hunks(raw: &[u8], before: &[u8], after: &[u8]) -> Option<Vec<Hunk>> {
    if before == after {
        return Some(Vec::new());
    }
    if raw == before {
        return Some(vec![(Span::new(0, raw.len()), after.to_vec())]);
    }
    let mut hunks = Vec::new();
    for (was, is) in differing(before, after) {
        let gone = was.of(before);
        if gone.is_empty() {
            return None;
        }
        let places: Vec<usize> = memchr::memmem::find_iter(before, gone).collect();
        let raw_places: Vec<usize> = memchr::memmem::find_iter(raw, gone).collect();
        let number = places.iter().position(|place| *place == was.start)?;
        if places.len() != raw_places.len() {
            return None;
        }
        let start = raw_places[number];
        hunks.push((Span::new(start, start + gone.len()), is.of(after).to_vec()));
    }
    Some(hunks)
}

/// The words that differ: pairwise where both texts have the same length, else all between the
/// first and the last difference.
fn differing(before: &[u8], after: &[u8]) -> Vec<(Span, Span)> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'%' | b'=');
    let wide = |mut start: usize, mut end: usize| {
        while start > 0 && word(before[start - 1]) {
            start -= 1;
        }
        while end < before.len() && word(before[end]) {
            end += 1;
        }
        (start, end)
    };
    if before.len() != after.len() {
        let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
        let head = before.iter().zip(after).take_while(same).count();
        let shorter = before.len().min(after.len()) - head;
        let tail = before.iter().rev().zip(after.iter().rev()).take_while(same).count();
        let tail = tail.min(shorter);
        let (start, end) = wide(head, before.len() - tail);
        let after_end = after.len() - (before.len() - end);
        return vec![(Span::new(start, end), Span::new(start, after_end))];
    }
    let mut found: Vec<(Span, Span)> = Vec::new();
    for at in 0..before.len() {
        let covered = found.last().is_some_and(|(span, _)| at < span.end);
        if before[at] != after[at] && !covered {
            let (start, end) = wide(at, at + 1);
            found.push((Span::new(start, end), Span::new(start, end)));
        }
    }
    found
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
