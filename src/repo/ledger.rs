//! The record of every access key's life, on a branch of the secrets repository: append-only JSON
//! lines, pushed under a lease. It holds no secret. What follows from it is left to `rotation`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::commit::Stamp;
use super::git::Repository;
use super::push::{Lease, Pushed, Rehearse};
use super::remote::Remote;
use crate::error::{Error, Kind, Result};
use crate::model::{AccessKeyId, Change, RepoPath};

/// How often a lost race is run again.
const ATTEMPTS: u32 = 12;

/// What happened; words that a newer keyroll may add are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// A rotation began.
    Started,
    /// The new access key exists.
    Created,
    /// The pull request is open.
    Proposed,
    /// The new pair stands on base.
    Merged,
    /// The new access key is in use.
    Deployed,
    /// A person vouched for a consumer.
    Attested,
    /// Last-used dates were noted.
    Observed,
    /// The access key was set Inactive.
    Deactivated,
    /// The access key was set Active again.
    Reactivated,
    /// The access key was deleted.
    Deleted,
    /// A rotation was undone.
    Aborted,
    /// A word that this keyroll does not know.
    #[serde(untagged)]
    Other(String),
}

/// One line of the record. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Names this event, so that it is not recorded twice.
    pub id: String,
    /// What happened.
    pub event: Happening,
    /// When, by the clock of whoever evidenced it.
    pub at: String,
    /// The rotation, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
    /// Who did it: an ARN, or a person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The access key that goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The access key that comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// The IAM user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub evidence: Map<String, Value>,
    /// Digests of sealed values, old and new, by place.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub digests: Map<String, Value>,
    /// What a newer keyroll wrote beside these, kept as it is.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Event {
    /// An event with nothing but its name, word and time.
    #[must_use]
    pub fn new(id: impl Into<String>, event: Happening, at: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            event,
            at: at.into(),
            rotation: None,
            actor: None,
            old: None,
            new: None,
            user: None,
            account: None,
            evidence: Map::new(),
            digests: Map::new(),
            more: Map::new(),
        }
    }
}

/// The ledger of one remote.
#[derive(Clone, Copy)]
pub struct Ledger<'a> {
    remote: &'a Remote,
}

impl<'a> Ledger<'a> {
    /// The branch that holds it.
    pub const BRANCH: &'static str = "refs/heads/keyroll/ledger";

    /// The ledger on a remote.
    #[must_use]
    pub const fn of(remote: &'a Remote) -> Self {
        Self { remote }
    }

    /// Everything recorded of an access key, oldest first; empty where nothing is.
    ///
    /// # Errors
    /// `damaged-ledger` with the line; network errors.
    pub fn read(&self, id: &AccessKeyId) -> Result<Vec<Event>> {
        let path = file_of(id);
        match self.tip()? {
            Some(tip) => parse(&path, &self.text(&tip, &path)?),
            None => Ok(Vec::new()),
        }
    }

    /// What a clone's own copy of a ledger branch records of an access key, without any network;
    /// `None` where the clone has no such branch.
    ///
    /// # Errors
    /// `damaged-ledger` with the line; `missing-object`.
    pub fn read_in(
        clone: &Repository,
        reference: &str,
        id: &AccessKeyId,
    ) -> Result<Option<Vec<Event>>> {
        let Some((_, Some(tip))) = clone.location.resolve(reference)? else { return Ok(None) };
        let path = file_of(id);
        parse(&path, &clone.read_path(&tip, &path)?.unwrap_or_default()).map(Some)
    }

