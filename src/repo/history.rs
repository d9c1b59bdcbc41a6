//! Every version of every file that any branch of the clone can reach. Whether their bytes hold
//! anything is left to the caller.

use std::collections::{BinaryHeap, HashMap, HashSet};

use git2::{ErrorCode, ObjectType, Oid};

use super::git::{Repository, object, parse_id};
use super::walk::{Entry, FILES_LIMIT, too_many};
use crate::error::Result;
use crate::model::{RepoPath, Timestamp};

/// One version of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Path and bytes.
    pub entry: Entry,
    /// The newest commit that holds this version, by committer date.
    pub commit: String,
    /// That commit's date.
    pub at: Timestamp,
}

/// What the branches have held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Each pair of path and bytes once, newest commits first.
    pub seen: Vec<Seen>,
    /// How many commits and trees this clone lacks: more than zero is an incomplete answer.
    pub missing: usize,
}

struct Walker<'a> {
    repository: &'a Repository,
    history: History,
    visited: HashSet<Oid>,
    /// Folders that were looked through: the same folder in the next commit holds nothing new.
    trees: HashMap<Oid, HashSet<Vec<u8>>>,
    folders: usize,
    files: HashSet<(Vec<u8>, Oid)>,
    /// Commits whose parents are still to be looked up.
    pending: Vec<Oid>,
    met: HashMap<Oid, Met>,
}

/// A commit that was met on the way down.
struct Met {
    at: i64,
    parents: Vec<Oid>,
    /// How many of its children were not looked through yet.
    children: usize,
}

impl Repository {
    /// Every distinct path and blob reachable from `HEAD`, a branch, a remote's branch or a tag.
    ///
    /// # Errors
    /// `damaged-object`; objects that a shallow or partial clone lacks are counted instead.
    pub fn history(&self) -> Result<History> {
        let mut walker = Walker {
            repository: self,
            history: History::default(),
            visited: HashSet::new(),
            trees: HashMap::new(),
            folders: 0,
            files: HashSet::new(),
            pending: Vec::new(),
            met: HashMap::new(),
        };
        let mut starts: Vec<String> =
            self.location.references()?.into_iter().map(|(_, id)| id).collect();
        starts.extend(self.location.resolve("HEAD")?.and_then(|(_, id)| id));
        for id in starts {
            walker.start(parse_id(&id)?)?;
        }
        while let Some(commit) = walker.pending.pop() {
            walker.meet(commit)?;
        }
        walker.look_through()?;
        Ok(walker.history)
    }
}

impl Walker<'_> {
    /// Takes up what a reference names; tags are followed, other objects are no history.
    fn start(&mut self, id: Oid) -> Result<()> {
        let found = match self.repository.objects.find_object(id, None) {
            Ok(found) => found,
            Err(source) => return self.lacking(id, &source),
        };
        match found.as_tag().map(git2::Tag::target_id) {
            Some(target) if self.visited.insert(id) => self.start(target),
            _ if found.kind() == Some(ObjectType::Commit) => self.enqueue(id),
            _ => Ok(()),
        }
    }

    fn enqueue(&mut self, id: Oid) -> Result<()> {
        if self.visited.insert(id) {
            self.pending.push(id);
        }
        Ok(())
    }

    fn meet(&mut self, id: Oid) -> Result<()> {
        let commit = match self.repository.objects.find_commit(id) {
            Ok(commit) => commit,
            Err(source) => return self.lacking(id, &source),
        };
        let parents: Vec<Oid> = commit.parent_ids().collect();
        let at = commit.committer().when().seconds();
        parents.iter().try_for_each(|parent| self.enqueue(*parent))?;
        self.met.insert(id, Met { at, parents, children: 0 });
        Ok(())
    }

    /// Children before parents, and of those that are free the newest: many commits share a
    /// second, and dates lie, so dates alone do not tell which version is the newest.
    fn look_through(&mut self) -> Result<()> {
        let parents: Vec<Oid> = self.met.values().flat_map(|met| met.parents.clone()).collect();
        for parent in parents {
            if let Some(met) = self.met.get_mut(&parent) {
                met.children += 1;
            }
        }
        let mut free: BinaryHeap<(i64, Oid)> = self
            .met
            .iter()
            .filter(|(_, met)| met.children == 0)
            .map(|(id, m)| (m.at, *id))
            .collect();
        while let Some((at, id)) = free.pop() {
            self.commit(id, Timestamp(at))?;
            for parent in self.met.remove(&id).map(|met| met.parents).unwrap_or_default() {
                let Some(met) = self.met.get_mut(&parent) else { continue };
                met.children -= 1;
                if met.children == 0 {
                    free.push((met.at, parent));
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self, id: Oid, at: Timestamp) -> Result<()> {
        let commit = self.repository.find_commit(id)?;
        let mut folders = vec![(Vec::new(), commit.tree_id())];
        while let Some((prefix, tree)) = folders.pop() {
            if !self.trees.entry(tree).or_default().insert(prefix.clone()) {
                continue;
            }
            self.folders += 1;
            if self.folders + self.files.len() > FILES_LIMIT {
                return Err(too_many(&id.to_string()));
            }
            if let Err(source) = self.repository.objects.find_tree(tree) {
                self.lacking(tree, &source)?;
                continue;
            }
            for (path, blob, mode, kind) in self.repository.children(&prefix, tree)? {
                match kind {
                    ObjectType::Tree => folders.push((path, blob)),
                    ObjectType::Blob if mode != 0o120_000 => self.file(path, blob, mode, id, at),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: Vec<u8>, blob: Oid, mode: i32, commit: Oid, at: Timestamp) {
        if self.files.insert((path.clone(), blob)) {
            let mode = u32::try_from(mode).unwrap_or(0o100_644);
            let entry = Entry { path: RepoPath::new(path), blob: Some(blob.to_string()), mode };
            self.history.seen.push(Seen { entry, commit: commit.to_string(), at });
        }
    }

    fn lacking(&mut self, id: Oid, source: &git2::Error) -> Result<()> {
        if source.code() != ErrorCode::NotFound {
            return Err(object(id, source));
        }
        self.history.missing += 1;
        Ok(())
    }
}
