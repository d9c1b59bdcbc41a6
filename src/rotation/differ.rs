//! Lays two versions of a file side by side, level by level: which values changed, and what changed
//! that is no value. Whether a changed value is part of a rotation is left to `compare`.

use super::form::{Departure, departures, gaps, same_layout};
use crate::format::Source;
use crate::model::{
    Cell, Content, Finding, Lock, LockReason, Place, RepoPath, Route, Scheme, SourceFile, Span,
    Step, Unseen,
};
use crate::yaml;

/// One text that opens in both versions and is not the same.
pub(super) struct Changed<'f> {
    /// Where it stands in the newer version.
    pub(super) place: Place,
    /// How it is sealed.
    pub(super) scheme: Scheme,
    /// What it was.
    pub(super) before: &'f [u8],
    /// What it is.
    pub(super) after: &'f [u8],
    /// Both as they are written in the file, for text in clear.
    pub(super) written: Option<(&'f [u8], &'f [u8])>,
}

/// What laying two versions side by side gave.
#[derive(Default)]
pub(super) struct Differences<'f> {
    /// Changed texts.
    pub(super) changed: Vec<Changed<'f>>,
    /// Sealed values that changed and stay closed in both.
    pub(super) closed: Vec<Place>,
    /// What should not be so.
    pub(super) findings: Vec<Finding>,
    /// What could not be seen.
    pub(super) unseen: Vec<Unseen>,
    /// Whether line ends were found changed: said once for a file.
    line_ends: bool,
    /// Whether values came or went: the second reader would only say so once more.
    unlike: bool,
}

/// One text and its cells.
#[derive(Clone, Copy)]
struct Level<'f> {
    text: &'f [u8],
    cells: &'f [Cell],
    /// The value that holds this text; `None` for the file itself.
    around: Option<&'f Cell>,
}

impl<'f> Differences<'f> {
    /// Compares two versions of one file.
    pub(super) fn of(before: &'f SourceFile, after: &'f SourceFile) -> Self {
        let mut found = Self::default();
        let whole =
            |file: &'f SourceFile| Level { text: &file.bytes, cells: &file.cells, around: None };
        found.level(&after.path, whole(before), whole(after));
        found.marks(before, after);
        found.second_reader(before, after);
        found
    }

    fn level(&mut self, path: &RepoPath, before: Level<'f>, after: Level<'f>) {
        let alike = |(old, new): (&Cell, &Cell)| old.place.route == new.place.route;
        let zipped = before.cells.len() == after.cells.len()
            && before.cells.iter().zip(after.cells).all(alike);
        if !zipped {
            self.unlike = true;
            return self.came_and_went(before, after);
        }
        self.around(path, before, after);
        for (old, new) in before.cells.iter().zip(after.cells) {
            let raw = (old.place.span.of(before.text), new.place.span.of(after.text));
            self.value(path, (raw.0, old), (raw.1, new));
        }
    }

    /// The bytes between the values: structure, line ends, quotes. Inside an opened value they are
    /// text in clear of that value.
    fn around(&mut self, path: &RepoPath, before: Level<'f>, after: Level<'f>) {
        let (old, new) = (gaps(before.text, before.cells), gaps(after.text, after.cells));
        for (was, is) in old.iter().zip(&new) {
            let (was, at) = (was.of(before.text), is.start);
            let is = is.of(after.text);
            if was == is {
                continue;
            }
            if let Some(cell) = after.around {
                self.changed.push(Changed {
                    place: cell.place.clone(),
                    scheme: cell.scheme.clone(),
                    before: was,
                    after: is,
                    written: None,
                });
            } else if without_returns(was) == without_returns(is) {
                self.line_ends(path);
            } else {
                let line = yaml::Lines::new(after.text).of(at);
                let mut finding = Finding::of_file(
                    path,
                    "bytes-changed",
                    "bytes that belong to no value changed: structure, quotes or blanks",
                );
                finding.line = Some(line);
                self.findings.push(finding);
                return;
            }
        }
    }

    fn line_ends(&mut self, path: &RepoPath) {
        if !self.line_ends {
            self.line_ends = true;
            let what = "the line ends of the file changed";
            self.findings.push(Finding::of_file(path, "line-ends-changed", what));
        }
    }

