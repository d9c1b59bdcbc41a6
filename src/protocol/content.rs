//! What the content of base says of a rotation: where the old access key still stands, where the
//! new pair is missing, and what could not be looked into. Squash merges, rebases and deleted
//! branches do not matter here; only bytes do.

use std::collections::BTreeMap;

use super::planned::Planned;
use super::run::digest;
use super::seams::{Seams, Wanted};
use super::think::search_for;
use super::tracked::Tracked;
use crate::error::Result;
use crate::model::{AccessKeyId, Locked, Occurrence, Place, RepoPath};
use crate::repo::{Entry, Happening, Listing};

/// What one commit of base says.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Where the old access key stands.
    pub remains: Vec<Place>,
    /// Where the new pair belongs.
    pub planned: Vec<Planned>,
    /// Where it belongs and does not stand, and has not moved to.
    pub lacks: Vec<Planned>,
    /// Whether the new pair stands at one of its places at least.
    pub begun: bool,
    /// What stayed closed and could hold the old access key.
    pub locked: Vec<Locked>,
}

/// Looks for both access keys in a commit of base.
///
/// # Errors
/// When the repository cannot be read.
pub(super) fn content(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
    new: &AccessKeyId,
    commit: &str,
) -> Result<Content> {
    let ids = [tracked.old.clone(), new.clone()];
    let mut located = search_for(seams, wanted, &ids, commit)?;
    let of = |id: &AccessKeyId| -> Vec<Occurrence> {
        located.occurrences.iter().filter(|one| one.id.as_ref() == Some(id)).cloned().collect()
    };
    let (remains, stands) = (of(&tracked.old), of(new));
    let planned = planned(seams, wanted, tracked, new)?;
    let listing = seams.remote.objects().list(commit)?;
    let as_written = Written::of(seams, tracked, &listing)?;
    let mut stands: Vec<Planned> = stands.iter().map(Planned::of).collect();
    stands.extend(planned.iter().filter(|place| as_written.covers(&place.path)).cloned());
    let here = |place: &Planned| listing.files.iter().any(|one| one.path.to_text() == place.path);
    let missing: Vec<Planned> = planned
        .iter()
        .filter(|place| here(place) && !stands.iter().any(|one| one.is(place)))
        .cloned()
        .collect();
    let lacks = not_moved(missing, &stands, &planned);
    let begun = planned.iter().any(|place| stands.iter().any(|one| one.is(place)));
    let accepted = |path: &RepoPath| wanted.accepted.iter().any(|one| one.path == path.to_text());
    let mut locked = located.survey.locked();
    located.survey.files.clear();
    locked.retain(|one| {
        let path = &one.place.path;
        !accepted(path) && !as_written.covers(&path.to_text())
    });
    let remains = remains.into_iter().map(|one| one.place).collect();
    Ok(Content { remains, planned, lacks, begun, locked })
}

/// The recorded places, else those where the new pair stands on the rotation's own commit.
///
/// # Errors
/// When that commit cannot be read.
pub(super) fn planned(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
    new: &AccessKeyId,
) -> Result<Vec<Planned>> {
    let Some(commit) = tracked.commit.as_deref().filter(|_| tracked.places.is_empty()) else {
        return Ok(tracked.places.clone());
    };
    if !seams.remote.objects().holds(commit) {
        return Ok(Vec::new());
    }
    let located = search_for(seams, wanted, std::slice::from_ref(new), commit)?;
    Ok(located.occurrences.iter().map(Planned::of).collect())
}

/// Places that are missing although the new pair stands nowhere else instead: a value that was
/// renamed or moved to another file is not missing.
fn not_moved(missing: Vec<Planned>, stands: &[Planned], planned: &[Planned]) -> Vec<Planned> {
    let elsewhere: Vec<&Planned> =
        stands.iter().filter(|one| !planned.iter().any(|place| place.is(one))).collect();
    let count = |of: &[&Planned], role: &str| of.iter().filter(|one| one.role == role).count();
    let lost: Vec<&Planned> = missing.iter().collect();
    let moved = ["id", "secret"].iter().all(|role| count(&elsewhere, role) >= count(&lost, role));
    if moved { Vec::new() } else { missing }
}

/// Files that need not be opened, because they are byte for byte what the rotation searched or
/// wrote: so a job without identities can tell as well.
struct Written {
    covered: BTreeMap<String, ()>,
}

impl Written {
    /// Trusts only what the ledger recorded: a branch alone proves nothing of its content.
    fn of(seams: &Seams<'_>, tracked: &Tracked, listing: &Listing) -> Result<Self> {
        let mut covered = BTreeMap::new();
        let objects = seams.remote.objects();
        let base = tracked.base_commit.as_deref();
        let Some(base) = base.filter(|base| !tracked.places.is_empty() && objects.holds(base))
        else {
            return Ok(Self { covered });
        };
        let before = objects.list(base)?;
        let before: BTreeMap<&RepoPath, &Entry> =
            before.files.iter().map(|entry| (&entry.path, entry)).collect();
        for entry in &listing.files {
            let path = entry.path.to_text();
            let same = match recorded(tracked, &path) {
                Some(wanted) => objects.read(entry)?.is_some_and(|bytes| digest(&bytes) == wanted),
                None => before.get(&entry.path).is_some_and(|old| old.blob == entry.blob),
            };
            if same {
                covered.insert(path, ());
            }
        }
        Ok(Self { covered })
    }

    fn covers(&self, path: &str) -> bool {
        self.covered.contains_key(path)
    }
}

/// The digest of a planned file as the rotation wrote it.
fn recorded<'t>(tracked: &'t Tracked, path: &str) -> Option<&'t str> {
    let mut events = tracked.events.iter().rev();
    let proposed = events.find(|event| event.event == Happening::Proposed)?;
    proposed.digests.get(path)?.get("new")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::{Planned, not_moved};

    fn place(path: &str, role: &str) -> Planned {
        Planned { path: path.into(), route: vec![role.into()], role: role.into(), line: 1 }
    }

    #[test]
    fn a_pair_in_another_file_has_moved_and_half_of_it_has_not() {
        let planned = [place("a.yaml", "id"), place("a.yaml", "secret")];
        let moved = [place("b.yaml", "id"), place("b.yaml", "secret")];
        assert!(not_moved(planned.to_vec(), &moved, &planned).is_empty());
        assert_eq!(not_moved(planned.to_vec(), &moved[..1], &planned), planned);
        let half = [place("a.yaml", "id"), place("b.yaml", "id")];
        assert_eq!(not_moved(vec![planned[1].clone()], &half, &planned), planned[1..]);
    }
}
