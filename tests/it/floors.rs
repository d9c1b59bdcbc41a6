//! The architecture, executable: reads every path under `src/` that starts at `crate`, `super` or
//! `keyroll`, and fails where one leads up, or sideways between two rooms of one floor.
//! A name that `lib.rs` re-exports counts as the room it comes from. Privacy is the compiler's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The table, from the top down. A room may use what stands below it, and itself.
const FLOORS: [&[&str]; 9] = [
    &["main"],
    &["cli"],
    &["protocol", "sandbox"],
    &["rotation"],
    &["format"],
    &["keyring", "yaml", "iam", "forge", "repo", "report"],
    &["model"],
    &["error"],
    &["breakage"],
];

#[test]
fn every_import_leads_down() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "");
    let lib = &files.iter().find(|(name, _)| name == "lib.rs").expect("lib.rs exists").1;
    for room in lib.lines().filter_map(|l| l.trim_end_matches(';').split("mod ").nth(1)) {
        assert!(floor(room).is_some(), "the room {room} has no floor");
    }
    let exports = exports(lib);
    let wrong: BTreeSet<_> = files.iter().flat_map(|(f, text)| check(f, text, &exports)).collect();
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "against the floors:\n{}", wrong.join("\n"));
}

#[test]
fn the_checker_sees_planted_violations() {
    let exports = exports("pub mod cli;\npub use error::{Error, Kind};\npub use cli::run;\n");
    for (file, text, wrong) in [
        ("model/cell.rs", "use crate::error::Error;\nuse crate::Kind;", ""),
        ("model/cell.rs", "use crate::format::Source;", "model/cell.rs:1: format"),
        ("model/mod.rs", "\nuse crate::{\n error::Error,\n cli::{self, args}};", "mod.rs:2: cli"),
        ("error.rs", "fn f() { crate::model::visible(\"\"); }", "error.rs:1: model"),
        ("format/eyaml.rs", "use super::super::rotation::find;", "eyaml.rs:1: rotation"),
        ("format/eyaml.rs", "use super::{registry, super::rotation};", "eyaml.rs:1: rotation"),
        ("format/eyaml.rs", "mod tests {\n use super::super::registry;\n}", ""),
        ("format/mod.rs", "mod tests {\n use super::super::cli;\n}", "mod.rs:2: cli"),
        ("yaml/scan.rs", "use crate::forge::Forge;", "scan.rs:1: forge"),
        ("sandbox/mod.rs", "use keyroll::protocol::rotate;", "mod.rs:1: protocol"),
        ("yaml/scan.rs", "pub use crate::run;", "scan.rs:1: cli"),
        ("yaml/scan.rs", "use crate::*;", "scan.rs:1: *"),
        ("yaml/scan.rs", "use crate::{self as k};", "scan.rs:1: self"),
        ("repo/git.rs", "#[serde(with = \"crate::cli::x\")]", "git.rs:1: cli"),
        ("repo/git.rs", "get(\"http://x\", crate::cli::x());", "git.rs:1: cli"),
        ("repo/git.rs", "//! [`crate::cli`]\nuse my_crate::cli; // crate::cli", ""),
        ("repo/git.rs", "pub(in crate::repo) fn f(x: &'a crate::model::Cell) {}", ""),
        ("main.rs", "use keyroll::cli;", ""),
    ] {
        let found = check(file, text, &exports).join("\n");
        assert_eq!(found.is_empty(), wrong.is_empty(), "`{text}` in {file} gave `{found}`");
        assert!(found.contains(wrong), "`{text}` in {file} gave `{found}`");
    }
}

/// Every Rust file under `dir`, by its path from `src`, with its text.
fn files(dir: &Path, prefix: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("src can be listed") {
        let path = entry.expect("src can be listed").path();
        let name = format!("{prefix}{}", path.file_name().expect("named").to_string_lossy());
        if path.is_dir() {
            found.extend(files(&path, &format!("{name}/")));
        } else if name.ends_with(".rs") {
            found.push((name, fs::read_to_string(&path).expect("source is text")));
        }
    }
    found
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The names that `lib.rs` re-exports at the crate's root, and the room of each.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let trees = lib.match_indices("pub use ").flat_map(|(at, word)| tree(&lib[at + word.len()..]));
    trees.filter_map(|path| Some((path.last()?.clone(), path.first()?.clone()))).collect()
}

/// What one file imports against the table, as `file:line: room`.
fn check(file: &str, text: &str, exports: &BTreeMap<String, String>) -> Vec<String> {
    let module = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let room = module.split('/').next().unwrap_or(module);
    let code: Vec<_> = text.lines().map(without_comment).collect();
    let code = code.join("\n");
    let mut wrong = Vec::new();
    for at in ["crate::", "super::", "keyroll::"].iter().flat_map(|word| starts(&code, word)) {
        for path in tree(&code[at..]) {
            let up = path.iter().take_while(|word| *word == "super").count();
            // Fewer steps than the file is deep stay inside the room.
            if room == "lib" || (up > 0 && up < module.split('/').count()) {
                continue;
            }
            let Some(name) = path.get(up.max(1)) else { continue };
            let target = exports.get(name).unwrap_or(name);
            let whole_crate = up == 0 && matches!(name.as_str(), "*" | "self");
            let leads_up = floor(target).is_some_and(|floor| Some(floor) <= self::floor(room));
            if whole_crate || (leads_up && target != room) {
                let line = 1 + code[..at].matches('\n').count();
                wrong.push(format!("{file}:{line}: {target}"));
            }
        }
    }
    wrong
}

/// Where `word` begins a path.
fn starts<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    code.match_indices(word).map(|(at, _)| at).filter(move |at| !code[..*at].ends_with(inside))
}

/// A line up to its comment; two slashes inside an address are none.
fn without_comment(line: &str) -> &str {
    let comment = |(at, _): &(usize, &str)| line[..*at].trim_end() != &line[..*at] || *at == 0;
    line.match_indices("//").find(comment).map_or(line, |(at, _)| &line[..at])
}

/// The paths of the tree that the text begins with: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn tree(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        return parts(group).into_iter().flat_map(tree).collect();
    }
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '*';
    let (name, rest) = text.split_at(text.find(|c| !word(c)).unwrap_or(text.len()));
    let branches = rest.trim_start().strip_prefix("::").map_or(vec![vec![]], tree);
    branches.into_iter().map(|branch| [vec![name.to_owned()], branch].concat()).collect()
}

/// The parts of a group whose opening brace was read, up to its closing one.
fn parts(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in group.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth < 0 || (depth == 0 && c == ',') {
            parts.push(group[from..at].trim());
            from = at + 1;
        }
        if depth < 0 {
            break;
        }
    }
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}
