//! What lies between two commits: where their histories part, the commits of one side, and which
//! entries of their trees differ. What a difference means is left to the caller.

use std::collections::{BTreeMap, BTreeSet};

use git2::{ObjectType, Oid};

use super::git::{Repository, parse_id};
use super::walk::FILES_LIMIT;
use crate::error::{Error, Kind, Result};
use crate::model::RepoPath;

/// How many commits a history may hold.
const COMMITS_LIMIT: usize = 1_000_000;

/// One entry of a tree that is no folder: a file, a link or a submodule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The object name of its bytes, or the commit of a submodule.
    pub id: String,
    /// The mode as git writes it, such as 0o100644.
    pub mode: u32,
}

impl Leaf {
    /// Whether it is a regular file, not a link or a submodule.
    #[must_use]
    pub const fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// An entry that is not the same in two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its path from the root.
    pub path: RepoPath,
    /// What it was; `None` where it was added.
    pub before: Option<Leaf>,
    /// What it is; `None` where it was removed.
    pub after: Option<Leaf>,
}

/// One entry as a tree holds it, folders included.
type Child = (Oid, i32, ObjectType);

/// A commit and what came before it.
type Past = BTreeMap<Oid, Vec<Oid>>;

impl Repository {
    /// The newest commit that both have in their history; `None` where they share none.
    ///
    /// # Errors
    /// `missing-object` in a clone whose history is cut before such a commit.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>> {
        let (one, other) = (parse_id(one)?, parse_id(other)?);
        let (mine, theirs) = (self.past(one)?, self.past(other)?);
        let common = || mine.iter().filter(|(id, _)| theirs.contains_key(*id));
        // What comes before a shared commit is shared as well: the newest have no shared child.
        let behind: BTreeSet<Oid> = common().flat_map(|(_, parents)| parents.clone()).collect();
        let mut newest: Option<(i64, Oid)> = None;
        for (id, _) in common().filter(|(id, _)| !behind.contains(*id)) {
            let at = self.find_commit(*id)?.committer().when().seconds();
            newest = newest.max(Some((at, *id)));
        }
        match newest {
            Some((_, id)) => Ok(Some(id.to_string())),
            None if self.is_cut()? => Err(cut(other)),
            None => Ok(None),
        }
    }

    /// The commits that `head` has and `base` has not, in no order that matters.
    ///
    /// # Errors
    /// `missing-object`; `too-many-commits`.
    pub fn between(&self, base: &str, head: &str) -> Result<Vec<String>> {
        let base = self.past(parse_id(base)?)?;
        let head = self.past(parse_id(head)?)?;
        Ok(head.keys().filter(|id| !base.contains_key(*id)).map(ToString::to_string).collect())
    }

    /// Every commit that can be reached, with its parents. Where a shallow clone ends, history does.
    fn past(&self, start: Oid) -> Result<Past> {
        let shallow = self.location.shallow()?.unwrap_or_default();
        let ends: BTreeSet<&str> = shallow.lines().map(str::trim).collect();
        let mut past = Past::new();
        let mut pending = vec![start];
        while let Some(id) = pending.pop() {
            if past.contains_key(&id) {
                continue;
            }
            let end = ends.contains(id.to_string().as_str());
            let commit = self.find_commit(id)?;
            let parents: Vec<Oid> = if end { Vec::new() } else { commit.parent_ids().collect() };
            pending.extend(&parents);
            past.insert(id, parents);
            if past.len() > COMMITS_LIMIT {
                return Err(Error::refused(
                    "too-many-commits",
                    format!("the history of {start} has more than {COMMITS_LIMIT} commits"),
                )
                .hint("a shallow clone that holds both ends of the range is enough"));
            }
        }
        Ok(past)
    }

    fn is_cut(&self) -> Result<bool> {
        Ok(self.location.shallow()?.is_some_and(|text| !text.trim().is_empty()))
    }

    /// Every entry that differs between two commits, in the order of paths. Folders that are the
    /// same are not entered.
    ///
    /// # Errors
    /// `missing-object` when the clone lacks one of the trees.
    pub fn differences(&self, before: &str, after: &str) -> Result<Vec<Difference>> {
        let start = (Vec::new(), self.tree(before)?, self.tree(after)?);
        let mut pending = vec![start];
        let mut found = Vec::new();
        while let Some((prefix, before, after)) = pending.pop() {
            let was = self.entries(&prefix, before)?;
            let is = self.entries(&prefix, after)?;
            let paths: BTreeSet<&Vec<u8>> = was.keys().chain(is.keys()).collect();
            for path in paths {
                let (old, new) = (was.get(path), is.get(path));
                if old == new {
                    continue;
                }
                let difference = Difference {
                    path: RepoPath::new(path.clone()),
                    before: leaf(old),
                    after: leaf(new),
                };
                if difference.before != difference.after {
                    found.push(difference);
                }
                if folder(old).is_some() || folder(new).is_some() {
                    pending.push((path.clone(), folder(old), folder(new)));
                }
            }
            if found.len() + pending.len() > FILES_LIMIT {
                return Err(super::walk::too_many("compared"));
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// The bytes of one object name; `None` when this clone lacks it.
    ///
    /// # Errors
    /// `damaged-object`.
    pub fn bytes(&self, id: &str) -> Result<Option<Vec<u8>>> {
        self.blob(parse_id(id)?)
    }

    fn tree(&self, commit: &str) -> Result<Option<Oid>> {
        Ok(Some(self.tree_of(parse_id(commit)?)?))
    }

    fn entries(&self, prefix: &[u8], tree: Option<Oid>) -> Result<BTreeMap<Vec<u8>, Child>> {
        let Some(tree) = tree else { return Ok(BTreeMap::new()) };
        let children = self.children(prefix, tree)?.into_iter();
        Ok(children.map(|(path, id, mode, kind)| (path, (id, mode, kind))).collect())
    }
}

fn cut(head: Oid) -> Error {
    Error::new(
        Kind::NotFound,
        "missing-object",
        format!("this clone's history ends before that of {head} joins the base"),
    )
    .hint("fetch more of it: `git fetch --unshallow`, or `fetch-depth: 0` in CI")
}

fn leaf(child: Option<&Child>) -> Option<Leaf> {
    let (id, mode, kind) = child?;
    let mode = u32::try_from(*mode).unwrap_or(0o100_644);
    (*kind != ObjectType::Tree).then(|| Leaf { id: id.to_string(), mode })
}

fn folder(child: Option<&Child>) -> Option<Oid> {
    let (id, _, kind) = child?;
    (*kind == ObjectType::Tree).then_some(*id)
}
