//! The remote of a secrets repository, reached by the user's `git` program from a private
//! repository: credential helpers, SSH agent and proxy are the user's, and nothing of the clone's
//! configuration is in reach. What a failure means is left to `push_error`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::address::{Address, Embedded};
use super::askpass::{self, Credential};
use super::child::{self, Environment, Output, Terminal};
use super::config::Configuration;
use super::git::{Repository, parse_id};
use super::locate::{Location, is_object_name};
use super::private::PrivateDir;
use super::push_error::{Attempt, remote_failed};
use crate::error::{Error, Kind, Result};
use crate::model::{Secret, visible};

/// How long listing and pushing may take.
pub(super) const LIMIT: Duration = Duration::from_secs(120);
/// How long fetching may take: a large repository over a slow line.
const FETCH_LIMIT: Duration = Duration::from_secs(1_800);
/// How many commits of the clone are named to the server when fetching.
const HAVES: usize = 512;

/// How passwords are answered over http(s).
#[derive(Debug)]
pub struct Access {
    /// The program that git starts as its askpass: this one. See [`askpass::answer_main`].
    pub askpass: PathBuf,
    /// The forge's token.
    pub token: Option<Token>,
}

/// A token of a forge, for the forge's own host only.
#[derive(Debug)]
pub struct Token {
    /// `host` or `host:port`.
    pub host: String,
    /// The token.
    pub secret: Secret,
}

/// What a remote shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteHead {
    /// The reference that `HEAD` names there; `None` when it is detached or unborn.
    pub branch: Option<String>,
    /// The commit of `HEAD`; `None` when the branch has none yet.
    pub commit: Option<String>,
    /// Every reference with its object.
    pub refs: BTreeMap<String, String>,
}

/// A remote, and the private repository that talks to it.
pub struct Remote {
    objects: Repository,
    private: PrivateDir,
    pub(super) address: Address,
    credential: Option<Arc<Credential>>,
    askpass: PathBuf,
    default_ssh: bool,
    /// Whether only the newest commit is fetched.
    depth_one: bool,
}

impl Remote {
    /// The remote that `named` names (a name in the configuration, or an address), else `origin`,
    /// else the only one. Where a push address is set, everything goes there: what is read to
    /// decide a push must be what is pushed to.
    ///
    /// # Errors
    /// `no-remote`, `remote-address` when the address is not acceptable.
    pub fn of(repository: &Repository, named: Option<&str>, access: Access) -> Result<Self> {
        let configuration = repository.configuration()?;
        let text = find_address(&configuration, named)?;
        let root = repository.worktree().unwrap_or_else(|| repository.git_dir());
        let (address, embedded) = Address::parse(&text, root)?;
        address.refuse_inside(root)?;
        let location = repository.location.clone();
        let environment = repository.environment.clone();
        let private = if location.partial {
            // Borrowed objects would be counted as complete, and missing ones never be sent.
            PrivateDir::empty(&environment)?
        } else {
            let private = PrivateDir::new(&location, &environment)?;
            private.remember(&known_commits(repository)?)?;
            private
        };
        adopt_user_files(&private, &configuration, &environment)?;
        let depth_one = location.partial;
        let objects = Repository::with_store(private.path(), location, environment)?;
        let default_ssh = configuration.command("core.sshcommand").is_none();
        Ok(Self::new(objects, private, address, embedded, access, default_ssh, depth_one))
    }

    /// A remote without any clone: what is fetched lies in the private repository only.
    ///
    /// # Errors
    /// `remote-address` when the address is not acceptable.
    pub fn of_url(url: &str, environment: &Environment, access: Access) -> Result<Self> {
        let (address, embedded) = Address::parse(url, Path::new("/"))?;
        let environment = Arc::new(environment.clone());
        let private = PrivateDir::empty(&environment)?;
        let folder = private.path().to_owned();
        let configuration = Configuration::read(&folder, &folder, &environment)?;
        let location = Arc::new(Location {
            git_dir: folder.clone(),
            common_dir: folder.clone(),
            worktree: None,
            object_dirs: Vec::new(),
            partial: false,
        });
        let objects = Repository::with_store(&folder, location, environment)?;
        let default_ssh = configuration.command("core.sshcommand").is_none();
        Ok(Self::new(objects, private, address, embedded, access, default_ssh, true))
    }

    fn new(
        objects: Repository,
        private: PrivateDir,
        address: Address,
        embedded: Option<Embedded>,
        access: Access,
        default_ssh: bool,
        depth_one: bool,
    ) -> Self {
        let credential = credential(&address, embedded, access.token).map(Arc::new);
        let askpass = access.askpass;
        Self { objects, private, address, credential, askpass, default_ssh, depth_one }
    }

    /// The repository as seen from here: the clone's objects, what was fetched, and what was
    /// made. New commits are written here, never into the clone.
    #[must_use]
    pub fn objects(&self) -> &Repository {
        &self.objects
    }

