//! A rotation that is followed after its branch was pushed: read from the ledger, and where that
//! is off or has no record, from the rotation's branch or pull request. What follows from it is
//! left to `facts` and `rotation`.

use serde_json::Value;

use super::planned::Planned;
use super::seams::{Accepted, Seams};
use super::trailers::{Trailers, branch};
use crate::error::{Kind, Result};
use crate::model::{AccessKeyId, AccountId, Timestamp, UserName};
use crate::repo::{Event, Happening, Ledger};

/// The branches of rotations, without `refs/heads/`, unless `--branch-prefix` said otherwise.
pub(super) const PREFIX: &str = "keyroll/rotate";
/// How far behind a branch's tip the rewrite may stand: a forge can merge base into it.
const UPDATES: usize = 20;

/// A rotation under way, or one that ended.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// The rotation, unique per attempt.
    pub rotation: String,
    /// The IAM user.
    pub user: UserName,
    /// The account, where it was recorded.
    pub account: Option<AccountId>,
    /// The access key that goes.
    pub old: AccessKeyId,
    /// The access key that comes, once it is known.
    pub new: Option<AccessKeyId>,
    /// When it began, by AWS's clock.
    pub started_at: Option<Timestamp>,
    /// The rotation's branch, without `refs/heads/`.
    pub branch: Option<String>,
    /// The base branch, without `refs/heads/`; `None` for the remote's own default.
    pub base: Option<String>,
    /// The commit of base that was searched and planned on.
    pub base_commit: Option<String>,
    /// The commit with the new pair, once it is pushed.
    pub commit: Option<String>,
    /// The pull request's page or file.
    pub pull_request: Option<String>,
    /// Where the new pair belongs, as the ledger recorded it; empty where only a branch tells.
    pub places: Vec<Planned>,
    /// The routes that were given with `--pair`.
    pub pairs: Vec<String>,
    /// The paths whose locked values were accepted.
    pub accepted: Vec<Accepted>,
    /// The globs that were left out.
    pub excluded: Vec<String>,
    /// What the ledger says of this rotation, oldest first.
    pub events: Vec<Event>,
}

impl Tracked {
    /// The newest rotation of an access key that was not undone; `None` where nothing tells of one.
    ///
    /// # Errors
    /// `damaged-ledger`; network errors: "cannot tell" is never "none".
    pub fn find(seams: &Seams<'_>, old: &AccessKeyId) -> Result<Option<Self>> {
        let events =
            if seams.keeps_ledger { Ledger::of(seams.remote).read(old)? } else { Vec::new() };
        let known = of_events(old, &events).pop();
        if known.as_ref().is_some_and(|one| one.commit.is_some()) {
            return Ok(known);
        }
        let told = match of_branches(seams, Some(old))?.pop() {
            Some(found) => Some(found),
            None if known.is_some() => None,
            None => of_request(seams, old)?,
        };
        Ok(merged(known, told))
    }

