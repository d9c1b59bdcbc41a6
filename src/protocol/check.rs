//! Reads two commits and says whether the newer one rotates an access key and does nothing else.
//! Nothing is fetched and nothing is written. What a change means is decided in `rotation`, what is
//! said of it in `report`.

use std::collections::{BTreeMap, BTreeSet};

use super::survey::{Progress, Search, Survey};
use super::trailers::Trailers;
use crate::error::{Error, Kind, Result};
use crate::format::{self, Source};
use crate::keyring::Keyring;
use crate::model::{Finding, KeyIdPattern, Locked, Proof, RepoPath, Route, SourceFile, Unseen};
use crate::repo::{Difference, Leaf, Repository};
use crate::rotation::{self, Comparison, Exchange, Ids, Needles, Query};

/// What a comparison reads with.
pub struct Inspection<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// What opens sealed values; it may be empty.
    pub keyring: &'a Keyring,
    /// Which paths are searched for what is left of the old pair. Paths that differ always are.
    pub takes_part: &'a (dyn Fn(&RepoPath) -> bool + Sync),
    /// What an access key ID looks like.
    pub pattern: &'a KeyIdPattern,
    /// Full names of references at which the clone may hold the ledger.
    pub ledgers: &'a [String],
    /// Who hears how far it is.
    pub progress: &'a dyn Progress,
}

/// What comparing two commits gave.
#[derive(Debug)]
pub struct Checked {
    /// The commit that was compared with: where the two histories part.
    pub base: String,
    /// Whether the base that was named has moved on since.
    pub base_moved: bool,
    /// The newer commit.
    pub head: String,
    /// The access keys that change place, as far as it was seen.
    pub ids: Option<Ids>,
    /// The access keys that the commits name.
    pub claim: Option<Ids>,
    /// What changed as it should.
    pub exchanges: Vec<Exchange>,
    /// What should not be so.
    pub findings: Vec<Finding>,
    /// What was seen to hold.
    pub proved: Vec<Proof>,
    /// What had to be looked at and could not be.
    pub unseen: Vec<Unseen>,
    /// Every value of the newer commit that stayed closed.
    pub locked: Vec<Locked>,
    /// How many files differ.
    pub files_changed: usize,
    /// How many sealed values of the newer commit opened.
    pub values_opened: usize,
}

/// Compares `head` with the commit at which its history parts from that of `base`.
///
/// # Errors
/// `unrelated-commits`; `missing-object` in a clone that lacks one of them or its history.
pub fn check(inspection: &Inspection<'_>, base: &str, head: &str) -> Result<Checked> {
    let repository = inspection.repository;
    let parting = repository.merge_base(base, head)?.ok_or_else(unrelated)?;
    let differences = repository.differences(&parting, head)?;
    let mut work = Work::new(inspection, &differences);
    work.claim = work.claims(&parting, head)?;
    work.tree();
    let (before, after) = (work.versions(Side::Before)?, work.versions(Side::After)?);
    let (before, after) = work.both(before, after);
    let claim = work.claim.clone();
    let compared = rotation::compare(&before, &after, claim.as_ref(), inspection.pattern)?;
    work.take(compared);
    let survey = work.leftovers(head)?;
    if parting != base {
        work.moved_base(&parting, base)?;
    }
    work.digests(&parting, head)?;
    work.finish(parting, base, head, &survey)
}

fn unrelated() -> Error {
    Error::new(Kind::NotFound, "unrelated-commits", "the two commits share no history")
        .hint("name the branch that the pull request goes to, and the branch that it comes from")
        .hint("in a shallow clone fetch more of it: `git fetch --unshallow`, or `fetch-depth: 0` in CI")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// A comparison under way.
pub(super) struct Work<'a> {
    pub(super) inspection: &'a Inspection<'a>,
    pub(super) differences: &'a [Difference],
    pub(super) changed: BTreeSet<&'a RepoPath>,
    pub(super) claim: Option<Ids>,
    pub(super) compared: Comparison,
    pub(super) findings: Vec<Finding>,
    pub(super) unseen: Vec<Unseen>,
    pub(super) proved: Vec<Proof>,
    pub(super) searched: bool,
}

impl<'a> Work<'a> {
    fn new(inspection: &'a Inspection<'a>, differences: &'a [Difference]) -> Self {
        Self {
            inspection,
            differences,
            changed: differences.iter().map(|one| &one.path).collect(),
            claim: None,
            compared: Comparison::default(),
            findings: Vec::new(),
            unseen: Vec::new(),
            proved: Vec::new(),
            searched: false,
        }
    }

