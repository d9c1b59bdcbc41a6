//! Git's configuration as it holds for one clone: values from the repository and the user,
//! commands from the user alone. What the values mean is left to `sign` and `remote`.

use std::path::Path;
use std::time::Duration;

use super::child::{self, Environment, Terminal};
use super::commit::Author;
use crate::error::{Error, Kind, Result};
use crate::model::visible;

/// Who wrote an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The machine or the user: `/etc/gitconfig`, `~/.gitconfig` and what they include.
    User,
    /// The clone: `.git/config`, never what that includes.
    Repository,
}

#[derive(Clone, PartialEq, Eq)]
struct Item {
    scope: Scope,
    origin: String,
    name: String,
    /// `None` for a name without `=`, which means true.
    value: Option<String>,
}

/// The entries in rising order of precedence.
#[derive(Clone, Default)]
pub struct Configuration {
    items: Vec<Item>,
}

impl std::fmt::Debug for Configuration {
    /// Shows how many entries there are: values may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Configuration({} entries)", self.items.len())
    }
}

impl Configuration {
    /// Asks the `git` program, which reads files and runs nothing for this.
    pub(super) fn read(
        git_dir: &Path,
        common_dir: &Path,
        environment: &Environment,
    ) -> Result<Self> {
        let mut git = child::command("git", environment);
        git.env("GIT_DIR", git_dir);
        git.args(["config", "--list", "--includes", "--show-scope", "--show-origin", "-z"]);
        let output = child::run(git, b"", Duration::from_secs(30), Terminal::Cut)?;
        if !output.status.success() {
            let at = visible(&git_dir.to_string_lossy());
            let said = visible(output.talk().lines().next().unwrap_or("no word why"));
            return Err(Error::new(
                Kind::Settings,
                "bad-git-configuration",
                format!("git cannot read its configuration for `{at}`: {said}"),
            )
            .hint("`git config --list` in the clone shows the same"));
        }
        let own = [common_dir.join("config"), git_dir.join("config.worktree")]
            .map(|path| format!("file:{}", path.display()));
        Ok(Self { items: parse(&output.stdout, &own) })
    }

    /// The value that holds, whoever wrote it; for words that choose no program.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.last(name, |_| true)
    }

    /// The value that the user wrote; for words that choose a program.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&str> {
        self.last(name, |scope| scope == Scope::User)
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        match self.items.iter().rev().find(|item| item.name == name) {
            None => false,
            Some(item) => match item.value.as_deref() {
                None => true,
                Some(text) => {
                    let text = text.to_ascii_lowercase();
                    ["true", "yes", "on"].contains(&text.as_str())
                        || text.parse::<i64>().is_ok_and(|number| number != 0)
                }
            },
        }
    }

    /// The names of the remotes that have an address, in the order of the files.
    #[must_use]
    pub fn remotes(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for item in &self.items {
            let name = item.name.strip_prefix("remote.").and_then(|n| n.strip_suffix(".url"));
            if let Some(name) = name
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }

    /// Author and committer, as git finds them: `GIT_AUTHOR_*`, `author.*`, `user.*`.
    ///
    /// # Errors
    /// `no-author` when name or address is missing.
    pub fn author(&self, environment: &Environment) -> Result<Author> {
        let find = |variable: &str, names: [&str; 2]| {
            let configured = || names.iter().find_map(|name| self.value(name));
            environment.get(variable).or_else(configured).map(str::to_owned)
        };
        let name = find("GIT_AUTHOR_NAME", ["author.name", "user.name"]);
        let email = find("GIT_AUTHOR_EMAIL", ["author.email", "user.email"]);
        match (name, email) {
            (Some(name), Some(email)) => Ok(Author { name, email }),
            (None, _) => Err(no_author("name")),
            (_, None) => Err(no_author("email")),
        }
    }

    /// Files of the user that were read, each once.
    pub(super) fn user_files(&self) -> Vec<String> {
        let mut files = Vec::new();
        for item in self.items.iter().filter(|item| item.scope == Scope::User) {
            if let Some(path) = item.origin.strip_prefix("file:")
                && !files.iter().any(|known| known == path)
            {
                files.push(path.to_owned());
            }
        }
        files
    }

    fn last(&self, name: &str, fits: impl Fn(Scope) -> bool) -> Option<&str> {
        let found = self.items.iter().rev().find(|item| item.name == name && fits(item.scope))?;
        found.value.as_deref().filter(|value| !value.is_empty())
    }
}

