//! On what an access key may be switched off: a verdict, proven disuse, or the word of a person
//! that somebody else has it. Each refusal says what to do next; nothing is changed here.

use std::time::Duration;

use super::intent::Intent;
use super::life::Life;
use super::locate::Located;
use super::seams::{Seams, Wanted};
use super::subject::Subject;
use super::think::{Base, search};
use super::trailers::Trailers;
use crate::breakage;
use crate::error::{Error, Kind, Result};
use crate::iam::Iam;
use crate::model::{AccessKeyId, Evidence, Policy, Verdict, Word, format_duration, visible};
use crate::report::plural;
use crate::rotation::LAST_USED_SPAN;

/// The least age of an access key that counts as unused.
const LEAST_AGE: Duration = Duration::from_secs(7 * 86_400);

/// What the switching off rests on.
#[derive(Debug, Clone, Default)]
pub struct Grounds {
    /// The access key that replaces it, which has to stay Active.
    pub new: Option<AccessKeyId>,
    /// The facts.
    pub evidence: Vec<Evidence>,
    /// What stops working.
    pub breaks: Vec<String>,
    /// What could not be looked at, without harm.
    pub warnings: Vec<String>,
}

/// The access key that replaces this one, by the record.
///
/// # Errors
/// `is-the-new-key`, `not-recorded`.
pub fn recorded_successor(id: &AccessKeyId, life: &Life) -> Result<AccessKeyId> {
    if let Some(new) = life.successor() {
        return Ok(new);
    }
    if let Some(rotation) = life.as_new.iter().find(|one| !one.given_up) {
        return Err(is_the_new_key(id, &rotation.old));
    }
    Err(Error::refused("not-recorded", format!("no rotation of ours replaces it: {id}"))
        .hint(format!("if it is in use: `keyroll rotate {id}` first"))
        .hint(format!("if nobody uses it: `keyroll deactivate {id} --unused --reason TEXT`"))
        .hint(format!("if somebody else has it: `keyroll deactivate {id} --compromised --reason TEXT --confirm {id}`")))
}

fn is_the_new_key(id: &AccessKeyId, old: &AccessKeyId) -> Error {
    Error::refused("is-the-new-key", format!("it is the new access key that replaces {old}: {id}"))
        .hint("were old and new swapped? only the old one is ever switched off")
        .hint(format!("to undo the rotation: `keyroll abort {old}` before its merge, `keyroll reactivate {old} --revert` after it"))
}

/// A verdict of right now: only *safe* is one.
///
/// # Errors
/// `verdict-waiting` (with the time to ask again), `verdict-in-use`, `verdict-unknown`, or the
/// verdict's own reason, such as `new-key-not-active`.
pub fn on_verdict(id: &AccessKeyId, new: AccessKeyId, verdict: Verdict) -> Result<Grounds> {
    let error = match verdict.word {
        word if word == Word::Safe || breakage::is_on("I1") => {
            let (evidence, new) = (verdict.evidence, Some(new));
            return Ok(Grounds { new, evidence, ..Grounds::default() });
        }
        Word::Waiting => Error::new(Kind::Waiting, "verdict-waiting", verdict.sentence),
        Word::InUse => Error::refused("verdict-in-use", verdict.sentence),
        // A fact that could not be read may be readable in a minute; a fact that is odd stays so.
        Word::Unknown if verdict.reason == "facts-missing" => {
            Error::new(Kind::Network, "verdict-unknown", verdict.sentence)
        }
        _ => Error::refused(verdict.reason, verdict.sentence),
    };
    let error = match verdict.next_check_at {
        Some(at) => error.hint(format!("ask again at {at}")).ask_again_at(at),
        None => error,
    };
    Err(error
        .hint(format!("`keyroll verify {id} --explain` shows every fact; nothing was changed")))
}

