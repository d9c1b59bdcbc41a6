//! The text of a pull request: pure and deterministic, and never with a value in it. What stands
//! in the text is decided here; how untrusted words are made harmless is left to `markdown`.

use std::time::Duration;

use super::markdown::{Heading, clip, code, list, name, prose, unlinked};
use crate::model::{
    AccessKeyId, AccountId, Place, Policy, Role, UserName, format_duration, visible,
};

/// GitHub refuses a body of more than 65,536 characters.
const LIMIT: usize = 65_000;
/// What one list besides the places may take.
const SHARE: usize = 4_000;
/// What the repository's own template may take.
const TEMPLATE: usize = 15_000;
/// GitHub refuses a title of more than 256 characters.
const TITLE: usize = 250;

/// What the text tells: names, places and windows; there is no field for a value.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The IAM user.
    pub user: UserName,
    /// The access key that goes.
    pub old: AccessKeyId,
    /// The access key that comes.
    pub new: AccessKeyId,
    /// The account, where it is known.
    pub account: Option<AccountId>,
    /// The branch with the commit.
    pub branch: String,
    /// The branch it shall go to.
    pub base: String,
    /// What changes, per environment, in the order in which it is shown.
    pub environments: Vec<EnvironmentChanges>,
    /// Paths that were not looked into, and why.
    pub set_aside: Vec<SetAside>,
    /// Values that come to use the access key through an interpolation.
    pub indirect: Vec<IndirectUse>,
    /// Who uses the access key outside the repository.
    pub consumers: Vec<Consumer>,
    /// Recipients that can read the new token and could not read the old one.
    pub added_recipients: Vec<String>,
    /// What was noted on the way.
    pub warnings: Vec<String>,
    /// The windows that the next steps wait for.
    pub policy: Policy,
    /// The title asked for, with placeholders.
    pub title: Option<String>,
    /// The repository's own text, with placeholders; it stands first.
    pub template: Option<String>,
}

/// What changes in one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentChanges {
    /// The name; `None` where no path tells one.
    pub name: Option<String>,
    /// The values that change.
    pub changes: Vec<ChangedPlace>,
    /// Who can read them: identities or recipients, described.
    pub readers: Vec<String>,
}

/// One value that changes.
#[derive(Debug, Clone)]
pub struct ChangedPlace {
    /// Where it stands.
    pub place: Place,
    /// ID or secret.
    pub role: Role,
}

/// A path that a search left out.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// The path or glob, as text.
    pub path: String,
    /// How it was left out.
    pub how: LeftOut,
    /// The reason given; `None` where none is asked for.
    pub reason: Option<String>,
}

/// How a path came to be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// By `--exclude` or `keyroll.yaml`.
    Excluded,
    /// By `--accept-locked`.
    AcceptedLocked,
}

/// A value that refers to a changed one.
#[derive(Debug, Clone)]
pub struct IndirectUse {
    /// The value that refers.
    pub place: Place,
    /// The name that it refers to.
    pub through: String,
}

/// A user of the access key outside the repository, declared in `keyroll.yaml`.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// What it is called.
    pub name: String,
    /// How it is updated.
    pub how: Option<String>,
    /// How often it uses the access key.
    pub cadence: Option<Duration>,
}

/// The title: the one asked for with its placeholders filled, else the usual one. One line.
#[must_use]
pub fn title(summary: &Summary) -> String {
    let usual = "Rotate access key of {user} (…{last4})";
    let wanted = summary.title.as_deref().map(str::trim).filter(|text| !text.is_empty());
    // A title is no Markdown: what was typed stays, and only the names lose their meaning.
    let filled = fill(&visible(wanted.unwrap_or(usual)), summary, |word| unlinked(&visible(word)));
    clip(&filled, TITLE)
}

/// The body, in Markdown, of at most 65,000 characters.
///
/// The places are what is cut when there are too many; the cut says how many are missing.
#[must_use]
pub fn body(summary: &Summary) -> String {
    let before = opening(summary);
    let after = [
        not_looked_into(summary),
        indirect(summary),
        consumers(summary),
        recipients(summary),
        warnings(summary),
        next_steps(summary),
    ]
    .concat();
    let left = LIMIT.saturating_sub(before.chars().count() + after.chars().count());
    let places = places(summary, left);
    format!("{before}{places}{after}")
}

