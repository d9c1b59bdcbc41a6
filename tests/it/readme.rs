//! Every command that the documentation shows is run, on the sample that `keyroll demo --serve`
//! serves, and answers what stands there. With `KEYROLL_UPDATE_DOCS` set, the answers that stand
//! there are written anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{CommandFactory as _, Parser as _};
use keyroll::cli::args::Cli;

use crate::context::{Context, Run, needs, parent, save};
use crate::demo::{Served, same};

/// What cannot be run as it stands, and the words that are run instead, if any.
const INSTEAD: [(&str, &[&str]); 4] = [
    ("cargo run --release --locked -- demo", &["demo"]),
    ("cargo install --locked --path .", &["--version"]),
    ("keyroll demo --serve", &["demo", "--help"]),
    // The tests run this one.
    ("bash tests/run.sh", &["--version"]),
];

/// A stretch of output that the documentation leaves out.
const LEFT_OUT: &str = "…";

/// One thing that a page asks for.
#[derive(Debug)]
enum Item {
    /// `<!-- simulated: … -->`
    Event(String),
    /// A command, whether its answer is shown, and the lines of the page that hold the answer.
    Command { words: String, shown: bool, answer: std::ops::Range<usize> },
}

fn page(name: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// Everything that a page asks for, in order.
fn items(text: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut block: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        if let Some(kind) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(kind) };
            continue;
        }
        match block {
            None => {
                let events = line.strip_prefix("<!-- simulated: ");
                let events = events.and_then(|line| line.strip_suffix(" -->"));
                let events = events.into_iter().flat_map(|events| events.split("; "));
                items.extend(events.map(|event| Item::Event(event.to_owned())));
            }
            Some("console") => match (line.strip_prefix("$ "), items.last_mut()) {
                (Some(words), _) => {
                    let answer = at + 1..at + 1;
                    items.push(Item::Command { words: words.to_owned(), shown: true, answer });
                }
                (None, Some(Item::Command { answer, .. })) => answer.end = at + 1,
                (None, _) => panic!("line {}: an answer without a command", at + 1),
            },
            Some("sh") => {
                let words = line.split(" #").next().unwrap_or_default().trim().to_owned();
                if !words.is_empty() {
                    items.push(Item::Command { words, shown: false, answer: at..at });
                }
            }
            Some(_) => {}
        }
    }
    items
}

/// The items as one script for a shell, each command's answer behind a line of its own.
fn script(served: &Served, items: &[Item]) -> String {
    let wanted =
        |line: &&str| ["export ", "unset ", "cd "].iter().any(|word| line.starts_with(word));
    let mut text: String =
        served.script.lines().filter(wanted).map(|line| format!("{line}\n")).collect();
    for item in items {
        let _ = match item {
            Item::Event(event) => {
                let path = event.replace(' ', "/");
                writeln!(text, "curl -sSf -X POST $AWS_ENDPOINT_URL/simulate/{path} >/dev/null")
            }
            Item::Command { words, .. } => {
                let other = INSTEAD.iter().find(|(known, _)| known == words);
                let words = other.map_or_else(
                    || words.clone(),
                    |(_, words)| format!("keyroll {}", words.join(" ")),
                );
                writeln!(
                    text,
                    "echo '==='\n{words}\ncode=$?\n[ $code = 0 ] || echo \"exit code $code\""
                )
            }
        };
    }
    text
}

fn run(context: &Context, script: &str) -> Run {
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(script).env_clear().stdin(Stdio::null());
    shell.env("PATH", parent("PATH").unwrap()).env("HOME", context.home());
    shell.env("TMPDIR", context.root().join("tmp"));
    Run::from(shell.output().unwrap())
}

/// Whether an answer is what the page shows, where `…` stands for any lines.
fn fits(shown: &str, answer: &str) -> bool {
    let lines = |text: &str| -> Vec<String> { text.trim().lines().map(str::to_owned).collect() };
    let (shown, answer) = (lines(shown), lines(answer));
    fits_lines(&shown, &answer)
}

fn fits_lines(shown: &[String], answer: &[String]) -> bool {
    match shown.split_first() {
        None => answer.is_empty(),
        Some((first, rest)) if first == LEFT_OUT => {
            (0..=answer.len()).any(|from| fits_lines(rest, &answer[from..]))
        }
        Some((first, rest)) => answer.first() == Some(first) && fits_lines(rest, &answer[1..]),
    }
}