/// Nobody has used it for longer than its cadence, and it stands nowhere on base.
///
/// # Errors
/// `too-young` and `used-recently` (with the time to ask again), `age-unknown`, `still-stands`,
/// `locked-values`, `is-the-new-key`.
pub fn on_disuse(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    subject: &Subject,
    life: &Life,
) -> Result<Grounds> {
    let id = &wanted.old;
    let open = life.as_new.iter().find(|one| !one.given_up && !one.finished);
    if let (Some(rotation), None) = (open, life.successor()) {
        return Err(is_the_new_key(id, &rotation.old));
    }
    no_open_rotation(seams, subject, id)?;
    let declared = (wanted.consumers)(subject.user.as_str());
    let declared = declared.iter().filter_map(|one| one.cadence).max();
    idle(subject, seams.policy, declared)?;
    let base = Base::read(seams.remote, wanted.base.as_deref())?;
    let located = search(seams, wanted, id, &base.commit)?;
    if let Some(one) = located.occurrences.first() {
        let places = plural(located.occurrences.len(), "place");
        return Err(Error::refused(
            "still-stands",
            format!("it stands on {} at {places}, the first is {}: {id}", base.branch(), one.place),
        )
        .hint(format!("what stands in the repository may be used: `keyroll rotate {id}`, or remove the places first")));
    }
    complete(&located)?;
    let value = format!("stands nowhere on {} ({})", base.branch(), base.commit);
    let mut evidence =
        vec![Evidence { fact: "base-content", value, at: None, source: "repository" }];
    let aside = [("excluded", wanted.excluded.clone()), ("not-searched", unsearched(&located))];
    for (fact, paths) in aside.into_iter().filter(|(_, paths)| !paths.is_empty()) {
        let value = visible(&paths.join(", "));
        evidence.push(Evidence { fact, value, at: None, source: "repository" });
    }
    let cadence = declared.unwrap_or(seams.policy.assumed_cadence);
    let value = format_duration(cadence);
    evidence.push(Evidence { fact: "cadence", value, at: None, source: "policy" });
    Ok(Grounds { evidence, ..Grounds::default() })
}

fn unsearched(located: &Located) -> Vec<String> {
    located.survey.not_searched.iter().map(|one| one.path.to_text()).collect()
}

/// Old enough, and not used for longer than its cadence.
fn idle(subject: &Subject, policy: &Policy, declared: Option<Duration>) -> Result<()> {
    let id = &subject.key.id;
    let Some(created) = subject.key.created else {
        return Err(Error::refused("age-unknown", format!("IAM does not say how old it is: {id}"))
            .hint("what is unknown is never safe; try again later"));
    };
    let grown = created.plus(LEAST_AGE);
    if subject.at() < grown {
        return Err(Error::new(
            Kind::Waiting,
            "too-young",
            format!(
                "it was created at {created}, and is unused only after {}: {id}",
                format_duration(LEAST_AGE)
            ),
        )
        .ask_again_at(grown));
    }
    let Some(used) = subject.last_used.at else { return Ok(()) };
    let (cadence, whose) = match declared {
        Some(length) => (length, "declared"),
        None => (policy.assumed_cadence, "assumed"),
    };
    let over = used.plus(LAST_USED_SPAN).plus(cadence).plus(policy.lag);
    if subject.at() >= over {
        return Ok(());
    }
    Err(Error::new(
        Kind::Waiting,
        "used-recently",
        format!(
            "it was used at {used} (service {}), within its {whose} cadence of {}: {id}",
            visible(&subject.last_used.service),
            format_duration(cadence)
        ),
    )
    .hint(format!("find out who uses it, then `keyroll rotate {id}`; or ask again at {over}"))
    .ask_again_at(over))
}

fn complete(located: &Located) -> Result<()> {
    let locked = located.survey.locked();
    let Some(first) = locked.first() else { return Ok(()) };
    Err(Error::refused(
        "locked-values",
        format!(
            "{} stayed locked, the first at {}: {}",
            plural(locked.len(), "value"),
            first.place,
            first.lock.detail
        ),
    )
    .hint("what could not be looked at may hold it: give the identity with --identity")
    .hint("leave paths out that cannot hold it with --exclude GLOB; the record names them"))
}