/// Puts names for `{user}`, `{old}`, `{new}`, `{branch}`; what was put in is not read again.
fn fill(text: &str, summary: &Summary, dress: impl Fn(&str) -> String) -> String {
    let old = summary.old.as_str();
    let last4 = &old[old.len() - 4..];
    let words = [
        ("{user}", summary.user.as_str()),
        ("{old}", old),
        ("{new}", summary.new.as_str()),
        ("{branch}", summary.branch.as_str()),
        ("{last4}", last4),
    ];
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match words.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                out.push_str(&dress(value));
                rest = &rest[name.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

fn opening(summary: &Summary) -> String {
    let mut out = String::new();
    if let Some(template) = summary.template.as_deref().filter(|text| !text.trim().is_empty()) {
        out.push_str(&clip(fill(template, summary, name).trim(), TEMPLATE));
        out.push_str("\n\n");
    }
    let account = summary
        .account
        .as_ref()
        .map(|account| format!(" in account {}", code(account.as_str())))
        .unwrap_or_default();
    out.push_str(&format!(
        "This replaces the access key of IAM user {user}{account}.\n\n\
         | | access key |\n|---|---|\n| old | {old} |\n| new | {new} |\n\n\
         The new access key exists and works. The old one stays active until somebody switches it \
         off; nothing is switched off by itself.\n",
        user = code(summary.user.as_str()),
        old = code(summary.old.as_str()),
        new = code(summary.new.as_str()),
    ));
    out
}

fn places(summary: &Summary, room: usize) -> String {
    let total: usize = summary.environments.iter().map(|part| part.changes.len()).sum();
    let mut out = format!("{}{}\n", Heading("What changes"), deploy(summary));
    let mut length = out.chars().count();
    let mut shown = 0;
    // The last line, which tells of the cut, has to fit too.
    let room = room.saturating_sub(80);
    'all: for part in &summary.environments {
        let mut head = format!("\n**{}**\n\n", environment_name(part));
        let readers = readers(part);
        for change in &part.changes {
            let line = format!("{head}{}", place_line(change));
            head.clear();
            length += line.chars().count();
            if length + readers.chars().count() > room {
                break 'all;
            }
            out.push_str(&line);
            shown += 1;
        }
        length += readers.chars().count();
        out.push_str(&readers);
    }
    if shown < total {
        out.push_str(&format!("\n… and {} more places\n", total - shown));
    }
    out
}

fn readers(part: &EnvironmentChanges) -> String {
    let lines = list(part.readers.iter().map(|reader| prose(reader)), SHARE / 4, "readers");
    if lines.is_empty() { lines } else { format!("\nWho can read it:\n\n{lines}") }
}

fn environment_name(part: &EnvironmentChanges) -> String {
    part.name.as_deref().map_or_else(|| "no environment in the path".to_owned(), code)
}

pub(super) fn place_line(change: &ChangedPlace) -> String {
    let place = &change.place;
    let route = match place.route.to_string() {
        route if route.is_empty() => String::new(),
        route => format!(" {}", code(&route)),
    };
    format!(
        "- {}{route}: {}\n",
        code(&format!("{}:{}", place.path, place.line)),
        role(&change.role)
    )
}

fn role(role: &Role) -> &'static str {
    match role {
        Role::Id => "access key ID",
        Role::Secret => "secret",
        Role::Text => "text",
    }
}

fn deploy(summary: &Summary) -> String {
    let names: Vec<_> =
        summary.environments.iter().filter_map(|part| part.name.as_deref()).map(code).collect();
    let what = match names.as_slice() {
        [] => "whatever reads these files".to_owned(),
        names => clip(&names.join(", "), SHARE / 4),
    };
    format!("Merging does not deploy by itself: deploy {what} afterwards.\n")
}

fn not_looked_into(summary: &Summary) -> String {
    let lines = summary.set_aside.iter().map(|aside| {
        let how = match aside.how {
            LeftOut::Excluded => "excluded",
            LeftOut::AcceptedLocked => "locked, and accepted as such",
        };
        let reason = aside.reason.as_deref().map(|text| format!(": {}", prose(text)));
        format!("{} ({how}){}", code(&aside.path), reason.unwrap_or_default())
    });
    section(
        "Not looked into",
        "The old access key may also stand here.",
        &list(lines, SHARE, "paths"),
    )
}

fn indirect(summary: &Summary) -> String {
    let lines = summary
        .indirect
        .iter()
        .map(|each| format!("{} through {}", code(&each.place.to_string()), code(&each.through)));
    section(
        "Indirect uses",
        "These values refer to a changed one and follow it when deployed.",
        &list(lines, SHARE, "uses"),
    )
}

fn consumers(summary: &Summary) -> String {
    let lines = summary.consumers.iter().map(|each| {
        let how = each.how.as_deref().map(|how| format!(": {}", code(how))).unwrap_or_default();
        let cadence = each
            .cadence
            .map(|length| format!(" (uses it every {})", format_duration(length)))
            .unwrap_or_default();
        format!("[ ] {}{how}{cadence}", prose(&each.name))
    });
    section(
        "Outside this repository",
        "Update each of these too; merging does not reach them.",
        &list(lines, SHARE, "consumers"),
    )
}

fn recipients(summary: &Summary) -> String {
    section(
        "New readers",
        "These can read the new values and could not read the old ones.",
        &list(summary.added_recipients.iter().map(|each| code(each)), SHARE, "readers"),
    )
}

fn warnings(summary: &Summary) -> String {
    section("Notes", "", &list(summary.warnings.iter().map(|each| prose(each)), SHARE, "notes"))
}

fn section(heading: &str, sentence: &str, items: &str) -> String {
    if items.is_empty() {
        return String::new();
    }
    let sentence = if sentence.is_empty() { String::new() } else { format!("{sentence}\n\n") };
    format!("{}{sentence}{items}", Heading(heading))
}

fn next_steps(summary: &Summary) -> String {
    let old = summary.old.as_str();
    let range = code(&format!("keyroll check {}..{}", summary.base, summary.branch));
    let quiet = format_duration(summary.policy.quiet);
    let soak = format_duration(summary.policy.soak);
    format!(
        "{heading}1. Review: {range} shows that nothing else changed.\n\
         2. Merge, then deploy.\n\
         3. `keyroll verify {old} --until deployed` tells when the new access key is in use.\n\
         4. After {quiet} without a use of the old one, `keyroll verify {old}` answers safe; then \
         `keyroll deactivate {old}`.\n\
         5. After {soak} switched off: `keyroll delete {old} --confirm {old}`.\n\n\
         If something breaks after the old access key was switched off: `keyroll reactivate {old}`.\n",
        heading = Heading("What happens next"),
    )
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
