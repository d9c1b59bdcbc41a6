//! Starts what a verb reaches the outside through: AWS, the forge, the remote; and makes the
//! process hard to look into.

use std::path::PathBuf;

use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args;
use super::session::Session;
use super::target::access;
use crate::error::{Error, Result};
use crate::forge::{Choice, Forge, Name, connect};
use crate::iam::{Aws, Settings as AwsSettings};
use crate::model::Secret;
use crate::repo::{Remote, Repository, Token, askpass, child};

/// When git started this program to ask for a password: the answer's exit code.
#[expect(clippy::disallowed_methods, reason = "this runs before there is a session")]
pub(super) fn answer_git() -> Option<u8> {
    let socket = std::env::var_os(askpass::SOCKET_VARIABLE)?;
    let prompt = std::env::args().nth(1).unwrap_or_default();
    Some(askpass::answer_main(std::path::Path::new(&socket), &prompt))
}

/// No core dumps, and no other process of the same user may read this one's memory.
pub(super) fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    // Both are best effort: a kernel that refuses them is no reason to refuse the work.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Libraries that write request headers or bodies into their logs.
const CAPPED: &[&str] = &[
    "aws_config",
    "aws_credential_types",
    "aws_runtime",
    "aws_sdk_iam",
    "aws_sdk_sts",
    "aws_sigv4",
    "aws_smithy_http_client",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "h2",
    "hyper",
    "hyper_util",
    "octocrab",
    "rustls",
    "tower",
];

/// Logs to stderr as `RUST_LOG` or `-v` says. Targets that log request headers or bodies stay
/// capped whatever is asked for: a signature or a secret must not reach a log (I3).
#[expect(clippy::disallowed_methods, reason = "the log's filter is read before there is a session")]
pub(super) fn log(verbose: u8) {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let level = match verbose {
        0 => "off",
        1 => "keyroll=debug",
        _ => "keyroll=trace",
    };
    let base = if wanted.is_empty() { level } else { wanted.as_str() };
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(base);
    let loud = |meta: &tracing::Metadata<'_>| {
        *meta.level() <= Level::INFO || !CAPPED.iter().any(|name| meta.target().starts_with(name))
    };
    // A filter of its own: in one filter the directive for a longer target would win.
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(filter.and(filter_fn(loud)));
    drop(tracing_subscriber::registry().with(layer).try_init());
}

/// IAM and STS as the flags and the environment name them.
///
/// # Errors
/// `insecure-endpoint`, or settings that do not fit.
pub(super) fn aws(flags: &args::Aws, session_name: Option<String>) -> Result<Aws> {
    Aws::connect(&AwsSettings {
        profile: flags.aws_profile.clone(),
        role_arn: flags.aws_role_arn.clone(),
        role_session: session_name,
        region: flags.aws_region.clone(),
        endpoint: flags.aws_endpoint.clone(),
        ..AwsSettings::default()
    })
}

/// The forge and the remote of a clone.
pub(super) struct Connected {
    /// Where pull requests live.
    pub(super) forge: Box<dyn Forge>,
    /// The remote, with the forge's token for the forge's own host only.
    pub(super) remote: Remote,
}

/// Connects the forge and the remote.
///
/// # Errors
/// `no-remote`, `no-token`, or settings that do not fit.
pub(super) fn connected(
    session: &Session,
    repository: &Repository,
    flags: &args::Forge,
    remote_name: &str,
) -> Result<Connected> {
    let named = Some(remote_name).filter(|name| *name != "origin");
    let plain = Remote::of(repository, named, access(session, None))?;
    let mut choice = Choice {
        name: flags.forge.map(|name| match name {
            args::ForgeName::Github => Name::Github,
            args::ForgeName::Local => Name::Local,
        }),
        remote_url: Some(plain.address().to_owned()),
        api_url: flags
            .github_api_url
            .clone()
            .or_else(|| session.var("GITHUB_API_URL").map(str::to_owned)),
        server_url: session.var("GITHUB_SERVER_URL").map(str::to_owned),
        repository: flags.github_repository.clone(),
        token: None,
        folder: request_folder(session),
        pause: None,
    };
    if choice.resolve() == Name::Local {
        return Ok(Connected { forge: connect(&choice)?, remote: plain });
    }
    choice.token = token(session);
    let for_git = choice
        .token_host()
        .and_then(|host| Some(Token { host, secret: choice.token.as_ref()?.duplicate() }));
    let remote = match for_git {
        Some(token) => Remote::of(repository, named, access(session, Some(token)))?,
        None => plain,
    };
    Ok(Connected { forge: connect(&choice)?, remote })
}

/// Where the `local` forge writes a request's text.
fn request_folder(session: &Session) -> PathBuf {
    session.state_dir().join("requests")
}

/// `GITHUB_TOKEN`, `GH_TOKEN`, else what `gh auth token` prints.
fn token(session: &Session) -> Option<Secret> {
    let from_variables = ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| session.var(name));
    if let Some(token) = from_variables {
        return Some(Secret::from(token.to_owned()));
    }
    let mut command = child::command("gh", &session.environment);
    command.args(["auth", "token"]);
    let limit = std::time::Duration::from_secs(20);
    let output = child::run(command, b"", limit, child::Terminal::Cut).ok()?;
    let word = String::from_utf8(output.stdout).ok()?;
    let word = word.trim();
    (output.status.success() && !word.is_empty()).then(|| Secret::from(word.to_owned()))
}

/// Asks a person, where there is one; else wants `--yes`.
///
/// # Errors
/// `not-confirmed`.
pub(super) fn confirm(session: &Session, yes: bool, question: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !session.can_ask {
        return Err(Error::refused("not-confirmed", format!("nobody can be asked: {question}"))
            .hint("give --yes when this is meant; --dry-run shows what would happen"));
    }
    super::say::note(&format!("{question} Type yes to go on:"));
    let mut answer = String::new();
    drop(std::io::stdin().read_line(&mut answer));
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(Error::refused("not-confirmed", "it was not confirmed; nothing was changed"))
}