    /// The address without a password, as git takes it.
    #[must_use]
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// The address for people and for records, without credentials.
    #[must_use]
    pub fn shown(&self) -> String {
        self.address.shown()
    }

    /// The host without its port; `None` for a folder.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.address.host()
    }

    /// Every reference of the remote, and what its `HEAD` names.
    ///
    /// # Errors
    /// Network and permission errors, each with its own reason.
    pub fn ls_remote(&self) -> Result<RemoteHead> {
        let mut git = self.git();
        git.args(["ls-remote", "--symref", "--", self.address.as_str()]);
        let output = self.talk(git, LIMIT, "list the references")?;
        Ok(parse_refs(&String::from_utf8_lossy(&output.stdout)))
    }

    /// The object that a full reference name stands at; `None` when it does not exist.
    ///
    /// # Errors
    /// As [`Remote::ls_remote`].
    pub fn ref_at(&self, reference: &str) -> Result<Option<String>> {
        check_name(reference)?;
        let mut git = self.git();
        git.args(["ls-remote", "--", self.address.as_str(), reference]);
        let output = self.talk(git, LIMIT, &format!("look up {reference}"))?;
        // git compares the tail of the name only.
        Ok(parse_refs(&String::from_utf8_lossy(&output.stdout)).refs.remove(reference))
    }

    /// Makes a commit of the remote readable here, with every file of it.
    ///
    /// # Errors
    /// `base-moved` when the reference no longer leads to the commit; network errors.
    pub fn bring(&self, reference: &str, commit: &str) -> Result<()> {
        parse_id(commit)?;
        if !self.depth_one && self.objects.holds(commit) {
            return Ok(());
        }
        self.fetch(&[reference])?;
        if self.objects.holds(commit) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Network,
            "base-moved",
            format!("`{}` of `{}` moved while it was read", visible(reference), self.shown()),
        )
        .hint("run the same command again"))
    }

    /// Fetches references (full names or patterns such as `refs/heads/*`), each to a place of our
    /// own that later fetches build upon.
    ///
    /// # Errors
    /// As [`Remote::ls_remote`].
    pub fn fetch(&self, references: &[&str]) -> Result<()> {
        let depth = if self.depth_one { Some("--depth=1") } else { None };
        self.fetch_to(depth, references)
    }

    /// Fetches every branch with its whole history, for a search of all of it.
    ///
    /// # Errors
    /// As [`Remote::ls_remote`].
    pub fn fetch_history(&self) -> Result<()> {
        let cut = self.private.path().join("shallow").is_file();
        self.fetch_to(cut.then_some("--unshallow"), &["refs/heads/*"])
    }

    fn fetch_to(&self, depth: Option<&str>, references: &[&str]) -> Result<()> {
        let mut git = self.git();
        git.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]);
        git.args(["--no-auto-maintenance", "--no-recurse-submodules", "--update-shallow"]);
        git.args(depth).args(["--", self.address.as_str()]);
        for reference in references {
            let place = reference.strip_prefix("refs/").unwrap_or(reference);
            check_name(&reference.replace('*', "x"))?;
            git.arg(format!("+{reference}:refs/keyroll/fetched/{place}"));
        }
        let what = format!("fetch {}", references.join(", "));
        self.talk(git, FETCH_LIMIT, &what).map(drop)
    }

    fn talk(&self, git: Command, limit: Duration, what: &str) -> Result<Output> {
        let output = self.run(git, limit)?;
        self.judge(output, Attempt { what: &visible(what), remote: &self.shown(), lease: None })
    }

    pub(super) fn judge(&self, output: Output, attempt: Attempt<'_>) -> Result<Output> {
        if output.status.success() { Ok(output) } else { Err(remote_failed(attempt, &output)) }
    }

    pub(super) fn run(&self, mut git: Command, limit: Duration) -> Result<Output> {
        let socket = self.private.path().join("askpass");
        let server = match &self.credential {
            Some(credential) => {
                git.env("GIT_ASKPASS", &self.askpass).env(askpass::SOCKET_VARIABLE, &socket);
                Some(askpass::serve(&socket, credential.clone())?)
            }
            None => None,
        };
        let output = child::run(git, b"", limit, Terminal::Cut);
        drop(server);
        output
    }

    /// The git program inside the private repository, with everything off that is not asked for.
    pub(super) fn git(&self) -> Command {
        let environment = self.objects.environment();
        let mut git = child::command("git", environment);
        git.current_dir(self.private.path());
        git.env("GIT_DIR", self.private.path());
        git.env("GIT_TERMINAL_PROMPT", "0");
        git.env("GIT_ALLOW_PROTOCOL", self.address.protocols());
        let own_ssh = ["GIT_SSH", "GIT_SSH_COMMAND"].iter().any(|n| environment.get(n).is_some());
        if self.default_ssh && !own_ssh {
            git.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=30");
        }
        for setting in [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            // The clone would be asked for its references by a program started inside it.
            "core.alternateRefsCommand=true",
            "gc.auto=0",
            "maintenance.auto=false",
            "fetch.recurseSubmodules=false",
            "fetch.writeCommitGraph=false",
            "http.lowSpeedLimit=1",
            "http.lowSpeedTime=60",
        ] {
            git.args(["-c", setting]);
        }
        if self.credential.is_some() {
            // Ours is the answer; a helper of the user must neither win nor store it.
            git.args(["-c", "credential.helper="]);
        }
        git
    }
}