/// Reads `scope NUL origin NUL name LF value NUL …`.
fn parse(bytes: &[u8], own: &[String]) -> Vec<Item> {
    let text = String::from_utf8_lossy(bytes);
    let fields: Vec<&str> = text.split('\0').collect();
    let mut items = Vec::new();
    for entry in fields.chunks_exact(3) {
        let origin = entry[1].to_owned();
        let scope = match entry[0] {
            "system" | "global" => Scope::User,
            "local" | "worktree" if own.contains(&origin) => Scope::Repository,
            _ => continue,
        };
        let (name, value) = match entry[2].split_once('\n') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (entry[2], None),
        };
        items.push(Item { scope, origin, name: name.to_owned(), value });
    }
    items
}

fn no_author(what: &str) -> Error {
    Error::new(
        Kind::Settings,
        "no-author",
        format!("git does not know who makes the commit: `user.{what}` is not set"),
    )
    .hint(format!("set it with `git config --global user.{what} …`"))
    .hint(format!("or give GIT_AUTHOR_{} in the environment", what.to_ascii_uppercase()))
}

/// The name or address is one that no commit can hold.
pub(super) fn bad_author(why: &str) -> Error {
    Error::new(
        Kind::Settings,
        "no-author",
        format!("the author of the commit is not acceptable: {}", visible(why)),
    )
    .hint("set `user.name` and `user.email` with `git config --global`")
}

#[cfg(test)]
mod tests {
    use super::{Configuration, parse};
    use crate::repo::child::Environment;
    use std::collections::BTreeMap;

    fn configuration() -> Configuration {
        let text = "global\0file:/home/u/.gitconfig\0gpg.program\n/usr/bin/gpg\0\
            global\0file:/home/u/.gitconfig\0user.name\nGlobal\0\
            local\0file:/r/.git/config\0user.name\nLocal\0\
            local\0file:/r/.git/config\0gpg.program\n/r/evil\0\
            local\0file:/r/.git/config\0commit.gpgsign\0\
            local\0file:/r/evil.inc\0user.email\nincluded@evil\0\
            command\0command line:\0user.email\ncommand@evil\0\
            local\0file:/r/.git/config\0remote.a.b.url\nhttps://x/\0";
        Configuration { items: parse(text.as_bytes(), &["file:/r/.git/config".to_owned()]) }
    }

    #[test]
    fn values_come_from_the_clone_and_commands_from_the_user() {
        let configuration = configuration();
        assert_eq!(configuration.value("user.name"), Some("Local"));
        assert_eq!(configuration.command("gpg.program"), Some("/usr/bin/gpg"));
        assert!(configuration.is_on("commit.gpgsign"));
        assert_eq!(configuration.remotes(), ["a.b"]);
    }

    #[test]
    fn what_the_clone_includes_and_the_command_line_do_not_count() {
        assert_eq!(configuration().value("user.email"), None);
    }

    #[test]
    fn the_author_comes_from_the_environment_first_and_must_be_whole() {
        let none = Environment::default();
        assert_eq!(configuration().author(&none).expect_err("no email").reason(), "no-author");
        let vars = [("GIT_AUTHOR_NAME", "CI"), ("GIT_AUTHOR_EMAIL", "ci@example.com")];
        let vars: BTreeMap<_, _> =
            vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let author = configuration().author(&Environment::new(vars)).unwrap();
        assert_eq!((author.name.as_str(), author.email.as_str()), ("CI", "ci@example.com"));
    }
}
