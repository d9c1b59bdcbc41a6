//! A secrets repository whose remote, IAM and forge are simulated in this process, with a clock
//! that tests move: a rotation can be followed for weeks in a second.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use keyroll::keyring::{Keyring, Sealed, Surroundings, discover};
use keyroll::model::{AccessKeyId, Secret, UserName};
use keyroll::sandbox::{Merge, Options, Sandbox};
use serde_json::Value;

use crate::context::schema::assert_fits;
use crate::context::{Context, Run, save};
use crate::iam::now;

pub(crate) const MINUTE: u64 = 60;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// A token of the project's own identity, from which its recipient is taken.
const TOKEN: &str = include_str!("../../../fixtures/keys/staging/sealed.txt");

/// The settings: proofs that take no time, and one declared user.
const SETTINGS: &str =
    "version: 1\npolicy:\n  recheck: 0s\n  prove: { successes: 1, span: 0s, deadline: 20s }\n";

pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) sandbox: Sandbox,
    pub(crate) clone: PathBuf,
    pub(crate) remote: PathBuf,
    pub(crate) user: UserName,
    pub(crate) old: AccessKeyId,
}

fn keyring() -> Keyring {
    let private = keys().join("private_key.pkcs7.pem");
    discover(&Surroundings { identities: vec![private], ..Surroundings::default() })
        .expect("the project's own identity")
}

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/staging")
}

/// A token that the project's own identity opens.
fn sealed(keyring: &Keyring, plain: &str) -> String {
    let engine = &base64::engine::general_purpose::STANDARD;
    let body = TOKEN.trim().strip_prefix("ENC[PKCS7,").and_then(|text| text.strip_suffix(']'));
    let der = engine.decode(body.expect("a token")).expect("base64");
    let (_, identity) =
        keyring.open(Sealed::Pkcs7(&der)).map_err(|lock| lock.detail).expect("our own token");
    let sealer = identity.sealer(Sealed::Pkcs7(&der)).expect("our own recipient");
    let sealed = sealer.seal(&Secret::from(plain.to_owned())).expect("sealed");
    format!("ENC[PKCS7,{}]", engine.encode(sealed))
}

impl World {
    /// A world where the pair stands in these files of `hieradata`.
    pub(crate) fn new(files: &[&str]) -> Self {
        Self::with(files, "")
    }

    /// The same with more settings.
    pub(crate) fn with(files: &[&str], settings: &str) -> Self {
        let mut context = Context::new();
        let seed = context.repository("seed", &[]);
        let remote = context.remote(&seed, "secrets.git");
        let options = Options { repository: Some(remote.clone()), ..Options::new(now()) };
        let sandbox = Sandbox::start(options).expect("a sandbox");
        let user = UserName::new("logs-writer").expect("legal");
        sandbox.add_user(&user).expect("a new user");
        let pair = sandbox.add_access_key(&user, Duration::from_secs(200 * DAY)).expect("a pair");
        let keyring = keyring();
        let secret = std::str::from_utf8(pair.secret.expose()).expect("text");
        for file in files {
            let text = format!(
                "logs::aws_access_key_id: {}\nlogs::aws_secret_access_key: {}\nlogs::region: x\n",
                sealed(&keyring, pair.id.as_str()),
                sealed(&keyring, secret)
            );
            save(&seed.join("hieradata").join(file), text);
        }
        save(&seed.join("keyroll.yaml"), format!("{SETTINGS}{settings}"));
        save(&seed.join(".gitignore"), "/keys/\n");
        context.git(&seed, &["add", "--all"]);
        context.git(&seed, &["commit", "-q", "-m", "secrets"]);
        let address = format!("file://{}", remote.display());
        context.git(&seed, &["push", "-q", &address, "HEAD:main"]);
        let clone = context.work().join("secrets");
        context.git(&context.work(), &["clone", "-q", &address, "secrets"]);
        for name in ["private_key.pkcs7.pem", "public_key.pkcs7.pem"] {
            save(&clone.join("keys").join(name), std::fs::read(keys().join(name)).expect("a key"));
        }
        let operator = sandbox.operator();
        let secret = std::str::from_utf8(operator.secret.expose()).expect("text").to_owned();
        context.set("AWS_ACCESS_KEY_ID", operator.id.as_str()).set("AWS_SECRET_ACCESS_KEY", secret);
        context.set("AWS_ENDPOINT_URL", sandbox.aws_endpoint()).set("AWS_REGION", "eu-west-1");
        context.set("GITHUB_TOKEN", "sandbox-token");
        context.set("GITHUB_API_URL", sandbox.github_api_url());
        Self { context, sandbox, clone, remote, user, old: pair.id }
    }

