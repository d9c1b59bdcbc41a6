//! Reads the words that name a commit: references, object names, `~n` and `^n` behind them.

use git2::{ErrorCode, Oid};

use super::git::{Repository, object, parse_id};
use super::locate::is_object_name;
use crate::error::{Error, Kind, Result};
use crate::model::visible;

/// Where a short name is looked for, in this order.
const PLACES: &[&str] =
    &["", "refs/heads/", "refs/tags/", "refs/remotes/origin/", "refs/remotes/", "refs/"];

/// The commit that `words` name, and the full reference that was taken.
pub(super) fn resolve(repository: &Repository, words: &str) -> Result<(String, Oid)> {
    let cut = words.find(['~', '^']).unwrap_or(words.len());
    let (name, steps) = words.split_at(cut);
    let (named, id) = start(repository, name)?.ok_or_else(|| missing_reference(words))?;
    let mut commit = peel(repository, id)?.ok_or_else(|| missing_reference(words))?;
    for step in parse_steps(steps).ok_or_else(|| missing_reference(words))? {
        commit = parent(repository, commit, step)?.ok_or_else(|| missing_reference(words))?;
    }
    Ok((if steps.is_empty() { named } else { words.to_owned() }, commit))
}

fn start(repository: &Repository, name: &str) -> Result<Option<(String, Oid)>> {
    let name = if name == "@" { "HEAD" } else { name };
    for place in PLACES {
        let found = repository.location.resolve(&format!("{place}{name}"))?;
        if let Some((named, Some(id))) = found {
            return Ok(Some((named, parse_id(&id)?)));
        }
    }
    if is_object_name(name) {
        return Ok(Some((name.to_owned(), parse_id(name)?)));
    }
    if name.len() >= 4 && name.len() < 40 && name.bytes().all(|b| b.is_ascii_hexdigit()) {
        let found = repository.objects.find_commit_by_prefix(name);
        return match found {
            Ok(commit) => Ok(Some((commit.id().to_string(), commit.id()))),
            Err(source) if source.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(ambiguous(name, &source)),
        };
    }
    Ok(None)
}

/// Follows annotated tags to the commit; `None` when they lead to something else.
fn peel(repository: &Repository, mut id: Oid) -> Result<Option<Oid>> {
    for _ in 0..16 {
        let found =
            repository.objects.find_object(id, None).map_err(|source| object(id, &source))?;
        if let Some(tag) = found.as_tag() {
            id = tag.target_id();
        } else {
            return Ok(found.as_commit().map(git2::Commit::id));
        }
    }
    Ok(None)
}

/// Which parent each step takes, from 1; 0 stays.
fn parse_steps(mut text: &str) -> Option<Vec<usize>> {
    let mut steps = Vec::new();
    while let Some(sign) = text.chars().next() {
        text = &text[1..];
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = if digits == 0 { 1 } else { text[..digits].parse().ok()? };
        text = &text[digits..];
        match sign {
            '^' => steps.push(number),
            '~' if number <= 100_000 => steps.extend(std::iter::repeat_n(1, number)),
            _ => return None,
        }
    }
    Some(steps)
}

fn parent(repository: &Repository, commit: Oid, step: usize) -> Result<Option<Oid>> {
    if step == 0 {
        return Ok(Some(commit));
    }
    Ok(repository.find_commit(commit)?.parent_ids().nth(step - 1))
}

fn missing_reference(words: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "missing-reference",
        format!("`{}` names no commit of this repository", visible(words)),
    )
    .hint("give a branch, a tag or an object name that this clone has, or fetch first")
}

fn ambiguous(name: &str, source: &git2::Error) -> Error {
    let said = visible(source.message());
    Error::new(Kind::NotFound, "missing-reference", format!("`{name}` names no one commit: {said}"))
        .hint("give more digits of the object name")
}

#[cfg(test)]
mod tests {
    use super::parse_steps;

    #[test]
    fn steps_are_read_as_git_reads_them() {
        for (text, want) in [
            ("", Some(vec![])),
            ("^", Some(vec![1])),
            ("^2~3", Some(vec![2, 1, 1, 1])),
            ("~0", Some(vec![])),
            ("^0", Some(vec![0])),
            ("~~", Some(vec![1, 1])),
            ("^{tree}", None),
            ("~99999999999999999999", None),
        ] {
            assert_eq!(parse_steps(text), want, "{text}");
        }
    }
}
