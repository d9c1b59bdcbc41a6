//! `keyroll find`: searches one or more repositories and says where access keys are used.

use std::io::Read as _;

use serde_json::json;

use super::actions::{Annotation, Level, tell};
use super::args::FindArgs;
use super::progress::Bar;
use super::session::Session;
use super::target::{Settings, Source, access, keyring};
use crate::error::{Error, Kind, Result};
use crate::model::{AccessKeyId, Locked, Occurrence, Place, RepoPath, visible};
use crate::protocol::{Located, Past, Search, locate, locate_past};
use crate::repo::{Head, Listing};
use crate::report::{FindAnswer, Outcome, find as report, sarif};
use crate::rotation::Query;

/// Searches, and answers for all repositories together.
///
/// # Errors
/// Wrong words or settings, or a repository that cannot be read.
pub(super) fn find(session: &Session, args: &FindArgs) -> Result<Outcome> {
    let words = words(args)?;
    let repositories: Vec<&str> = args.targets.repositories().collect();
    let mut outcomes = Vec::new();
    if repositories.is_empty() {
        outcomes.push(find_in(session, args, &words, None)?);
    }
    for repository in repositories {
        outcomes.push(find_in(session, args, &words, Some(repository))?);
    }
    let mut outcome = together(outcomes);
    let lines = annotations(&outcome.json);
    tell(session, &mut outcome, args.output.get(), &lines);
    Ok(outcome)
}

/// As many as GitHub shows of one kind in a step.
const SHOWN: usize = 10;

/// The places for a workflow run: where access keys stand, and what could not be looked at.
fn annotations(answer: &serde_json::Value) -> Vec<Annotation> {
    let list =
        |of: &serde_json::Value, name: &str| of[name].as_array().cloned().unwrap_or_default();
    let repositories = list(answer, "repositories");
    let answers = if repositories.is_empty() { vec![answer.clone()] } else { repositories };
    let mut all = Vec::new();
    for (name, level, title, what) in [
        ("occurrences", Level::Notice, "access key", "access_key_id"),
        ("locked", Level::Warning, "could not look", "detail"),
    ] {
        let of_kind =
            answers.iter().flat_map(|one| list(one, name)).filter(|one| one["role"] != "secret");
        all.extend(of_kind.take(SHOWN).map(|one| {
            let word = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
            let message =
                format!("{}:{} {} ({})", word("path"), one["line"], word(what), word("scheme"));
            Annotation { level, title: title.to_owned(), message }
        }));
    }
    all
}

/// The words that are meant as access key IDs, from the command line and from `--ids-from`.
fn words(args: &FindArgs) -> Result<Vec<String>> {
    let mut words: Vec<String> = args.targets.ids().map(str::to_owned).collect();
    if let Some(path) = &args.ids_from {
        let mut text = String::new();
        let read = if path.as_os_str() == "-" {
            std::io::stdin().read_to_string(&mut text)
        } else {
            std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
        };
        read.map_err(|source| Error::io("read", path, &source))?;
        let lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        words.extend(lines.map(str::to_owned));
    }
    let other = args.all || args.text.is_some() || args.regex.is_some();
    match (words.is_empty(), other) {
        (true, false) => {
            Err(Error::new(Kind::Usage, "nothing-to-find", "no access key ID was named")
                .hint("give one or more IDs, or --all, --text STRING, --regex RE"))
        }
        (false, true) => Err(Error::new(
            Kind::Usage,
            "mixed-queries",
            "IDs and --all, --text or --regex exclude each other",
        )
        .hint("run keyroll find twice, once for each")),
        _ => Ok(words),
    }
}

