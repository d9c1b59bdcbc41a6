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
    let mut names: BTreeSet<String> = BTreeSet::new();
    for occurrence in occurrences {
        names.extend(names_of(&occurrence.place));
    }
    let uses = interpolations(files);
    let mut found: Vec<Indirect> = Vec::new();
    loop {
        let before = found.len();
        for (place, through) in &uses {
            let one = Indirect { place: place.clone(), through: through.clone() };
            if reads(through, &names) && !found.contains(&one) {
                names.extend(names_of(place));
                found.push(one);
            }
        }
        if found.len() == before {
            break;
        }
    }
    found.sort_by(|a, b| (&a.place, &a.through).cmp(&(&b.place, &b.through)));
    found
}

/// Whether a lookup of `through` reads a value that has one of the names: the value itself, a
/// mapping around it, or something inside it.
fn reads(through: &str, names: &BTreeSet<String>) -> bool {
    names.iter().any(|name| {
        name == through
            || name.strip_prefix(through).is_some_and(|rest| rest.starts_with('.'))
            || through.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'))
    })
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
