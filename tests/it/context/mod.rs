//! What every integration test stands on: a home of its own, a scrubbed environment, whole runs of
//! the program, and git that writes the same commits every time. The stand-ins are in `servers`,
//! the search for leaked secrets in `canary`, the check of JSON answers in `schema`.

pub(crate) mod aws;
pub(crate) mod canary;
pub(crate) mod http;
pub(crate) mod schema;
pub(crate) mod servers;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The date of every commit that a test makes.
const DATE: &str = "2026-01-02T03:04:05Z";

/// One test's world. Everything the program may write lies under [`Context::root`]; the data of
/// stand-ins lies elsewhere, so that a search of the root finds what keyroll alone left behind.
pub(crate) struct Context {
    root: TempDir,
    stage: TempDir,
    env: BTreeMap<String, String>,
}

impl Context {
    /// An empty home, an empty working directory and an environment without a single secret.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("keyroll-it-").tempdir().expect("a temp dir");
        let stage = tempfile::Builder::new().prefix("keyroll-it-").tempdir().expect("a temp dir");
        for dir in ["home", "work", "tmp"] {
            fs::create_dir(root.path().join(dir)).expect("an empty root");
        }
        let home = root.path().join("home");
        save(
            &home.join(".gitconfig"),
            "[user]\n\tname = Alice Example\n\temail = alice@example.com\n[init]\n\tdefaultBranch = main\n",
        );
        let text = |path: PathBuf| path.to_str().expect("a temp dir in UTF-8").to_owned();
        let env = [
            ("PATH", parent("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())),
            ("HOME", text(home.clone())),
            ("XDG_CONFIG_HOME", text(home.join("config"))),
            ("XDG_STATE_HOME", text(home.join("state"))),
            ("TMPDIR", text(root.path().join("tmp"))),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
        ];
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { root, stage, env }
    }

    /// The folder that holds everything the program under test may touch.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The user's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The working directory of [`Context::run`].
    pub(crate) fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// The folder of the stand-ins: remotes, server keys, logs.
    pub(crate) fn stage(&self) -> &Path {
        self.stage.path()
    }

    /// Sets a variable for every later run of the program and of git.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// Writes a file under the working directory, and the folders it needs.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(path);
        save(&path, text);
        path
    }

    /// The program with these words, not yet started: no stdin, the context's environment.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        self.program(env!("CARGO_BIN_EXE_keyroll"), &self.work(), args)
    }

    /// Runs the program to its end in the working directory.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// Runs the program in another directory.
    pub(crate) fn run_in<S: AsRef<OsStr>>(&self, dir: &Path, args: &[S]) -> Run {
        Run::of(self.command(args).current_dir(dir))
    }

    /// Runs the program with `input` on its standard input.
    pub(crate) fn run_with<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8]) -> Run {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("keyroll starts");
        // The program may refuse before it reads: a closed pipe is its answer, not ours.
        let _closed = child.stdin.take().expect("piped").write_all(input);
        Run::from(child.wait_with_output().expect("keyroll ends"))
    }

    /// Runs git in `dir` and gives its standard output; commits always bear the same name and date.
    pub(crate) fn git<S: AsRef<OsStr>>(&self, dir: &Path, args: &[S]) -> String {
        let run = self.try_git(dir, args);
        assert_eq!(run.code, 0, "git failed in {}:\n{run}", dir.display());
        run.stdout.trim_end().to_owned()
    }

    /// Runs git where it may refuse.
    pub(crate) fn try_git<S: AsRef<OsStr>>(&self, dir: &Path, args: &[S]) -> Run {
        let mut command = self.program("git", dir, args);
        command.env("GIT_AUTHOR_DATE", DATE).env("GIT_COMMITTER_DATE", DATE);
        Run::of(&mut command)
    }

    /// A repository in the working directory with one commit on `main` that holds these files.
    pub(crate) fn repository(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let dir = self.work().join(name);
        fs::create_dir_all(&dir).expect("a folder for the repository");
        self.git(&dir, &["init", "-q"]);
        for (path, text) in files {
            save(&dir.join(path), text);
        }
        self.git(&dir, &["add", "--all"]);
        self.git(&dir, &["commit", "-q", "--allow-empty", "-m", "import"]);
        dir
    }

    /// A bare copy of `repository` on the stage, which accepts pushes over every transport.
    pub(crate) fn remote(&self, repository: &Path, name: &str) -> PathBuf {
        let remotes = self.stage().join("remotes");
        fs::create_dir_all(&remotes).expect("a folder for remotes");
        let dir = remotes.join(name);
        // Through the transport: a plain copy would take along what no branch reaches.
        let words = ["clone", "-q", "--bare", "--no-local"].map(OsStr::new);
        self.git(&self.work(), &[&words[..], &[repository.as_os_str(), dir.as_os_str()]].concat());
        self.git(&dir, &["config", "http.receivepack", "true"]);
        self.git(&dir, &["remote", "remove", "origin"]);
        dir
    }

    /// A program with the context's environment and nothing else.
    fn program<S: AsRef<OsStr>>(&self, name: &str, dir: &Path, args: &[S]) -> Command {
        let mut command = Command::new(name);
        command.args(args).current_dir(dir).env_clear().envs(&self.env).stdin(Stdio::null());
        command
    }

    /// A text with what differs from run to run named instead: `[ROOT]`, `[STAGE]`, `[OID]`,
    /// `[TIME]`, `[PORT]`.
    pub(crate) fn normalise(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (pattern, name) in self.filters() {
            let pattern = regex::Regex::new(&pattern).expect("a filter is a regex");
            text = pattern.replace_all(&text, regex::NoExpand(&name)).into_owned();
        }
        text
    }

    /// The same filters, for `insta::with_settings!({filters => …})`.
    pub(crate) fn filters(&self) -> Vec<(String, String)> {
        let path = |path: &Path| regex::escape(path.to_str().expect("UTF-8"));
        [
            (path(self.root()), "[ROOT]"),
            (path(self.stage()), "[STAGE]"),
            (r"\b[0-9a-f]{40}\b".into(), "[OID]"),
            (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)".into(), "[TIME]"),
            (r"\b(127\.0\.0\.1|localhost):\d{4,5}\b".into(), "127.0.0.1:[PORT]"),
        ]
        .map(|(pattern, name)| (pattern, name.to_owned()))
        .to_vec()
    }
}

