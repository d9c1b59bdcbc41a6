//! From facts to a verdict. Pure: the windows are the policy's, the times AWS's, and whatever is
//! unknown is never safe (invariant I9).

use std::time::Duration;

use super::evidence::evidence;
use crate::model::{
    Facts, KeyStatus, Policy, Replaced, Timestamp, Until, Verdict, Word, format_duration,
};

/// IAM records the first use of each span of this length only.
pub const LAST_USED_SPAN: Duration = Duration::from_secs(15 * 60);

/// Says whether the old access key may go, or how far the rotation is.
#[must_use]
pub fn judge(facts: &Facts, policy: &Policy, until: Until) -> Verdict {
    let evidence = evidence(facts, policy);
    let say = |word, reason, sentence: String, next| Verdict {
        word,
        reason,
        sentence,
        next_check_at: next,
        evidence: evidence.clone(),
    };
    if let Some(unread) = facts.unread.first() {
        return say(Word::Unknown, "facts-missing", format!("it cannot be told: {unread}"), None);
    }
    if let Some((word, reason, sentence)) = not_replaced(facts) {
        let next = (word == Word::Waiting).then(|| facts.read_at.plus(LAST_USED_SPAN));
        return say(word, reason, sentence, next);
    }
    if facts.new.status != Some(KeyStatus::Active) {
        let id = &facts.new.id;
        return say(
            Word::Unknown,
            "new-key-not-active",
            format!("the new access key is not Active: {id}"),
            None,
        );
    }
    if until == Until::Replaced {
        let sentence = match facts.replaced {
            Replaced::Attested => "no clone was looked at: a person vouches for the new pair",
            _ => "the new pair stands on the base branch",
        };
        return say(Word::Safe, "replaced", sentence.to_owned(), None);
    }
    let Some(deployed) = deployed_at(facts) else {
        let next = Some(facts.read_at.plus(LAST_USED_SPAN));
        let sentence = "no use of the new access key is recorded since the merge".to_owned();
        return say(Word::Waiting, "not-deployed", sentence, next);
    };
    if until == Until::Deployed {
        return say(
            Word::Safe,
            "deployed",
            format!("the new access key is in use since {deployed}"),
            None,
        );
    }
    let (word, reason, sentence, next) = quiet(facts, policy, deployed);
    say(word, reason, sentence, next)
}

fn not_replaced(facts: &Facts) -> Option<(Word, &'static str, String)> {
    match &facts.replaced {
        Replaced::Yes | Replaced::Attested => None,
        Replaced::NotMerged => {
            Some((Word::Waiting, "not-merged", "the pull request is not merged yet".to_owned()))
        }
        Replaced::Closed => Some((
            Word::InUse,
            "closed-unmerged",
            "the pull request was closed unmerged: the old pair still stands on base".to_owned(),
        )),
        Replaced::Remains(places) => {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            let sentence = format!("the old access key still stands at {}", shown(&places));
            Some((Word::InUse, "occurrence-remains", sentence))
        }
        Replaced::Lacks(places) => {
            let sentence = format!("the new pair does not stand at {}", shown(places));
            Some((Word::InUse, "pair-missing", sentence))
        }
    }
}

/// The first of several places, and how many more there are.
fn shown(places: &[String]) -> String {
    let first = places.first().map(String::as_str).unwrap_or_default();
    match places.len() {
        0 | 1 => first.to_owned(),
        2 => format!("{first} and one more place"),
        n => format!("{first} and {} more places", n - 1),
    }
}

/// T0: the recorded observation, else a use of the new key after the merge that was not our probe.
#[must_use]
pub fn deployed_at(facts: &Facts) -> Option<Timestamp> {
    if facts.deployed_at.is_some() {
        return facts.deployed_at;
    }
    let used = facts.new.last_used.at?;
    let merged = facts.merged_at?;
    let probe_over = facts.last_probe.map(|probe| probe.plus(LAST_USED_SPAN));
    let ours = facts.new.last_used.service == "sts" && probe_over.is_none_or(|over| used <= over);
    (used >= merged && !ours).then_some(used)
}

