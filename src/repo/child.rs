//! Starts other programs: an allow-listed environment, a watchdog, and nothing inherited.
//! Which program is started and with which words is left to the callers.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Kind, Result};
use crate::model::visible;

/// Names of variables that a child may see. Nothing here can carry a secret of AWS, SOPS, a vault
/// or eyaml, and nothing is a variable of `git rev-parse --local-env-vars`.
const ALLOWED: &[&str] = &[
    "ALL_PROXY",
    "CURL_CA_BUNDLE",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GNUPGHOME",
    "GPG_TTY",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KRB5CCNAME",
    "LANG",
    "LOGNAME",
    "NO_PROXY",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEMROOT",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// How much of one output stream is kept; the rest is read and dropped.
const OUTPUT_LIMIT: usize = 256 * 1024 * 1024;

/// The variables of the user's environment, handed in by the one room that reads them.
#[derive(Clone, Default)]
pub struct Environment {
    vars: BTreeMap<String, String>,
}

impl Environment {
    /// Takes the variables over.
    #[must_use]
    pub fn new(vars: BTreeMap<String, String>) -> Self {
        Self { vars }
    }

    /// The value of a variable; `None` when it is unset or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The folder for temporary files.
    #[must_use]
    pub fn temp_dir(&self) -> &std::path::Path {
        let named = self.get("TMPDIR").filter(|dir| dir.starts_with('/'));
        std::path::Path::new(named.unwrap_or("/tmp"))
    }

    /// What a child gets to see.
    fn allowed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| ALLOWED.contains(name) || name.starts_with("XDG_"))
    }

    /// The search path without relative folders: a repository that is the current folder must
    /// not be able to offer a program.
    fn search_path(&self) -> String {
        let path = self.get("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
        let absolute: Vec<&str> = path.split(':').filter(|dir| dir.starts_with('/')).collect();
        absolute.join(":")
    }
}

impl fmt::Debug for Environment {
    /// Shows how many variables there are: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.vars.len())
    }
}

/// A command that sees the allow-listed environment only, speaks C locale, reads nothing and
/// works in `/`, so that no folder of a repository is looked into by accident.
#[must_use]
pub fn command(program: &str, environment: &Environment) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(environment.allowed())
        .env("PATH", environment.search_path())
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Whether the child may talk to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// It keeps the terminal, for a passphrase.
    Shared,
    /// It gets its own process group, so that the watchdog ends its children too.
    Cut,
}

/// What a child said.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Standard error as text.
    #[must_use]
    pub fn talk(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Runs a command to its end, feeding `input`, and kills it after `limit`.
///
/// # Errors
/// `program-not-found`, `program-failed` when it could not be started, `timed-out` (network).
pub fn run(
    mut command: Command,
    input: &[u8],
    limit: Duration,
    terminal: Terminal,
) -> Result<Output> {
    let name = visible(&command.get_program().to_string_lossy());
    if terminal == Terminal::Cut {
        command.process_group(0);
    }
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().map_err(|source| not_started(&name, &source))?;
    if let Some(mut pipe) = child.stdin.take() {
        let bytes = input.to_vec();
        // A child that ends early closes its end; its own words say why.
        thread::spawn(move || drop(pipe.write_all(&bytes)));
    }
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let Some(status) = wait(&mut child, limit).map_err(|source| not_started(&name, &source))?
    else {
        end(&mut child, terminal);
        return Err(timed_out(&name, limit));
    };
    Ok(Output {
        status,
        stdout: stdout.finish(Duration::from_secs(10)),
        // A connection that ssh keeps open for later holds this pipe; what was said is there.
        stderr: stderr.finish(Duration::from_secs(1)),
    })
}

/// Reads one stream on a thread of its own.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Stream {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let (sender, ended) = channel();
    let kept = bytes.clone();
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        let Some(mut pipe) = pipe else { return drop(sender) };
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < OUTPUT_LIMIT {
                kept.extend_from_slice(&buffer[..count]);
            }
        }
        drop(sender);
    });
    Stream { bytes, ended }
}

