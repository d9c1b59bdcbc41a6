//! `keyroll demo`: the story ends as it must, tells no secret, leaves nothing behind; and what it
//! serves can be typed by hand with the same answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::context::canary::Canary;
use crate::context::{Context, Run, needs, parent, save};

const OLD: &str = "AKIARZPUZDIKAEXAMPLE";
const LAST_LINE: &str = "# `use new s3`, `merge`. Ctrl-C ends the services.";

/// The secrets of the sample: of the access key that is rotated, and of the one beside it.
fn canary() -> Canary {
    Canary::new(&[
        ("old", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("other", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"),
        ("database", "correct horse battery staple"),
    ])
}

/// A text in which everything that differs from run to run bears a name.
pub(crate) fn same(context: &Context, text: &str) -> String {
    let id = regex::Regex::new(r"\bAKIARZPUZDIK[A-Z2-7]{8}\b").unwrap();
    let named = id.replace_all(text, |hit: &regex::Captures<'_>| match &hit[0] {
        known @ (OLD | "AKIARZPUZDIKABACKUPS") => known.to_owned(),
        _ => "[NEW-ACCESS-KEY-ID-]".to_owned(),
    });
    let short = regex::Regex::new(r"\b[0-9a-f]{12}\b").unwrap();
    let rotation = regex::Regex::new(r"\b[0-9a-f]{32}\b").unwrap();
    let scratch = regex::Regex::new(r"\bkeyroll-demo-\w+").unwrap();
    let text = context.normalise(&named);
    let text = short.replace_all(&text, "[OID]");
    let text = rotation.replace_all(&text, "[ROTATION]");
    scratch.replace_all(&text, "keyroll-demo-[X]").into_owned()
}

/// The names of what lies in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_story_ends_as_it_must_and_leaves_nothing_behind() {
    let context = Context::new();
    let home = names(&context.home());
    let run = context.run(&["demo"]).ends(0);
    insta::assert_snapshot!("demo", same(&context, &run.stdout));
    let wide: Vec<&str> = run.stdout.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "wider than 80 columns: {wide:#?}");
    assert_eq!(names(&context.root().join("tmp")), [""; 0]);
    assert_eq!(names(&context.home()), home);
    canary().assert_unseen(&context, &[&run]);
}

