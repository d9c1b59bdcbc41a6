//! The facts of a verdict as lines that a person can check (invariant I14).

use super::judge::deployed_at;
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
    for (fact, at, source) in [
        ("merged", facts.merged_at, "forge"),
        ("deployed", deployed_at(facts), "ledger"),
        ("last-probe", facts.last_probe, "ledger"),
    ] {
        if let Some(at) = at {
            list.push(Evidence { fact, value: at.to_string(), at: Some(at), source });
        }
    }
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
    let windows =
        format!("quiet {}, lag {}", format_duration(policy.quiet), format_duration(policy.lag));
    list.push(Evidence { fact: "windows", value: windows, at: None, source: "policy" });
    list
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
