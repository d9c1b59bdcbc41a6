//! Reads the files of a commit and opens what could matter: bears a marker of a format, holds what
//! is searched for, or reads other values by name. What the finds mean is left to `rotation`.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::error::Result;
use crate::format::{self, Source};
use crate::keyring::Keyring;
use crate::model::{
    Cell, Content, Lock, LockReason, Locked, Place, RepoPath, Route, Scheme, Secret, SourceFile,
    Span,
};
use crate::repo::{Entry, Listing, NotSearched, Repository, What, is_lfs_pointer};
use crate::rotation::may_interpolate;
use crate::yaml;

/// How many bytes are held at once before they are opened in parallel.
const BATCH: usize = 64 << 20;

/// What one search saw.
#[derive(Debug, Default)]
pub struct Survey {
    /// The files that were opened, in the order of their paths.
    pub files: Vec<SourceFile>,
    /// Whole files that could not be looked into, beside the locked values of `files`.
    pub closed: Vec<Locked>,
    /// Links, submodules and pointers.
    pub not_searched: Vec<NotSearched>,
    /// Files whose bytes were read.
    pub files_read: usize,
    /// Sealed values that opened.
    pub values_opened: usize,
}

/// Tells how far a search is; called from several threads.
pub trait Progress: Sync {
    /// So many of so many files were read.
    fn files(&self, read: usize, of: usize);
    /// So many more sealed values were opened.
    fn opened(&self, more: usize);
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn files(&self, _read: usize, _of: usize) {}
    fn opened(&self, _more: usize) {}
}

/// What a survey needs to know.
pub struct Search<'a> {
    /// The repository, also one that borrows its objects.
    pub repository: &'a Repository,
    /// What opens sealed values.
    pub keyring: &'a Keyring,
    /// Whether a path takes part (`--include`, `--exclude`, `--environment`).
    pub takes_part: &'a (dyn Fn(&RepoPath) -> bool + Sync),
    /// Whether raw bytes hold what is searched for.
    pub wanted: &'a (dyn Fn(&[u8]) -> bool + Sync),
    /// Who hears how far it is.
    pub progress: &'a dyn Progress,
}

impl Survey {
    /// Reads every file of the listing that takes part, and opens what could matter.
    ///
    /// # Errors
    /// When the repository cannot be read. What a value hides behind is data, not an error.
    pub fn of(search: &Search<'_>, listing: &Listing) -> Result<Self> {
        let mut survey = Self::default();
        let takes_part = |one: &&NotSearched| (search.takes_part)(&one.path);
        survey.not_searched = listing.not_searched.iter().filter(takes_part).cloned().collect();
        let entries: Vec<&Entry> =
            listing.files.iter().filter(|entry| (search.takes_part)(&entry.path)).collect();
        let matters = |bytes: &[u8]| {
            (search.wanted)(bytes) || format::bears_marker(bytes) || may_interpolate(bytes)
        };
        survey.read(search, &entries, &Asks { matters: &matters, wanted: search.wanted })?;
        survey.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(survey)
    }

    /// Opens further files: those not opened yet whose raw bytes hold `wanted`.
    ///
    /// # Errors
    /// As [`Survey::of`].
    pub fn extend(
        &mut self,
        search: &Search<'_>,
        listing: &Listing,
        wanted: &(dyn Fn(&[u8]) -> bool + Sync),
    ) -> Result<()> {
        let known: std::collections::BTreeSet<&RepoPath> =
            self.files.iter().map(|file| &file.path).collect();
        let rest: Vec<&Entry> = listing
            .files
            .iter()
            .filter(|entry| (search.takes_part)(&entry.path) && !known.contains(&entry.path))
            .collect();
        let mut more = Self::default();
        more.read(search, &rest, &Asks { matters: wanted, wanted })?;
        self.files.append(&mut more.files);
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(())
    }

    /// Every value and file that stayed closed.
    #[must_use]
    pub fn locked(&self) -> Vec<Locked> {
        let mut all = self.closed.clone();
        all.extend(self.files.iter().flat_map(SourceFile::locked));
        all.sort_by(|a, b| a.place.cmp(&b.place));
        all
    }

    fn read(&mut self, search: &Search<'_>, entries: &[&Entry], asks: &Asks<'_>) -> Result<()> {
        let mut batch: Vec<(&RepoPath, Vec<u8>)> = Vec::new();
        let mut held = 0;
        for (at, entry) in entries.iter().enumerate() {
            search.progress.files(at, entries.len());
            let Some(bytes) = search.repository.read(entry)? else {
                let detail = "its bytes are not in this clone";
                self.closed.push(whole_file(&entry.path, LockReason::NotFetched, detail));
                continue;
            };
            self.files_read += 1;
            // A pointer that holds more than a pointer does is searched like any file.
            if is_lfs_pointer(&bytes) && !(asks.matters)(&bytes) {
                let (path, what) = (entry.path.clone(), What::LfsPointer);
                self.not_searched.push(NotSearched { path, what });
                continue;
            }
            held += bytes.len();
            batch.push((&entry.path, bytes));
            if held > BATCH {
                self.open(search, std::mem::take(&mut batch), asks)?;
                held = 0;
            }
        }
        self.open(search, batch, asks)
    }