/// What a program did. It prints as one picture, for snapshots.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        Self::from(command.output().unwrap_or_else(|error| panic!("{name} starts: {error}")))
    }

    /// The same run; fails the test when it ended with another exit code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "another exit code than expected:\n{self}");
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no JSON: {error}\n{self}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        // A process that a signal ended has no code; shells count from 128, and so do we.
        let signal = || std::os::unix::process::ExitStatusExt::signal(&output.status);
        let code = output.status.code().unwrap_or_else(|| 128 + signal().unwrap_or(0));
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit: {}\n── stdout\n{}── stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Writes a file and the folders it needs.
#[expect(clippy::disallowed_methods, reason = "a test's own file may be half written")]
pub(crate) fn save(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
    fs::write(path, text).expect("a file of the test");
}

/// A variable of the environment that the tests themselves were started with.
#[expect(clippy::disallowed_methods, reason = "the one place where the tests read it")]
pub(crate) fn parent(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Finds a program: what `tests/run.sh` prepared, else the `PATH`, else where servers live.
///
/// `None` on a machine without it, with the reason printed, so that the test returns; with `CI` set
/// that is a failure.
pub(crate) fn needs(program: &str) -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools");
    let mut folders = vec![tools.join("venv/bin"), tools.join("npm/node_modules/emulate/dist")];
    let path = parent("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = folders.into_iter().map(|dir| dir.join(program)).find(|file| file.is_file());
    if found.is_none() {
        let reason = format!("{program} is missing: `bash tests/run.sh` prepares it");
        assert!(parent("CI").is_none(), "{reason}");
        let _unheard = writeln!(std::io::stderr(), "skipped: {reason}");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Context, needs, save};

    #[test]
    fn the_program_sees_no_variable_of_the_parent() {
        let mut context = Context::new();
        context.set("KEYROLL_TEST", "1");
        let run = super::Run::of(&mut context.program("env", &context.work(), &[""; 0]));
        let names: Vec<_> = run.stdout.lines().filter_map(|l| l.split('=').next()).collect();
        assert!(names.contains(&"KEYROLL_TEST"));
        assert!(!names.iter().any(|name| name.starts_with("CARGO") || *name == "USER"));
    }

    #[test]
    fn commits_are_the_same_every_time() {
        let (one, two) = (Context::new(), Context::new());
        let [a, b] = [&one, &two].map(|context| {
            let dir = context.repository("secrets", &[("hieradata/staging.yaml", "a: b\n")]);
            let remote = context.remote(&dir, "secrets.git");
            context.git(&remote, &["rev-parse", "main"])
        });
        assert_eq!(a, b);
        assert_eq!(one.normalise(&a), "[OID]");
    }

    #[test]
    fn what_differs_between_runs_is_named() {
        let context = Context::new();
        let file = context.work().join("a.yaml");
        let text = format!("{} at 2026-11-28T10:00:00Z, 127.0.0.1:54321", file.display());
        assert_eq!(context.normalise(&text), "[ROOT]/work/a.yaml at [TIME], 127.0.0.1:[PORT]");
    }

    #[test]
    fn a_run_gives_code_and_streams() {
        let context = Context::new();
        save(&context.work().join("x"), "in");
        let words = ["-c", "cat x; echo err >&2; exit 3"];
        let run = super::Run::of(&mut context.program("sh", &context.work(), &words)).ends(3);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("in", "err\n"));
        let words = ["-c", "kill -9 $$"];
        assert_eq!(super::Run::of(&mut context.program("sh", &context.work(), &words)).code, 137);
    }

    #[test]
    fn the_program_runs_in_each_manner() {
        let context = Context::new();
        let help = context.run(&["--help"]).ends(0);
        assert_eq!(context.run_in(&context.home(), &["--help"]).ends(0).stdout, help.stdout);
        assert_eq!(context.run_with(&["--help"], b"unread").ends(0).stdout, help.stdout);
    }

    #[test]
    #[should_panic(expected = "stdout is no JSON")]
    fn an_answer_that_is_no_json_is_told() {
        let context = Context::new();
        let mut echo = context.program("echo", &context.work(), &["{\"version\": 1}"]);
        assert_eq!(super::Run::of(&mut echo).json()["version"], 1);
        super::Run::of(&mut context.program("echo", &context.work(), &["{"])).json();
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(needs("git").is_some_and(|file| file.ends_with("git")));
    }
}
