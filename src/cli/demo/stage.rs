//! What the story plays on: the sample repository, the simulated services, and the environment in
//! which its commands run. Everything but a folder that was asked for goes when dropped.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::super::session::Session;
use super::story::SLUG;
use crate::error::{Error, Kind, Result};
use crate::model::{UserName, visible};
use crate::repo::Environment;
use crate::sandbox::sample::{OTHER_USER, Sample, old_pair, other_pair, user};
use crate::sandbox::{Cast, Options, Sandbox};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const REGION: &str = "eu-west-1";

/// What the user's own environment lends to the commands of the story.
const LENT: [&str; 9] =
    ["COLUMNS", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "NO_COLOR", "PATH", "TERM", "TZ"];

/// The author of commits, and nothing of the machine's own configuration.
const GIT: &str = "[user]\n\tname = Alice Example\n\temail = alice@example.com\n\
    [init]\n\tdefaultBranch = main\n[pull]\n\tff = only\n[advice]\n\tdetachedHead = false\n";

/// Everything that is up.
pub(super) struct Stage {
    /// The sample repository.
    pub(super) sample: Sample,
    /// The services.
    pub(super) sandbox: Sandbox,
    /// What the commands of the story need to see, in the order in which it is shown.
    pub(super) exports: Vec<(&'static str, String)>,
    lent: BTreeMap<String, String>,
    /// The home, the state and, unless it is kept, the sample.
    _scratch: TempDir,
}

impl Stage {
    /// Makes everything; the sample goes into the folder `keep`, which must be new or empty.
    ///
    /// # Errors
    /// `folder-not-empty`, `program-not-found` without git, or what the disk said.
    pub(super) fn set(session: &Session, keep: Option<&Path>) -> Result<Self> {
        let keep = keep.map(|folder| empty(&session.cwd.join(folder))).transpose()?;
        let root = session.environment.temp_dir();
        let scratch = tempfile::Builder::new().prefix("keyroll-demo-").tempdir_in(root);
        let scratch = scratch.map_err(|source| Error::io("create a folder in", root, &source))?;
        let lent = lent(session, scratch.path())?;
        let folder = match keep {
            Some(folder) => folder,
            None => folder_in(scratch.path(), "story")?,
        };
        let sample = Sample::make(&folder, Session::now(), &Environment::new(lent.clone()))?;
        let sandbox = sandbox(&sample)?;
        let exports = exports(&sandbox, scratch.path());
        Ok(Self { sample, sandbox, exports, lent, _scratch: scratch })
    }

    /// The whole environment of a command of the story.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let mut all = self.lent.clone();
        let shown = self.exports.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        all.extend(shown);
        all
    }
}

/// The services, with two users whose access keys are old and in daily use.
fn sandbox(sample: &Sample) -> Result<Sandbox> {
    let (old, other) = (old_pair()?, other_pair()?);
    let (user, other_user) = (user()?, UserName::new(OTHER_USER)?);
    let sandbox = Sandbox::start(Options {
        repository: Some(sample.remote.clone()),
        slug: SLUG.to_owned(),
        cast: Some(Cast { user: user.clone(), old: old.id.clone() }),
        ..Options::new(Session::now())
    })?;
    sandbox.add_user(&user)?;
    sandbox.import_access_key(&user, &old, 400 * DAY)?;
    sandbox.use_access_key(&old.id, "s3", REGION, HOUR);
    sandbox.add_user(&other_user)?;
    sandbox.import_access_key(&other_user, &other, 40 * DAY)?;
    sandbox.use_access_key(&other.id, "s3", REGION, 2 * HOUR);
    Ok(sandbox)
}

/// The variables that lead to the services. The pair is one of a simulated account, and good for
/// nothing once the services are down.
fn exports(sandbox: &Sandbox, scratch: &Path) -> Vec<(&'static str, String)> {
    let operator = sandbox.operator();
    let secret = String::from_utf8_lossy(operator.secret.expose()).into_owned();
    let path = |name: &str| scratch.join(name).to_string_lossy().into_owned();
    vec![
        ("AWS_ACCESS_KEY_ID", operator.id.to_string()),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ENDPOINT_URL", sandbox.aws_endpoint().to_owned()),
        ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("GITHUB_API_URL", sandbox.github_api_url()),
        ("GITHUB_TOKEN", Options::new(Session::now()).token),
        ("GIT_CONFIG_GLOBAL", path("gitconfig")),
        ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
        ("XDG_STATE_HOME", path("state")),
    ]
}

/// What is lent, and a home and a configuration of git that hold nothing else.
fn lent(session: &Session, scratch: &Path) -> Result<BTreeMap<String, String>> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let config = scratch.join("gitconfig");
    fs::File::create_new(&config)
        .and_then(|mut file| file.write_all(GIT.as_bytes()))
        .map_err(|source| Error::io("write", &config, &source))?;
    let mut lent: BTreeMap<String, String> = LENT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), session.var(name)?.to_owned())))
        .collect();
    lent.insert("HOME".to_owned(), text(&folder_in(scratch, "home")?));
    lent.insert("TMPDIR".to_owned(), text(&folder_in(scratch, "tmp")?));
    lent.insert("GIT_CONFIG_GLOBAL".to_owned(), text(&config));
    lent.insert("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned());
    Ok(lent)
}

fn folder_in(parent: &Path, name: &str) -> Result<PathBuf> {
    let path = parent.join(name);
    fs::create_dir(&path).map_err(|source| Error::io("create", &path, &source))?;
    Ok(path)
}

/// The folder, made if need be.
fn empty(folder: &Path) -> Result<PathBuf> {
    let failed = |source| Error::io("create", folder, &source);
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        let shown = visible(&folder.to_string_lossy());
        let what = format!("the folder `{shown}` is not empty");
        return Err(Error::new(Kind::Usage, "folder-not-empty", what)
            .hint("name a folder that is new or empty"));
    }
    fs::canonicalize(folder).map_err(failed)
}