    fn value(
        &mut self,
        path: &RepoPath,
        before: (&'f [u8], &'f Cell),
        after: (&'f [u8], &'f Cell),
    ) {
        let ((old_raw, old), (new_raw, new)) = (before, after);
        if old_raw == new_raw && old.scheme == new.scheme {
            return;
        }
        if old.scheme != new.scheme {
            return self.findings.push(other_scheme(old, new));
        }
        let sealed = old.scheme != Scheme::Plain;
        if sealed && self.only_returns(path, old_raw, new_raw) {
            return;
        }
        let departed = if sealed { self.departed(path, old_raw, new_raw) } else { Vec::new() };
        self.findings.extend(departed.iter().map(|departure| departed_at(&new.place, *departure)));
        match (&old.content, &new.content) {
            (Content::Open(was), Content::Open(is)) if was.same(is) => {
                self.same_text(path, old_raw, new_raw, new, !departed.is_empty());
            }
            (Content::Open(was), Content::Open(is)) => {
                self.other_text(path, (old_raw, old, was.expose()), (new_raw, new, is.expose()));
            }
            (Content::Locked(_), Content::Locked(_)) => self.stayed_closed(new),
            (Content::Locked(_), Content::Open(_)) => {
                self.findings.push(other_recipient(&new.place));
            }
            (Content::Open(_), Content::Locked(lock)) => {
                self.findings.push(no_longer_opens(&new.place, lock));
            }
        }
    }

