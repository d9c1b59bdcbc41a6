//! A clone whose one sealed file holds the access key of `logs-writer`, a bare remote, and IAM and
//! forge in this process with a clock that the test moves.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use keyroll::keyring::{Keyring, Sealed, Surroundings, discover};
use keyroll::model::{AccessKeyId, KeyStatus, Secret, UserName};
use keyroll::sandbox::{Merge, Options, Sandbox};
use serde_json::Value;

use crate::context::canary::Canary;
use crate::context::schema::assert_fits;
use crate::context::{Context, Run, save};
use crate::iam::now;

pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
/// The file that holds the pair.
pub(super) const FILE: &str = "hieradata/staging.yaml";
/// Proofs that take no time: the stand-in is on this machine.
const SETTINGS: &str =
    "version: 1\npolicy:\n  recheck: 0s\n  prove: { successes: 1, span: 0s, deadline: 20s }\n";

pub(super) struct World {
    pub(super) context: Context,
    pub(super) sandbox: Sandbox,
    pub(super) clone: PathBuf,
    pub(super) remote: PathBuf,
    pub(super) user: UserName,
    pub(super) old: AccessKeyId,
    secret: String,
}

fn keys(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys").join(name)
}

/// Seals as hiera-eyaml does, to the project's own throwaway identity.
pub(super) fn sealed(plain: &str) -> String {
    let base64 = base64::engine::general_purpose::STANDARD;
    let sample = fs::read_to_string(keys("staging/sealed.txt")).expect("a sample");
    let sample = sample.trim().trim_start_matches("ENC[PKCS7,").trim_end_matches(']');
    let sample = base64.decode(sample).expect("base64");
    let keyring: Keyring = discover(&Surroundings {
        identities: vec![keys("staging/private_key.pkcs7.pem")],
        ..Surroundings::default()
    })
    .expect("an identity");
    let (_, identity) = keyring.open(Sealed::Pkcs7(&sample)).expect("it opens");
    let sealer = identity.sealer(Sealed::Pkcs7(&sample)).expect("a sealer");
    let token = sealer.seal(&Secret::from(plain.to_owned())).expect("sealed");
    format!("ENC[PKCS7,{}]", base64.encode(token))
}

impl World {
    pub(super) fn start() -> Self {
        Self::with(SETTINGS)
    }

    /// The same with other settings.
    pub(super) fn with(settings: &str) -> Self {
        let mut context = Context::new();
        let remote = context.stage().join("remotes/secrets.git");
        let options = Options { repository: Some(remote.clone()), ..Options::new(now()) };
        let sandbox = Sandbox::start(options).expect("a sandbox");
        let user = UserName::new("logs-writer").expect("legal");
        sandbox.add_user(&user).expect("a user");
        let pair = sandbox.add_access_key(&user, DAY * 100).expect("a pair");
        let secret = String::from_utf8(pair.secret.expose().to_vec()).expect("ASCII");
        let text = format!(
            "---\nlogs::aws_access_key_id: {}\nlogs::aws_secret_access_key: {}\nlogs::other: {}\n",
            sealed(pair.id.as_str()),
            sealed(&secret),
            sealed("a password of somebody else"),
        );
        let files = [(FILE, text.as_str()), ("keyroll.yaml", settings)];
        let clone = context.repository("secrets", &files);
        context.remote(&clone, "secrets.git");
        let url = format!("file://{}", remote.display());
        context.git(&clone, &["remote", "add", "origin", &url]);
        context.git(&clone, &["fetch", "-q", "origin"]);
        save(&clone.join(".git/info/exclude"), "/keys\n");
        for name in ["private_key.pkcs7.pem", "public_key.pkcs7.pem"] {
            let key = fs::read(keys("staging").join(name)).expect("a key");
            save(&clone.join("keys").join(name), key);
        }
        let operator = sandbox.operator();
        let signing = String::from_utf8(operator.secret.expose().to_vec()).expect("ASCII");
        context.set("AWS_ACCESS_KEY_ID", operator.id.as_str());
        context.set("AWS_SECRET_ACCESS_KEY", signing);
        context.set("AWS_REGION", "eu-west-1");
        context.set("AWS_ENDPOINT_URL", sandbox.aws_endpoint());
        context.set("GITHUB_API_URL", sandbox.github_api_url());
        context.set("GITHUB_TOKEN", "sandbox-token");
        Self { context, sandbox, clone, remote, user, old: pair.id, secret }
    }

    /// Runs words of the command line in the clone.
    pub(super) fn run(&self, words: &str) -> Run {
        self.run_in(&self.clone, words)
    }