    /// Everything recorded of every access key.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn read_all(&self) -> Result<Vec<(AccessKeyId, Vec<Event>)>> {
        let Some(tip) = self.tip()? else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for entry in self.remote.objects().list(&tip)?.files {
            let text = entry.path.to_text();
            let name = text.strip_prefix("keys/").and_then(|name| name.strip_suffix(".jsonl"));
            if let Some(Ok(id)) = name.map(AccessKeyId::new) {
                let events = parse(&entry.path, &self.text(&tip, &entry.path)?)?;
                all.push((id, events));
            }
        }
        Ok(all)
    }

    /// Records an event of an access key, unless one of the same name is there. A lost race is
    /// run again on what the winner left.
    ///
    /// # Errors
    /// `lease-lost` when the race is lost every time; `damaged-ledger`; network errors.
    pub fn append(&self, id: &AccessKeyId, event: &Event, stamp: &Stamp<'_>) -> Result<()> {
        let mut outcome = Ok(());
        for attempt in 0..ATTEMPTS {
            // Losers that wake at once would lose again: each waits by its own measure.
            if attempt > 0 {
                let own = u64::from(std::process::id() % 7) * 13;
                std::thread::sleep(Duration::from_millis(u64::from(attempt) * 40 + own));
            }
            outcome = self.try_append(id, event, stamp);
            match &outcome {
                Err(error)
                    if ["lease-lost", "lock-held", "base-moved"].contains(&error.reason()) => {}
                _ => return outcome,
            }
        }
        outcome
    }

    fn try_append(&self, id: &AccessKeyId, event: &Event, stamp: &Stamp<'_>) -> Result<()> {
        let path = file_of(id);
        let tip = self.tip()?;
        let before = match &tip {
            Some(tip) => self.text(tip, &path)?,
            None => Vec::new(),
        };
        if parse(&path, &before)?.iter().any(|known| known.id == event.id) {
            return Ok(());
        }
        let mut after = before.clone();
        if !after.is_empty() && !after.ends_with(b"\n") {
            after.push(b'\n');
        }
        serde_json::to_writer(&mut after, event)
            .map_err(|source| Error::bug(format!("an event is no JSON: {source}")))?;
        after.push(b'\n');
        let word = serde_json::to_value(&event.event).ok();
        let word = word.as_ref().and_then(Value::as_str).unwrap_or("event");
        let message = format!("ledger: {word} {id} [skip ci]\n");
        let change = Change { path, before, after };
        let objects = self.remote.objects();
        let commit = objects.commit(tip.as_deref(), &[change], &message, stamp)?;
        let lease = tip.as_deref().map_or(Lease::Absent, Lease::At);
        let (Pushed::Done | Pushed::AlreadyThere) =
            self.remote.push(Self::BRANCH, &commit, lease, Rehearse::No)?;
        Ok(())
    }

    fn tip(&self) -> Result<Option<String>> {
        let Some(tip) = self.remote.ref_at(Self::BRANCH)? else { return Ok(None) };
        self.remote.bring(Self::BRANCH, &tip)?;
        Ok(Some(tip))
    }

    fn text(&self, tip: &str, path: &RepoPath) -> Result<Vec<u8>> {
        Ok(self.remote.objects().read_path(tip, path)?.unwrap_or_default())
    }
}

fn file_of(id: &AccessKeyId) -> RepoPath {
    RepoPath::new(format!("keys/{id}.jsonl"))
}

fn parse(path: &RepoPath, text: &[u8]) -> Result<Vec<Event>> {
    let lines = text.split(|b| *b == b'\n').enumerate();
    lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(n, line)| serde_json::from_slice(line).map_err(|_| damaged(path, n + 1)))
        .collect()
}

fn damaged(path: &RepoPath, line: usize) -> Error {
    Error::new(
        Kind::Io,
        "damaged-ledger",
        format!("line {line} of `{path}` on the branch `keyroll/ledger` is no event"),
    )
    .hint("restore the line from the history of that branch; keyroll never rewrites one")
}

#[cfg(test)]
mod tests {
    use super::{Event, Happening, parse};
    use crate::model::RepoPath;

    #[test]
    fn what_a_newer_keyroll_wrote_is_kept() {
        let line = r#"{"id":"1","event":"quarantined","at":"2026-11-21T00:00:00Z","later":[1]}"#;
        let events = parse(&RepoPath::new(*b"keys/x.jsonl"), line.as_bytes()).unwrap();
        assert_eq!(events[0].event, Happening::Other("quarantined".into()));
        assert_eq!(serde_json::to_string(&events[0]).unwrap(), line);
    }

    #[test]
    fn a_line_is_as_short_as_its_event() {
        let event = Event::new("1", Happening::Started, "2026-11-21T00:00:00Z");
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(text, r#"{"id":"1","event":"started","at":"2026-11-21T00:00:00Z"}"#);
    }

    #[test]
    fn a_damaged_line_is_named() {
        let error =
            parse(&RepoPath::new(*b"keys/x.jsonl"), b"\n{\"id\":1}\n").expect_err("damaged");
        assert_eq!(error.reason(), "damaged-ledger");
        assert!(error.message().starts_with("line 2 of `keys/x.jsonl`"), "{}", error.message());
    }
}