/// Files that the user's configuration includes for the clone's folder only hold here as well.
fn adopt_user_files(
    private: &PrivateDir,
    clone: &Configuration,
    environment: &Environment,
) -> Result<()> {
    let here = Configuration::read(private.path(), private.path(), environment)?.user_files();
    let mut lacking = clone.user_files();
    lacking.retain(|file| !here.contains(file));
    private.include(&lacking)
}

fn find_address(configuration: &Configuration, named: Option<&str>) -> Result<String> {
    let remotes = configuration.remotes();
    let name = match (named, remotes.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, many) if many.contains(&"origin") => "origin",
        (None, _) => return Err(no_remote("the repository", &remotes)),
    };
    let key = |what: &str| configuration.value(&format!("remote.{name}.{what}"));
    match key("pushurl").or_else(|| key("url")) {
        Some(text) => Ok(text.to_owned()),
        // Anything with a slash or a colon can only be an address.
        None if name.contains(['/', ':']) => Ok(name.to_owned()),
        None => Err(no_remote(&format!("`{}`", visible(name)), &remotes)),
    }
}

fn no_remote(what: &str, remotes: &[&str]) -> Error {
    let error = Error::new(Kind::NotFound, "no-remote", format!("{what} names no remote"));
    if remotes.is_empty() {
        return error.hint("give the remote's address with --remote");
    }
    let names: Vec<_> = remotes.iter().map(|name| visible(name)).collect();
    error.hint(format!("choose one with --remote: {}", names.join(", ")))
}

/// Commits that the clone has, to be named to the server.
fn known_commits(repository: &Repository) -> Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    for (name, id) in repository.location.references()? {
        let of_branch = name.starts_with("refs/heads/") || name.starts_with("refs/remotes/");
        let known = || repository.objects.find_commit(parse_id(&id).ok()?).ok();
        if of_branch && ids.len() < HAVES && !ids.contains(&id) && known().is_some() {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn credential(
    address: &Address,
    embedded: Option<Embedded>,
    token: Option<Token>,
) -> Option<Credential> {
    let authority = address.authority()?.to_owned();
    if let Some(token) = token.filter(|token| token.host.eq_ignore_ascii_case(&authority)) {
        let user = Secret::from("x-access-token".to_owned());
        return Some(Credential { authority, user, secret: token.secret });
    }
    embedded.map(|Embedded { user, secret }| Credential { authority, user, secret })
}

fn parse_refs(text: &str) -> RemoteHead {
    let mut head = RemoteHead { branch: None, commit: None, refs: BTreeMap::new() };
    for line in text.lines() {
        let Some((left, name)) = line.split_once('\t') else { continue };
        match left.strip_prefix("ref: ") {
            Some(target) if name == "HEAD" => head.branch = Some(target.to_owned()),
            Some(_) => {}
            None if !is_object_name(left) => {}
            None if name == "HEAD" => head.commit = Some(left.to_owned()),
            None => drop(head.refs.insert(name.to_owned(), left.to_owned())),
        }
    }
    head
}

pub(super) fn check_name(reference: &str) -> Result<()> {
    if reference.starts_with("refs/") && git2::Reference::is_valid_name(reference) {
        return Ok(());
    }
    let shown = visible(reference);
    Err(Error::new(Kind::Usage, "bad-reference", format!("`{shown}` is no full reference name")))
}

#[cfg(test)]
mod tests {
    use super::{check_name, parse_refs};

    const ID: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn references_are_read_with_the_branch_of_head() {
        let text = format!(
            "ref: refs/heads/trunk\tHEAD\n{ID}\tHEAD\n{ID}\trefs/heads/trunk\nwarning: x\ty\n"
        );
        let head = parse_refs(&text);
        assert_eq!(head.branch.as_deref(), Some("refs/heads/trunk"));
        assert_eq!(head.commit.as_deref(), Some(ID));
        assert_eq!(head.refs.keys().collect::<Vec<_>>(), ["refs/heads/trunk"]);
        assert_eq!(parse_refs("").commit, None);
    }

    #[test]
    fn a_reference_name_is_whole_and_legal() {
        assert!(check_name("refs/heads/keyroll/rotate/u/AKIAIOSFODNN7EXAMPLE").is_ok());
        for bad in ["main", "refs/heads/a..b", "refs/heads/a b", "--force", "refs/heads/x:y", ""] {
            assert_eq!(check_name(bad).expect_err(bad).reason(), "bad-reference");
        }
    }
}
