//! What a comparison of two commits has shown to hold: told only where it was looked at and nothing
//! speaks against it.

use super::check::Work;
use crate::model::Proof;
use crate::report::plural;

impl Work<'_> {
    /// What holds, told only where it was looked at and nothing speaks against it.
    pub(super) fn proofs(&self) -> Vec<Proof> {
        let none = |reasons: &[&str]| {
            !self.findings.iter().any(|finding| reasons.contains(&finding.reason))
        };
        let unseen = |words: &[&str]| self.unseen.iter().any(|one| words.contains(&one.what));
        let seen = !self.compared.exchanges.is_empty();
        let files = plural(self.differences.len(), "file");
        let rows = [
            (
                "files",
                !self.differences.is_empty()
                    && none(&["file-added", "file-removed", "mode-changed", "link-changed"]),
                format!("{files} changed; none was added or removed, and none changed its mode"),
            ),
            (
                "values",
                seen && none(STRUCTURE) && !unseen(&["not-fetched"]),
                "only values changed: every other byte is as it was".to_owned(),
            ),
            (
                "pair",
                seen && none(PAIR) && !unseen(&["sealed-value", "partner", "not-fetched"]),
                "each change is from the old pair to the new one, ID and secret together"
                    .to_owned(),
            ),
            (
                "recipients",
                seen && none(RECIPIENTS) && !unseen(&["sealed-value", "not-fetched"]),
                "each changed value opens with the identity that opened it before".to_owned(),
            ),
            (
                "clear",
                self.searched && none(CLEAR) && !unseen(&["sealed-value"]),
                "the new secret stands nowhere in clear".to_owned(),
            ),
            (
                "leftovers",
                self.searched && none(&["old-remains"]) && !unseen(&["leftovers", "merge"]),
                "the old pair stands nowhere any more, in what takes part".to_owned(),
            ),
        ];
        let held = rows.into_iter().filter(|(_, holds, _)| *holds);
        held.map(|(fact, _, message)| Proof { fact, message }).collect()
    }
}

/// Findings that say: something besides values changed.
const STRUCTURE: &[&str] = &[
    "bytes-changed",
    "certificate-changed",
    "comment-changed",
    "file-added",
    "file-removed",
    "invalid-yaml",
    "layout-changed",
    "line-ends-changed",
    "link-changed",
    "mode-changed",
    "resealed",
    "second-reader",
    "value-added",
    "value-changed",
    "value-removed",
];

/// Findings that say: not one pair became one pair.
const PAIR: &[&str] = &[
    "conflicting-secrets",
    "damaged-value",
    "id-without-secret",
    "no-rotation",
    "other-access-key",
    "other-secret",
    "plaintext-secret",
    "scheme-changed",
    "several-rotations",
    "shared-secret",
    "trailers-differ",
    "unsealed",
    "value-added",
    "value-changed",
    "value-removed",
];

/// Findings that say: somebody else could open a value, or nobody.
const RECIPIENTS: &[&str] = &[
    "certificate-changed",
    "damaged-value",
    "envelope-changed",
    "recipient-changed",
    "scheme-changed",
    "unsealed",
];

/// Findings that say: something sealed stands in clear.
const CLEAR: &[&str] = &["edit-mark", "plaintext-secret", "unsealed"];
