//! The answer of `check`: for a reviewer, for a program, for a code scanner, and beside the lines of
//! a pull request.

use serde_json::{Map, Value, json};

use super::Outcome;
use super::find::{locked, place};
use super::text::{Page, Paint, plural};
use crate::model::{AccessKeyId, Finding, Locked, Place, Proof, RepoPath, Role, Scheme, Unseen};

/// Everything that `check` has to say.
pub struct Answer<'a> {
    /// The repository, as it was named.
    pub repository: &'a str,
    /// The commit that was compared with: where the two histories part.
    pub base: &'a str,
    /// Whether the base that was named has moved on since.
    pub base_moved: bool,
    /// The newer commit.
    pub head: &'a str,
    /// The access key that goes, where its change was seen.
    pub old: Option<&'a AccessKeyId>,
    /// The access key that comes.
    pub new: Option<&'a AccessKeyId>,
    /// The access keys that the commits name.
    pub claim: Option<(&'a AccessKeyId, &'a AccessKeyId)>,
    /// What changed as it should.
    pub changes: Vec<(&'a Place, &'a Role, &'a Scheme)>,
    /// What should not be so.
    pub findings: &'a [Finding],
    /// What was seen to hold.
    pub proved: &'a [Proof],
    /// What had to be looked at and could not be.
    pub unseen: &'a [Unseen],
    /// Values of the newer commit that stayed closed.
    pub locked: &'a [Locked],
    /// How many files differ.
    pub files_changed: usize,
    /// How many sealed values of the newer commit opened.
    pub values_opened: usize,
}

impl Answer<'_> {
    /// The word of the answer, and the exit code.
    fn verdict(&self) -> (&'static str, u8) {
        match (self.findings.is_empty(), self.unseen.is_empty()) {
            (false, _) => ("findings", 1),
            (true, false) => ("incomplete", 3),
            (true, true) => ("ok", 0),
        }
    }
}

/// The answer as text, JSON and SARIF. Exit code 0 a rotation and nothing else, 1 with findings,
/// 3 when something that had to be looked at stayed closed.
#[must_use]
pub fn check(answer: &Answer<'_>, width: usize, paint: Paint) -> Outcome {
    let (_, code) = answer.verdict();
    let sarif = super::sarif::findings(answer.findings, answer.locked);
    Outcome { code, human: human(answer, width, paint), json: json_of(answer), sarif: Some(sarif) }
}

fn human(answer: &Answer<'_>, width: usize, paint: Paint) -> String {
    let mut page = Page::new(width, paint);
    page.heading(match answer.verdict().0 {
        "ok" => "this is a rotation and nothing else",
        "findings" => "this is not a rotation and nothing else",
        _ => "nothing speaks against it, and not everything could be checked",
    });
    page.line(&format!("  base  {}", answer.base));
    page.line(&format!("  head  {}", answer.head));
    for (name, id) in [("old", answer.old), ("new", answer.new)] {
        if let Some(id) = id {
            page.line(&format!("  {name}   {id}"));
        }
    }
    if let (None, Some((old, new))) = (answer.old, answer.claim) {
        page.line("  the commits say");
        page.line(&format!("  old   {old}"));
        page.line(&format!("  new   {new}"));
    }
    changes(answer, &mut page);
    if !answer.findings.is_empty() {
        page.gap();
        page.heading(&plural(answer.findings.len(), "finding"));
        for one in answer.findings {
            page.wrapped(2, &format!("{} ({})", spoken(one), one.reason));
        }
    }
    for (title, lines) in [
        ("proved", answer.proved.iter().map(|one| &one.message).collect::<Vec<_>>()),
        ("not proved", answer.unseen.iter().map(|one| &one.message).collect()),
    ] {
        if !lines.is_empty() {
            page.gap();
            page.heading(title);
            for line in lines {
                page.wrapped(2, &format!("- {line}"));
            }
        }
    }
    notes(answer, &mut page);
    page.done()
}

fn changes(answer: &Answer<'_>, page: &mut Page) {
    let mut path: Option<&RepoPath> = None;
    for (place, role, scheme) in &answer.changes {
        if path != Some(&place.path) {
            page.gap();
            page.heading(&place.path.to_string());
            path = Some(&place.path);
        }
        let route = place.route.to_string();
        let route = if route.is_empty() { "(text)".to_owned() } else { route };
        page.line(&format!("{:>7}  {:<6}  {route}", place.line, role.word()));
        page.line(&format!("{:17}{scheme}", ""));
    }
}

fn notes(answer: &Answer<'_>, page: &mut Page) {
    page.gap();
    page.wrapped(
        0,
        &format!(
            "compared {}, opened {}",
            plural(answer.files_changed, "changed file"),
            plural(answer.values_opened, "sealed value")
        ),
    );
    if answer.base_moved {
        page.wrapped(0, "base has moved on since this branch began: compared from where they part");
    }
    if answer.unseen.iter().any(|one| one.what == "sealed-value") {
        page.wrapped(0, "with the identities that open these values (--identity) more can be told");
    }
}

/// A finding as one sentence that begins with its place.
fn spoken(one: &Finding) -> String {
    let Some(path) = &one.path else { return one.message.clone() };
    let line = one.line.map_or(String::new(), |line| format!(":{line}"));
    let route = if one.route.0.is_empty() { String::new() } else { format!(" {}", one.route) };
    format!("{path}{line}{route}: {}", one.message)
}

