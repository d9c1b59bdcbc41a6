//! Who reads a value through hiera interpolation: `%{hiera('…')}`, `%{lookup('…')}`,
//! `%{alias('…')}`. Such values need no rewriting; they change with what they name.

use std::collections::BTreeSet;

use regex::bytes::Regex;

use super::find::walk;
use crate::model::{Occurrence, Place, SourceFile, Step};

/// A value that reads another one by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indirect {
    /// The value.
    pub place: Place,
    /// The name that it reads.
    pub through: String,
}

/// Every value that reads one of the occurrences, directly or through others.
///
/// Names are hiera's: the top-level entry, with steps below it joined by dots.
#[must_use]
pub fn indirect(files: &[SourceFile], occurrences: &[Occurrence]) -> Vec<Indirect> {
    let uses = interpolations(files);
    let mut taken = vec![false; uses.len()];
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut names: Vec<String> =
        occurrences.iter().filter_map(|occurrence| names_of(&occurrence.place)).collect();
    while let Some(name) = names.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for ((place, through), taken) in uses.iter().zip(&mut taken) {
            if !*taken && reads(through, &name) {
                *taken = true;
                names.extend(names_of(place));
            }
        }
    }
    let found = uses.into_iter().zip(taken).filter(|(_, taken)| *taken);
    let mut found: Vec<Indirect> =
        found.map(|((place, through), _)| Indirect { place, through }).collect();
    found.sort_by(|a, b| (&a.place, &a.through).cmp(&(&b.place, &b.through)));
    found.dedup();
    found
}

/// Whether a lookup of `through` reads the value that has the name: the value itself, a mapping
/// around it, or something inside it.
fn reads(through: &str, name: &str) -> bool {
    name == through
        || name.strip_prefix(through).is_some_and(|rest| rest.starts_with('.'))
        || through.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
}

fn names_of(place: &Place) -> Option<String> {
    let steps: Vec<String> = place
        .route
        .0
        .iter()
        .filter_map(|step| match step {
            Step::Field(name) => Some(name.clone()),
            Step::Item(at) => Some(at.to_string()),
            _ => None,
        })
        .collect();
    let commented = place.route.0.contains(&Step::Comment);
    (!steps.is_empty() && !commented).then(|| steps.join("."))
}

fn interpolations(files: &[SourceFile]) -> Vec<(Place, String)> {
    let mut uses = Vec::new();
    for file in files {
        walk(&file.cells, &mut Vec::new(), &mut |cell, _, text| {
            if cell.place.route.0.contains(&Step::Comment) {
                return;
            }
            for hit in pattern().captures_iter(text) {
                let name = hit.get(1).or_else(|| hit.get(2)).map(|name| name.as_bytes());
                if let Some(name) = name {
                    uses.push((cell.place.clone(), String::from_utf8_lossy(name).into_owned()));
                }
            }
        });
    }
    uses
}

/// Hiera's interpolation functions that look a name up (Puppet documentation, "Interpolation").
fn pattern() -> &'static Regex {
    static PATTERN: std::sync::OnceLock<Regex> = std::sync::OnceLock::new();
    PATTERN.get_or_init(|| {
        Regex::new(
            r#"(?-u)%\{\s*(?:::)?(?:hiera|lookup|alias)\(\s*(?:'([^']+)'|"([^"]+)")\s*\)\s*\}"#,
        )
        .expect("the built-in pattern compiles")
    })
}

/// Whether the raw bytes of a file can hold an interpolation.
#[must_use]
pub fn may_interpolate(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"%{").is_some() && pattern().is_match(bytes)
}

#[cfg(test)]
mod tests {
    use super::indirect;
    use crate::format::{Source, open};
    use crate::keyring::Keyring;
    use crate::model::{AccessKeyId, RepoPath, Route, SourceFile};
    use crate::rotation::{Query, find};

    #[test]
    fn a_long_chain_of_readers_is_followed_in_time() {
        const LENGTH: usize = 1500;
        let mut text = "a0: AKIAIOSFODNN7EXAMPLE\n".to_owned();
        for at in (1..=LENGTH).rev() {
            text.push_str(&format!("a{at}: \"%{{hiera('a{}')}}\"\n", at - 1));
        }
        let (path, route) = (RepoPath::new("x.yaml"), Route::default());
        let source =
            Source { path: &path, bytes: text.as_bytes(), route: &route, line: 1, depth: 0 };
        let cells = open(&source, &Keyring::default()).expect("opened");
        let file = SourceFile { path: path.clone(), bytes: text.into_bytes(), cells };
        let id = AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").expect("an ID");
        let found = find(&file, &Query::ids(vec![id]).expect("builds"));
        let begin = std::time::Instant::now();
        assert_eq!(indirect(&[file], &found).len(), LENGTH);
        assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
    }
}
