//! Tells people: the pull request, and the ledger's lines.

use serde_json::{Map, Value, json};

use super::run::{Run, digest};
use crate::error::{Error, Result};
use crate::forge::{
    ChangedPlace, Consumer, EnvironmentChanges, IndirectUse, LeftOut, Request, SetAside, State,
    Summary, body, title,
};
use crate::model::{Timestamp, visible};
use crate::repo::{Event, Happening, Ledger, Stamp};

/// The title of commit and pull request.
///
/// # Errors
/// A defect only.
pub(super) fn summary_title(run: &Run<'_>) -> Result<String> {
    Ok(title(&summary(run)?))
}

/// Everything the request's text tells; no value among it.
fn summary(run: &Run<'_>) -> Result<Summary> {
    let form = &run.wanted.form;
    Ok(Summary {
        user: run.user.clone(),
        old: run.wanted.old.clone(),
        new: run.new_id()?,
        account: Some(run.account.clone()),
        branch: run.intent.branch.clone(),
        base: run.thought.base.branch().to_owned(),
        environments: environments(run),
        set_aside: set_aside(run),
        indirect: run
            .thought
            .located
            .indirect
            .iter()
            .map(|one| IndirectUse { place: one.place.clone(), through: one.through.clone() })
            .collect(),
        consumers: (run.wanted.consumers)(run.user.as_str())
            .into_iter()
            .map(|one| Consumer { name: one.name, how: one.how, cadence: one.cadence })
            .collect(),
        added_recipients: Vec::new(),
        warnings: run.warnings.clone(),
        policy: run.seams.policy.clone(),
        title: form.title.clone(),
        template: form.template.clone(),
    })
}

fn environments(run: &Run<'_>) -> Vec<EnvironmentChanges> {
    let mut all: Vec<EnvironmentChanges> = Vec::new();
    for one in &run.thought.located.occurrences {
        let at = all.iter().position(|known| known.name == one.environment).unwrap_or_else(|| {
            let (name, changes, readers) = (one.environment.clone(), Vec::new(), Vec::new());
            all.push(EnvironmentChanges { name, changes, readers });
            all.len() - 1
        });
        let environment = &mut all[at];
        let (place, role) = (one.place.clone(), one.role.clone());
        environment.changes.push(ChangedPlace { place, role });
        if let Some(reader) = &one.opened_by
            && !environment.readers.contains(reader)
        {
            environment.readers.push(reader.clone());
        }
    }
    all
}

fn set_aside(run: &Run<'_>) -> Vec<SetAside> {
    let excluded = run.wanted.excluded.iter().map(|path| SetAside {
        path: path.clone(),
        how: LeftOut::Excluded,
        reason: None,
    });
    let accepted = run.wanted.accepted.iter().map(|one| SetAside {
        path: one.path.clone(),
        how: LeftOut::AcceptedLocked,
        reason: Some(one.reason.clone()),
    });
    excluded.chain(accepted).collect()
}

/// The pull request stands: the open one of this branch, or a new one.
///
/// # Errors
/// What the forge answered; branch and escrow are kept.
pub(super) fn propose(run: &mut Run<'_>) -> Result<()> {
    let summary = summary(run)?;
    let form = &run.wanted.form;
    let request = Request {
        head: summary.branch.clone(),
        base: summary.base.clone(),
        title: title(&summary),
        body: body(&summary),
        draft: form.draft,
        labels: form.labels.clone(),
        reviewers: form.reviewers.clone(),
        team_reviewers: form.team_reviewers.clone(),
    };
    let forge = run.seams.forge;
    let (pull_request, warnings) = forge.open(&request).map_err(|error| {
        let error = match forge.compare_url(&request.head, &request.base) {
            Some(url) => error.hint(format!("open it by hand: {url}")),
            None => error,
        };
        error.hint("the branch is pushed and the new pair is safe in it; `keyroll resume` goes on from here")
    })?;
    if pull_request.state == State::Closed {
        run.warnings.push("the pull request of this branch was closed by somebody".to_owned());
    }
    run.warnings.extend(warnings);
    let file = pull_request.file.as_ref().map(|file| file.to_string_lossy().into_owned());
    run.intent.pull_request = pull_request.url.clone().or(file);
    run.pull_request = Some(pull_request);
    Ok(())
}

/// The ledger knows of the rotation.
///
/// # Errors
/// Network errors; the rotation itself stands, and `resume` writes the record.
pub(super) fn record(run: &mut Run<'_>) -> Result<()> {
    if !run.seams.keeps_ledger {
        return Ok(());
    }
    let now = (run.seams.clock)();
    let stamp = Stamp { author: run.seams.author, at: now, signing: run.seams.signing };
    let ledger = Ledger::of(run.seams.remote);
    let started = Timestamp(run.intent.started_at);
    for (word, happening, at) in [
        ("started", Happening::Started, started),
        ("created", Happening::Created, started),
        ("proposed", Happening::Proposed, now),
    ] {
        let mut event =
            Event::new(format!("{}-{word}", run.intent.rotation), happening, at.to_string());
        event.rotation = Some(run.intent.rotation.clone());
        event.actor = Some(format!("{} <{}>", run.seams.author.name, run.seams.author.email));
        event.old = Some(run.intent.old.clone());
        event.new.clone_from(&run.intent.new);
        event.user = Some(run.intent.user.clone());
        event.account = Some(run.intent.account.clone());
        if word == "proposed" {
            event.evidence = evidence(run);
            event.digests = digests(run)?;
        }
        ledger.append(&run.wanted.old, &event, &stamp)?;
    }
    Ok(())
}

fn evidence(run: &Run<'_>) -> Map<String, Value> {
    let last_probe = run.intent.probes.iter().max().map(|at| Timestamp(*at).to_string());
    let used = run.intent.old_last_used.map(|at| Timestamp(at).to_string());
    let places: Vec<Value> = run
        .thought
        .plan
        .swaps()
        .iter()
        .map(|swap| {
            let route: Vec<String> = swap.place.route.words().iter().map(|word| visible(word)).collect();
            json!({ "path": swap.place.path.to_text(), "line": swap.place.line, "route": route, "role": swap.role.word() })
        })
        .collect();
    let fields = json!({
        "branch": run.intent.branch,
        "base": run.intent.base_branch,
        "base_commit": run.intent.base_commit,
        "commit": run.intent.rewritten,
        "pull_request": run.intent.pull_request,
        "last_probe": last_probe,
        "old_last_used": used,
        "places": places,
        "excluded": run.wanted.excluded,
        "accepted_locked": run.wanted.accepted.iter().map(|one| json!({"path": one.path, "reason": one.reason})).collect::<Vec<_>>(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Old and new digest of each planned file, so that a reviewer without identities can compare.
fn digests(run: &Run<'_>) -> Result<Map<String, Value>> {
    let commit = run.intent.rewritten.as_deref().ok_or_else(|| Error::bug("nothing was pushed"))?;
    let mut all = Map::new();
    for change in super::think::changes_between(run.seams, &run.thought, commit)? {
        let both = json!({ "old": digest(&change.before), "new": digest(&change.after) });
        all.insert(change.path.to_text(), both);
    }
    Ok(all)
}
