//! Every rotation in flight, how far it is and what it waits for; access keys that were left
//! behind or grew too old. What the repository tells is told without AWS.

use super::facts::{Extra, Watched, gather_with, watch};
use super::intent::Intent;
use super::overdue::{Leftover, OldKey, left_and_old};
use super::seams::{Seams, Wanted};
use super::tracked::Tracked;
use crate::error::Result;
use crate::model::{
    AccessKeyId, Facts, KeyFacts, KeyStatus, LastUsed, Replaced, Timestamp, Until, UserName, Word,
};
use crate::repo::Happening;
use crate::rotation::{deployed_at, judge};

/// One rotation in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    /// The rotation.
    pub rotation: String,
    /// The access key that goes.
    pub old: AccessKeyId,
    /// The access key that comes, once it is known.
    pub new: Option<AccessKeyId>,
    /// The IAM user.
    pub user: UserName,
    /// How far it is: `started`, `created`, `proposed`, `merged`, `deployed`, `quiet`,
    /// `deactivated`.
    pub step: &'static str,
    /// One clause.
    pub waits_for: String,
    /// The next command.
    pub next: Option<String>,
    /// When it is worth asking again.
    pub next_check_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// The branch.
    pub branch: Option<String>,
    /// The pull request's page or file.
    pub pull_request: Option<String>,
    /// Whether it waits longer than its windows.
    pub late: bool,
}

/// The answer of `status`.
#[derive(Debug)]
pub struct Status {
    /// What is in flight, by old ID.
    pub rotations: Vec<InFlight>,
    /// Access keys that are switched off and still exist.
    pub leftover: Vec<Leftover>,
    /// Active access keys older than `policy.max_age`.
    pub overdue: Vec<OldKey>,
    /// What could not be read, one clause each.
    pub unread: Vec<String>,
    /// AWS's clock, or ours where AWS could not be asked.
    pub read_at: Timestamp,
}

/// What the settings say of a rotation, for looking at it again.
pub type Settled<'t, 'w> = dyn Fn(&Tracked) -> Result<(Wanted<'w>, Extra)> + 't;

/// Looks at everything that the ledger, the branches and this machine's journal tell of.
///
/// # Errors
/// When the remote or the journal cannot be read.
pub fn status(
    seams: &Seams<'_>,
    settings: &Settled<'_, '_>,
    declared: &[UserName],
) -> Result<Status> {
    let (mut unread, read_at, aws) = match seams.iam.caller() {
        Ok(caller) => (Vec::new(), caller.at, true),
        Err(error) => (vec![error.message().to_owned()], (seams.clock)(), false),
    };
    let mut intents = Intent::all(seams.journal)?;
    intents.retain(|intent| intent.remote == seams.remote.address());
    let all = Tracked::all(seams)?;
    let mut rotations = Vec::new();
    for intent in &intents {
        rotations.push(cut_short(intent, seams, read_at)?);
    }
    let here = |one: &Tracked| intents.iter().any(|intent| intent.old == one.old.as_str());
    for tracked in all.iter().filter(|one| !one.is_over() && !here(one)) {
        let look = Look { seams, settings, aws: aws.then_some(()), read_at };
        rotations.extend(look.at(tracked, &mut unread)?);
    }
    rotations.sort_by(|a, b| a.old.cmp(&b.old));
    let (leftover, overdue) = if aws {
        left_and_old(seams, &all, declared, read_at, &mut unread)
    } else {
        (Vec::new(), Vec::new())
    };
    Ok(Status { rotations, leftover, overdue, unread, read_at })
}

/// A rotation that this machine began and did not finish.
fn cut_short(intent: &Intent, seams: &Seams<'_>, now: Timestamp) -> Result<InFlight> {
    let started = Timestamp(intent.started_at);
    let step = match (&intent.rewritten, &intent.new) {
        (Some(_), _) => "proposed",
        (None, Some(_)) => "created",
        (None, None) => "started",
    };
    Ok(InFlight {
        rotation: intent.rotation.clone(),
        old: AccessKeyId::new(intent.old.as_str())?,
        new: intent.new.as_deref().map(AccessKeyId::new).transpose()?,
        user: UserName::new(intent.user.as_str())?,
        step,
        waits_for: format!("it was cut short on this machine after step `{}`", intent.step),
        next: Some(format!("keyroll resume {}", intent.old)),
        next_check_at: None,
        started_at: Some(started),
        branch: Some(intent.branch.clone()),
        pull_request: intent.pull_request.clone(),
        late: now > started.plus(seams.policy.lag),
    })
}

struct Look<'l, 's, 'w> {
    seams: &'l Seams<'s>,
    settings: &'l Settled<'l, 'w>,
    /// Whether AWS can be asked.
    aws: Option<()>,
    read_at: Timestamp,
}

