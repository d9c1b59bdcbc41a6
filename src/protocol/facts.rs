//! Gathers everything that a verdict rests on: what IAM says of both access keys, what base holds,
//! where the pull request stands, what was recorded. Whatever cannot be read is named as unread,
//! never guessed (I9). What follows from the facts is left to `rotation::judge`.

use std::time::Duration;

use super::content::{Content, content, planned};
use super::noted::note_down;
use super::planned::Planned;
use super::seams::{Seams, Wanted};
use super::think::Base;
use super::tracked::Tracked;
use crate::breakage;
use crate::error::{Error, Kind, Result};
use crate::forge::State;
use crate::iam::Iam;
use crate::model::{
    AccessKeyId, AccountId, Consumer, Facts, KeyFacts, LastUsed, Replaced, Timestamp, UserName,
};
use crate::repo::Happening;

/// What was said beside the record.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// `--deployed-at`.
    pub deployed_at: Option<Timestamp>,
    /// `--accept-infrequent`.
    pub accept_infrequent: Option<String>,
    /// The cadence that the settings declare for the user.
    pub cadence: Option<Duration>,
    /// Whether what is seen for the first time goes into the ledger.
    pub record: Record,
}

/// Whether the ledger is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Record {
    /// Only looks.
    #[default]
    No,
    /// Notes what is new. A ledger that cannot be written is a note on stderr and changes nothing.
    Yes,
}

/// What IAM says of the two access keys of a rotation.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The access key that goes.
    pub old: KeyFacts,
    /// The access key that comes.
    pub new: KeyFacts,
    /// AWS's clock at the first of the answers; ours where nothing was answered.
    pub read_at: Timestamp,
    /// What could not be read, one clause each.
    pub unread: Vec<String>,
}

/// Asks IAM about both access keys. Every error that is no clean answer becomes unread.
#[must_use]
pub fn watch(
    iam: &dyn Iam,
    user: &UserName,
    account: Option<&AccountId>,
    (old, new): (&AccessKeyId, &AccessKeyId),
    local: Timestamp,
) -> Watched {
    let unknown = |id: &AccessKeyId| KeyFacts {
        id: id.clone(),
        status: None,
        last_used: LastUsed { at: None, service: "N/A".into(), region: "N/A".into() },
    };
    let (mut unread, mut times) = (Vec::new(), Vec::new());
    let mut keys = [unknown(old), unknown(new)];
    // The same user name may exist in another account: its list would say that both are gone.
    match iam.caller() {
        Ok(caller) => {
            for expected in [account.cloned(), old.account(), new.account()].into_iter().flatten() {
                if expected != caller.account {
                    unread.push(format!(
                        "these credentials are of account {}, and the access keys of {expected}",
                        caller.account
                    ));
                    break;
                }
            }
        }
        Err(error) => unread.push(error.message().to_owned()),
    }
    match iam.access_keys(user) {
        Ok(list) => {
            times.push(list.read_at);
            for key in &mut keys {
                let listed = list.keys.iter().find(|one| one.id == key.id);
                key.status = listed.map(|one| one.status.clone());
            }
            read_uses(iam, user, &mut keys, &mut times, &mut unread);
        }
        Err(error) => unread.push(error.message().to_owned()),
    }
    unread.dedup();
    let [old, new] = keys;
    Watched { old, new, read_at: times.into_iter().min().unwrap_or(local), unread }
}

/// The last use of every access key that is listed; one that is gone has none to ask for.
fn read_uses(
    iam: &dyn Iam,
    user: &UserName,
    keys: &mut [KeyFacts; 2],
    times: &mut Vec<Timestamp>,
    unread: &mut Vec<String>,
) {
    for key in keys.iter_mut().filter(|key| key.status.is_some()) {
        match iam.last_used(&key.id) {
            Ok(known) if &known.owner == user => {
                times.push(known.read_at);
                key.last_used = known.last_used;
            }
            Ok(known) => unread.push(format!(
                "IAM says that it belongs to user {}, not to {user}: {}",
                known.owner, key.id
            )),
            Err(error) => unread.push(error.message().to_owned()),
        }
    }
}

/// Gathers the facts of one rotation, afresh.
///
/// # Errors
/// `not-proposed` while no rewrite was pushed; a defect. What cannot be read is in `Facts::unread`.
pub fn gather(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
    extra: &Extra,
) -> Result<Facts> {
    let new = proposed(tracked)?;
    let keys = (&tracked.old, new);
    let account = tracked.account.as_ref();
    let watched = watch(seams.iam, &tracked.user, account, keys, (seams.clock)());
    gather_with(seams, wanted, tracked, extra, watched)
}

fn proposed(tracked: &Tracked) -> Result<&AccessKeyId> {
    tracked.new.as_ref().filter(|_| tracked.is_proposed()).ok_or_else(|| {
        Error::new(
            Kind::Waiting,
            "not-proposed",
            format!("no new pair was pushed yet for {}", tracked.old),
        )
        .hint("`keyroll resume` goes on with a rotation that was cut short")
    })
}

