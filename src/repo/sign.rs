//! Signs a commit as git is set to sign: OpenPGP, X.509 or SSH, by the user's own programs.
//! The repository may say that and with which identity to sign, never with which program.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::child::{self, Environment, Output, Terminal};
use super::commit::Author;
use super::config::Configuration;
use super::git::Repository;
use crate::error::{Error, Kind, Result};
use crate::model::visible;

/// A passphrase may have to be typed.
const LIMIT: Duration = Duration::from_secs(300);

/// Whether and how a commit is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signing {
    /// Not at all.
    Off,
    /// By this signer.
    With(Signer),
}

/// One way to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    kind: SignatureKind,
    program: String,
    /// `user.signingkey`; for SSH a file or the public half itself.
    identity: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignatureKind {
    OpenPgp,
    X509,
    Ssh,
}

impl Repository {
    /// How git is set to sign commits here (`commit.gpgsign`, `gpg.format`, `user.signingkey`).
    ///
    /// # Errors
    /// `bad-signing-format`; `no-signing-identity` for SSH without `user.signingkey`.
    pub fn signing(&self) -> Result<Signing> {
        let root = self.worktree().unwrap_or_else(|| self.git_dir());
        from_configuration(&self.configuration()?, root, self.environment())
    }

    /// Who makes commits here.
    ///
    /// # Errors
    /// `no-author` when git does not know.
    pub fn author(&self) -> Result<Author> {
        self.configuration()?.author(self.environment())
    }
}

fn from_configuration(
    configuration: &Configuration,
    root: &Path,
    environment: &Environment,
) -> Result<Signing> {
    if !configuration.is_on("commit.gpgsign") {
        return Ok(Signing::Off);
    }
    let (kind, names, default): (_, &[&str], _) =
        match configuration.value("gpg.format").unwrap_or("openpgp") {
            "openpgp" => (SignatureKind::OpenPgp, &["gpg.openpgp.program", "gpg.program"], "gpg"),
            "x509" => (SignatureKind::X509, &["gpg.x509.program"], "gpgsm"),
            "ssh" => (SignatureKind::Ssh, &["gpg.ssh.program"], "ssh-keygen"),
            other => return Err(bad_format(other)),
        };
    let program = names.iter().find_map(|name| configuration.command(name)).unwrap_or(default);
    let mut identity = configuration.value("user.signingkey").map(str::to_owned);
    if kind == SignatureKind::Ssh {
        let named = identity.ok_or_else(no_identity)?;
        identity = Some(match literal(&named) {
            Some(_) => named,
            None => expand(&named, root, environment).to_string_lossy().into_owned(),
        });
    }
    let program = expand_home(program, environment);
    Ok(Signing::With(Signer { kind, program, identity }))
}

impl Signer {
    /// The armored signature over a commit's text.
    pub(super) fn sign(
        &self,
        text: &[u8],
        author: &Author,
        environment: &Environment,
    ) -> Result<String> {
        let output = match self.kind {
            SignatureKind::Ssh => self.run_ssh(text, environment)?,
            _ => self.run_gpg(text, author, environment)?,
        };
        let signature = String::from_utf8(output.stdout.clone()).unwrap_or_default();
        let made = match self.kind {
            SignatureKind::Ssh => signature.starts_with("-----BEGIN SSH SIGNATURE-----"),
            // gpg's exit code alone does not tell: git looks for this line too.
            _ => output.talk().contains("[GNUPG:] SIG_CREATED "),
        };
        if output.status.success() && made {
            Ok(signature.replace("\r\n", "\n"))
        } else {
            Err(self.failed(&output))
        }
    }

    fn run_gpg(&self, text: &[u8], author: &Author, environment: &Environment) -> Result<Output> {
        let by_author = format!("{} <{}>", author.name, author.email);
        let mut gpg = child::command(&self.program, environment);
        gpg.args(["--status-fd=2", "-bsau", self.identity.as_deref().unwrap_or(&by_author)]);
        child::run(gpg, text, LIMIT, Terminal::Shared)
    }

    fn run_ssh(&self, text: &[u8], environment: &Environment) -> Result<Output> {
        let named = self.identity.as_deref().unwrap_or_default();
        let mut keygen = child::command(&self.program, environment);
        keygen.args(["-Y", "sign", "-n", "git", "-f"]);
        let Some(public) = literal(named) else {
            keygen.arg(named);
            return child::run(keygen, text, LIMIT, Terminal::Shared);
        };
        // Only the public half is written; the agent holds the other one.
        let root = environment.temp_dir();
        let mut file = tempfile::NamedTempFile::new_in(root)
            .map_err(|source| Error::io("create a file in", root, &source))?;
        writeln!(file, "{public}").map_err(|source| Error::io("write", file.path(), &source))?;
        keygen.arg(file.path()).arg("-U");
        child::run(keygen, text, LIMIT, Terminal::Shared)
    }

    fn failed(&self, output: &Output) -> Error {
        let program = visible(&self.program);
        let talk = output.talk();
        let said =
            talk.lines().rev().find(|line| !line.starts_with("[GNUPG:]") && !line.is_empty());
        let said = visible(said.unwrap_or("no word why").trim());
        Error::new(
            Kind::Settings,
            "signing-failed",
            format!("the commit could not be signed by `{program}`: {said}"),
        )
        .hint("`git commit -S` in any repository of yours should fail the same way")
        .hint("unlock the signing identity first, or set `commit.gpgsign` to false")
    }
}

/// The public half when `user.signingkey` holds it instead of a file's name.
fn literal(named: &str) -> Option<&str> {
    named.strip_prefix("key::").or_else(|| named.starts_with("ssh-").then_some(named))
}

fn expand(named: &str, root: &Path, environment: &Environment) -> PathBuf {
    root.join(expand_home(named, environment))
}

fn expand_home(named: &str, environment: &Environment) -> String {
    match (named.strip_prefix("~/"), environment.get("HOME")) {
        (Some(rest), Some(home)) => format!("{home}/{rest}"),
        _ => named.to_owned(),
    }
}

fn bad_format(word: &str) -> Error {
    Error::new(
        Kind::Settings,
        "bad-signing-format",
        format!("`gpg.format` is `{}`, which is none of openpgp, x509 and ssh", visible(word)),
    )
}

fn no_identity() -> Error {
    Error::new(
        Kind::Settings,
        "no-signing-identity",
        "`commit.gpgsign` and `gpg.format` ask for an SSH signature, and `user.signingkey` is not set",
    )
    .hint("set `user.signingkey` to the file of an SSH identity")
}
