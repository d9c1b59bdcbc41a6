//! Every command's `--help` as a picture, at 80 columns, and that the words of documents exist.

use std::fmt::Write as _;

use crate::context::Context;

/// The commands that the program's own help names, with the nested ones.
fn commands(context: &Context) -> Vec<Vec<String>> {
    let run = context.run(&["--help"]);
    let listed = run.stdout.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let mut all: Vec<Vec<String>> = names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(|name| vec![name.to_owned()])
        .collect();
    all.push(vec!["ledger".to_owned(), "show".to_owned()]);
    all
}

#[test]
fn every_help_is_as_pictured() {
    let mut context = Context::new();
    context.set("COLUMNS", "80");
    let mut picture = context.run(&["--help"]).stdout;
    for command in commands(&context) {
        let mut words: Vec<&str> = command.iter().map(String::as_str).collect();
        words.push("--help");
        let run = context.run(&words);
        assert_eq!(run.code, 0, "{run}");
        writeln!(picture, "\n=== keyroll {} ===\n\n{}", command.join(" "), run.stdout).unwrap();
    }
    insta::assert_snapshot!(picture);
}

#[test]
fn every_command_has_an_example_or_is_one_itself() {
    let context = Context::new();
    for command in commands(&context) {
        let mut words: Vec<&str> = command.iter().map(String::as_str).collect();
        words.push("--help");
        let run = context.run(&words);
        let nested = run.stdout.contains("Commands:");
        assert!(nested || run.stdout.contains("Example"), "{}:\n{run}", command.join(" "));
    }
}

#[test]
fn every_reason_word_stands_in_the_documents() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = std::fs::read_to_string(root.join("docs/exit-codes.md")).unwrap();
    let mut missing = Vec::new();
    for file in sources(&root.join("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for reason in reasons(text).into_iter().chain(fields(text)) {
            if !documented.contains(&format!("`{reason}`")) {
                missing.push(format!("{reason} ({})", file.strip_prefix(root).unwrap().display()));
            }
        }
    }
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "docs/exit-codes.md lacks: {missing:#?}");
}

/// The words given to `Error::refused("…"` and `Error::new(Kind::…, "…"`.
fn reasons(text: &str) -> Vec<String> {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (mark, skip_kind) in [("Error::refused(", false), ("Error::new(", true)] {
        for rest in flat.split(mark).skip(1) {
            let rest = rest.trim_start();
            let rest = if skip_kind {
                match rest.split_once(',') {
                    Some((kind, rest)) if kind.contains("Kind::") => rest.trim_start(),
                    _ => continue,
                }
            } else {
                rest
            };
            let word = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
            found.extend(word.filter(|word| !word.contains(' ')).map(str::to_owned));
        }
    }
    found
}

/// The words given as `reason: "…"`.
fn fields(text: &str) -> Vec<String> {
    let words = text.split("reason: \"").skip(1).filter_map(|rest| rest.split('"').next());
    words.filter(|word| !word.contains(' ')).map(str::to_owned).collect()
}

fn sources(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}
