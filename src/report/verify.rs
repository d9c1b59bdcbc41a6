//! The answer of `verify`: verdict, reason, what it rests on, and what to type next.

use serde_json::{Value, json};

use super::Outcome;
use super::text::{Page, Paint, plural};
use crate::model::{AccessKeyId, Evidence, Timestamp, UserName, Verdict, Word, visible};

/// One rotation and its verdict.
pub struct Judged<'a> {
    /// The access key that goes.
    pub old: &'a AccessKeyId,
    /// The access key that comes, once it is known.
    pub new: Option<&'a AccessKeyId>,
    /// The IAM user.
    pub user: &'a UserName,
    /// The pull request's page or file.
    pub pull_request: Option<&'a str>,
    /// Consumers for which nobody vouched, where that makes the wait longer.
    pub not_attested: Vec<&'a str>,
    /// What is said.
    pub verdict: &'a Verdict,
}

/// Everything that `verify` has to say.
pub struct Verdicts<'a> {
    /// `replaced`, `deployed` or `quiet`.
    pub until: &'static str,
    /// The worst word.
    pub word: Word,
    /// When it is worth asking again.
    pub next_check_at: Option<Timestamp>,
    /// Each rotation.
    pub rotations: &'a [Judged<'a>],
    /// What should be known beside: a clock that is off, a ledger that is not kept.
    pub notes: &'a [String],
    /// Whether every fact is shown.
    pub explain: bool,
}

/// The facts that are shown without `--explain`: those that a person would ask for first.
const MAIN: [&str; 6] =
    ["old-last-used", "new-last-used", "base-content", "deployed", "not-attested", "unread"];

/// The answer as text and JSON; the word decides the exit code.
#[must_use]
pub fn verify(answer: &Verdicts<'_>, width: usize, paint: Paint) -> Outcome {
    let mut page = Page::new(width, paint);
    if answer.rotations.is_empty() {
        page.line("no rotation is in flight: there is nothing to wait for");
    }
    for (at, one) in answer.rotations.iter().enumerate() {
        if at > 0 {
            page.gap();
        }
        one_rotation(&mut page, answer, one);
    }
    for note in answer.notes {
        page.wrapped(0, &format!("note: {}", visible(note)));
    }
    let code = answer.word.exit_code();
    Outcome { code, human: page.done(), json: json_of(answer), sarif: None }
}

fn one_rotation(page: &mut Page, answer: &Verdicts<'_>, one: &Judged<'_>) {
    let verdict = one.verdict;
    page.heading(&format!("{} ({}) {}", verdict.word.text(), verdict.reason, one.old));
    page.wrapped(2, &verdict.sentence);
    let shown = |fact: &&Evidence| answer.explain || MAIN.contains(&fact.fact);
    for fact in verdict.evidence.iter().filter(shown) {
        page.wrapped(4, &format!("{}: {} ({})", fact.fact, visible(&fact.value), fact.source));
    }
    if answer.explain {
        let new = one.new.map_or("none yet", AccessKeyId::as_str);
        page.wrapped(4, &format!("user {}, new access key {new}", one.user));
    }
    if let Some(at) = verdict.next_check_at {
        page.wrapped(2, &format!("ask again at {at}"));
    }
    if let Some(next) = next(answer, one) {
        page.wrapped(2, &format!("next: {next}"));
    }
    if let (Some(name), "quiet-window") = (one.not_attested.first(), verdict.reason) {
        let open = plural(one.not_attested.len(), "consumer");
        page.wrapped(2, &format!("nobody vouches yet for {open}; who knows better shortens it:"));
        page.line(&format!("    keyroll attest {} {} --by WHO", one.old, quoted(name)));
    }
}

/// A name as one word of a shell, to be copied.
fn quoted(name: &str) -> String {
    format!("'{}'", visible(name).replace('\'', "'\\''"))
}

/// What to do, as a command where there is one.
fn next(answer: &Verdicts<'_>, one: &Judged<'_>) -> Option<String> {
    let old = one.old;
    let again = format!("keyroll verify {old}");
    Some(match one.verdict.reason {
        "not-proposed" => format!("keyroll resume {old}"),
        "not-merged" => match one.pull_request {
            Some(url) => format!("review and merge {}, deploy, then {again}", visible(url)),
            None => format!("review and merge the branch, deploy, then {again}"),
        },
        "closed-unmerged" => {
            "reopen the pull request, or undo the rotation with keyroll abort".to_owned()
        }
        "occurrence-remains" => format!("keyroll find {old}"),
        "pair-missing" => format!("keyroll find {}", one.new?),
        "new-key-not-active" => format!("find out who switched it off: {}", one.new?),
        "replaced" => format!("deploy, then {again} --until deployed --wait 30m"),
        "not-deployed" => format!("deploy, then {again} --until deployed --wait 30m"),
        "deployed" => again,
        "old-key-used" => format!("find who still has the old pair, deploy there, then {again}"),
        "quiet-window" => format!("{again} at that time"),
        "quiet" if answer.until == "quiet" => format!("keyroll deactivate {old}"),
        "facts-missing" => format!("make readable what is named above, then {again}"),
        _ => return None,
    })
}

fn json_of(answer: &Verdicts<'_>) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let fact = |one: &Evidence| json!({ "fact": one.fact, "value": one.value, "at": time(one.at), "source": one.source });
    let rotation = |one: &Judged<'_>| {
        json!({
            "old": one.old.as_str(),
            "new": one.new.map(AccessKeyId::as_str),
            "user": one.user.as_str(),
            "pull_request": one.pull_request,
            "verdict": one.verdict.word.text(),
            "reason": one.verdict.reason,
            "sentence": one.verdict.sentence,
            "next_check_at": time(one.verdict.next_check_at),
            "not_attested": one.not_attested,
            "next": next(answer, one),
            "evidence": one.verdict.evidence.iter().map(fact).collect::<Vec<_>>(),
        })
    };
    json!({
        "version": 1,
        "command": "verify",
        "verdict": answer.word.text(),
        "until": answer.until,
        "next_check_at": time(answer.next_check_at),
        "rotations": answer.rotations.iter().map(rotation).collect::<Vec<_>>(),
        "notes": answer.notes,
    })
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_to_be_copied_stays_one_word() {
        assert_eq!(quoted("a'; rm -r ~; 'b\n"), "'a'\\''; rm -r ~; '\\''b\\n'");
    }
}