fn query(
    args: &FindArgs,
    words: &[String],
    settings: &Settings,
) -> Result<(Query, Vec<AccessKeyId>)> {
    if args.all {
        return Ok((Query::all(&settings.pattern)?, Vec::new()));
    }
    if let Some(text) = &args.text {
        return Ok((Query::text(text)?, Vec::new()));
    }
    if let Some(pattern) = &args.regex {
        return Ok((Query::regex(pattern)?, Vec::new()));
    }
    let mut ids = Vec::new();
    for word in words {
        let id = settings.pattern.parse(word)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok((Query::ids(ids.clone())?, ids))
}

fn find_in(
    session: &Session,
    args: &FindArgs,
    words: &[String],
    target: Option<&str>,
) -> Result<Outcome> {
    let source = Source::open(session, target, access(session, None))?;
    let repository = source.repository();
    let head = match source.head(reference(args).as_deref()) {
        Ok(head) => Some(head),
        // Files can be searched before anything is committed.
        Err(error) if args.worktree && error.reason() == "unborn-branch" => None,
        Err(error) => return Err(error),
    };
    let commit = head.as_ref().map(|head| head.commit.as_str());
    let settings = Settings::read_if_any(session, repository, commit, &args.repository)?;
    let (query, ids) = query(args, words, &settings)?;
    let listing = match commit {
        Some(commit) if !args.worktree => repository.list(commit)?,
        _ => repository.list_worktree()?,
    };
    if !args.history {
        nothing_to_search(&settings, &listing)?;
    }
    let keyring = keyring(session, repository, repository, &listing, &settings, &args.repository)?;
    let bar = Bar::new(session.shows_progress);
    let search = Search {
        repository,
        keyring: &keyring,
        takes_part: &|path| settings.takes_part(path),
        wanted: &|bytes| query.is_in(bytes),
        progress: &bar,
    };
    let name = target.map_or_else(|| session.cwd.to_string_lossy().into_owned(), visible);
    let mut found = if args.history {
        if let Source::Fetched(remote) = &source {
            remote.fetch_history()?;
        }
        let history = repository.history()?;
        let past = locate_past(&search, &history, &query, &settings.pattern)?;
        Found::past(past, history.missing, listing)
    } else {
        Found::now(locate(&search, &listing, &query, &[], &settings.pattern)?)
    };
    bar.done();
    for one in &mut found.occurrences {
        one.environment = settings.config.environment_of(&one.place.path).map(str::to_owned);
    }
    Ok(found.outcome(session, &Asked { ids, name, head, scope: Scope::of(args) }))
}

/// What is read: `--ref`, else the base branch that was named, else what another remote calls its
/// default. `None` leaves it to the clone.
fn reference(args: &FindArgs) -> Option<String> {
    let origin = &args.repository.origin;
    let other =
        || (origin.remote != "origin").then(|| format!("refs/remotes/{}/HEAD", origin.remote));
    args.reference.clone().or_else(|| origin.base.clone()).or_else(other)
}

/// Which files were searched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Commit,
    Worktree,
    History,
}

impl Scope {
    const fn of(args: &FindArgs) -> Self {
        match (args.worktree, args.history) {
            (true, _) => Self::Worktree,
            (_, true) => Self::History,
            _ => Self::Commit,
        }
    }
}

/// What was asked of one repository.
struct Asked {
    ids: Vec<AccessKeyId>,
    name: String,
    head: Option<Head>,
    scope: Scope,
}

/// A filter that leaves no file must not read as "found nowhere".
fn nothing_to_search(settings: &Settings, listing: &Listing) -> Result<()> {
    let left = listing.files.iter().any(|entry| settings.takes_part(&entry.path));
    if left || listing.files.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Usage,
        "nothing-to-search",
        "no file of the repository takes part in this search",
    )
    .hint("check --include, --exclude, --environment and `paths` in keyroll.yaml"))
}