/// Somebody else has it. Nothing is waited for; what will break is told.
///
/// # Errors
/// `is-the-new-key` for the new one of a rotation that is not merged: `abort` retires that.
pub fn on_compromise(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    subject: &Subject,
    life: &Life,
) -> Result<Grounds> {
    let id = &wanted.old;
    let base = Base::read(seams.remote, wanted.base.as_deref())?;
    let located = search(seams, wanted, id, &base.commit)?;
    if located.occurrences.is_empty() && life.successor().is_none() {
        let open = life.as_new.iter().find(|one| !one.given_up && !one.finished);
        if let Some(rotation) = open {
            return Err(is_the_new_key(id, &rotation.old));
        }
        no_open_rotation(seams, subject, id)?;
    }
    let mut grounds = without_repository(seams.iam, subject);
    for one in &located.occurrences {
        let scheme = one.scheme.to_string();
        grounds.breaks.push(format!("{} ({}, {scheme})", one.place, one.role.word()));
    }
    for one in (wanted.consumers)(subject.user.as_str()) {
        let how = one.how.map_or(String::new(), |how| format!(" ({how})"));
        grounds.breaks.push(visible(&format!("{}{how}", one.name)));
    }
    let locked = located.survey.locked().len();
    if locked > 0 {
        grounds
            .warnings
            .push(format!("{} stayed locked and may hold it too", plural(locked, "value")));
    }
    let value = match located.occurrences.len() {
        0 => format!("stands nowhere on {} that opens", base.branch()),
        n => format!("stands on {} at {}", base.branch(), plural(n, "place")),
    };
    let (fact, source) = ("base-content", "repository");
    grounds.evidence.push(Evidence { fact, value, at: None, source });
    Ok(grounds)
}

/// The same where the repository cannot be reached: an incident waits for nobody.
#[must_use]
pub fn without_repository(iam: &dyn Iam, subject: &Subject) -> Grounds {
    let mut grounds = Grounds::default();
    if let Some(at) = subject.last_used.at {
        let last = &subject.last_used;
        grounds.breaks.push(visible(&format!(
            "who used it last at {at} (service {}, region {})",
            last.service, last.region
        )));
    }
    let value = match iam.quarantine(&subject.user) {
        Ok(None) => return grounds,
        Ok(Some(policy)) => {
            grounds.warnings.push(format!(
                "AWS has quarantined user {} ({policy}): follow its support case before the policy is removed",
                subject.user
            ));
            policy
        }
        Err(error) => format!("not known: {}", error.message()),
    };
    grounds.evidence.push(Evidence { fact: "quarantine", value, at: None, source: "iam" });
    grounds
}