    /// The access keys that the commits of the range name. They are claims: anybody can write them.
    fn claims(&mut self, base: &str, head: &str) -> Result<Option<Ids>> {
        let repository = self.inspection.repository;
        let mut all: Vec<Ids> = Vec::new();
        for commit in repository.between(base, head)? {
            let Some(trailers) = Trailers::parse(&repository.message(&commit)?) else { continue };
            if let Some(new) = trailers.new
                && !all.contains(&(trailers.old.clone(), new.clone()))
            {
                all.push((trailers.old, new));
            }
        }
        if all.len() > 1 {
            let what = "the commits of the range name more than one rotation";
            self.findings.push(Finding::of_all("several-rotations", what));
            return Ok(None);
        }
        Ok(all.pop())
    }

    /// Files that came, went or became something else.
    fn tree(&mut self) {
        for one in self.differences {
            let (path, before, after) = (&one.path, one.before.as_ref(), one.after.as_ref());
            let file = |leaf: Option<&Leaf>| leaf.is_none_or(Leaf::is_file);
            let (reason, what) = match (before, after) {
                _ if !file(before) || !file(after) => {
                    ("link-changed", "a symbolic link or a submodule was added, removed or changed")
                }
                (None, _) => ("file-added", "this file was added"),
                (_, None) => ("file-removed", "this file was removed"),
                (Some(old), Some(new)) if old.mode != new.mode => {
                    ("mode-changed", "the mode of this file changed")
                }
                _ => continue,
            };
            self.findings.push(Finding::of_file(path, reason, what));
        }
    }