/// How long the old access key has to show no use, and from when on.
pub(super) struct Quiet {
    /// From the deploy, the merge or the old key's last use, whatever was last.
    pub start: Timestamp,
    /// The window, without IAM's lag.
    pub window: Duration,
    /// Why it is that long.
    pub why: String,
    /// When IAM has to be asked, the lag included.
    pub ends: Timestamp,
}

pub(super) fn quiet_window(facts: &Facts, policy: &Policy, deployed: Timestamp) -> Quiet {
    let (window, why) = window(facts, policy, deployed);
    let start = [Some(deployed), facts.merged_at, old_use_over(facts)].into_iter().flatten().max();
    let start = start.unwrap_or(deployed);
    Quiet { start, window, why, ends: start.plus(window).plus(policy.lag) }
}

fn quiet(
    facts: &Facts,
    policy: &Policy,
    deployed: Timestamp,
) -> (Word, &'static str, String, Option<Timestamp>) {
    let Quiet { start, window, why, ends } = quiet_window(facts, policy, deployed);
    let id = &facts.old.id;
    if facts.old.status.is_none() {
        return (Word::Safe, "deleted", format!("the old access key no longer exists: {id}"), None);
    }
    if facts.read_at >= ends {
        let up_to = facts.read_at.minus(policy.lag);
        let sentence =
            format!("no use of the old access key is recorded from {start} up to {up_to}");
        return (Word::Safe, "quiet", sentence, None);
    }
    let since = facts.old.last_used.at.filter(|used| *used > deployed);
    match since {
        Some(used) => {
            let last = &facts.old.last_used;
            let sentence = format!(
                "the old access key was used at {used}, after the new one was deployed (service {}, region {})",
                crate::model::visible(&last.service),
                crate::model::visible(&last.region)
            );
            (Word::InUse, "old-key-used", sentence, Some(ends))
        }
        None => {
            let length = format_duration(window);
            let sentence = format!(
                "the old access key must show no use for {length} ({why}) and {} more for IAM's lag",
                format_duration(policy.lag)
            );
            (Word::Waiting, "quiet-window", sentence, Some(ends))
        }
    }
}

/// The last second that the old key's recorded use may stand for.
fn old_use_over(facts: &Facts) -> Option<Timestamp> {
    facts.old.last_used.at.map(|used| used.plus(LAST_USED_SPAN))
}

/// How long the old key must be quiet, and why that long.
fn window(facts: &Facts, policy: &Policy, deployed: Timestamp) -> (Duration, String) {
    let mut length = policy.quiet;
    let mut why = "policy".to_owned();
    let open = facts.consumers.iter().filter(|one| !one.attested).count();
    if facts.consumers.len() > 1 && open > 0 {
        let (cadence, source) = match facts.declared_cadence {
            Some(declared) => (declared, "declared cadence"),
            None => (policy.assumed_cadence, "assumed cadence"),
        };
        if cadence > length {
            length = cadence;
            why = format!(
                "{source}, because {open} of {} places are not attested",
                facts.consumers.len()
            );
        }
    }
    if facts.accept_infrequent.is_some() {
        return (length, why);
    }
    if let Some(rare) = infrequent(facts, policy, deployed)
        && rare > length
    {
        length = rare;
        why = "the old access key is used rarely".to_owned();
    }
    (length, why)
}