    fn open(
        &mut self,
        search: &Search<'_>,
        batch: Vec<(&RepoPath, Vec<u8>)>,
        asks: &Asks<'_>,
    ) -> Result<()> {
        let opened = AtomicUsize::new(0);
        let outcomes: Vec<Result<Opened>> = batch
            .into_par_iter()
            .map(|(path, bytes)| {
                let outcome = open_one(path, bytes, search.keyring, asks)?;
                if let Opened::File(file) = &outcome {
                    let more = sealed_and_open(&file.cells);
                    opened.fetch_add(more, Ordering::Relaxed);
                    search.progress.opened(more);
                }
                Ok(outcome)
            })
            .collect();
        for outcome in outcomes {
            match outcome? {
                Opened::File(file) => self.files.push(file),
                Opened::Closed(locked) => self.closed.push(locked),
                Opened::Large(file, closed) => {
                    self.files.extend(file);
                    self.closed.extend(closed);
                }
                Opened::Uninteresting => {}
            }
        }
        self.values_opened += opened.into_inner();
        Ok(())
    }
}

/// What a search asks of raw bytes.
struct Asks<'a> {
    /// Whether a file has to be opened.
    matters: &'a (dyn Fn(&[u8]) -> bool + Sync),
    /// Whether what is searched for stands there.
    wanted: &'a (dyn Fn(&[u8]) -> bool + Sync),
}

enum Opened {
    /// Too large to be parsed: lines in clear, and a word that more may be inside.
    Large(Option<SourceFile>, Option<Locked>),
    File(SourceFile),
    Closed(Locked),
    Uninteresting,
}

fn open_one(path: &RepoPath, bytes: Vec<u8>, keyring: &Keyring, asks: &Asks<'_>) -> Result<Opened> {
    if bytes.len() > format::PARSE_LIMIT {
        return Ok(large(path, bytes, asks.wanted));
    }
    let matters = (asks.matters)(&bytes);
    if !matters {
        return Ok(match invalid_yaml(path, &bytes) {
            Some(detail) => Opened::Closed(whole_file(path, LockReason::InvalidYaml, &detail)),
            None => Opened::Uninteresting,
        });
    }
    let route = Route::default();
    let text = Source { path, bytes: &bytes, route: &route, line: 1, depth: 0 };
    let cells = format::open(&text, keyring)?;
    Ok(Opened::File(SourceFile { path: path.clone(), bytes, cells }))
}

/// A file beyond the limit of parsing: its raw lines are searched, and sealed values stay closed.
fn large(path: &RepoPath, bytes: Vec<u8>, wanted: &(dyn Fn(&[u8]) -> bool + Sync)) -> Opened {
    let closed = format::bears_marker(&bytes).then(|| {
        let detail = "it is larger than 16 MiB and bears sealed values";
        whole_file(path, LockReason::TooLarge, detail)
    });
    let mut cells = Vec::new();
    let (mut start, mut line) = (0, 1);
    for end in memchr::memchr_iter(b'\n', &bytes).chain([bytes.len()]) {
        let span = Span::new(start, end);
        if wanted(span.of(&bytes)) {
            let place = Place { path: path.clone(), line, route: Route::default(), span };
            let content = Content::Open(Secret::new(span.of(&bytes).to_vec()));
            let (scheme, opened_by, inside) = (Scheme::Plain, None, Vec::new());
            cells.push(Cell { place, scheme, content, opened_by, inside });
        }
        (start, line) = (end + 1, line + 1);
    }
    let file = (!cells.is_empty()).then(|| SourceFile { path: path.clone(), bytes, cells });
    Opened::Large(file, closed)
}

/// Why a file that is YAML by its name is none; its bytes were searched as text.
fn invalid_yaml(path: &RepoPath, bytes: &[u8]) -> Option<String> {
    let name = path.file_name();
    let by_name = [&b".yaml"[..], b".yml", b".eyaml"].iter().any(|end| name.ends_with(end));
    if !by_name {
        return None;
    }
    let error = yaml::scan(bytes).err()?;
    Some(format!("no valid YAML ({}); searched as text", error.message))
}

fn whole_file(path: &RepoPath, reason: LockReason, detail: &str) -> Locked {
    Locked {
        place: Place {
            path: path.clone(),
            line: 1,
            route: Route::default(),
            span: Span::new(0, 0),
        },
        scheme: Scheme::Plain,
        lock: Lock { reason, detail: detail.to_owned() },
    }
}

fn sealed_and_open(cells: &[Cell]) -> usize {
    cells
        .iter()
        .map(|cell| {
            let one = cell.scheme != Scheme::Plain && matches!(cell.content, Content::Open(_));
            usize::from(one) + sealed_and_open(&cell.inside)
        })
        .sum()
}