    /// Every rotation that the ledger or a branch tells of and that was not undone, by old ID.
    ///
    /// # Errors
    /// As [`Tracked::find`].
    pub fn all(seams: &Seams<'_>) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        if seams.keeps_ledger {
            for (old, events) in Ledger::of(seams.remote).read_all()? {
                all.extend(of_events(&old, &events).pop());
            }
        }
        for found in of_branches(seams, None)? {
            match all.iter().position(|one| one.old == found.old) {
                Some(at) if all[at].commit.is_none() => {
                    let known = all.swap_remove(at);
                    all.extend(merged(Some(known), Some(found)));
                }
                Some(_) => {}
                None => all.push(found),
            }
        }
        all.sort_by(|a, b| a.old.cmp(&b.old));
        Ok(all)
    }

    /// When something last happened, as recorded.
    #[must_use]
    pub fn when(&self, happening: &Happening) -> Option<Timestamp> {
        let last = self.events.iter().rev().find(|event| &event.event == happening)?;
        Timestamp::parse(&last.at).ok()
    }

    /// The last value of an event's evidence.
    #[must_use]
    pub fn told(&self, happening: &Happening, field: &str) -> Option<&str> {
        let mut events = self.events.iter().rev().filter(|event| &event.event == happening);
        events.find_map(|event| event.evidence.get(field)?.as_str())
    }

    /// Since when the old access key is switched off, as recorded; `None` when it was switched on
    /// again or never off.
    #[must_use]
    pub fn inactive_since(&self) -> Option<Timestamp> {
        let turn =
            |event: &&Event| matches!(event.event, Happening::Deactivated | Happening::Reactivated);
        let last = self.events.iter().rev().find(turn)?;
        (last.event == Happening::Deactivated).then(|| Timestamp::parse(&last.at).ok())?
    }

    /// Whether the old access key is recorded as deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.events.iter().any(|event| event.event == Happening::Deleted)
    }

    /// Whether nothing is waited for any more: the old access key is deleted, or a pull request
    /// was opened that brings its pair back.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let last = |of: &dyn Fn(&Event) -> bool| self.events.iter().rposition(of);
        let reverted = last(&|event| event.event == Happening::Other("revert-proposed".to_owned()));
        self.is_deleted()
            || reverted.is_some_and(|at| {
                last(&|event| event.event == Happening::Proposed).is_none_or(|made| made < at)
            })
    }

    /// Whether a rewrite was pushed: before that there is nothing to verify.
    #[must_use]
    pub const fn is_proposed(&self) -> bool {
        self.commit.is_some() && self.new.is_some()
    }

    /// Our last probe with the new pair, as recorded.
    #[must_use]
    pub fn last_probe(&self) -> Option<Timestamp> {
        Timestamp::parse(self.told(&Happening::Proposed, "last_probe")?).ok()
    }

    /// Every use of the old access key that was ever recorded, oldest first.
    #[must_use]
    pub fn observed(&self) -> Vec<Timestamp> {
        let of_old =
            |event: &Event| event.evidence.get("old_last_used")?.as_str().map(str::to_owned);
        let mut uses: Vec<Timestamp> = self
            .events
            .iter()
            .filter_map(of_old)
            .filter_map(|text| Timestamp::parse(&text).ok())
            .collect();
        uses.sort_unstable();
        uses.dedup();
        uses
    }

    /// Who vouched that a consumer runs with the new access key, and when.
    #[must_use]
    pub fn attested(&self, consumer: &str) -> Option<(String, Timestamp)> {
        let vouched = self.events.iter().rev().find(|event| {
            event.event == Happening::Attested
                && event.evidence.get("place").and_then(Value::as_str) == Some(consumer)
        })?;
        Some((vouched.actor.clone().unwrap_or_default(), Timestamp::parse(&vouched.at).ok()?))
    }
}

