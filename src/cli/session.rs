//! One run of the program: the only place that reads the environment, the clock and the terminal.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::args::{Color, Everywhere};
use crate::model::Timestamp;
use crate::repo::Environment;
use crate::report::Paint;

/// The process as the verbs see it.
pub(super) struct Session {
    /// The environment variables.
    pub vars: BTreeMap<String, String>,
    /// The same, as children and git see them.
    pub environment: Environment,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The width of the terminal in columns; 80 where there is none.
    pub width: usize,
    /// Whether stdout gets colours.
    pub paint: Paint,
    /// Whether notes go to stderr.
    pub talks: bool,
    /// Whether stderr shows progress.
    pub shows_progress: bool,
    /// Whether a person can be asked.
    pub can_ask: bool,
    /// This program, which git starts to ask for a password.
    pub program: PathBuf,
}

impl Session {
    /// Reads the process once.
    #[must_use]
    pub(super) fn from_process(flags: &Everywhere) -> Self {
        let vars: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let stderr = std::io::stderr().is_terminal();
        let columns = vars.get("COLUMNS").and_then(|text| text.parse().ok());
        Self {
            environment: Environment::new(vars.clone()),
            home: vars.get("HOME").filter(|home| !home.is_empty()).map(PathBuf::from),
            cwd: std::env::current_dir().unwrap_or_default(),
            width: columns.or_else(terminal_width).unwrap_or(80).clamp(40, 200),
            paint: paint(flags.color, &vars),
            talks: !flags.quiet,
            shows_progress: stderr && !flags.quiet,
            can_ask: stderr && std::io::stdin().is_terminal(),
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("keyroll")),
            vars,
        }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub(super) fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The local clock: for display and commit dates, never for evidence.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one room that reads the clock")]
    pub(super) fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// `$XDG_STATE_HOME/keyroll`, else `~/.local/state/keyroll` (XDG base directories).
    #[must_use]
    pub(super) fn state_dir(&self) -> PathBuf {
        let base = self.var("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || self.home.clone().unwrap_or_else(|| self.cwd.clone()).join(".local/state");
        base.unwrap_or_else(home).join("keyroll")
    }

    /// A path as a person writes it: `~/` is the home, a relative one counts from `from`.
    #[must_use]
    pub(super) fn expand(&self, text: &str, from: &std::path::Path) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => from.join(text),
        }
    }

    /// Says on stderr what is being done.
    pub(super) fn note(&self, words: &str) {
        if self.talks {
            super::say::note(words);
        }
    }
}

fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

fn paint(wanted: Color, vars: &BTreeMap<String, String>) -> Paint {
    let plain = vars.get("NO_COLOR").is_some_and(|value| !value.is_empty())
        || vars.get("TERM").is_some_and(|term| term == "dumb");
    match wanted {
        Color::Always => Paint::Colour,
        Color::Auto if std::io::stdout().is_terminal() && !plain => Paint::Colour,
        Color::Auto | Color::Never => Paint::Plain,
    }
}
