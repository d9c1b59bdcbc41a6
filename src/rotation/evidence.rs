//! The facts of a verdict as lines that a person can check (invariant I14).

use super::judge::{deployed_at, quiet_window};
use crate::breakage;
use crate::model::{Evidence, Facts, KeyFacts, KeyStatus, Policy, Replaced, format_duration};

pub(super) fn evidence(facts: &Facts, policy: &Policy) -> Vec<Evidence> {
    if breakage::is_on("I14") {
        return Vec::new();
    }
    let mut list = vec![
        status("old-status", &facts.old),
        last_used("old-last-used", &facts.old),
        status("new-status", &facts.new),
        last_used("new-last-used", &facts.new),
    ];
    let replaced = replaced(&facts.replaced);
    list.push(Evidence {
        fact: "base-content",
        value: replaced,
        at: facts.merged_at,
        source: "repository",
    });
    let seen_by = if facts.deployed_at.is_some() { "ledger" } else { "iam" };
    for (fact, at, source) in [
        ("merged", facts.merged_at, "forge"),
        ("deployed", deployed_at(facts), seen_by),
        ("last-probe", facts.last_probe, "ledger"),
    ] {
        if let Some(at) = at {
            list.push(Evidence { fact, value: at.to_string(), at: Some(at), source });
        }
    }
    list.extend(from_people(facts));
    list.extend(watched(facts, policy));
    let windows =
        format!("quiet {}, lag {}", format_duration(policy.quiet), format_duration(policy.lag));
    list.push(Evidence { fact: "windows", value: windows, at: None, source: "policy" });
    list
}

/// How well the old key's habits are known, and the window that follows.
fn watched(facts: &Facts, policy: &Policy) -> Vec<Evidence> {
    let uses = Evidence {
        fact: "old-uses-recorded",
        value: facts.observed.len().to_string(),
        at: facts.observed.last().copied(),
        source: "ledger",
    };
    let declared = facts.declared_cadence.map(|cadence| Evidence {
        fact: "declared-cadence",
        value: format_duration(cadence),
        at: None,
        source: "policy",
    });
    let quiet = deployed_at(facts).map(|deployed| {
        let quiet = quiet_window(facts, policy, deployed);
        let length = format_duration(quiet.window);
        Evidence {
            fact: "quiet-until",
            value: format!("{length} from {} and the lag ({})", quiet.start, quiet.why),
            at: Some(quiet.ends),
            source: "policy",
        }
    });
    [Some(uses), declared, quiet].into_iter().flatten().collect()
}

fn status(fact: &'static str, key: &KeyFacts) -> Evidence {
    let value = key.status.as_ref().map_or("gone", KeyStatus::word).to_owned();
    Evidence { fact, value, at: None, source: "iam" }
}

fn last_used(fact: &'static str, key: &KeyFacts) -> Evidence {
    let last = &key.last_used;
    let value = match last.at {
        Some(at) => format!("{at} service {} region {}", last.service, last.region),
        None => "no use recorded".to_owned(),
    };
    Evidence { fact, value: crate::model::visible(&value), at: last.at, source: "iam" }
}

fn replaced(replaced: &Replaced) -> String {
    match replaced {
        Replaced::Yes => "the new pair at every place, the old ID nowhere that opens".to_owned(),
        Replaced::NotMerged => "not merged".to_owned(),
        Replaced::Closed => "closed unmerged".to_owned(),
        Replaced::Remains(places) => {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            format!("the old access key stands at {}", places.join(", "))
        }
        Replaced::Lacks(places) => {
            format!("the new pair does not stand at {}", places.join(", "))
        }
        Replaced::Attested => "no clone was looked at".to_owned(),
    }
}

/// What persons said or left open, and what could not be read.
fn from_people(facts: &Facts) -> Vec<Evidence> {
    let mut list = Vec::new();
    let open: Vec<&str> =
        facts.consumers.iter().filter(|one| !one.attested).map(|one| one.name.as_str()).collect();
    if facts.consumers.len() > 1 && !open.is_empty() {
        list.push(Evidence {
            fact: "not-attested",
            value: open.join(", "),
            at: None,
            source: "repository",
        });
    }
    if let Some(reason) = &facts.accept_infrequent {
        list.push(Evidence {
            fact: "infrequent-accepted",
            value: reason.clone(),
            at: None,
            source: "person",
        });
    }
    for unread in &facts.unread {
        list.push(Evidence { fact: "unread", value: unread.clone(), at: None, source: "iam" });
    }
    list
}