/// No rotation under way, here or on another machine, has just made this access key.
fn no_open_rotation(seams: &Seams<'_>, subject: &Subject, id: &AccessKeyId) -> Result<()> {
    for intent in Intent::all(seams.journal)? {
        if intent.new.as_deref() == Some(id.as_str()) {
            let old = AccessKeyId::new(intent.old)?;
            return Err(is_the_new_key(id, &old));
        }
    }
    let others = subject.listed.keys.iter().filter(|key| &key.id != id);
    for other in others {
        let tail = format!("/{}/{}", subject.user.in_ref(), other.id);
        for (name, tip) in seams.remote.ls_remote()?.refs {
            if !name.starts_with("refs/heads/") || !name.ends_with(&tail) {
                continue;
            }
            seams.remote.bring(&name, &tip)?;
            let told = Trailers::parse(&seams.remote.objects().message(&tip)?);
            let same_files = |tip: &str| -> Result<bool> {
                let objects = seams.remote.objects();
                match objects.parents(tip)?.first() {
                    Some(parent) => objects.same_files(tip, parent),
                    None => Ok(false),
                }
            };
            // A branch with a rewrite is left over after its merge; the record speaks for those.
            if told.is_some_and(|one| one.new.as_ref() == Some(id)) && same_files(&tip)? {
                return Err(is_the_new_key(id, &other.id));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{idle, on_verdict, recorded_successor};
    use crate::iam::{Caller, KeyList};
    use crate::model::{
        AccessKey, AccessKeyId, AccountId, KeyStatus, LastUsed, Policy, Timestamp, UserName,
        Verdict, Word,
    };
    use crate::protocol::life::{AsNew, Life};
    use crate::protocol::subject::Subject;
    use crate::repo::{Event, Happening};

    const DAY: i64 = 86_400;
    const NOW: i64 = 1_000 * DAY;

    fn id(text: &str) -> AccessKeyId {
        AccessKeyId::new(text).expect("shape")
    }

    fn subject(created: Option<i64>, used: Option<i64>) -> Subject {
        let account = AccountId::new("123456789012").expect("12 digits");
        let key = AccessKey {
            id: id("AKIAIOSFODNN7EXAMPLE"),
            status: KeyStatus::Active,
            created: created.map(Timestamp),
        };
        Subject {
            caller: Caller {
                account,
                arn: "arn:aws:iam::123456789012:user/operator".into(),
                user: None,
                root: false,
                access_key_id: None,
                at: Timestamp(NOW),
            },
            user: UserName::new("logs-writer").expect("legal"),
            last_used: LastUsed {
                at: used.map(Timestamp),
                service: "s3".into(),
                region: "N/A".into(),
            },
            listed: KeyList { keys: vec![key.clone()], read_at: Timestamp(NOW) },
            key,
        }
    }

    #[test]
    fn unused_is_old_enough_and_idle_for_longer_than_its_cadence() {
        let policy = Policy::default();
        let month = 31 * DAY + 15 * 60 + 4 * 3_600;
        let week = Some(std::time::Duration::from_secs(7 * DAY as u64));
        let rows = [
            (Some(NOW - 7 * DAY), None, None, Ok(())),
            (Some(NOW - 7 * DAY + 1), None, None, Err("too-young")),
            (None, None, None, Err("age-unknown")),
            (Some(0), Some(NOW - month), None, Ok(())),
            (Some(0), Some(NOW - month + 1), None, Err("used-recently")),
            (Some(0), Some(NOW - 8 * DAY), week, Ok(())),
            (Some(0), Some(NOW - 7 * DAY), week, Err("used-recently")),
        ];
        for (created, used, declared, wanted) in rows {
            let said = idle(&subject(created, used), &policy, declared);
            assert_eq!(said.map_err(|e| e.reason()), wanted, "{created:?} {used:?} {declared:?}");
        }
        let error = idle(&subject(Some(0), Some(NOW - DAY)), &policy, None).expect_err("used");
        let over = Timestamp(NOW - DAY + month).to_string();
        assert_eq!(error.next_check_at(), Some(over.as_str()));
    }

    #[test]
    fn only_safe_is_grounds_and_every_other_word_has_its_code() {
        let rows = [
            (Word::Waiting, "quiet-window", 4),
            (Word::InUse, "old-key-used", 3),
            (Word::Unknown, "facts-missing", 2),
            (Word::Unknown, "new-key-not-active", 3),
        ];
        let (old, new) = (id("AKIAIOSFODNN7EXAMPLE"), id("AKIAI44QH7DHBEXAMPLE"));
        let verdict = |word, reason| Verdict {
            word,
            reason,
            sentence: "said so".into(),
            next_check_at: Some(Timestamp(NOW)),
            evidence: vec![],
        };
        for (word, reason, code) in rows {
            let error = on_verdict(&old, new.clone(), verdict(word, reason)).expect_err("not safe");
            assert_eq!(error.kind().exit_code(), code, "{reason}");
            assert!(error.next_check_at().is_some());
        }
        let grounds = on_verdict(&old, new.clone(), verdict(Word::Safe, "quiet")).expect("safe");
        assert_eq!(grounds.new, Some(new));
    }

    #[test]
    fn only_a_recorded_old_key_has_a_successor() {
        let (old, new) = (id("AKIAIOSFODNN7EXAMPLE"), id("AKIAI44QH7DHBEXAMPLE"));
        let mut life = Life::default();
        let reason = |life: &Life| recorded_successor(&old, life).map_err(|e| e.reason());
        assert_eq!(reason(&life), Err("not-recorded"));
        life.as_new = vec![AsNew { old: new.clone(), given_up: false, finished: false }];
        assert_eq!(reason(&life), Err("is-the-new-key"));
        life.as_new[0].given_up = true;
        assert_eq!(reason(&life), Err("not-recorded"));
        let mut made = Event::new("1", Happening::Created, "2026-01-01T00:00:00Z");
        made.new = Some(new.to_string());
        life.events = vec![made];
        assert_eq!(reason(&life), Ok(new));
    }
}