impl Look<'_, '_, '_> {
    /// `None` when the rotation is over: the old access key no longer exists.
    fn at(&self, tracked: &Tracked, unread: &mut Vec<String>) -> Result<Option<InFlight>> {
        if let Some(off) = tracked.inactive_since() {
            return Ok(Some(self.soaking(tracked, off)));
        }
        let Some(new) = tracked.new.as_ref().filter(|_| tracked.is_proposed()) else {
            return Ok(Some(self.locked(tracked)));
        };
        let (wanted, extra) = (self.settings)(tracked)?;
        let keys = (&tracked.old, new);
        let watched = match self.aws {
            Some(()) => {
                watch(self.seams.iam, &tracked.user, tracked.account.as_ref(), keys, self.read_at)
            }
            None => unasked(keys, self.read_at),
        };
        let of_aws = watched.unread.len();
        let facts = gather_with(self.seams, &wanted, tracked, &extra, watched)?;
        for clause in &facts.unread {
            if !unread.contains(clause) && clause != UNASKED {
                unread.push(clause.clone());
            }
        }
        let told = facts.unread.is_empty() && facts.replaced == Replaced::Yes;
        Ok(match &facts.old.status {
            None if told => None,
            Some(KeyStatus::Inactive) => Some(self.switched_off(tracked)),
            _ => Some(self.judged(tracked, &facts, of_aws)),
        })
    }

    /// What can be told in the order of the steps; the repository comes before AWS, of which the
    /// first `of_aws` unread facts are.
    fn judged(&self, tracked: &Tracked, facts: &Facts, of_aws: usize) -> InFlight {
        let policy = self.seams.policy;
        let replaced = judge(&repository_only(facts, of_aws), policy, Until::Replaced);
        let until = if replaced.word == Word::Safe { Until::Quiet } else { Until::Replaced };
        let verdict = if until == Until::Quiet { judge(facts, policy, until) } else { replaced };
        let deployed = deployed_at(facts).filter(|_| until == Until::Quiet);
        let (step, since, limit) = match (&facts.replaced, verdict.word, deployed) {
            (_, Word::Safe, Some(_)) => {
                let over = verdict.evidence.iter().find(|fact| fact.fact == "quiet-until");
                ("quiet", over.and_then(|fact| fact.at), policy.quiet)
            }
            (_, _, Some(at)) => {
                ("deployed", Some(at), policy.assumed_cadence + policy.quiet + policy.lag)
            }
            (Replaced::Yes | Replaced::Attested, _, None) => {
                ("merged", facts.merged_at, policy.quiet)
            }
            (_, Word::Unknown, None) if tracked.when(&Happening::Merged).is_some() => {
                ("merged", tracked.when(&Happening::Merged), policy.quiet)
            }
            _ => {
                let proposed = tracked.when(&Happening::Proposed).or(tracked.started_at);
                ("proposed", proposed, policy.quiet)
            }
        };
        let waits_for = match (step, verdict.word) {
            ("quiet", _) => "somebody to switch the old access key off".to_owned(),
            _ => verdict.sentence.clone(),
        };
        InFlight {
            waits_for,
            next: next(tracked, step, verdict.reason),
            next_check_at: verdict.next_check_at,
            late: since.is_some_and(|since| self.read_at > since.plus(limit)),
            ..self.plain(tracked, step)
        }
    }

    fn plain(&self, tracked: &Tracked, step: &'static str) -> InFlight {
        InFlight {
            rotation: tracked.rotation.clone(),
            old: tracked.old.clone(),
            new: tracked.new.clone(),
            user: tracked.user.clone(),
            step,
            waits_for: String::new(),
            next: None,
            next_check_at: None,
            started_at: tracked.started_at,
            branch: tracked.branch.clone(),
            pull_request: tracked.pull_request.clone(),
            late: false,
        }
    }

    /// The old access key is switched off and not deleted yet.
    fn soaking(&self, tracked: &Tracked, off: Timestamp) -> InFlight {
        let policy = self.seams.policy;
        let ends = off.plus(policy.soak);
        let over = self.read_at >= ends;
        let waits_for = if over {
            "somebody to delete the old access key".to_owned()
        } else {
            format!("the soak of the old access key, switched off at {off}")
        };
        InFlight {
            waits_for,
            next: Some(format!("keyroll delete {0} --confirm {0}", tracked.old)),
            next_check_at: (!over).then_some(ends),
            late: self.read_at > ends.plus(policy.quiet),
            ..self.plain(tracked, "deactivated")
        }
    }

    /// Switched off, and no record tells since when.
    fn switched_off(&self, tracked: &Tracked) -> InFlight {
        let delete = format!("keyroll delete {0} --confirm {0}", tracked.old);
        InFlight {
            waits_for: "somebody to say since when the old access key is switched off".to_owned(),
            next: Some(format!("{delete} --inactive-since TIME")),
            ..self.plain(tracked, "deactivated")
        }
    }

    /// Only the lock stands: the machine that holds it works, or is gone.
    fn locked(&self, tracked: &Tracked) -> InFlight {
        let step = if tracked.new.is_some() { "created" } else { "started" };
        let since = tracked.started_at;
        InFlight {
            waits_for: "the machine that began it, which may be gone".to_owned(),
            next: Some(format!("keyroll resume {} --takeover", tracked.old)),
            late: since.is_some_and(|at| self.read_at > at.plus(self.seams.policy.lag)),
            ..self.plain(tracked, step)
        }
    }
}

