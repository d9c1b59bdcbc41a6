//! What lies between two commits: where their histories part, the commits of one side, and which
//! entries of their trees differ. What a difference means is left to the caller.

use git2::{ErrorCode, ObjectType, Oid, Sort};

use super::git::{Repository, object, parse_id};
use super::walk::FILES_LIMIT;
use crate::error::{Error, Kind, Result};
use crate::model::RepoPath;

/// How many commits one side of a range may hold.
const COMMITS_LIMIT: usize = 10_000;

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

impl Repository {
    /// The newest commit that both have in their history; `None` where they share none.
    ///
    /// # Errors
    /// `missing-object` in a clone whose history is cut before it.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>> {
        let (one, other) = (parse_id(one)?, parse_id(other)?);
        match self.objects.merge_base(one, other) {
            Ok(id) => Ok(Some(id.to_string())),
            // libgit2 says "not found" of a missing parent and of a missing common commit alike.
            Err(source) if source.code() == ErrorCode::NotFound => {
                self.whole_history(one)?;
                self.whole_history(other)?;
                Ok(None)
            }
            Err(source) => Err(object(one, &source)),
        }
    }

    /// The commits that `head` has and `base` has not, newest first.
    ///
    /// # Errors
    /// `missing-object`; `too-many-commits`.
    pub fn between(&self, base: &str, head: &str) -> Result<Vec<String>> {
        let head = parse_id(head)?;
        let mut walk = self.objects.revwalk().map_err(|source| object(head, &source))?;
        walk.set_sorting(Sort::TOPOLOGICAL).map_err(|source| object(head, &source))?;
        walk.push(head).map_err(|source| object(head, &source))?;
        walk.hide(parse_id(base)?).map_err(|source| object(head, &source))?;
        let mut commits = Vec::new();
        for id in walk {
            commits.push(id.map_err(|source| object(head, &source))?.to_string());
            if commits.len() > COMMITS_LIMIT {
                return Err(Error::refused(
                    "too-many-commits",
                    format!("{head} has more than {COMMITS_LIMIT} commits of its own"),
                ));
            }
        }
        Ok(commits)
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
            let paths: std::collections::BTreeSet<&Vec<u8>> = was.keys().chain(is.keys()).collect();
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

    fn entries(
        &self,
        prefix: &[u8],
        tree: Option<Oid>,
    ) -> Result<std::collections::BTreeMap<Vec<u8>, Child>> {
        let Some(tree) = tree else { return Ok(std::collections::BTreeMap::new()) };
        let children = self.children(prefix, tree)?.into_iter();
        Ok(children.map(|(path, id, mode, kind)| (path, (id, mode, kind))).collect())
    }

    /// Fails where a parent of any commit in the history is missing.
    fn whole_history(&self, head: Oid) -> Result<()> {
        let cut = |_| {
            Error::new(
                Kind::NotFound,
                "missing-object",
                format!("the history of {head} is cut off in this clone"),
            )
            .hint("fetch all of it: `git fetch --unshallow`, or `fetch-depth: 0` in CI")
        };
        let mut walk = self.objects.revwalk().map_err(cut)?;
        walk.push(head).map_err(cut)?;
        walk.try_for_each(|id| id.map(drop)).map_err(cut)
    }
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