impl Stream {
    /// What was read, once the stream ended; after `grace` what there is.
    fn finish(self, grace: Duration) -> Vec<u8> {
        let _ended = self.ended.recv_timeout(grace);
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn end(child: &mut Child, terminal: Terminal) {
    if terminal == Terminal::Cut
        && let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)
    {
        // The group is ours alone: it was made for this child.
        let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    drop(child.kill());
    drop(child.wait());
}

fn not_started(name: &str, source: &std::io::Error) -> Error {
    if source.kind() == std::io::ErrorKind::NotFound {
        return Error::new(
            Kind::Settings,
            "program-not-found",
            format!("the program `{name}` was not found"),
        )
        .hint(format!("install `{name}`, or add its folder to PATH as an absolute path"));
    }
    Error::new(Kind::Io, "program-failed", format!("could not run the program `{name}`: {source}"))
}

fn timed_out(name: &str, limit: Duration) -> Error {
    Error::new(
        Kind::Network,
        "timed-out",
        format!("the program `{name}` did not end within {} s and was stopped", limit.as_secs()),
    )
    .hint("try again; a prompt for a password or a passphrase cannot be answered from here")
}

#[cfg(test)]
mod tests {
    use super::{Environment, Terminal, command, run};
    use std::time::{Duration, Instant};

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_child_sees_the_allow_list_only() {
        let environment = environment(&[
            ("PATH", ".:/usr/bin:relative:/bin:"),
            ("HOME", "/home/x"),
            ("XDG_CONFIG_HOME", "/x"),
            ("AWS_SECRET_ACCESS_KEY", "canary"),
            ("SOPS_AGE_KEY", "canary"),
            ("VAULT_TOKEN", "canary"),
            ("EYAML_CONFIG", "canary"),
            ("GITHUB_TOKEN", "canary"),
            ("GIT_DIR", "canary"),
            ("GIT_CONFIG_PARAMETERS", "canary"),
            ("GIT_CONFIG_COUNT", "1"),
            ("LD_PRELOAD", "canary"),
        ]);
        let output =
            run(command("env", &environment), b"", Duration::from_secs(10), Terminal::Cut).unwrap();
        let mut lines: Vec<_> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(lines, ["HOME=/home/x", "LC_ALL=C", "PATH=/usr/bin:/bin", "XDG_CONFIG_HOME=/x"]);
    }

    #[test]
    fn no_local_variable_of_git_is_allowed() {
        let output = run(
            {
                let mut git = command("git", &environment(&[]));
                git.args(["rev-parse", "--local-env-vars"]);
                git
            },
            b"",
            Duration::from_secs(10),
            Terminal::Cut,
        )
        .unwrap();
        let names = String::from_utf8(output.stdout).unwrap();
        assert!(names.lines().count() > 5, "git lists its local variables");
        for name in names.lines() {
            assert!(!super::ALLOWED.contains(&name), "{name}");
        }
    }

    #[test]
    fn the_watchdog_ends_a_child_and_its_children() {
        let mut shell = command("sh", &environment(&[]));
        shell.args(["-c", "sleep 60 & wait"]);
        let start = Instant::now();
        let error =
            run(shell, b"", Duration::from_millis(200), Terminal::Cut).expect_err("it hangs");
        assert_eq!(error.reason(), "timed-out");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn words_are_kept_when_somebody_holds_the_pipe_open() {
        let mut shell = command("sh", &environment(&[]));
        shell.args(["-c", "echo said >&2; sleep 30 >/dev/null & exit 3"]);
        let output = run(shell, b"", Duration::from_secs(20), Terminal::Cut).unwrap();
        assert_eq!((output.status.code(), output.talk().as_str()), (Some(3), "said\n"));
    }

    #[test]
    fn input_larger_than_a_pipe_comes_back_whole() {
        let input = vec![b'x'; 1 << 20];
        let output =
            run(command("cat", &environment(&[])), &input, Duration::from_secs(10), Terminal::Cut)
                .unwrap();
        assert_eq!(output.stdout, input);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error =
            run(command("no-such-program", &environment(&[])), b"", Duration::ZERO, Terminal::Cut)
                .expect_err("absent");
        assert_eq!(error.reason(), "program-not-found");
        assert!(error.message().contains("`no-such-program`"));
    }
}