    /// One side of every regular file that differs, opened whole; `None` where it is not there.
    fn versions(&mut self, side: Side) -> Result<Vec<Option<SourceFile>>> {
        let leaf = |one: &'a Difference| match side {
            Side::Before => one.before.as_ref(),
            Side::After => one.after.as_ref(),
        };
        let mut files = Vec::new();
        for one in self.differences {
            files.push(match leaf(one).filter(|leaf| leaf.is_file()) {
                Some(leaf) => self.open(&one.path, &leaf.id)?,
                None => None,
            });
        }
        Ok(files)
    }

    fn open(&mut self, path: &RepoPath, id: &str) -> Result<Option<SourceFile>> {
        let Some(bytes) = self.inspection.repository.bytes(id)? else {
            self.unseen.push(Unseen {
                what: "not-fetched",
                path: Some(path.clone()),
                message: format!("{path}: its bytes are not in this clone"),
            });
            return Ok(None);
        };
        let route = Route::default();
        let text = Source { path, bytes: &bytes, route: &route, line: 1, depth: 0 };
        let cells = format::open(&text, self.inspection.keyring)?;
        Ok(Some(SourceFile { path: path.clone(), bytes, cells }))
    }

    /// The files that both commits have, and differ in more than their mode. A certificate is told
    /// as one, not value by value.
    fn both(
        &mut self,
        before: Vec<Option<SourceFile>>,
        after: Vec<Option<SourceFile>>,
    ) -> (Vec<SourceFile>, Vec<SourceFile>) {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (was, is) in before.into_iter().zip(after) {
            let (Some(was), Some(is)) = (was, is) else { continue };
            if was.bytes == is.bytes {
                continue;
            }
            if rotation::is_certificate(&was.path, &was.bytes) {
                let what = "a certificate or public key of the repository changed";
                self.findings.push(Finding::of_file(&is.path, "certificate-changed", what));
                continue;
            }
            old.push(was);
            new.push(is);
        }
        (old, new)
    }

    fn take(&mut self, mut compared: Comparison) {
        // A finding about the tree tells more than "no rotation".
        if !self.findings.is_empty() {
            compared.findings.retain(|one| one.reason != "no-rotation");
        }
        self.findings.append(&mut compared.findings);
        self.unseen.append(&mut compared.unseen);
        self.compared = compared;
    }

    /// Searches the newer commit for what is left of the old pair, and for the new secret in clear.
    /// Without a rotation there is nothing to search for.
    fn leftovers(&mut self, head: &str) -> Result<Survey> {
        let Some(ids) = self.compared.ids.clone().or_else(|| self.claim.clone()) else {
            let closed = self.unseen.iter().any(|one| one.what == "sealed-value");
            if closed {
                self.unseen.push(unsearched());
            }
            return Ok(Survey::default());
        };
        let listing = self.inspection.repository.list(head)?;
        let query = Query::ids(vec![ids.0.clone()])?;
        let takes_part =
            |path: &RepoPath| (self.inspection.takes_part)(path) || self.changed.contains(path);
        let search = Search {
            repository: self.inspection.repository,
            keyring: self.inspection.keyring,
            takes_part: &takes_part,
            wanted: &|bytes| query.is_in(bytes),
            progress: self.inspection.progress,
        };
        let mut survey = Survey::of(&search, &listing)?;
        let secrets = self.compared.secrets.as_ref();
        if let Some((old, new)) = secrets {
            let (old, new) = (Needles::of(old)?, Needles::of(new)?);
            let holds = |bytes: &[u8]| old.stand_in(bytes) || new.stand_in(bytes);
            survey.extend(&search, &listing, &holds)?;
        }
        let pattern = self.inspection.pattern;
        let found = rotation::leftovers(&survey.files, &ids, secrets, pattern)?;
        self.findings.extend(found);
        self.searched = secrets.is_some();
        self.closed(&survey);
        if !self.searched {
            self.unseen.push(unsearched());
        }
        Ok(survey)
    }

    /// Values that stayed closed may hold the old pair.
    fn closed(&mut self, survey: &Survey) {
        let mut files: BTreeMap<RepoPath, (usize, String)> = BTreeMap::new();
        for one in survey.locked() {
            let entry = files.entry(one.place.path).or_insert((0, one.lock.detail));
            entry.0 += 1;
        }
        self.unseen.extend(files.into_iter().map(|(path, (count, why))| {
            let values = crate::report::plural(count, "value");
            let message = format!(
                "whether the old pair is left in {values} of {path} that stayed closed: {why}"
            );
            Unseen { what: "leftovers", path: Some(path), message }
        }));
    }

    /// What base gained since the histories parted comes into the merge, too.
    fn moved_base(&mut self, parting: &str, base: &str) -> Result<()> {
        let ids = self.compared.ids.clone().or_else(|| self.claim.clone());
        let moved = self.inspection.repository.differences(parting, base)?;
        let mut files = Vec::new();
        for one in &moved {
            let path = &one.path;
            if self.changed.contains(path) {
                let message =
                    format!("what a merge makes of {path}, which changed on base as well");
                let (what, path) = ("merge", Some(path.clone()));
                self.unseen.push(Unseen { what, path, message });
            } else if let Some(leaf) = one.after.as_ref().filter(|leaf| leaf.is_file()) {
                files.extend(self.open(path, &leaf.id)?);
            }
        }
        let Some(ids) = ids else { return Ok(()) };
        let secrets = self.compared.secrets.as_ref();
        let found = rotation::leftovers(&files, &ids, secrets, self.inspection.pattern)?;
        self.findings.extend(found.into_iter().map(|mut one| {
            one.message = format!("base gained this since the branch began: {}", one.message);
            one
        }));
        for file in &files {
            if let Some(one) = file.locked().first() {
                let path = &file.path;
                let message =
                    format!("whether base gained the old pair in {path}: {}", one.lock.detail);
                let (what, path) = ("leftovers", Some(path.clone()));
                self.unseen.push(Unseen { what, path, message });
            }
        }
        Ok(())
    }

    fn finish(mut self, base: String, named: &str, head: &str, survey: &Survey) -> Result<Checked> {
        self.findings.sort();
        self.findings.dedup();
        self.unseen.sort();
        self.unseen.dedup();
        let digests = std::mem::take(&mut self.proved);
        self.proved = self.proofs();
        self.proved.extend(digests);
        Ok(Checked {
            base_moved: base != named,
            base,
            head: head.to_owned(),
            ids: self.compared.ids,
            claim: self.claim,
            exchanges: self.compared.exchanges,
            findings: self.findings,
            proved: self.proved,
            unseen: self.unseen,
            locked: survey.locked(),
            files_changed: self.differences.len(),
            values_opened: survey.values_opened,
        })
    }
}

fn unsearched() -> Unseen {
    let message = "whether anything is left of the old pair, as its secret was not seen".to_owned();
    Unseen { what: "leftovers", path: None, message }
}