    /// Runs the program in the clone, on the simulated forge.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        let forge = ["rotate", "verify", "status"].contains(&words[0]);
        let slug = ["--github-repository", "example/secrets"];
        let words = [words, if forge { &slug[..] } else { &[] }].concat();
        self.context.run_in(&self.clone, &words)
    }

    /// The same with a JSON answer, which its schema must take.
    pub(crate) fn json(&self, words: &[&str], code: i32) -> Value {
        let run = self.run(&[words, &["--output", "json"]].concat()).ends(code);
        let answer = run.json();
        let name = if answer.get("error").is_some() { "error" } else { words[0] };
        assert_fits(name, &answer);
        answer
    }

    /// Rotates the access key and gives the new one.
    pub(crate) fn rotate(&self) -> AccessKeyId {
        let old = self.old.as_str();
        let answer = self.json(&["rotate", old, "--yes"], 0);
        AccessKeyId::new(answer["new"].as_str().expect("a new ID")).expect("an ID")
    }

    /// Verifies the one rotation: the exit code is checked, and the whole answer given.
    pub(crate) fn verify(&self, words: &[&str], code: i32) -> Value {
        self.json(&[&["verify", self.old.as_str()], words].concat(), code)
    }

    /// Merges the pull request with the forge's button.
    pub(crate) fn merge(&self, how: Merge) {
        self.sandbox.merge(1, how).expect("merged");
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.sandbox.advance(Duration::from_secs(seconds));
    }

    /// A consumer signs with an access key, now.
    pub(crate) fn used(&self, id: &AccessKeyId, service: &str) {
        assert!(self.sandbox.use_access_key(id, service, "eu-west-1", Duration::ZERO));
    }

    /// How often IAM was asked to change something.
    pub(crate) fn writes(&self) -> u64 {
        let actions = ["CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"];
        actions.iter().map(|action| self.sandbox.count(action)).sum()
    }

    /// Changes base as a colleague would.
    pub(crate) fn push(&self, change: impl FnOnce(&Path)) {
        let dir = self.context.work().join("colleague");
        let address = format!("file://{}", self.remote.display());
        if !dir.exists() {
            self.context.git(&self.context.work(), &["clone", "-q", &address, "colleague"]);
        }
        self.context.git(&dir, &["pull", "-q", "origin", "main"]);
        change(&dir);
        self.context.git(&dir, &["add", "--all"]);
        self.context.git(&dir, &["commit", "-q", "-m", "change"]);
        self.context.git(&dir, &["push", "-q", "origin", "HEAD:main"]);
    }

    /// The words of the ledger's events for the old access key, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let answer = self.json(&["ledger", "show", self.old.as_str()], 0);
        let events = answer["events"].as_array().expect("a list").clone();
        events.iter().map(|one| one["event"].as_str().expect("a word").to_owned()).collect()
    }
}

/// The word and the reason of the only rotation.
pub(crate) fn said(answer: &Value) -> (&str, &str) {
    let text = |value: &'static str| answer["rotations"][0][value].as_str().unwrap_or_default();
    assert_eq!(answer["rotations"].as_array().map(Vec::len), Some(1), "{answer:#}");
    (text("verdict"), text("reason"))
}
