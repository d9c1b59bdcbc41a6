//! From a tracked rotation to its verdict, and from several verdicts to one answer.

use super::facts::{Extra, gather};
use super::seams::{Seams, Wanted};
use super::tracked::Tracked;
use crate::error::Result;
use crate::model::{Facts, Timestamp, Until, Verdict, Word};
use crate::rotation::{self, LAST_USED_SPAN};

/// One rotation and what is said of it.
#[derive(Debug)]
pub struct Verified {
    /// The rotation.
    pub tracked: Tracked,
    /// What the verdict rests on; `None` before a rewrite was pushed.
    pub facts: Option<Facts>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Gathers the facts afresh and judges them.
///
/// # Errors
/// Defects only: what cannot be read makes the verdict *unknown*.
pub fn verify(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    tracked: Tracked,
    extra: &Extra,
    until: Until,
) -> Result<Verified> {
    if !tracked.is_proposed() {
        let verdict = Verdict {
            word: Word::Waiting,
            reason: "not-proposed",
            sentence: "no new pair was pushed yet".to_owned(),
            next_check_at: Some((seams.clock)().plus(LAST_USED_SPAN)),
            evidence: Vec::new(),
        };
        return Ok(Verified { tracked, facts: None, verdict });
    }
    let facts = gather(seams, wanted, &tracked, extra)?;
    let verdict = rotation::judge(&facts, seams.policy, until);
    Ok(Verified { tracked, facts: Some(facts), verdict })
}

/// The answer for several rotations: the worst word, and the earliest time at which it may change.
///
/// *Unknown* is worst, because nothing can be said for sure; then *in use*, which needs a person;
/// then *waiting*, which needs time only. One *safe* rotation never hides another one.
#[must_use]
pub fn overall<'v>(
    verdicts: impl Iterator<Item = &'v Verdict> + Clone,
) -> (Word, Option<Timestamp>) {
    let word = verdicts.clone().map(|one| one.word).max().unwrap_or(Word::Safe);
    let next = verdicts.filter(|one| one.word == word).filter_map(|one| one.next_check_at).min();
    (word, next)
}

#[cfg(test)]
mod tests {
    use super::overall;
    use crate::model::{Timestamp, Verdict, Word};

    fn verdict(word: Word, next: Option<i64>) -> Verdict {
        let next_check_at = next.map(Timestamp);
        let (reason, sentence) = ("reason", String::new());
        Verdict { word, reason, sentence, next_check_at, evidence: Vec::new() }
    }

    #[test]
    fn the_worst_word_decides_and_only_its_times_count() {
        let safe = verdict(Word::Safe, None);
        let soon = verdict(Word::Waiting, Some(10));
        let later = verdict(Word::Waiting, Some(20));
        let used = verdict(Word::InUse, Some(30));
        let unknown = verdict(Word::Unknown, None);
        let of = |all: &[&Verdict]| overall(all.iter().copied());
        assert_eq!(of(&[]), (Word::Safe, None));
        assert_eq!(of(&[&safe, &later, &soon]), (Word::Waiting, Some(Timestamp(10))));
        assert_eq!(of(&[&soon, &used, &safe]), (Word::InUse, Some(Timestamp(30))));
        assert_eq!(of(&[&used, &unknown, &soon]), (Word::Unknown, None));
    }
}