#[test]
fn nothing_of_the_users_environment_reaches_the_story() {
    let mut context = Context::new();
    save(
        &context.home().join(".gitconfig"),
        "[commit]\n\tgpgsign = true\n[gpg]\n\tprogram = false\n[core]\n\tautocrlf = true\n\
         [url \"/nonexistent/\"]\n\tinsteadOf = /\n[user]\n\tuseConfigOnly = true\n",
    );
    for (name, value) in [
        ("AWS_PROFILE", "production"),
        ("AWS_SESSION_TOKEN", "x"),
        ("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:1"),
        ("GIT_DIR", "/nonexistent"),
        ("GITHUB_TOKEN", "somebody's own"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("EYAML_CONFIG", "/nonexistent"),
    ] {
        context.set(name, value);
    }
    context.run(&["demo"]).ends(0);
}

#[test]
fn without_git_it_says_what_is_missing() {
    let mut context = Context::new();
    context.set("PATH", "/nonexistent");
    let run = context.run(&["demo"]).ends(2);
    assert!(run.stderr.starts_with("error: the program `git` was not found\nhint: "), "{run}");
    assert_eq!(names(&context.root().join("tmp")), [""; 0]);
}

#[test]
fn what_is_kept_is_a_repository_that_can_be_searched() {
    let context = Context::new();
    let run = context.run(&["demo", "--keep", "story"]).ends(0);
    let kept = context.work().join("story");
    assert_eq!(names(&kept), ["secrets", "secrets.git"]);
    assert!(run.stdout.contains(&format!("kept: the clone {}", kept.join("secrets").display())));
    assert_eq!(names(&context.root().join("tmp")), [""; 0]);
    let clone = kept.join("secrets");
    assert_eq!(context.git(&clone, &["status", "--porcelain"]), "");
    let found = context.run_in(&clone, &["find", "--all", "--output", "json"]).ends(0).json();
    assert_eq!(found["complete"], true);
    // What the story leaves: the new access key where the old one stood, the other as it was.
    let ids: Vec<&str> = found["access_keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["access_key_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert!(ids.contains(&"AKIARZPUZDIKABACKUPS") && !ids.contains(&OLD), "{ids:?}");
    let again = context.run(&["demo", "--keep", "story"]).ends(2);
    assert!(again.stderr.contains("is not empty\nhint: "), "{again}");
}

/// `demo --serve` in a process of its own, and the script that it printed.
pub(crate) struct Served {
    child: Child,
    stdin: Option<ChildStdin>,
    rest: BufReader<std::process::ChildStdout>,
    /// Everything that it printed at first.
    pub(crate) script: String,
}

impl Served {
    pub(crate) fn start(context: &Context) -> Self {
        let mut command = context.command(&["demo", "--serve"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut script = String::new();
        while !script.ends_with(&format!("{LAST_LINE}\n")) {
            assert_ne!(rest.read_line(&mut script).unwrap(), 0, "it ended early:\n{script}");
        }
        Self { child, stdin, rest, script }
    }

    /// Types a line, and reads the line that answers it.
    fn type_line(&mut self, line: &str) -> String {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        self.rest.read_line(&mut answer).unwrap();
        answer
    }

    /// Closes its standard input and waits; its exit code and what it said on stderr.
    pub(crate) fn close(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ended already, unless the test failed.
        let _ended = self.child.kill();
    }
}

/// Whether the line is a command that answers.
fn is_command(line: &str) -> bool {
    ["keyroll ", "git ", "curl "].iter().any(|word| line.starts_with(word))
}

/// Pastes a script into a shell; the answer of every command, in order, as `(command, answer)`.
fn paste(context: &Context, script: &str) -> Vec<(String, String)> {
    let mut text = String::new();
    for line in script.lines() {
        if is_command(line) {
            text.push_str(&format!("echo '=== {line}'\n{line}\n"));
            text.push_str("code=$?; [ $code = 0 ] || echo \"exit code $code\"\n");
        } else {
            text.push_str(&format!("{line}\n"));
        }
    }
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(text).env_clear().stdin(Stdio::null());
    shell.env("PATH", parent("PATH").unwrap()).env("HOME", context.home());
    shell.env("TMPDIR", context.root().join("tmp"));
    let run = Run::from(shell.output().unwrap()).ends(0);
    let answers = run.stdout.split("=== ").skip(1).map(|part| {
        let (command, answer) = part.split_once('\n').unwrap();
        (command.to_owned(), answer.trim().to_owned())
    });
    answers.collect()
}

/// The same of what `demo` printed.
fn played(text: &str) -> Vec<(String, String)> {
    let mut answers: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            answers.push((command.to_owned(), String::new()));
            inside = true;
        } else if line.starts_with("# ") || line.starts_with("[simulated]") {
            inside = false;
        } else if inside {
            // The meaning of an exit code is the story's own.
            let line = if line.starts_with("exit code ") { &line[..11] } else { line };
            let answer = &mut answers.last_mut().unwrap().1;
            answer.push_str(line);
            answer.push('\n');
        }
    }
    let end = regex::Regex::new(r"(?m)^\d+ commands? ended as they must$").unwrap();
    answers
        .into_iter()
        .map(|(command, answer)| (command, end.replace(&answer, "").trim().to_owned()))
        .collect()
}

#[test]
fn the_served_commands_pasted_by_hand_give_the_same_answers() {
    if needs("curl").is_none() || needs("bash").is_none() {
        return;
    }
    let context = Context::new();
    let story = played(&context.run(&["demo"]).ends(0).stdout);
    let served = Served::start(&context);
    let pasted = paste(&context, &served.script);
    let (simulated, typed): (Vec<_>, Vec<_>) =
        pasted.into_iter().partition(|(command, _)| command.starts_with("curl "));
    for (command, answer) in &simulated {
        assert!(answer.starts_with("[simulated] "), "{command}: {answer}");
    }
    let named = |answers: Vec<(String, String)>| -> Vec<(String, String)> {
        answers.into_iter().map(|(command, answer)| (command, same(&context, &answer))).collect()
    };
    assert_eq!(named(typed), named(story));
    let (code, said) = served.close();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(names(&context.root().join("tmp")), [""; 0]);
}

#[test]
fn what_happens_outside_can_be_typed() {
    let context = Context::new();
    let mut served = Served::start(&context);
    assert_eq!(
        served.type_line("use old s3 us-east-1"),
        format!("[simulated] s3 in us-east-1 is used with {OLD}\n")
    );
    let before = served.type_line("advance 8d");
    assert!(before.starts_with("[simulated] 8d pass, it is 20"), "{before}");
    writeln!(served.stdin.as_mut().unwrap(), "merge\nuse new s3\n\nfly").unwrap();
    let endpoint = served
        .script
        .lines()
        .find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=http://127.0.0.1:"))
        .unwrap();
    let port = endpoint.parse().unwrap();
    let ask = |line: &str| crate::context::http::request(port, line, &[], "").unwrap();
    assert!(ask("POST /simulate/advance/1d").is(200).body.starts_with("[simulated] 1d pass"));
    assert!(ask("POST /simulate/advance/soon").is(400).body.starts_with("error: `soon` is no"));
    assert!(ask("GET /simulate/merge").is(400).body.starts_with("error: `merge` is nothing"));
    let (code, said) = served.close();
    assert_eq!(code, Some(0));
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(
        errors,
        [
            "error: no pull request is open",
            "error: there is no new access key yet",
            "error: `fly` is nothing that can be simulated",
        ]
    );
}

#[test]
fn a_request_to_end_removes_everything() {
    let context = Context::new();
    let mut served = Served::start(&context);
    let tmp: PathBuf = context.root().join("tmp");
    assert_eq!(names(&tmp).len(), 1);
    let pid = rustix::process::Pid::from_child(&served.child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    assert_eq!(names(&tmp), [""; 0]);
}
