//! Holds what a rotation recorded of its files in the ledger against the two commits of a
//! comparison: that a reviewer without identities sees the bytes which keyroll wrote.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::Work;
use crate::error::Result;
use crate::model::{Finding, Proof, RepoPath};
use crate::repo::{Event, Happening, Leaf, Ledger};

impl Work<'_> {
    /// Holds the digests that the rotation recorded against the files of both commits.
    pub(super) fn digests(&mut self, base: &str, head: &str) -> Result<()> {
        let Some((old, new)) = self.compared.ids.clone().or_else(|| self.claim.clone()) else {
            return Ok(());
        };
        let repository = self.inspection.repository;
        for ledger in self.inspection.ledgers {
            let events = Ledger::read_in(repository, ledger, &old)?.unwrap_or_default();
            let proposed = |event: &&Event| {
                event.event == Happening::Proposed && event.new.as_deref() == Some(new.as_str())
            };
            let Some(event) = events.iter().rev().find(proposed) else { continue };
            let differing = self.differing(event)?;
            let recorded = event.evidence.get("commit").and_then(Value::as_str);
            let here = repository.between(base, head)?;
            if differing.is_empty() {
                let message = "every changed file is the one that the ledger recorded".to_owned();
                self.proved.push(Proof { fact: "digests", message });
            } else if here.iter().any(|commit| Some(commit.as_str()) == recorded) {
                self.findings.extend(differing.iter().map(|path| {
                    let what = "this file is not the one that the ledger recorded of this rotation";
                    Finding::of_file(path, "digest-differs", what)
                }));
            }
            return Ok(());
        }
        Ok(())
    }

    /// The paths at which the record and the two commits do not agree.
    fn differing(&self, event: &Event) -> Result<BTreeSet<RepoPath>> {
        let mut differing: BTreeSet<RepoPath> = BTreeSet::new();
        for one in self.differences {
            let digest = |leaf: Option<&Leaf>| -> Result<Value> {
                let bytes = match leaf {
                    Some(leaf) => self.inspection.repository.bytes(&leaf.id)?,
                    None => None,
                };
                Ok(bytes.map_or(Value::Null, |bytes| super::run::digest(&bytes).into()))
            };
            let (old, new) = (digest(one.before.as_ref())?, digest(one.after.as_ref())?);
            let recorded = event.digests.get(&one.path.to_text());
            if recorded.is_none_or(|both| both["old"] != old || both["new"] != new) {
                differing.insert(one.path.clone());
            }
        }
        let here: BTreeSet<String> = self.changed.iter().map(|path| path.to_text()).collect();
        let gone = event.digests.keys().filter(|path| !here.contains(*path));
        differing.extend(gone.map(|path| RepoPath::new(path.as_str())));
        Ok(differing)
    }
}
