//! A secrets repository as its users keep it: hieradata sealed by the real `eyaml`, the identity in
//! `keys/` beside it and out of git, a bare remote and a clone. What is done with it is left to the
//! tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use keyroll::model::UserName;
use keyroll::sandbox::{Options, Sandbox};

use crate::context::aws::Signed;
use crate::context::{Context, Run, needs, save};
use crate::iam::now;

/// An access key that exists nowhere, and its secret.
pub(crate) const ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// A clone, its remote and the world around them.
pub(crate) struct Stage {
    pub(crate) context: Context,
    /// The clone, with `keys/` in its work tree.
    pub(crate) clone: PathBuf,
    /// The bare remote.
    pub(crate) remote: PathBuf,
}

/// Texts of hieradata in clear, marked for `eyaml`: the pair as siblings, in a URL, in an INI text,
/// an ID in clear, an interpolation, and values that are none of our business.
pub(crate) fn tree(id: &str, secret: &str) -> Vec<(String, String)> {
    let percent = secret.replace('/', "%2F").replace('+', "%2B");
    let texts = [
        (
            "hieradata/staging.yaml",
            format!(
                "---\n# the uploader of access logs\n\
                 logs::aws_access_key_id: DEC::PKCS7[{id}]!\n\
                 logs::aws_secret_access_key: >\n  DEC::PKCS7[{secret}]!\n\
                 logs::region: eu-west-1 # kept\n\
                 logs::password: DEC::PKCS7[a password of somebody else]!\n"
            ),
        ),
        (
            "hieradata/production.yaml",
            format!(
                "---\nqueue::url: DEC::PKCS7[sqs://{id}:{percent}@eu-west-1]!\n\
                 s3cmd::config: |\n  DEC::PKCS7[[default]\n  access_key = {id}\n  \
                 secret_key = {secret}\n  ]!\n\
                 reads::it: \"%{{hiera('queue::url')}}\"\n"
            ),
        ),
        ("docs/who.md", format!("The uploader is {id}.\n")),
        ("keyroll.yaml", settings()),
        (".gitignore", "/keys/private_key.pkcs7.pem\n".to_owned()),
    ];
    texts.map(|(path, text)| (path.to_owned(), text)).into()
}

/// Proofs that take no time: a stand-in is no AWS.
pub(crate) fn settings() -> String {
    "version: 1\npolicy:\n  recheck: 1s\n  prove: { successes: 2, span: 0s, deadline: 20s }\n"
        .to_owned()
}

/// The files of the project's own throwaway identities.
pub(crate) fn keys(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys").join(name)
}

/// Every `DEC::PKCS7[…]!` of a text sealed by the real `eyaml` to one of the project's identities.
pub(crate) fn sealed_to(context: &Context, text: &str, identity: &str) -> Option<String> {
    if !text.contains("DEC::PKCS7[") {
        return Some(text.to_owned());
    }
    let program = needs("eyaml")?;
    let file = context.stage().join("plain.yaml");
    save(&file, text);
    let public = keys(identity).join("public_key.pkcs7.pem");
    let mut command = Command::new(program);
    command.args(["encrypt", "-q", "-e"]).arg(&file);
    command.arg(format!("--pkcs7-public-key={}", public.display()));
    let sealed = spoken(&mut command);
    // No test may find its secrets where the stand-ins keep their data.
    fs::remove_file(&file).expect("it was just written");
    Some(sealed)
}

/// The same to the identity that the clone has.
pub(crate) fn sealed(context: &Context, text: &str) -> Option<String> {
    sealed_to(context, text, "staging")
}