/// Runs a page from its beginning to its end and compares.
fn check(name: &str) {
    if needs("curl").is_none() || needs("bash").is_none() {
        return;
    }
    let context = Context::new();
    let (path, text) = page(name);
    let items = items(&text);
    let served = Served::start(&context);
    let ran = run(&context, &script(&served, &items));
    served.close();
    let mut answers = ran.stdout.split("===\n").skip(1);
    let lines: Vec<&str> = text.lines().collect();
    let mut wrong = String::new();
    let mut anew: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    for item in &items {
        let Item::Command { words, shown, answer } = item else { continue };
        let given = answers.next().unwrap_or_default();
        let stands = lines[answer.clone()].join("\n");
        if !shown {
            // The story of the demo tells codes of its own, with their meaning.
            let last = given.lines().last().unwrap_or_default();
            if last.starts_with("exit code ") && !last.contains(':') {
                let _ = writeln!(wrong, "$ {words}\n{given}");
            }
            continue;
        }
        if fits(&same(&context, &stands), &same(&context, given)) {
            continue;
        }
        let _ = writeln!(wrong, "$ {words}\n--- stands there\n{stands}\n--- is\n{given}");
        if !lines[answer.clone()].contains(&LEFT_OUT) {
            anew.push((answer.clone(), presentable(given)));
        }
    }
    if parent("KEYROLL_UPDATE_DOCS").is_some() {
        let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
        for (range, text) in anew.into_iter().rev() {
            lines.splice(range, text.lines().map(str::to_owned));
        }
        save(&path, lines.join("\n") + "\n");
    }
    assert!(
        wrong.is_empty(),
        "{name} and the program differ:\n{wrong}\n--- stderr\n{}",
        ran.stderr
    );
}

/// A real answer, with the random half of a new access key's ID made readable.
fn presentable(answer: &str) -> String {
    let id = regex::Regex::new(r"\bAKIARZPUZDIK[A-Z2-7]{8}\b").unwrap();
    let answer = id.replace_all(answer.trim(), |hit: &regex::Captures<'_>| match &hit[0] {
        known @ ("AKIARZPUZDIKAEXAMPLE" | "AKIARZPUZDIKABACKUPS") => known.to_owned(),
        _ => "AKIARZPUZDIKANEWPAIR".to_owned(),
    });
    answer.into_owned()
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    check("README.md");
}

#[test]
fn the_quick_start_does_what_it_says() {
    check("docs/quickstart.md");
}

#[test]
fn the_usage_page_shows_what_the_program_answers() {
    check("docs/usage.md");
}

#[test]
fn every_command_has_its_row_and_its_section() {
    let (readme, usage) = (page("README.md").1, page("docs/usage.md").1);
    let cli = Cli::command();
    let verbs: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
    for verb in &verbs {
        assert!(readme.contains(&format!("| `keyroll {verb}` |")), "README.md has no {verb}");
        assert!(usage.contains(&format!("\n## {verb}\n")), "docs/usage.md has no {verb}");
    }
    for row in readme.lines().filter_map(|line| line.strip_prefix("| `keyroll ")) {
        let verb = row.split('`').next().unwrap();
        assert!(verbs.contains(&verb), "README.md has a row for {verb}, which is no command");
    }
    assert!(readme.lines().count() < 200);
}

#[test]
fn every_command_of_every_page_is_one_that_the_program_understands() {
    let mut read = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(folder.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    for path in docs.chain([folder.join("README.md")]) {
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap().replace("\\\n", " ");
        let mut inside = false;
        for line in text.lines() {
            inside ^= line.trim_start().starts_with("```");
            let line = line.trim_start();
            let line = line.strip_prefix("- run: ").or(line.strip_prefix("$ ")).unwrap_or(line);
            if !inside || !line.starts_with("keyroll ") {
                continue;
            }
            let words = line.split(" #").next().unwrap().split(['|', '>']).next().unwrap();
            let words = words.replace('"', "").replace("$BASE..$HEAD", "a..b");
            let words = words.split_whitespace();
            if let Err(error) = Cli::try_parse_from(words) {
                assert_eq!(error.exit_code(), 0, "{}: {line}\n{error}", path.display());
            }
            read += 1;
        }
    }
    assert!(read > 20, "only {read} commands were seen");
}

#[test]
fn the_comparison_sees_a_difference() {
    for (shown, answer, wanted) in [
        ("a\nb", "a\nb\n", true),
        ("a\n…", "a\nb\nc", true),
        ("…\nc", "a\nb\nc", true),
        ("…", "", true),
        ("a\n…\nc", "a\nc", true),
        ("a", "a\nb", false),
        ("a\n…\nd", "a\nb\nc", false),
        ("", "a", false),
    ] {
        assert_eq!(fits(shown, answer), wanted, "`{shown}` and `{answer}`");
    }
    let items = items(
        "<!-- simulated: merge; advance 1d -->\n```console\n$ a\nb\n\nc\n```\n```sh\nd # e\n```\n",
    );
    let [Item::Event(one), Item::Event(two), Item::Command { words, answer, .. }, last] =
        &items[..]
    else {
        panic!("{items:?}");
    };
    assert_eq!((one.as_str(), two.as_str(), words.as_str()), ("merge", "advance 1d", "a"));
    assert_eq!(*answer, 3..6);
    assert!(matches!(last, Item::Command { words, shown: false, .. } if words == "d"));
}
