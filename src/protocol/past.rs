//! The search of everything that branches have held. One listing names each path once, so versions
//! are searched in rounds: the newest of every file, then the one before it, and so on.

use std::collections::{BTreeMap, BTreeSet};

use super::locate::{Located, Secrets, locate_knowing};
use super::survey::Search;
use crate::error::Result;
use crate::model::{
    AccessKeyId, KeyIdPattern, LockReason, Locked, Occurrence, Place, RepoPath, Role, Route,
};
use crate::repo::{History, Listing, Seen};
use crate::rotation::Query;

/// What a search of the past found: each place once, as it stood in the newest commit that has it.
#[derive(Default)]
pub struct Past {
    /// IDs, secrets and texts, each with the newest commit that holds it.
    pub occurrences: Vec<(Occurrence, String)>,
    /// IDs with several possible partners, and those.
    pub ambiguous: Vec<(Place, Vec<Place>)>,
    /// Values that read one of the occurrences by name, and the name.
    pub indirect: Vec<(Place, String)>,
    /// What stayed closed.
    pub locked: Vec<Locked>,
    /// Pointers into an LFS store.
    pub not_searched: Vec<(RepoPath, &'static str)>,
    /// Versions of files whose bytes were read.
    pub files_read: usize,
    /// Sealed values that opened.
    pub values_opened: usize,
}

/// Searches every version of every file. The bytes of one version are opened once.
///
/// # Errors
/// When the repository cannot be read.
pub fn locate_past(
    search: &Search<'_>,
    history: &History,
    query: &Query,
    pattern: &KeyIdPattern,
) -> Result<Past> {
    let mut known = Secrets::new();
    loop {
        let before = known.len();
        let (past, met_late) = one_pass(search, history, query, pattern, &mut known)?;
        // A secret that an old version tells may stand alone in a newer one.
        if !met_late || known.len() == before {
            return Ok(past);
        }
    }
}

fn one_pass(
    search: &Search<'_>,
    history: &History,
    query: &Query,
    pattern: &KeyIdPattern,
    known: &mut Secrets,
) -> Result<(Past, bool)> {
    let (mut past, mut met, mut met_late) = (Past::default(), Met::default(), false);
    for (nth, round) in rounds(history).into_iter().enumerate() {
        let files = round.iter().map(|seen| seen.entry.clone()).collect();
        let listing = Listing { files, not_searched: Vec::new() };
        let mut located = locate_knowing(search, &listing, query, &[], pattern, known)?;
        for (id, pairing) in &mut located.pairings {
            if let Some(secret) = pairing.secret.take()
                && !known.iter().any(|(of, one)| of == id && one.same(&secret))
            {
                known.push((id.clone(), secret));
                met_late |= nth > 0;
            }
        }
        past.take(located, &round, &mut met);
    }
    past.occurrences.sort_by(|(a, _), (b, _)| {
        (&a.place, &a.trail, a.range).cmp(&(&b.place, &b.trail, b.range))
    });
    past.locked.sort_by(|a, b| a.place.cmp(&b.place));
    Ok((past, met_late))
}

/// The n-th newest version of each file makes the n-th round.
fn rounds(history: &History) -> Vec<Vec<&Seen>> {
    let mut rounds: Vec<Vec<&Seen>> = Vec::new();
    let mut versions: BTreeMap<&RepoPath, usize> = BTreeMap::new();
    for seen in &history.seen {
        let nth = versions.entry(&seen.entry.path).or_default();
        if rounds.len() == *nth {
            rounds.push(Vec::new());
        }
        rounds[*nth].push(seen);
        *nth += 1;
    }
    rounds
}

/// What a newer version has told already: routes stay, lines and spans move.
#[derive(Default)]
struct Met {
    occurrences: BTreeSet<(RepoPath, Route, Role, Option<AccessKeyId>)>,
    places: BTreeSet<(RepoPath, Route, String)>,
    locked: BTreeSet<(RepoPath, Route, LockReason)>,
}

impl Past {
    fn take(&mut self, located: Located, round: &[&Seen], met: &mut Met) {
        let commits: BTreeMap<&RepoPath, &str> =
            round.iter().map(|seen| (&seen.entry.path, seen.commit.as_str())).collect();
        self.files_read += located.survey.files_read;
        self.values_opened += located.survey.values_opened;
        for one in located.survey.locked() {
            if met.locked.insert((one.place.path.clone(), one.place.route.clone(), one.lock.reason))
            {
                self.locked.push(one);
            }
        }
        let mut newer = BTreeSet::new();
        for one in located.occurrences {
            let of =
                (one.place.path.clone(), one.place.route.clone(), one.role.clone(), one.id.clone());
            // Several of one version may share a route: flat text, or one value with both halves.
            if met.occurrences.contains(&of) {
                continue;
            }
            let commit = commits.get(&one.place.path).copied().unwrap_or_default().to_owned();
            newer.insert(of);
            self.occurrences.push((one, commit));
        }
        met.occurrences.append(&mut newer);
        let mut is_new = |place: &Place, word: &str| {
            met.places.insert((place.path.clone(), place.route.clone(), word.to_owned()))
        };
        for one in located.indirect {
            if is_new(&one.place, &one.through) {
                self.indirect.push((one.place, one.through));
            }
        }
        for one in located.pairings.into_values().flat_map(|pairing| pairing.ambiguous) {
            if is_new(&one.id, "") {
                self.ambiguous.push((one.id, one.candidates));
            }
        }
        for one in located.survey.not_searched {
            let found = (one.path, one.what.word());
            if !self.not_searched.contains(&found) {
                self.not_searched.push(found);
            }
        }
    }
}