/// A text as the real `eyaml` opens it: every token back as `DEC::PKCS7[…]!`.
pub(crate) fn opened(context: &Context, text: &[u8]) -> String {
    let program = needs("eyaml").expect("it sealed the text");
    let file = context.stage().join("sealed.yaml");
    save(&file, text);
    let mut command = Command::new(program);
    command.args(["decrypt", "-q", "-e"]).arg(&file);
    for (which, name) in [("private", "private_key"), ("public", "public_key")] {
        let path = keys("staging").join(format!("{name}.pkcs7.pem"));
        command.arg(format!("--pkcs7-{which}-key={}", path.display()));
    }
    spoken(&mut command)
}

fn spoken(command: &mut Command) -> String {
    let output = command.output().expect("eyaml starts");
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "eyaml failed: {talk}");
    String::from_utf8(output.stdout).expect("eyaml prints text")
}

/// Lays the identity beside the hieradata of a work tree, as `eyaml createkeys` does.
pub(crate) fn lay_keys(dir: &Path) {
    fs::create_dir_all(dir.join("keys")).expect("a folder");
    for name in ["private_key.pkcs7.pem", "public_key.pkcs7.pem"] {
        fs::copy(keys("staging").join(name), dir.join("keys").join(name)).expect("a key");
    }
}

impl Stage {
    /// The usual tree with this pair in it; `None` on a machine without `eyaml`.
    pub(crate) fn with_pair(id: &str, secret: &str) -> Option<Self> {
        Self::with_tree(Context::new(), &tree(id, secret))
    }

    /// A tree of one's own.
    pub(crate) fn with_tree(context: Context, texts: &[(String, String)]) -> Option<Self> {
        let seed = context.stage().join("seed");
        fs::create_dir_all(&seed).expect("a folder");
        context.git(&seed, &["init", "-q"]);
        for (path, text) in texts {
            save(&seed.join(path), sealed(&context, text)?);
        }
        context.git(&seed, &["add", "--all"]);
        context.git(&seed, &["commit", "-q", "-m", "import"]);
        let remote = context.remote(&seed, "secrets.git");
        fs::remove_dir_all(&seed).expect("our own folder");
        let clone = context.work().join("secrets");
        let from = format!("file://{}", remote.display());
        context.git(&context.work(), &["clone", "-q", &from, "secrets"]);
        lay_keys(&clone);
        Some(Self { context, clone, remote })
    }

    /// Runs the program in the clone.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.context.run_in(&self.clone, args)
    }

    /// Every reference of the bare remote with its object.
    pub(crate) fn refs(&self) -> Vec<String> {
        let text =
            self.context.git(&self.remote, &["for-each-ref", "--format=%(refname) %(objectname)"]);
        text.lines().map(str::to_owned).collect()
    }

    /// The files of the journal, locks aside.
    pub(crate) fn journal(&self) -> Vec<String> {
        let Ok(dir) = fs::read_dir(self.context.home().join("state/keyroll")) else {
            return Vec::new();
        };
        let names = dir.map(|entry| entry.expect("a folder").file_name());
        let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.starts_with('.') && name != "requests");
        names.sort();
        names
    }

    /// A file of a commit of the bare remote, byte for byte.
    pub(crate) fn file(&self, commit: &str, path: &str) -> Vec<u8> {
        let mut text =
            self.context.try_git(&self.remote, &["show", &format!("{commit}:{path}")]).ends(0);
        std::mem::take(&mut text.stdout).into_bytes()
    }

    /// Commits a change of one file on the remote's `main`, as a colleague would.
    pub(crate) fn push_file(&self, path: &str, text: &str) {
        let dir = self.context.stage().join("colleague");
        if !dir.exists() {
            let from = format!("file://{}", self.remote.display());
            self.context.git(self.context.stage(), &["clone", "-q", &from, "colleague"]);
        }
        save(&dir.join(path), text);
        self.context.git(&dir, &["add", "--all"]);
        self.context.git(&dir, &["commit", "-q", "-m", "change"]);
        self.context.git(&dir, &["push", "-q", "origin", "HEAD:main"]);
    }
}

