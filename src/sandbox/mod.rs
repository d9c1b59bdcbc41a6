//! The simulated outside behind `keyroll demo`: IAM, STS and GitHub's pull-request API on loopback,
//! in this process, with a clock that can be moved. Written from AWS's and GitHub's documentation,
//! so that the very same clients run against it. Telling the story is left to `cli`.

mod aws;
mod clock;
mod control;
mod github;
mod http;
pub mod sample;
mod server;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use aws::Fault;
pub use control::{Cast, Event, Whose};
pub use github::Merge;

use crate::error::Result;
use crate::model::{AccessKeyId, AccessKeyPair, AccountId, KeyStatus, Timestamp, UserName};

/// The account that the simulated IAM serves.
pub const ACCOUNT: &str = "123456789012";

/// What the simulated services start with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The real time now: clients sign with their real clock.
    pub now: Timestamp,
    /// The bare repository behind the pull requests; `None` keeps them without git: every branch
    /// is taken to exist, and a merge moves nothing.
    pub repository: Option<PathBuf>,
    /// `owner/name` of the repository at the simulated forge.
    pub slug: String,
    /// Who the token belongs to: the author of every pull request.
    pub login: String,
    /// The token that the forge accepts.
    pub token: String,
    /// Who may be asked for a review.
    pub collaborators: Vec<String>,
    /// The teams that may be asked for a review.
    pub teams: Vec<String>,
    /// Whose access keys a story is about; `None` where there is no story.
    pub cast: Option<Cast>,
}

impl Options {
    /// A private repository `example/secrets`, without git behind it.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            repository: None,
            slug: "example/secrets".to_owned(),
            login: "keyroll-bot".to_owned(),
            token: "sandbox-token".to_owned(),
            collaborators: vec!["alice".to_owned()],
            teams: vec!["ops".to_owned()],
            cast: None,
        }
    }
}

/// Everything that is simulated; one lock, because AWS and the forge share the clock.
#[derive(Debug)]
struct World {
    clock: clock::Clock,
    aws: aws::State,
    github: github::State,
    cast: Option<Cast>,
}

/// The running services; dropping it stops them.
#[derive(Debug)]
pub struct Sandbox {
    world: Arc<Mutex<World>>,
    operator: AccessKeyPair,
    server: server::Server,
}

impl Sandbox {
    /// Binds a free port of 127.0.0.1 and serves until dropped.
    ///
    /// # Errors
    /// `io` when no port or no thread can be had.
    pub fn start(options: Options) -> Result<Self> {
        let clock = clock::Clock::new(options.now);
        let mut aws = aws::State::new(AccountId::new(ACCOUNT)?);
        let operator = aws.operator(clock.now())?;
        let cast = options.cast.clone();
        let github = github::State::new(options);
        let world = Arc::new(Mutex::new(World { clock, aws, github, cast }));
        let server = server::Server::start(Arc::clone(&world))?;
        lock(&world).github.set_web(server.address());
        Ok(Self { world, operator, server })
    }

    /// For `--aws-endpoint` or `AWS_ENDPOINT_URL`: IAM and STS both.
    #[must_use]
    pub fn aws_endpoint(&self) -> &str {
        self.server.address()
    }

    /// For `GITHUB_API_URL`, in the manner of GitHub Enterprise.
    #[must_use]
    pub fn github_api_url(&self) -> String {
        format!("{}{}", self.server.address(), github::API)
    }

    /// The pair of the user `operator`, who may do everything.
    #[must_use]
    pub const fn operator(&self) -> &AccessKeyPair {
        &self.operator
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.world().clock.now()
    }

    /// Lets simulated time pass.
    pub fn advance(&self, length: Duration) {
        self.world().clock.advance(length);
    }

    /// Makes a user without permissions, as an application's user is.
    ///
    /// # Errors
    /// When the user exists.
    pub fn add_user(&self, user: &UserName) -> Result<()> {
        let mut world = self.world();
        let now = world.clock.now();
        world.aws.add_user(user.as_str(), now)
    }

