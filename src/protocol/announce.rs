//! Tells people: the pull request, and the ledger's lines.

use serde_json::{Map, Value, json};

use super::locate::Located;
use super::run::{Run, digest, record_event};
use super::seams::{Seams, Wanted};
use crate::error::{Error, Result};
use crate::forge::{
    ChangedPlace, Consumer, EnvironmentChanges, IndirectUse, LeftOut, PullRequest, Request,
    SetAside, State, Summary, body, title,
};
use crate::model::{AccessKeyId, AccountId, Timestamp, UserName, visible};
use crate::repo::{Event, Happening};

/// The title of commit and pull request.
///
/// # Errors
/// A defect only.
pub(super) fn summary_title(run: &Run<'_>) -> Result<String> {
    Ok(title(&summary(run)?))
}

/// Everything the request's text tells; no value among it.
fn summary(run: &Run<'_>) -> Result<Summary> {
    let of = Subject {
        user: &run.user,
        account: &run.account,
        new: &run.new_id()?,
        branch: &run.intent.branch,
        base: run.thought.base.branch(),
        located: &run.thought.located,
    };
    let mut summary = describe(run.seams, run.wanted, &of);
    summary.warnings.clone_from(&run.warnings);
    Ok(summary)
}

/// The rotation that a request's text is about.
pub(super) struct Subject<'a> {
    pub(super) user: &'a UserName,
    pub(super) account: &'a AccountId,
    pub(super) new: &'a AccessKeyId,
    pub(super) branch: &'a str,
    pub(super) base: &'a str,
    pub(super) located: &'a Located,
}

fn describe(seams: &Seams<'_>, wanted: &Wanted<'_>, of: &Subject<'_>) -> Summary {
    let indirect = of.located.indirect.iter();
    let consumers = (wanted.consumers)(of.user.as_str()).into_iter();
    Summary {
        user: of.user.clone(),
        old: wanted.old.clone(),
        new: of.new.clone(),
        account: Some(of.account.clone()),
        branch: of.branch.to_owned(),
        base: of.base.to_owned(),
        environments: environments(of.located),
        set_aside: set_aside(wanted),
        indirect: indirect
            .map(|one| IndirectUse { place: one.place.clone(), through: one.through.clone() })
            .collect(),
        consumers: consumers
            .map(|one| Consumer { name: one.name, how: one.how, cadence: one.cadence })
            .collect(),
        added_recipients: Vec::new(),
        warnings: Vec::new(),
        policy: seams.policy.clone(),
        title: wanted.form.title.clone(),
        template: wanted.form.template.clone(),
    }
}

fn environments(located: &Located) -> Vec<EnvironmentChanges> {
    let mut all: Vec<EnvironmentChanges> = Vec::new();
    for one in &located.occurrences {
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

fn set_aside(wanted: &Wanted<'_>) -> Vec<SetAside> {
    let excluded = wanted.excluded.iter().map(|path| SetAside {
        path: path.clone(),
        how: LeftOut::Excluded,
        reason: None,
    });
    let accepted = wanted.accepted.iter().map(|one| SetAside {
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
    if run.merged {
        let base = run.thought.base.branch();
        run.pull_request = run.seams.forge.find(&run.intent.branch, base)?;
        run.warnings.push("the rotation was merged before it was recorded".to_owned());
        return Ok(());
    }
    let summary = summary(run)?;
    let (pull_request, warnings) = ask(run.seams, run.wanted, &summary)?;
    if pull_request.state == State::Closed {
        run.warnings.push("the pull request of this branch was closed by somebody".to_owned());
    }
    run.warnings.extend(warnings);
    let file = pull_request.file.as_ref().map(|file| file.to_string_lossy().into_owned());
    run.intent.pull_request = pull_request.url.clone().or(file);
    run.pull_request = Some(pull_request);
    Ok(())
}

/// Opens the request that belongs to a branch which is pushed already.
///
/// # Errors
/// What the forge answered; the branch is kept.
pub(super) fn propose_branch(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    of: &Subject<'_>,
) -> Result<(PullRequest, Vec<String>)> {
    ask(seams, wanted, &describe(seams, wanted, of))
}

fn ask(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    summary: &Summary,
) -> Result<(PullRequest, Vec<String>)> {
    let form = &wanted.form;
    let request = Request {
        head: summary.branch.clone(),
        base: summary.base.clone(),
        title: title(summary),
        body: body(summary),
        draft: form.draft,
        labels: form.labels.clone(),
        reviewers: form.reviewers.clone(),
        team_reviewers: form.team_reviewers.clone(),
    };
    seams.forge.open(&request).map_err(|error| {
        let error = match seams.forge.compare_url(&request.head, &request.base) {
            Some(url) => error.hint(format!("open it by hand: {url}")),
            None => error,
        };
        error
            .hint("the branch is pushed and the new pair is safe in it: run the same command again")
    })
}

/// The ledger knows of the rotation.
///
/// # Errors
/// Network errors; the rotation itself stands, and `resume` writes the record.
pub(super) fn record(run: &mut Run<'_>) -> Result<()> {
    if !run.seams.keeps_ledger {
        return Ok(());
    }
    let started = Timestamp(run.intent.started_at);
    for (word, happening, at) in [
        ("started", Happening::Started, started),
        ("created", Happening::Created, started),
        ("proposed", Happening::Proposed, (run.seams.clock)()),
    ] {
        let name = format!("{}-{word}", run.intent.rotation);
        let mut event = Event::new(name, happening, at.to_string());
        if word == "proposed" {
            event.evidence = evidence(run);
            event.digests = digests(run)?;
        }
        record_event(run.seams, &run.intent, event)?;
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
        "pull_request": run.pull_request.as_ref().and_then(|one| one.url.clone()),
        "last_probe": last_probe,
        "old_last_used": used,
        "places": places,
        "pairs": run.intent.pairs,
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
    if run.merged {
        return Ok(Map::new());
    }
    run.seams.remote.bring(&run.reference(), commit)?;
    let mut all = Map::new();
    for change in super::think::changes_between(run.seams, &run.thought, commit)? {
        let both = json!({ "old": digest(&change.before), "new": digest(&change.after) });
        all.insert(change.path.to_text(), both);
    }
    Ok(all)
}