/// A stage whose AWS and forge are simulated in this process.
pub(crate) struct Simulated {
    pub(crate) stage: Stage,
    pub(crate) sandbox: Sandbox,
    /// The IAM user whose access key stands in the repository.
    pub(crate) user: UserName,
    pub(crate) old: String,
    pub(crate) secret: String,
}

impl Simulated {
    /// The user `logs-writer` with one access key that is 100 days old, in the usual tree.
    pub(crate) fn start() -> Option<Self> {
        Self::with(|texts| texts)
    }

    /// The same with a tree of one's own, made of the usual one.
    pub(crate) fn with(
        change: impl FnOnce(Vec<(String, String)>) -> Vec<(String, String)>,
    ) -> Option<Self> {
        Self::with_pair(|id, secret| change(tree(id, secret)))
    }

    /// The same with a tree made of the pair.
    pub(crate) fn with_pair(
        texts: impl FnOnce(&str, &str) -> Vec<(String, String)>,
    ) -> Option<Self> {
        let mut context = Context::new();
        let remote = context.stage().join("remotes/secrets.git");
        let options = Options { repository: Some(remote), ..Options::new(now()) };
        let sandbox = Sandbox::start(options).expect("a sandbox");
        let user = UserName::new("logs-writer").expect("legal");
        sandbox.add_user(&user).expect("a user");
        let age = Duration::from_secs(100 * 86_400);
        let pair = sandbox.add_access_key(&user, age).expect("a pair");
        let operator = sandbox.operator();
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", operator.id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", text(&operator.secret)),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", sandbox.aws_endpoint()),
            ("GITHUB_TOKEN", "sandbox-token"),
            ("GITHUB_API_URL", &sandbox.github_api_url()),
        ] {
            context.set(name, value);
        }
        let (old, secret) = (pair.id.to_string(), text(&pair.secret).to_owned());
        let stage = Stage::with_tree(context, &texts(&old, &secret))?;
        Some(Self { stage, sandbox, user, old, secret })
    }

    /// `rotate` of the old access key with these words besides, confirmed, answered as JSON.
    pub(crate) fn rotate(&self, words: &[&str]) -> Run {
        self.says("rotate", words)
    }

    /// A verb on the old access key, confirmed, answered as JSON.
    pub(crate) fn says(&self, verb: &str, words: &[&str]) -> Run {
        let usual = [verb, &self.old, "--yes", "--output", "json"];
        let forge = ["--github-repository", "example/secrets"];
        self.stage.run(&[&usual[..], &forge, words].concat())
    }

    /// The branch of the rotation.
    pub(crate) fn branch(&self) -> String {
        format!("keyroll/rotate/{}/{}", self.user.in_ref(), self.old)
    }

    /// The user's access keys with their status, oldest first.
    pub(crate) fn keys(&self) -> Vec<(String, String)> {
        let keys = self.sandbox.access_keys(&self.user);
        keys.into_iter().map(|(id, status)| (id.to_string(), status.word().to_owned())).collect()
    }

    /// Makes room for another access key, as an administrator would.
    pub(crate) fn delete_key(&self, id: &str) {
        let operator = self.sandbox.operator();
        let endpoint = self.sandbox.aws_endpoint();
        let by = Signed::by(endpoint, operator.id.as_str(), text(&operator.secret));
        let user = self.user.as_str();
        by.wait(by.iam.delete_access_key().user_name(user).access_key_id(id).send()).expect("gone");
    }

    /// Everything that a refusal must leave as it is: references, access keys, journal.
    pub(crate) fn picture(&self) -> (Vec<String>, Vec<(String, String)>, Vec<String>) {
        (self.stage.refs(), self.keys(), self.stage.journal())
    }
}

/// The plaintext of a simulated secret, which is nobody's.
pub(crate) fn text(secret: &keyroll::model::Secret) -> &str {
    std::str::from_utf8(secret.expose()).expect("a secret is ASCII")
}