/// Twice the largest known gap between uses, for a key that was seen too seldom to know better.
fn infrequent(facts: &Facts, policy: &Policy, deployed: Timestamp) -> Option<Duration> {
    let mut uses: Vec<Timestamp> =
        facts.observed.iter().copied().filter(|at| *at <= deployed).collect();
    uses.extend(facts.old.last_used.at.filter(|at| *at <= deployed));
    uses.sort_unstable();
    uses.dedup();
    let Some(last) = uses.last() else { return Some(policy.assumed_cadence) };
    let idle = deployed.since(*last);
    if uses.len() >= 3 || idle <= policy.quiet / 2 {
        return None;
    }
    let gap = uses.windows(2).map(|two| two[1].since(two[0])).max().unwrap_or_default().max(idle);
    // Whole hours, upward: a person reads it.
    Some(Duration::from_secs(gap.as_secs().saturating_mul(2).div_ceil(3_600).saturating_mul(3_600)))
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::model::{
        AccessKeyId, Consumer, Facts, KeyFacts, KeyStatus, LastUsed, Place, Policy, Replaced,
        RepoPath, Route, Span, Timestamp, Until, Word,
    };

    const DAY: i64 = 86_400;
    const MERGE: i64 = 1_000 * DAY;

    fn used(at: Option<i64>, service: &str) -> LastUsed {
        LastUsed { at: at.map(Timestamp), service: service.into(), region: "N/A".into() }
    }

    fn key(id: &str, at: Option<i64>, service: &str) -> KeyFacts {
        let id = AccessKeyId::new(id).expect("shape");
        KeyFacts { id, status: Some(KeyStatus::Active), last_used: used(at, service) }
    }

    /// Merged, deployed an hour later, the old key used daily up to the deploy, read 30 days later.
    fn quiet_facts() -> Facts {
        Facts {
            read_at: Timestamp(MERGE + 30 * DAY),
            old: key("AKIAIOSFODNN7EXAMPLE", Some(MERGE), "s3"),
            new: key("AKIAI44QH7DHBEXAMPLE", Some(MERGE + 29 * DAY), "s3"),
            replaced: Replaced::Yes,
            merged_at: Some(Timestamp(MERGE)),
            deployed_at: Some(Timestamp(MERGE + 3_600)),
            last_probe: Some(Timestamp(MERGE - 3_600)),
            consumers: vec![Consumer { name: "one".into(), attested: false }],
            declared_cadence: None,
            observed: vec![],
            accept_infrequent: None,
            unread: vec![],
        }
    }

    fn word(facts: &Facts, until: Until) -> (Word, &'static str) {
        let verdict = judge(facts, &Policy::default(), until);
        (verdict.word, verdict.reason)
    }

    #[test]
    fn quiet_for_long_enough_is_safe() {
        assert_eq!(word(&quiet_facts(), Until::Quiet), (Word::Safe, "quiet"));
    }

    #[test]
    fn one_second_before_the_window_ends_is_waiting() {
        let mut facts = quiet_facts();
        let ends = MERGE + 3_600 + 7 * DAY + 4 * 3_600;
        facts.read_at = Timestamp(ends - 1);
        let verdict = judge(&facts, &Policy::default(), Until::Quiet);
        assert_eq!((verdict.word, verdict.next_check_at), (Word::Waiting, Some(Timestamp(ends))));
        facts.read_at = Timestamp(ends);
        assert_eq!(word(&facts, Until::Quiet).0, Word::Safe);
    }

    #[test]
    fn a_use_of_the_old_key_after_the_deploy_is_in_use_and_restarts_the_window() {
        let mut facts = quiet_facts();
        facts.old.last_used = used(Some(MERGE + 29 * DAY), "sqs");
        facts.observed = [2, 1, 0].map(|days| Timestamp(MERGE - days * DAY)).to_vec();
        let verdict = judge(&facts, &Policy::default(), Until::Quiet);
        assert_eq!((verdict.word, verdict.reason), (Word::InUse, "old-key-used"));
        assert!(verdict.sentence.contains("sqs"));
        let ends = MERGE + 29 * DAY + 15 * 60 + 7 * DAY + 4 * 3_600;
        assert_eq!(verdict.next_check_at, Some(Timestamp(ends)));
    }

    #[test]
    fn our_own_probe_is_no_deploy() {
        let mut facts = quiet_facts();
        facts.deployed_at = None;
        facts.last_probe = Some(Timestamp(MERGE + 60));
        facts.new.last_used = used(Some(MERGE + 60), "sts");
        assert_eq!(word(&facts, Until::Deployed), (Word::Waiting, "not-deployed"));
        facts.new.last_used = used(Some(MERGE + 60 + 901), "sts");
        assert_eq!(word(&facts, Until::Deployed).0, Word::Safe);
        facts.new.last_used = used(Some(MERGE + 60), "s3");
        assert_eq!(word(&facts, Until::Deployed).0, Word::Safe);
        facts.new.last_used = used(Some(MERGE - 1), "s3");
        assert_eq!(word(&facts, Until::Deployed).0, Word::Waiting);
    }

    #[test]
    fn an_sts_use_without_a_known_probe_is_no_deploy() {
        let mut facts = quiet_facts();
        facts.deployed_at = None;
        facts.last_probe = None;
        facts.new.last_used = used(Some(MERGE + DAY), "sts");
        assert_eq!(word(&facts, Until::Deployed), (Word::Waiting, "not-deployed"));
    }

    #[test]
    fn what_could_not_be_read_is_never_safe() {
        let mut facts = quiet_facts();
        facts.unread = vec!["IAM answered Throttling".into()];
        for until in [Until::Replaced, Until::Deployed, Until::Quiet] {
            assert_eq!(word(&facts, until), (Word::Unknown, "facts-missing"));
        }
    }

    #[test]
    fn the_base_branch_decides_first() {
        let mut facts = quiet_facts();
        facts.replaced = Replaced::NotMerged;
        assert_eq!(word(&facts, Until::Replaced), (Word::Waiting, "not-merged"));
        facts.replaced = Replaced::Remains(vec![Place {
            path: RepoPath::new(*b"a.yaml"),
            line: 3,
            route: Route::default(),
            span: Span::new(0, 1),
        }]);
        assert_eq!(word(&facts, Until::Quiet), (Word::InUse, "occurrence-remains"));
        facts.replaced = Replaced::Lacks(vec!["a.yaml:3".into(), "b.yaml:1".into()]);
        let verdict = judge(&facts, &Policy::default(), Until::Deployed);
        assert_eq!((verdict.word, verdict.reason), (Word::InUse, "pair-missing"));
        assert!(verdict.sentence.ends_with("a.yaml:3 and one more place"), "{}", verdict.sentence);
        facts.replaced = Replaced::Closed;
        assert_eq!(word(&facts, Until::Quiet), (Word::InUse, "closed-unmerged"));
    }

    #[test]
    fn a_new_key_that_is_not_active_is_unknown() {
        let mut facts = quiet_facts();
        facts.new.status = Some(KeyStatus::Inactive);
        assert_eq!(word(&facts, Until::Quiet), (Word::Unknown, "new-key-not-active"));
    }

    #[test]
    fn several_places_wait_for_the_slowest() {
        let mut facts = quiet_facts();
        facts.consumers.push(Consumer { name: "two".into(), attested: false });
        assert_eq!(word(&facts, Until::Quiet), (Word::Waiting, "quiet-window"));
        facts.declared_cadence = Some(std::time::Duration::from_secs(20 * DAY as u64));
        assert_eq!(word(&facts, Until::Quiet).0, Word::Safe);
        facts.declared_cadence = None;
        facts.consumers.iter_mut().for_each(|one| one.attested = true);
        assert_eq!(word(&facts, Until::Quiet).0, Word::Safe);
    }

    #[test]
    fn a_key_used_monthly_is_not_safe_after_a_week() {
        let mut facts = quiet_facts();
        facts.old.last_used = used(Some(MERGE - 20 * DAY), "s3");
        assert_eq!(word(&facts, Until::Quiet), (Word::Waiting, "quiet-window"));
        facts.accept_infrequent = Some("the monthly report ran".into());
        assert_eq!(word(&facts, Until::Quiet).0, Word::Safe);
        facts.accept_infrequent = None;
        facts.observed = vec![Timestamp(MERGE - 22 * DAY), Timestamp(MERGE - 21 * DAY)];
        assert_eq!(word(&facts, Until::Quiet).0, Word::Safe);
    }

    #[test]
    fn the_same_facts_give_the_same_verdict() {
        let facts = quiet_facts();
        let policy = Policy::default();
        assert_eq!(judge(&facts, &policy, Until::Quiet), judge(&facts, &policy, Until::Quiet));
    }
}
