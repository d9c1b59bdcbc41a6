//! The text of a pull request that brings an old pair back: pure, and never with a value in it.

use super::body::{ChangedPlace, place_line};
use super::markdown::{Heading, clip, code, list, unlinked};
use crate::model::{AccessKeyId, UserName, visible};

/// GitHub refuses a title of more than 256 characters.
const TITLE: usize = 250;
/// What the places may take of the 65,536 characters that GitHub accepts.
const PLACES: usize = 60_000;

/// What the text tells.
#[derive(Debug, Clone)]
pub struct Revert {
    /// The IAM user.
    pub user: UserName,
    /// The access key that comes back.
    pub old: AccessKeyId,
    /// The access key that had replaced it.
    pub new: AccessKeyId,
    /// The branch with the commit.
    pub branch: String,
    /// The branch it shall go to.
    pub base: String,
    /// What changes.
    pub changes: Vec<ChangedPlace>,
}

/// The title: one line.
#[must_use]
pub fn revert_title(revert: &Revert) -> String {
    let old = revert.old.as_str();
    let user = unlinked(&visible(revert.user.as_str()));
    clip(&format!("Restore access key of {user} (…{})", &old[old.len() - 4..]), TITLE)
}

/// The body, in Markdown.
#[must_use]
pub fn revert_body(revert: &Revert) -> String {
    let line = |change: &ChangedPlace| {
        let line = place_line(change);
        line.trim_end().trim_start_matches("- ").to_owned()
    };
    let places = list(revert.changes.iter().map(line), PLACES, "places");
    let (old, new) = (revert.old.as_str(), revert.new.as_str());
    let range = code(&format!("git diff {}...{}", revert.base, revert.branch));
    format!(
        "This brings the old access key of IAM user {user} back into the repository.\n\n\
         | | access key |\n|---|---|\n| comes back | {old_code} |\n| goes | {new_code} |\n\n\
         The old one is Active again. Its sealed values are the ones that stood here before the \
         rotation, byte for byte where nothing else in them changed.\n{changes}{places}{next}\
         1. Review: {range} touches the places above and nothing else.\n\
         2. Merge, then deploy: merging does not deploy by itself.\n\
         3. The other access key stays Active until it is switched off: when nothing uses it any \
         more, `keyroll deactivate {new} --unused --reason TEXT`.\n\
         4. Find out what broke, then rotate again: `keyroll rotate {old}`.\n",
        user = code(revert.user.as_str()),
        old_code = code(old),
        new_code = code(new),
        changes = Heading("What changes"),
        next = Heading("What happens next"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Revert, revert_body, revert_title};
    use crate::forge::ChangedPlace;
    use crate::model::{AccessKeyId, Place, RepoPath, Role, Route, Span, Step, UserName};

    #[test]
    fn names_and_places_are_told_and_cannot_be_markdown() {
        let place = Place {
            path: RepoPath::new(*b"a`b.yaml"),
            line: 3,
            route: Route(vec![Step::Field("<img>".into())]),
            span: Span::new(0, 1),
        };
        let revert = Revert {
            user: UserName::new("logs@writer").expect("legal"),
            old: AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").expect("shape"),
            new: AccessKeyId::new("AKIAI44QH7DHBEXAMPLE").expect("shape"),
            branch: "keyroll/revert/x/y".into(),
            base: "main".into(),
            changes: vec![ChangedPlace { place, role: Role::Secret }],
        };
        let body = revert_body(&revert);
        assert!(body.contains("| comes back | `AKIAIOSFODNN7EXAMPLE` |"), "{body}");
        assert!(body.contains("- ``a`b.yaml:3`` `<img>`: secret"), "{body}");
        assert!(body.contains("`keyroll deactivate AKIAI44QH7DHBEXAMPLE --unused"), "{body}");
        let title = revert_title(&revert);
        assert!(title.ends_with("(…MPLE)") && !title.contains("s@w"), "{title}");
    }
}