/// The rotations that the ledger's lines tell of and that were not undone, oldest first.
fn of_events(old: &AccessKeyId, events: &[Event]) -> Vec<Tracked> {
    let mut names: Vec<&str> = Vec::new();
    for name in events.iter().filter_map(|event| event.rotation.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let of = |name: &&str| {
        // Lines without a rotation are of the access key itself (switched off, deleted).
        let ours = |event: &&Event| event.rotation.as_deref().is_none_or(|one| one == *name);
        let events: Vec<Event> = events.iter().filter(ours).cloned().collect();
        let undone = events.iter().any(|event| event.event == Happening::Aborted);
        if undone { None } else { of_rotation(old, name, events) }
    };
    names.iter().filter_map(of).collect()
}

fn of_rotation(old: &AccessKeyId, rotation: &str, events: Vec<Event>) -> Option<Tracked> {
    let user = events.iter().find_map(|event| event.user.as_deref())?;
    let user = UserName::new(user).ok()?;
    let text = |of: fn(&Event) -> Option<&String>| events.iter().rev().find_map(of).cloned();
    let account = text(|event| event.account.as_ref());
    let new = text(|event| event.new.as_ref()).and_then(|id| AccessKeyId::new(id).ok());
    let proposed = events.iter().rev().find(|event| event.event == Happening::Proposed);
    let evidence = |field: &str| proposed.and_then(|event| event.evidence.get(field));
    let word = |field: &str| evidence(field).and_then(Value::as_str).map(str::to_owned);
    let words = |field: &str| -> Vec<String> {
        let list = evidence(field).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let accepted = evidence("accepted_locked").cloned().unwrap_or_default();
    let places = evidence("places").and_then(Value::as_array);
    let short = |name: String| name.strip_prefix("refs/heads/").map(str::to_owned).unwrap_or(name);
    Some(Tracked {
        rotation: rotation.to_owned(),
        user,
        account: account.and_then(|account| AccountId::new(account).ok()),
        old: old.clone(),
        new,
        started_at: events.first().and_then(|event| Timestamp::parse(&event.at).ok()),
        branch: word("branch"),
        base: word("base").map(short),
        base_commit: word("base_commit"),
        commit: word("commit"),
        pull_request: word("pull_request"),
        places: places.into_iter().flatten().filter_map(Planned::read).collect(),
        pairs: words("pairs"),
        accepted: serde_json::from_value(accepted).unwrap_or_default(),
        excluded: words("excluded"),
        events,
    })
}

/// The rotations whose branches stand at the remote: of one access key, or all.
fn of_branches(seams: &Seams<'_>, old: Option<&AccessKeyId>) -> Result<Vec<Tracked>> {
    let refs = seams.remote.ls_remote()?.refs;
    let mut found = Vec::new();
    for (reference, tip) in &refs {
        let Some(name) = reference.strip_prefix("refs/heads/") else { continue };
        let meant = match old {
            Some(id) => name.rsplit('/').next() == Some(id.as_str()),
            None => name.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('/')),
        };
        if meant && let Some(one) = of_commit(seams, reference, tip, name, old)? {
            found.push(one);
        }
    }
    Ok(found)
}

/// What the commits of a branch tell; `None` when they are not a rotation's.
fn of_commit(
    seams: &Seams<'_>,
    reference: &str,
    tip: &str,
    branch: &str,
    old: Option<&AccessKeyId>,
) -> Result<Option<Tracked>> {
    seams.remote.bring(reference, tip)?;
    let objects = seams.remote.objects();
    let mut commit = tip.to_owned();
    for _ in 0..UPDATES {
        let Some(trailers) = Trailers::parse(&objects.message(&commit)?) else {
            // Further commits, such as base merged into the branch by a forge's button.
            let Some(parent) = objects.parents(&commit)?.first().cloned() else { return Ok(None) };
            if !objects.holds(&parent) {
                return Ok(None);
            }
            commit = parent;
            continue;
        };
        if old.is_some_and(|id| id != &trailers.old) || !branch.ends_with(trailers.old.as_str()) {
            return Ok(None);
        }
        let parent = objects.parents(&commit)?.first().cloned();
        let written = match &parent {
            Some(parent) if objects.holds(parent) => !objects.same_files(&commit, parent)?,
            _ => trailers.new.is_some(),
        };
        return Ok(Some(of_trailers(trailers, branch, parent, written.then_some(commit))));
    }
    Ok(None)
}

fn of_trailers(
    trailers: Trailers,
    branch: &str,
    base_commit: Option<String>,
    commit: Option<String>,
) -> Tracked {
    Tracked {
        rotation: trailers.rotation,
        user: trailers.user,
        account: Some(trailers.account),
        old: trailers.old,
        new: trailers.new,
        started_at: Some(trailers.started_at),
        branch: Some(branch.to_owned()),
        base: None,
        base_commit,
        commit,
        pull_request: None,
        places: Vec::new(),
        pairs: Vec::new(),
        accepted: Vec::new(),
        excluded: Vec::new(),
        events: Vec::new(),
    }
}

/// A rotation whose branch is gone: forges keep the head of a pull request.
fn of_request(seams: &Seams<'_>, old: &AccessKeyId) -> Result<Option<Tracked>> {
    let user = match seams.iam.last_used(old) {
        Ok(known) => known.owner,
        Err(error) if error.kind() == Kind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let name = branch(PREFIX, &user, old);
    let head = seams.remote.ls_remote()?;
    let base = head.branch.as_deref().unwrap_or("refs/heads/main");
    let base = base.strip_prefix("refs/heads/").unwrap_or(base);
    let Some(request) = seams.forge.find(&name, base)? else { return Ok(None) };
    let reference = format!("refs/pull/{}/head", request.number);
    let Some(tip) = head.refs.get(&reference) else { return Ok(None) };
    let found = of_commit(seams, &reference, tip, &name, Some(old))?;
    Ok(found.map(|one| Tracked { pull_request: request.url, ..one }))
}

/// What the ledger began to tell, completed by the branch of the same rotation.
fn merged(known: Option<Tracked>, told: Option<Tracked>) -> Option<Tracked> {
    match (known, told) {
        (Some(known), Some(told)) if known.rotation == told.rotation => {
            Some(Tracked { events: known.events, ..told })
        }
        // A branch is of an attempt that has no line yet: the newer one.
        (_, Some(told)) => Some(told),
        (known, None) => known,
    }
}

#[cfg(test)]
#[path = "tracked_tests.rs"]
mod tests;
