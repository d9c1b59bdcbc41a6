//! `keyroll check`: says of a pull request whether it rotates an access key and does nothing else.

use std::io::Write as _;

use super::args::CheckArgs;
use super::progress::Bar;
use super::session::Session;
use super::target::{Settings, Source, access, keyring};
use crate::error::{Error, Kind, Result};
use crate::model::visible;
use crate::protocol::{Checked, Inspection, check as compare};
use crate::report::{CheckAnswer, Outcome, Paint, annotations, check as report, step_summary};

/// Compares two commits. No network is used for a clone, and nothing of the branch is run; the
/// settings are those of the base.
///
/// # Errors
/// Wrong words or settings, or commits that cannot be read.
pub(super) fn check(session: &Session, args: &CheckArgs) -> Result<Outcome> {
    if args.repository.origin.base.is_some() {
        return Err(Error::new(
            Kind::Usage,
            "base-named-twice",
            "the range names the base, and --base does so again",
        )
        .hint("write it once: keyroll check BASE..HEAD"));
    }
    let target = args.target.as_deref();
    let source = Source::open(session, target, access(session, None))?;
    if let Source::Fetched(remote) = &source {
        remote.fetch_history()?;
    }
    let repository = source.repository();
    let base = commit(&source, &args.range.0)?;
    let head = commit(&source, &args.range.1)?;
    let settings = Settings::read(session, repository, &base, &args.repository)?;
    let listing = repository.list(&base)?;
    let keyring = keyring(session, repository, repository, &listing, &settings, &args.repository)?;
    let bar = Bar::new(session.shows_progress);
    let checked = compare(
        &Inspection {
            repository,
            keyring: &keyring,
            takes_part: &|path| settings.takes_part(path),
            pattern: &settings.pattern,
            ledgers: &ledgers(&args.repository.origin.remote),
            progress: &bar,
        },
        &base,
        &head,
    )?;
    bar.done();
    let name = target.map_or_else(|| session.cwd.to_string_lossy().into_owned(), visible);
    let outcome = report(&answer(&name, &checked), session.width, session.paint);
    if session.var("GITHUB_ACTIONS") == Some("true") {
        let plain = report(&answer(&name, &checked), session.width, Paint::Plain);
        in_actions(session, &checked, &plain.human);
    }
    Ok(outcome)
}

/// The commit that one end of the range names. Of an address these are its branches, with or without
/// `origin/` before them, and `HEAD` is its default branch.
fn commit(source: &Source, words: &str) -> Result<String> {
    let Source::Fetched(remote) = source else {
        return Ok(source.repository().head(Some(words))?.commit);
    };
    let default = if words.starts_with("HEAD") { remote.ls_remote()?.branch } else { None };
    let branch = match (&default, words.strip_prefix("HEAD")) {
        (Some(branch), Some(steps)) => format!("{branch}{steps}"),
        _ => words.strip_prefix("origin/").unwrap_or(words).to_owned(),
    };
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(&branch);
    let fetched = format!("refs/keyroll/fetched/heads/{branch}");
    let found =
        remote.objects().head(Some(&fetched)).or_else(|_| remote.objects().head(Some(words)));
    Ok(found?.commit)
}

/// Where a clone, or a bare repository, may hold the ledger.
fn ledgers(remote: &str) -> [String; 3] {
    [
        format!("refs/remotes/{remote}/keyroll/ledger"),
        "refs/heads/keyroll/ledger".to_owned(),
        "refs/keyroll/fetched/heads/keyroll/ledger".to_owned(),
    ]
}

fn answer<'a>(name: &'a str, checked: &'a Checked) -> CheckAnswer<'a> {
    let ids = checked.ids.as_ref();
    CheckAnswer {
        repository: name,
        base: &checked.base,
        base_moved: checked.base_moved,
        head: &checked.head,
        old: ids.map(|(old, _)| old),
        new: ids.map(|(_, new)| new),
        claim: checked.claim.as_ref().map(|(old, new)| (old, new)),
        changes: checked.exchanges.iter().map(|one| (&one.place, &one.role, &one.scheme)).collect(),
        findings: &checked.findings,
        proved: &checked.proved,
        unseen: &checked.unseen,
        locked: &checked.locked,
        files_changed: checked.files_changed,
        values_opened: checked.values_opened,
    }
}

/// In GitHub Actions the findings also stand beside the lines they are about, and the answer in the
/// summary of the step. Neither failing changes the answer.
fn in_actions(session: &Session, checked: &Checked, human: &str) {
    // On stderr, which the runner reads as well: stdout is the answer alone.
    for line in annotations(&checked.findings, &checked.unseen).lines() {
        super::say::note(line);
    }
    if let Some(path) = session.var("GITHUB_STEP_SUMMARY") {
        let text = step_summary("check", human);
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        drop(file.and_then(|mut file| file.write_all(text.as_bytes())));
    }
}
