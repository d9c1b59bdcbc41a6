//! One file of a commit, opened.

use super::{Cell, Content, Lock, Place, RepoPath, Scheme};

/// A file whose values were opened.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path in the tree.
    pub path: RepoPath,
    /// Its bytes in the commit.
    pub bytes: Vec<u8>,
    /// Its values, in the order of bytes.
    pub cells: Vec<Cell>,
}

/// A value that stayed closed, as the report names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The value, or the whole file (empty route).
    pub place: Place,
    /// How it is sealed.
    pub scheme: Scheme,
    /// Why.
    pub lock: Lock,
}

impl SourceFile {
    /// Every value that stayed closed, on every level.
    #[must_use]
    pub fn locked(&self) -> Vec<Locked> {
        let mut found = Vec::new();
        collect_locked(&self.cells, &mut found);
        found
    }
}

fn collect_locked(cells: &[Cell], found: &mut Vec<Locked>) {
    for cell in cells {
        if let Content::Locked(lock) = &cell.content {
            let (place, scheme, lock) = (cell.place.clone(), cell.scheme.clone(), lock.clone());
            found.push(Locked { place, scheme, lock });
        }
        collect_locked(&cell.inside, found);
    }
}