/// Stands in the place of IAM's answers when AWS could not be asked at all.
const UNASKED: &str = "AWS could not be asked";

fn unasked((old, new): (&AccessKeyId, &AccessKeyId), read_at: Timestamp) -> Watched {
    let key = |id: &AccessKeyId| KeyFacts {
        id: id.clone(),
        status: None,
        last_used: LastUsed { at: None, service: "N/A".into(), region: "N/A".into() },
    };
    Watched { old: key(old), new: key(new), read_at, unread: vec![UNASKED.to_owned()] }
}

/// The same facts without what AWS did not say, and a new key that is taken to be Active: what
/// base says is then all that `judge` looks at.
fn repository_only(facts: &Facts, of_aws: usize) -> Facts {
    let mut facts = facts.clone();
    facts.unread.drain(..of_aws);
    facts.new.status = Some(KeyStatus::Active);
    facts
}

fn next(tracked: &Tracked, step: &str, reason: &str) -> Option<String> {
    let old = &tracked.old;
    Some(match (step, reason) {
        ("proposed", "not-merged") => "review and merge the pull request".to_owned(),
        ("proposed", "closed-unmerged") => "keyroll abort".to_owned(),
        ("proposed", _) => format!("keyroll find {old}"),
        ("merged", _) => format!("keyroll verify {old} --until deployed --wait 30m"),
        ("quiet", _) => format!("keyroll deactivate {old}"),
        _ => format!("keyroll verify {old}"),
    })
}