fn json_of(answer: &Answer<'_>) -> Value {
    let change = |(at, role, scheme): &(&Place, &Role, &Scheme)| {
        let mut fields = place(at);
        fields.insert("role".into(), role.word().into());
        fields.insert("scheme".into(), scheme.to_string().into());
        Value::Object(fields)
    };
    let unseen = |one: &Unseen| {
        let path = one.path.as_ref().map(RepoPath::to_text);
        json!({ "what": one.what, "path": path, "message": one.message })
    };
    let proof = |one: &Proof| json!({ "fact": one.fact, "message": one.message });
    json!({
        "version": 1,
        "command": "check",
        "repository": answer.repository,
        "base": answer.base,
        "base_moved": answer.base_moved,
        "head": answer.head,
        "verdict": answer.verdict().0,
        "complete": answer.unseen.is_empty(),
        "clean": answer.findings.is_empty(),
        "old": answer.old.map(AccessKeyId::as_str),
        "new": answer.new.map(AccessKeyId::as_str),
        "claimed": answer.claim.map(|(old, new)| json!({ "old": old.as_str(), "new": new.as_str() })),
        "changes": answer.changes.iter().map(change).collect::<Vec<_>>(),
        "findings": answer.findings.iter().map(finding).collect::<Vec<_>>(),
        "proved": answer.proved.iter().map(proof).collect::<Vec<_>>(),
        "could_not_check": answer.unseen.iter().map(unseen).collect::<Vec<_>>(),
        "locked": answer.locked.iter().map(locked).collect::<Vec<_>>(),
        "files_changed": answer.files_changed,
        "values_opened": answer.values_opened,
    })
}

fn finding(one: &Finding) -> Value {
    let mut fields = Map::new();
    fields.insert("path".into(), one.path.as_ref().map(RepoPath::to_text).into());
    fields.insert("line".into(), one.line.into());
    fields.insert("route".into(), one.route.words().into());
    fields.insert("reason".into(), one.reason.into());
    fields.insert("message".into(), one.message.clone().into());
    Value::Object(fields)
}

/// The findings as workflow commands of GitHub Actions, which shows them beside the lines of the
/// pull request; one more line says what could not be checked.
#[must_use]
pub fn annotations(findings: &[Finding], unseen: &[Unseen]) -> String {
    let mut text = String::new();
    for one in findings {
        let path = one.path.as_ref().map(|path| format!("file={},", property(&path.to_text())));
        let line = one.line.map(|line| format!("line={line},"));
        text.push_str(&format!(
            "::error {}{}title={}::{}\n",
            path.unwrap_or_default(),
            line.unwrap_or_default(),
            property(&format!("keyroll: {}", one.reason)),
            data(&spoken(one)),
        ));
    }
    if !unseen.is_empty() {
        let told: Vec<&str> = unseen.iter().map(|one| one.message.as_str()).collect();
        let title = property("keyroll: not checked");
        text.push_str(&format!("::warning title={title}::{}\n", data(&told.join("\n"))));
    }
    text
}

/// The text of a workflow command: what would end it is escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The answer as Markdown: the text in a fence that nothing inside it can close.
#[must_use]
pub fn step_summary(command: &str, human: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in human.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    format!("### keyroll {command}\n\n{fence}text\n{human}{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::{Answer, annotations, check, step_summary};
    use crate::model::{Finding, Place, RepoPath, Route, Span, Step, Unseen};
    use crate::report::Paint;

    fn finding(path: &str) -> Finding {
        let place = Place {
            path: RepoPath::new(path),
            line: 7,
            route: Route(vec![Step::Field("a".into())]),
            span: Span::new(0, 0),
        };
        Finding::at(&place, "value-changed", "this value changed")
    }

    fn unseen() -> Unseen {
        Unseen { what: "sealed-value", path: None, message: "what changed".into() }
    }

    fn code(findings: &[Finding], unseen: &[Unseen]) -> (u8, String) {
        let answer = Answer {
            repository: "r",
            base: "b",
            base_moved: false,
            head: "h",
            old: None,
            new: None,
            claim: None,
            changes: Vec::new(),
            findings,
            proved: &[],
            unseen,
            locked: &[],
            files_changed: 0,
            values_opened: 0,
        };
        let outcome = check(&answer, 80, Paint::Plain);
        (outcome.code, outcome.json["verdict"].to_string())
    }

    #[test]
    fn only_what_is_proved_and_clean_is_a_yes() {
        assert_eq!(code(&[], &[]), (0, "\"ok\"".into()));
        assert_eq!(code(&[finding("a")], &[]), (1, "\"findings\"".into()));
        assert_eq!(code(&[finding("a")], &[unseen()]), (1, "\"findings\"".into()));
        assert_eq!(code(&[], &[unseen()]), (3, "\"incomplete\"".into()));
    }

    #[test]
    fn a_name_cannot_write_an_annotation_of_its_own() {
        let text = annotations(&[finding("a,b:c%\n::error::x")], &[unseen()]);
        assert_eq!(
            text,
            "::error file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ax,line=7,title=keyroll%3A value-changed\
             ::a,b:c%25\\n::error::x:7 a: this value changed\n\
             ::warning title=keyroll%3A not checked::what changed\n"
        );
        assert_eq!(text.lines().count(), 2);
        assert!(annotations(&[], &[]).is_empty());
    }

    #[test]
    fn nothing_in_the_answer_closes_its_fence() {
        let text = step_summary("check", "a ```` b\n# c\n");
        assert!(text.contains("`````text\na ```` b\n# c\n`````\n"), "{text}");
    }
}