/// The same with what IAM said, or did not say.
///
/// # Errors
/// As [`gather`].
pub(super) fn gather_with(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
    extra: &Extra,
    watched: Watched,
) -> Result<Facts> {
    let new = proposed(tracked)?;
    let mut unread = watched.unread;
    let (replaced, forge_time, content) = match on_base(seams, wanted, tracked, new, &mut unread) {
        Ok(seen) => seen,
        Err(error) => {
            unread.push(error.message().to_owned());
            (Replaced::NotMerged, None, Content::default())
        }
    };
    let recorded = tracked.when(&Happening::Merged);
    let first_seen = (replaced == Replaced::Yes).then_some(watched.read_at);
    let places = if tracked.places.is_empty() { &content.planned } else { &tracked.places };
    let consumers = consumers(wanted, tracked, places);
    let mut facts = Facts {
        read_at: watched.read_at,
        old: watched.old,
        new: watched.new,
        merged_at: forge_time.or(recorded).or(first_seen),
        replaced,
        deployed_at: deployed(tracked, extra, &consumers),
        last_probe: tracked.last_probe(),
        consumers,
        declared_cadence: cadence(wanted, tracked, extra),
        observed: tracked.observed(),
        accept_infrequent: accepted(tracked, extra),
        unread,
    };
    if breakage::is_on("I9") {
        facts.unread.clear();
    }
    facts.observed.retain(|used| *used <= facts.read_at);
    if extra.record == Record::Yes {
        note_down(seams, tracked, extra, &facts);
    }
    Ok(facts)
}

/// What base says, together with where the pull request stands; and the forge's time of the merge.
///
/// The forge is asked before base is read: a merge in between is then seen in the content, and
/// never as a request that was merged while the old access key stayed.
fn on_base(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
    new: &AccessKeyId,
    unread: &mut Vec<String>,
) -> Result<(Replaced, Option<Timestamp>, Content)> {
    let named = match tracked.base.as_ref().or(wanted.base.as_ref()) {
        Some(name) => name.clone(),
        None => Base::read(seams.remote, None)?.reference,
    };
    let request = match &tracked.branch {
        Some(branch) => {
            seams.forge.find(branch, named.strip_prefix("refs/heads/").unwrap_or(&named))
        }
        None => Ok(None),
    };
    let base = Base::read(seams.remote, Some(&named))?;
    let content = content(seams, wanted, tracked, new, &base.commit)?;
    let whole = content.remains.is_empty() && content.lacks.is_empty();
    let state = match request {
        Ok(request) => request.filter(|one| one.number > 0).map(|one| one.state),
        Err(error) => {
            // What base holds decides; without that, only the forge can tell why it does not.
            if !whole {
                unread.push(error.message().to_owned());
            }
            None
        }
    };
    let merged_at = match &state {
        Some(State::Merged(at)) => Some(*at),
        _ => None,
    };
    let replaced = replaced(tracked, &content, state.as_ref());
    if replaced == Replaced::Yes {
        unread.extend(closed(&content));
    }
    Ok((replaced, merged_at, content))
}

/// Content decides; the pull request's state only explains why base is not there yet.
fn replaced(tracked: &Tracked, content: &Content, state: Option<&State>) -> Replaced {
    let seen_whole = tracked.when(&Happening::Merged).is_some();
    let lacks = !content.lacks.is_empty() && !seen_whole;
    if content.remains.is_empty() && !lacks {
        return Replaced::Yes;
    }
    let all_new = content.lacks.is_empty() && content.begun;
    match state {
        Some(State::Open) if !all_new => return Replaced::NotMerged,
        Some(State::Closed) if !content.begun => return Replaced::Closed,
        None if !content.begun && !seen_whole && !content.remains.is_empty() => {
            return Replaced::NotMerged;
        }
        _ => {}
    }
    if content.remains.is_empty() {
        let lacks = content.lacks.iter().map(ToString::to_string).collect();
        return Replaced::Lacks(lacks);
    }
    Replaced::Remains(content.remains.clone())
}

/// Why the old access key could still stand where nobody could look.
fn closed(content: &Content) -> Option<String> {
    if content.planned.is_empty() {
        return Some("it is not recorded where the new pair belongs".to_owned());
    }
    let first = content.locked.first()?;
    let count = crate::report::plural(content.locked.len(), "value");
    Some(format!("{count} of base stayed locked, such as {} ({})", first.place, first.lock.detail))
}

/// One consumer per planned file, because a file is what is deployed to an environment as a whole
/// and what a person can vouch for by name; and those that the settings declare.
fn consumers(wanted: &Wanted<'_>, tracked: &Tracked, planned: &[Planned]) -> Vec<Consumer> {
    let declared = (wanted.consumers)(tracked.user.as_str()).into_iter().map(|one| one.name);
    let mut all: Vec<Consumer> = Vec::new();
    for name in planned.iter().map(|place| place.path.clone()).chain(declared) {
        if !all.iter().any(|one| one.name == name) {
            all.push(Consumer { attested: tracked.attested(&name).is_some(), name });
        }
    }
    all
}

/// The same without looking at base.
///
/// # Errors
/// When the rotation's own commit cannot be read.
pub(super) fn consumers_of(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: &Tracked,
) -> Result<Vec<Consumer>> {
    let places = match &tracked.new {
        Some(new) => planned(seams, wanted, tracked, new)?,
        None => tracked.places.clone(),
    };
    Ok(consumers(wanted, tracked, &places))
}

/// T0 as far as it is settled: vouched for now, recorded, or attested for every consumer.
fn deployed(tracked: &Tracked, extra: &Extra, consumers: &[Consumer]) -> Option<Timestamp> {
    let attested = || {
        let times: Option<Vec<Timestamp>> =
            consumers.iter().map(|one| Some(tracked.attested(&one.name)?.1)).collect();
        times?.into_iter().max()
    };
    extra.deployed_at.or_else(|| tracked.when(&Happening::Deployed)).or_else(attested)
}

fn cadence(wanted: &Wanted<'_>, tracked: &Tracked, extra: &Extra) -> Option<Duration> {
    let declared = (wanted.consumers)(tracked.user.as_str());
    declared.iter().filter_map(|one| one.cadence).chain(extra.cadence).max()
}

fn accepted(tracked: &Tracked, extra: &Extra) -> Option<String> {
    let recorded = || tracked.told(&Happening::Attested, "accept_infrequent").map(str::to_owned);
    extra.accept_infrequent.clone().or_else(recorded)
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