/// Everything one repository answered.
#[derive(Default)]
struct Found {
    occurrences: Vec<Occurrence>,
    /// The newest commit of each occurrence; empty but for a search of the past.
    commits: Vec<String>,
    ambiguous: Vec<(Place, Vec<Place>)>,
    indirect: Vec<(Place, String)>,
    locked: Vec<Locked>,
    not_searched: Vec<(RepoPath, &'static str)>,
    missing: usize,
    files_read: usize,
    values_opened: usize,
}

impl Found {
    fn now(located: Located) -> Self {
        let ambiguous = located.pairings.values().flat_map(|pairing| &pairing.ambiguous);
        let not_searched = located.survey.not_searched.iter();
        Self {
            ambiguous: ambiguous.map(|one| (one.id.clone(), one.candidates.clone())).collect(),
            indirect: located.indirect.into_iter().map(|one| (one.place, one.through)).collect(),
            locked: located.survey.locked(),
            not_searched: not_searched.map(|one| (one.path.clone(), one.what.word())).collect(),
            files_read: located.survey.files_read,
            values_opened: located.survey.values_opened,
            occurrences: located.occurrences,
            ..Self::default()
        }
    }

    fn past(past: Past, missing: usize, listing: Listing) -> Self {
        let (occurrences, commits) = past.occurrences.into_iter().unzip();
        // Links and submodules are told as they stand now.
        let now = listing.not_searched.into_iter().map(|one| (one.path, one.what.word()));
        Self {
            occurrences,
            commits,
            ambiguous: past.ambiguous,
            indirect: past.indirect,
            locked: past.locked,
            not_searched: now.chain(past.not_searched).collect(),
            missing,
            files_read: past.files_read,
            values_opened: past.values_opened,
        }
    }

    fn outcome(&self, session: &Session, asked: &Asked) -> Outcome {
        let mut ids = asked.ids.clone();
        if ids.is_empty() {
            ids = self.occurrences.iter().filter_map(|one| one.id.clone()).collect();
            ids.sort();
            ids.dedup();
        }
        let head = asked.head.as_ref();
        let committed = asked.scope != Scope::Worktree;
        let answer = FindAnswer {
            repository: &asked.name,
            commit: head.filter(|_| committed).map(|head| head.commit.as_str()),
            reference: match (asked.scope, head) {
                (Scope::Commit, Some(head)) => &head.reference,
                (Scope::History, _) => "every branch",
                _ => "work tree",
            },
            fetched_at: head.filter(|_| committed).and_then(|head| head.fetched_at),
            now: Session::now(),
            ids: &ids,
            occurrences: &self.occurrences,
            commits: &self.commits,
            ambiguous: &self.ambiguous,
            indirect: &self.indirect,
            locked: &self.locked,
            not_searched: &self.not_searched,
            missing: self.missing,
            files_read: self.files_read,
            values_opened: self.values_opened,
        };
        let mut outcome = report(&answer, session.width, session.paint);
        outcome.sarif = Some(sarif(&self.occurrences, &self.locked));
        outcome
    }
}

/// One answer for several repositories: incomplete if one is, found if one holds something.
fn together(mut outcomes: Vec<Outcome>) -> Outcome {
    if outcomes.len() == 1
        && let Some(only) = outcomes.pop()
    {
        return only;
    }
    let codes: Vec<u8> = outcomes.iter().map(|one| one.code).collect();
    let code = if codes.contains(&3) { 3 } else { codes.into_iter().min().unwrap_or(1) };
    let mut human = String::new();
    for one in &outcomes {
        let name = one.json.get("repository").and_then(|name| name.as_str()).unwrap_or_default();
        human.push_str(&format!("== {name}\n\n{}\n", one.human));
    }
    let complete = outcomes.iter().all(|one| one.json["complete"] == json!(true));
    let runs: Vec<serde_json::Value> = outcomes
        .iter()
        .filter_map(|one| one.sarif.as_ref()?.get("runs")?.as_array().cloned())
        .flatten()
        .collect();
    let mut sarif = outcomes.iter().find_map(|one| one.sarif.clone());
    if let Some(log) = &mut sarif {
        log["runs"] = runs.into();
    }
    let repositories: Vec<serde_json::Value> = outcomes.into_iter().map(|one| one.json).collect();
    let json = json!({
        "version": 1,
        "command": "find",
        "complete": complete,
        "repositories": repositories,
    });
    Outcome { code, human, json, sarif }
}