    /// Gives a user an access key that was made `age` ago.
    ///
    /// # Errors
    /// No such user.
    pub fn add_access_key(&self, user: &UserName, age: Duration) -> Result<AccessKeyPair> {
        let mut world = self.world();
        let created = world.clock.now().minus(age);
        world.aws.add_access_key(user.as_str(), created)
    }

    /// Gives a user this pair, made `age` ago, whatever its shape and beyond any quota.
    ///
    /// # Errors
    /// No such user.
    pub fn import_access_key(
        &self,
        user: &UserName,
        pair: &AccessKeyPair,
        age: Duration,
    ) -> Result<()> {
        let mut world = self.world();
        let created = world.clock.now().minus(age);
        world.aws.import_access_key(user.as_str(), pair, created)
    }

    /// Makes an access key of the account's root user.
    ///
    /// # Errors
    /// When no random numbers are to be had.
    pub fn add_root_access_key(&self) -> Result<AccessKeyPair> {
        let mut world = self.world();
        let now = world.clock.now();
        world.aws.add_root_access_key(now)
    }

    /// Makes a role that the operator may assume.
    pub fn add_role(&self, name: &str) {
        self.world().aws.add_role(name);
    }

    /// A consumer signs with the access key, `ago` before now. Returns whether it was let in:
    /// an access key that is not Active is refused, and leaves no trace.
    pub fn use_access_key(
        &self,
        id: &AccessKeyId,
        service: &str,
        region: &str,
        ago: Duration,
    ) -> bool {
        let mut world = self.world();
        let at = world.clock.now().minus(ago);
        world.aws.use_access_key(id, service, region, at)
    }

    /// The access keys of a user, oldest first.
    #[must_use]
    pub fn access_keys(&self, user: &UserName) -> Vec<(AccessKeyId, KeyStatus)> {
        self.world().aws.access_keys(user.as_str())
    }

    /// Sets any status, also one that the API would not (`Expired`).
    ///
    /// # Errors
    /// No such access key.
    pub fn set_status(&self, id: &AccessKeyId, status: KeyStatus) -> Result<()> {
        self.world().aws.set_status(id, status)
    }

    /// AWS found the user's access key in public and attached its quarantine policy.
    ///
    /// # Errors
    /// No such user.
    pub fn quarantine(&self, user: &UserName) -> Result<()> {
        let arn = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3";
        self.world().aws.attach_policy(user.as_str(), arn)
    }

    /// Denies an action (`DeleteAccessKey`) to everybody from now on.
    pub fn deny(&self, action: &str) {
        self.world().aws.deny(action);
    }

    /// The next `times` requests of an action meet this fault.
    pub fn fault(&self, action: &str, fault: Fault, times: usize) {
        self.world().aws.fault(action, fault, times);
    }

    /// Access keys made from now on are refused `times` times before they work: IAM's delay.
    pub fn delay_new_access_keys(&self, times: u32) {
        self.world().aws.delay_new_access_keys(times);
    }

    /// How late a use shows in `GetAccessKeyLastUsed`.
    pub fn set_last_used_lag(&self, lag: Duration) {
        self.world().aws.set_last_used_lag(lag);
    }

    /// The most entries a list shows on one page.
    pub fn set_page_size(&self, entries: usize) {
        self.world().aws.set_page_size(entries);
    }

    /// How many requests of an action arrived, refused ones too.
    #[must_use]
    pub fn count(&self, action: &str) -> u64 {
        self.world().aws.count(action)
    }

    /// Merges a pull request as a person would with the button.
    ///
    /// # Errors
    /// `not-mergeable` when it is not open or conflicts.
    pub fn merge(&self, number: u64, how: Merge) -> Result<()> {
        let mut world = self.world();
        let now = world.clock.now();
        world.github.merge_by_hand(number, how, now)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

/// The state stays whole when a handler panics: each change is one assignment.
fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