    /// Another text: of this value itself, or of values inside it.
    fn other_text(
        &mut self,
        path: &RepoPath,
        before: (&'f [u8], &'f Cell, &'f [u8]),
        after: (&'f [u8], &'f Cell, &'f [u8]),
    ) {
        let ((old_raw, old, was), (new_raw, new, is)) = (before, after);
        if old.opened_by != new.opened_by {
            self.findings.push(other_recipient(&new.place));
        }
        if old.inside.is_empty() && new.inside.is_empty() {
            self.changed.push(Changed {
                place: new.place.clone(),
                scheme: new.scheme.clone(),
                before: was,
                after: is,
                written: (new.scheme == Scheme::Plain).then_some((old_raw, new_raw)),
            });
            return;
        }
        let inner = |text, cell: &'f Cell| Level { text, cells: &cell.inside, around: Some(cell) };
        self.level(path, inner(was, old), inner(is, new));
    }

    /// In what a sealed value departs from the one before; line ends are told once for the file.
    fn departed(&mut self, path: &RepoPath, old: &[u8], new: &[u8]) -> Vec<Departure> {
        let mut departed = departures(old, new);
        let layout = |one: &Departure| *one == Departure::Layout;
        if departed.iter().any(layout) && same_layout(&without_returns(old), &without_returns(new))
        {
            departed.retain(|one| !layout(one));
            self.line_ends(path);
        }
        departed
    }

    /// Whether a sealed value differs in carriage returns only.
    fn only_returns(&mut self, path: &RepoPath, old: &[u8], new: &[u8]) -> bool {
        let same = without_returns(old) == without_returns(new);
        if same {
            self.line_ends(path);
        }
        same
    }

    /// Other bytes, the same text.
    fn same_text(&mut self, path: &RepoPath, old: &[u8], new: &[u8], cell: &Cell, told: bool) {
        if cell.scheme == Scheme::Plain {
            if !self.only_returns(path, old, new) {
                let what = "this text is written in another way than before";
                self.findings.push(Finding::at(&cell.place, "layout-changed", what));
            }
        } else if !told {
            let what = "this value was sealed anew without a change";
            self.findings.push(Finding::at(&cell.place, "resealed", what));
        }
    }

    fn stayed_closed(&mut self, cell: &Cell) {
        let Content::Locked(lock) = &cell.content else { return };
        self.closed.push(cell.place.clone());
        self.unseen.push(Unseen {
            what: "sealed-value",
            path: Some(cell.place.path.clone()),
            message: format!("what changed inside {}: {}", cell.place, lock.detail),
        });
    }

    /// Two levels that do not hold the same values in the same order.
    fn came_and_went(&mut self, before: Level<'f>, after: Level<'f>) {
        let same = |(old, new): &(&Cell, &Cell)| old.place.route == new.place.route;
        let head = before.cells.iter().zip(after.cells).take_while(same).count();
        let (old, new) = (&before.cells[head..], &after.cells[head..]);
        let tail = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
        let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
        let gone = old.iter().filter(|one| !new.iter().any(|other| same(&(one, other))));
        let came = new.iter().filter(|one| !old.iter().any(|other| same(&(one, other))));
        let told = self.findings.len();
        for cell in gone {
            self.findings.push(removed(cell, after.cells));
        }
        for cell in came {
            let what = "this value was added";
            self.findings.push(Finding::at(&cell.place, "value-added", what));
        }
        if told == self.findings.len()
            && let Some(cell) = new.first().or(old.first())
        {
            let what = "the values from here on stand in another order or number";
            self.findings.push(Finding::at(&cell.place, "value-changed", what));
        }
    }

    /// Marks that `eyaml edit` leaves behind hold plaintext.
    fn marks(&mut self, before: &SourceFile, after: &SourceFile) {
        let lines = yaml::Lines::new(&after.bytes);
        let (old, new) = (marks(&before.bytes), marks(&after.bytes));
        let more = new
            .iter()
            .filter(|one| !old.iter().any(|other| other.of(&before.bytes) == one.of(&after.bytes)));
        for span in more {
            let mut finding = Finding::of_file(
                &after.path,
                "edit-mark",
                "a mark of `eyaml edit` was committed, with what should be sealed in clear",
            );
            finding.line = Some(lines.of(span.start));
            self.findings.push(finding);
        }
    }

    /// Another parser says where the texts differ: nowhere else than the first one did.
    fn second_reader(&mut self, before: &SourceFile, after: &SourceFile) {
        let route = Route::default();
        let (path, bytes) = (&after.path, &after.bytes[..]);
        let text = Source { path, bytes, route: &route, line: 1, depth: 0 };
        let outer = |place: &Place| {
            let inner = |step: &Step| matches!(step, Step::Inside(_));
            Route(place.route.0.iter().take_while(|step| !inner(step)).cloned().collect())
        };
        let routes: Vec<Route> = self
            .changed
            .iter()
            .map(|one| outer(&one.place))
            .chain(self.closed.iter().map(outer))
            .chain(self.findings.iter().map(|one| one.route.clone()))
            .collect();
        if !text.is_structured() {
            return;
        }
        match yaml::unplanned(&before.bytes, &after.bytes, &routes) {
            Ok(_) if self.unlike => {}
            Ok(differences) => self.findings.extend(differences.iter().map(|route| {
                let what = format!("a second YAML reader sees a change at `{route}`");
                Finding::of_file(path, "second-reader", what)
            })),
            Err(unreadable) if unreadable.side == yaml::Side::Before => {}
            Err(unreadable) => {
                let what = format!("{unreadable}; it could before");
                self.findings.push(Finding::of_file(path, "invalid-yaml", what));
            }
        }
    }
}

fn marks(bytes: &[u8]) -> Vec<Span> {
    static MARK: std::sync::OnceLock<regex::bytes::Regex> = std::sync::OnceLock::new();
    let mark = MARK.get_or_init(|| {
        regex::bytes::Regex::new(r"(?s-u)DEC(?:\(\d+\))?::[A-Za-z0-9_]+\[.*?\]!?")
            .expect("the built-in pattern compiles")
    });
    mark.find_iter(bytes).map(|hit| Span::new(hit.start(), hit.end())).collect()
}

fn without_returns(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != b'\r').collect()
}

fn other_scheme(old: &Cell, new: &Cell) -> Finding {
    if new.scheme == Scheme::Plain {
        return unsealed(&new.place);
    }
    let what = format!("this value was `{}` and is `{}`", old.scheme, new.scheme);
    Finding::at(&new.place, "scheme-changed", what)
}

fn unsealed(place: &Place) -> Finding {
    Finding::at(place, "unsealed", "this value was sealed and stands in clear now")
}

/// A value that has no counterpart: gone, or opened up into the text around it.
fn removed(cell: &Cell, new: &[Cell]) -> Finding {
    let scalar = |cell: &Cell| {
        let steps = cell.place.route.0.iter();
        Route(steps.take_while(|step| !matches!(step, Step::Token(_))).cloned().collect())
    };
    let here = scalar(cell);
    // The name of an entry bears the route of its value, and is none.
    let is_name = |other: &Cell| match (&other.content, other.place.route.field()) {
        (Content::Open(text), Some(name)) => text.expose() == name.as_bytes(),
        _ => false,
    };
    let clear = new
        .iter()
        .find(|other| other.scheme == Scheme::Plain && scalar(other) == here && !is_name(other));
    match clear {
        Some(clear) if cell.scheme != Scheme::Plain => unsealed(&clear.place),
        _ => Finding::at(&cell.place, "value-removed", "this value was removed"),
    }
}

fn other_recipient(place: &Place) -> Finding {
    Finding::at(
        place,
        "recipient-changed",
        "this value is sealed to another recipient than the one it replaces",
    )
}

fn no_longer_opens(place: &Place, lock: &Lock) -> Finding {
    match lock.reason {
        LockReason::WrongIdentity | LockReason::NoIdentity => other_recipient(place),
        _ => {
            let what = format!("this value opened before and no longer does: {}", lock.detail);
            Finding::at(place, "damaged-value", what)
        }
    }
}

fn departed_at(place: &Place, departure: Departure) -> Finding {
    let (reason, what) = match departure {
        Departure::Layout => ("layout-changed", "this sealed value is laid out in another way"),
        Departure::Recipients => {
            ("recipient-changed", "this sealed value names other recipients, or another number")
        }
        Departure::Envelope => ("envelope-changed", "this sealed value has another structure"),
        Departure::Size => {
            ("size-changed", "this sealed value holds much more or less than before")
        }
    };
    Finding::at(place, reason, what)
}