    pub(super) fn run_in(&self, dir: &Path, words: &str) -> Run {
        // A reason of several words stands between single quotes.
        let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
        self.context.run_in(dir, &words)
    }

    /// The JSON answer of a command that has to end with this code, held against its schema.
    #[track_caller]
    pub(super) fn json(&self, code: i32, words: &str) -> Value {
        let run = self.run(&format!("{words} --output json")).ends(code);
        let answer = run.json();
        let verb = words.split(' ').next().expect("a verb");
        assert_fits(if answer.get("error").is_some() { "error" } else { verb }, &answer);
        self.canary().assert_unseen(&self.context, &[&run]);
        answer
    }

    /// The reason of a refusal with this code.
    #[track_caller]
    pub(super) fn refused(&self, code: i32, words: &str) -> String {
        let answer = self.json(code, words);
        let reason = answer["error"]["reason"].as_str();
        reason.unwrap_or_else(|| panic!("no refusal: {answer:#}")).to_owned()
    }

    /// What must never be seen: the secret in the repository and the one that signs.
    pub(super) fn canary(&self) -> Canary {
        let operator = self.sandbox.operator().secret.expose().to_vec();
        let operator = String::from_utf8(operator).expect("ASCII");
        Canary::new(&[("old", &self.secret), ("operator", &operator)])
    }

    /// Rotates the access key; the pull request is open afterwards.
    pub(super) fn rotate(&self) -> AccessKeyId {
        self.use_key(&self.old, HOUR);
        let words = format!("rotate {} --yes --github-repository example/secrets", self.old);
        let answer = self.json(0, &words);
        AccessKeyId::new(answer["new"].as_str().expect("an ID")).expect("shape")
    }

    /// Rotates, merges, and lets the consumer run with the new pair.
    pub(super) fn deployed(&self) -> AccessKeyId {
        let new = self.rotate();
        self.sandbox.merge(1, Merge::Squash).expect("merged");
        self.sandbox.advance(HOUR);
        self.use_key(&new, Duration::ZERO);
        new
    }

    /// Deployed, seen, and quiet for long enough.
    pub(super) fn quiet(&self) -> AccessKeyId {
        let new = self.deployed();
        let forge = "--github-repository example/secrets";
        self.refused(4, &format!("deactivate {} --yes {forge}", self.old));
        self.sandbox.advance(DAY * 8);
        new
    }

    pub(super) fn use_key(&self, id: &AccessKeyId, ago: Duration) {
        assert!(self.sandbox.use_access_key(id, "s3", "eu-west-1", ago), "it is not Active");
    }

    pub(super) fn status(&self, id: &AccessKeyId) -> Option<KeyStatus> {
        let all = self.sandbox.access_keys(&self.user);
        all.into_iter().find(|(known, _)| known == id).map(|(_, status)| status)
    }

    /// How often access keys were switched or deleted.
    pub(super) fn writes(&self) -> u64 {
        self.sandbox.count("UpdateAccessKey") + self.sandbox.count("DeleteAccessKey")
    }

    /// The words of the events in the ledger of an access key.
    pub(super) fn ledger(&self, id: &AccessKeyId) -> Vec<String> {
        let file = format!("keyroll/ledger:keys/{id}.jsonl");
        let text = self.context.try_git(&self.remote, &["show", &file]).stdout;
        let word = |line: &str| {
            let event: Value = serde_json::from_str(line).expect("JSON");
            event["event"].as_str().expect("a word").to_owned()
        };
        text.lines().map(word).collect()
    }

    /// A file of the remote, byte for byte.
    pub(super) fn file(&self, commit: &str, path: &str) -> String {
        self.context.try_git(&self.remote, &["show", &format!("{commit}:{path}")]).ends(0).stdout
    }

    /// Commits a file on the remote's `main`, as a colleague would.
    pub(super) fn push(&self, path: &str, text: &str) {
        self.context.git(&self.clone, &["fetch", "-q", "origin"]);
        self.context.git(&self.clone, &["checkout", "-q", "-B", "main", "origin/main"]);
        save(&self.clone.join(path), text);
        self.context.git(&self.clone, &["add", "--all"]);
        self.context.git(&self.clone, &["commit", "-q", "-m", "change"]);
        self.context.git(&self.clone, &["push", "-q", "origin", "main"]);
    }

    /// The remote takes no ledger any more, until the hook is removed.
    pub(super) fn refuse_ledger(&self) -> PathBuf {
        let hook = self.remote.join("hooks/update");
        save(&hook, "#!/bin/sh\n[ \"$1\" != refs/heads/keyroll/ledger ]\n");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&hook, mode).expect("our own file");
        hook
    }
}
