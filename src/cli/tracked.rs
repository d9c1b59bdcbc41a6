//! What a verb that looks at a rotation again was asked for: the settings, and what was left out
//! and accepted when the rotation was made.

use super::config::{Paths as Globs, Pattern};
use super::ready::Ready;
use super::rotate::Wishes;
use crate::error::Result;
use crate::model::RepoPath;
use crate::protocol::{Extra, Record, Tracked, Wanted};
use crate::rotation::Chosen;

/// The search of a rotation, as it was when the rotation was made.
///
/// # Errors
/// `bad-glob`, `bad-pair` when the record does not hold what keyroll wrote.
pub(super) fn wanted<'r>(wishes: &'r Wishes<'r, '_>, tracked: &Tracked) -> Result<Wanted<'r>> {
    let mut wanted = wishes.plain(tracked.old.clone());
    let excluded: Vec<Pattern> =
        tracked.excluded.iter().map(|glob| Pattern::new(glob)).collect::<Result<_>>()?;
    let settings = &wishes.ready.settings;
    let then = Globs::default().and(Vec::new(), excluded);
    wanted.takes_part =
        Box::new(move |path: &RepoPath| settings.takes_part(path) && then.included(path));
    wanted.user = Some(tracked.user.clone());
    wanted.accepted = tracked.accepted.clone();
    wanted.chosen = tracked.pairs.iter().map(|text| Chosen::parse(text)).collect::<Result<_>>()?;
    Ok(wanted)
}

/// What the settings alone say beside the record.
pub(super) fn extra(ready: &Ready<'_>, tracked: &Tracked, record: Record) -> Extra {
    let declared = ready.settings.config.user(&tracked.user);
    Extra { cadence: declared.and_then(|user| user.cadence), record, ..Extra::default() }
}
