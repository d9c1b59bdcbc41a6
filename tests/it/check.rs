//! `keyroll check`: a rotation that keyroll made passes with identities and stays incomplete without;
//! whatever else a branch does is told, place by place.

use std::path::{Path, PathBuf};

use keyroll::format::{self, Source};
use keyroll::keyring::{Keyring, Surroundings, discover};
use keyroll::model::{
    AccessKeyId, AccessKeyPair, Content, Edit, RepoPath, Route, Secret, UserName,
};
use keyroll::sandbox::{Options, Sandbox};
use serde_json::Value;

use crate::context::schema::assert_fits;
use crate::context::{Context, Run, save};
use crate::iam::now;

const OLD: &str = "AKIAIOSFODNN7EXAMPLE";
const OLD_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const OTHER: &str = "AKIAI44QH7DHBEXAMPLE";
const OTHER_SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";
const THIRD: &str = "AKIAJQT5JHHFVO6KZOLQ";

fn key_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/keys")
        .join(name)
        .join("private_key.pkcs7.pem")
}

fn keyring(name: &str) -> Keyring {
    discover(&Surroundings { identities: vec![key_file(name)], ..Surroundings::default() })
        .expect("an identity")
}

/// A token that the identity of this folder opens to `plain`.
fn seal(name: &str, plain: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kit/eyaml/two-identities.txt");
    let text = std::fs::read_to_string(file).expect("a vector");
    let text = text.split_once("\n\n").expect("a document").1;
    let keyring = keyring(name);
    let (path, route) = (RepoPath::new("x.yaml"), Route::default());
    let source = Source { path: &path, bytes: text.as_bytes(), route: &route, line: 1, depth: 0 };
    let cells = format::open(&source, &keyring).expect("opened");
    let sealed = cells.iter().filter(|cell| cell.scheme.to_string() != "plain");
    let number = sealed.clone().position(|cell| cell.opened_by.is_some()).expect("its own");
    let line = sealed.clone().nth(number).expect("its own").place.line;
    let text = rewritten(&keyring, text, &[(number, plain)]);
    let line = text.lines().nth(line - 1).expect("its line");
    line.split_once(": ").expect("an entry").1.to_owned()
}

/// A YAML text whose n-th sealed value holds another plaintext.
fn rewritten(keyring: &Keyring, text: &str, values: &[(usize, &str)]) -> String {
    let (path, route) = (RepoPath::new("x.yaml"), Route::default());
    let source = Source { path: &path, bytes: text.as_bytes(), route: &route, line: 1, depth: 0 };
    let cells = format::open(&source, keyring).expect("opened");
    let sealed: Vec<_> = cells.iter().filter(|cell| cell.scheme.to_string() != "plain").collect();
    let edits: Vec<Edit> = values
        .iter()
        .map(|(number, plain)| {
            let Content::Open(before) = &sealed[*number].content else { panic!("locked") };
            let after = Secret::new(plain.as_bytes().to_vec());
            Edit { span: sealed[*number].place.span, before: before.duplicate(), after }
        })
        .collect();
    let bytes = format::write(&source, &edits, keyring).expect("written");
    String::from_utf8(bytes).expect("text")
}

/// A clone in which a rotation was made, and the commands of a reviewer.
struct World {
    context: Context,
    dir: PathBuf,
    branch: String,
    /// The plaintexts of the branch's first file: ID, secret.
    new: (String, String),
}

const STAGING: &str = "hieradata/staging.yaml";
const PRODUCTION: &str = "hieradata/production.yaml";

impl World {
    /// The repository with one rotation, pushed by the program itself.
    fn rotated() -> Self {
        let mut context = Context::new();
        let sandbox = Sandbox::start(Options::new(now())).expect("a sandbox");
        let user = UserName::new("logs-writer").expect("a name");
        sandbox.add_user(&user).expect("a user");
        let id = AccessKeyId::new(OLD).expect("an ID");
        let pair = AccessKeyPair::new(id, Secret::from(OLD_SECRET.to_owned())).expect("a pair");
        let age = std::time::Duration::from_secs(90 * 86_400);
        sandbox.import_access_key(&user, &pair, age).expect("a pair");
        let operator = sandbox.operator();
        let secret = String::from_utf8(operator.secret.expose().to_vec()).expect("text");
        context
            .set("AWS_ACCESS_KEY_ID", operator.id.as_str())
            .set("AWS_SECRET_ACCESS_KEY", secret)
            .set("AWS_REGION", "eu-west-1")
            .set("AWS_ENDPOINT_URL", sandbox.aws_endpoint());
        let dir = repository(&context);
        let identity = key_file("staging");
        let words =
            ["rotate", OLD, "--yes", "--forge", "local", "--identity", identity.to_str().unwrap()];
        let made = context.run_in(&dir, &[&words[..], &["--output", "json"]].concat()).ends(0);
        let made = made.json();
        let branch = made["branch"].as_str().expect("a branch").to_owned();
        context.git(&dir, &["fetch", "-q", "origin"]);
        context.git(&dir, &["checkout", "-q", "-b", "work", &format!("origin/{branch}")]);
        let text = std::fs::read_to_string(dir.join(STAGING)).expect("the file");
        let new = plaintexts(&text);
        assert_eq!(made["new"], new.0.as_str());
        Self { context, dir, branch, new }
    }

    fn check(&self, more: &[&str]) -> Run {
        let words = [&["check", "origin/main..HEAD"], more].concat();
        self.context.run_in(&self.dir, &words)
    }

    fn with_identity(&self, more: &[&str]) -> Run {
        let identity = key_file("staging");
        self.check(&[&["--identity", identity.to_str().unwrap()], more].concat())
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.join(file)).expect("the file")
    }

    /// Puts the branch as keyroll made it, plants something, commits it under the same message.
    fn plant(&self, change: impl FnOnce(&Self)) {
        self.context.git(&self.dir, &["reset", "-q", "--hard", &format!("origin/{}", self.branch)]);
        self.context.git(&self.dir, &["clean", "-q", "-f", "-d"]);
        change(self);
        self.context.git(&self.dir, &["add", "--all"]);
        self.context.git(&self.dir, &["commit", "-q", "--amend", "--no-edit", "--allow-empty"]);
    }

    fn edit(&self, file: &str, change: impl FnOnce(&str) -> String) {
        let text = self.read(file);
        let changed = change(&text);
        assert_ne!(text, changed, "the test plants nothing");
        save(&self.dir.join(file), changed);
    }

    /// Puts other plaintexts into sealed values of a file.
    fn put(&self, file: &str, values: &[(usize, &str)]) {
        self.edit(file, |text| rewritten(&keyring("staging"), text, values));
    }
}

fn plaintexts(text: &str) -> (String, String) {
    let (path, route) = (RepoPath::new("x.yaml"), Route::default());
    let source = Source { path: &path, bytes: text.as_bytes(), route: &route, line: 1, depth: 0 };
    let cells = format::open(&source, &keyring("staging")).expect("opened");
    let mut sealed = cells.iter().filter(|cell| cell.scheme.to_string() != "plain").map(|cell| {
        let Content::Open(plain) = &cell.content else { panic!("locked") };
        String::from_utf8(plain.expose().to_vec()).expect("text")
    });
    (sealed.next().expect("an ID"), sealed.next().expect("a secret"))
}

fn repository(context: &Context) -> PathBuf {
    let token = |plain: &str| seal("staging", plain);
    let wrapped = |plain: &str| {
        let token = token(plain);
        let lines: Vec<&str> =
            token.as_bytes().chunks(60).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join("\n    ")
    };
    let staging = format!(
        "---\n# who: ops\napp::aws_access_key_id: {}\napp::aws_secret_access_key: {}\n\
         app::password: {}\nother::aws_access_key_id: {}\nother::aws_secret_access_key: {}\n",
        token(OLD),
        token(OLD_SECRET),
        token("hunter2 is no secret key"),
        token(OTHER),
        token(OTHER_SECRET),
    );
    let url = format!("sqs://{OLD}:{}@queue", OLD_SECRET.replace('/', "%2F"));
    let production = format!(
        "app::aws_access_key_id: >\n    {}\napp::aws_secret_access_key: >\n    {}\nurl: {}\n",
        wrapped(OLD),
        wrapped(OLD_SECRET),
        token(&url),
    );
    let public = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys/staging/public_key.pkcs7.pem"),
    )
    .expect("a certificate");
    let policy =
        "version: 1\npolicy: { recheck: 0s, prove: { successes: 1, span: 0s, deadline: 9s } }\n";
    let dir = context.repository(
        "secrets",
        &[
            (STAGING, staging.as_str()),
            (PRODUCTION, production.as_str()),
            ("keys/public_key.pkcs7.pem", public.as_str()),
            ("keyroll.yaml", policy),
            ("README.md", "# Secrets\n"),
        ],
    );
    let remote = context.remote(&dir, "secrets.git");
    context.git(&dir, &["remote", "add", "origin", remote.to_str().unwrap()]);
    context.git(&dir, &["fetch", "-q", "origin"]);
    dir
}

fn words(answer: &Value, list: &str, field: &str) -> Vec<String> {
    let list = answer[list].as_array().expect("a list").iter();
    let mut words: Vec<String> =
        list.map(|one| one[field].as_str().expect("a word").to_owned()).collect();
    words.sort();
    words.dedup();
    words
}

#[test]
fn a_rotation_that_keyroll_made_is_one_and_nothing_else() {
    let world = World::rotated();
    let answer = world.with_identity(&["--output", "json"]).ends(0).json();
    assert_fits("check", &answer);
    assert_eq!((&answer["verdict"], &answer["complete"]), (&"ok".into(), &true.into()));
    assert_eq!((&answer["old"], &answer["new"]), (&OLD.into(), &world.new.0.as_str().into()));
    assert_eq!(answer["claimed"]["old"], OLD);
    assert_eq!(words(&answer, "changes", "path"), [PRODUCTION, STAGING]);
    assert_eq!(answer["changes"].as_array().unwrap().len(), 6, "{answer:#}");
    let proved = ["clear", "digests", "files", "leftovers", "pair", "recipients", "values"];
    assert_eq!(words(&answer, "proved", "fact"), proved);
    assert_eq!(answer["findings"], serde_json::json!([]));
    let human = world.with_identity(&[]).ends(0);
    assert!(human.stdout.starts_with("this is a rotation and nothing else\n"), "{human}");
    for secret in [OLD_SECRET, &world.new.1] {
        assert!(!human.stdout.contains(secret) && !answer.to_string().contains(secret));
    }
}

#[test]
fn without_identities_it_says_what_it_could_not_check() {
    let world = World::rotated();
    let answer = world.check(&["--output", "json"]).ends(3).json();
    assert_fits("check", &answer);
    assert_eq!((&answer["verdict"], &answer["complete"]), (&"incomplete".into(), &false.into()));
    assert_eq!((&answer["clean"], &answer["old"]), (&true.into(), &Value::Null));
    assert_eq!(answer["claimed"]["new"], world.new.0.as_str());
    assert_eq!(words(&answer, "could_not_check", "what"), ["leftovers", "sealed-value"]);
    assert_eq!(words(&answer, "proved", "fact"), ["digests", "files"]);
    assert_eq!(words(&answer, "locked", "reason"), ["no-identity"]);
    let wrong = key_file("wrong");
    let wrong = world.check(&["--identity", wrong.to_str().unwrap()]).ends(3);
    assert!(wrong.stdout.contains("\nnot proved\n"), "{wrong}");
}

/// A planted violation: what is done to the branch, and the reasons that must be told.
type Planted = (Box<dyn Fn(&World)>, &'static [&'static str]);

#[expect(clippy::too_many_lines, reason = "a table")]
fn planted(name: &str) -> Planted {
    match name {
        "another value changed" => (
            Box::new(|world| world.put(STAGING, &[(2, "hunter3 is no secret key")])),
            &["value-changed"],
        ),
        "the secrets of two IDs swapped" => (
            Box::new(|world| world.put(STAGING, &[(1, OTHER_SECRET), (4, &world.new.1)])),
            &["conflicting-secrets", "other-secret", "shared-secret"],
        ),
        "another access key's secret beside the new ID, everywhere" => (
            Box::new(|world| {
                world.put(STAGING, &[(1, OTHER_SECRET)]);
                let url = url(&world.new.0, OTHER_SECRET);
                world.put(PRODUCTION, &[(1, OTHER_SECRET), (2, &url)]);
            }),
            &["shared-secret"],
        ),
        "one occurrence left old" => (
            Box::new(|world| {
                world.context.git(&world.dir, &["checkout", "-q", "origin/main", "--", PRODUCTION]);
            }),
            &["old-remains"],
        ),
        "one value left old" => (
            Box::new(|world| world.put(PRODUCTION, &[(2, &url(OLD, OLD_SECRET))])),
            &["old-remains", "resealed"],
        ),
        "a token replaced by clear text" => (
            Box::new(|world| {
                let secret = world.new.1.clone();
                world.edit(STAGING, |text| {
                    line(text, 4, &format!("app::aws_secret_access_key: {secret}"))
                });
            }),
            &["plaintext-secret", "unsealed"],
        ),
        "sealed to somebody else" => (
            Box::new(|world| {
                let token = seal("wrong", &world.new.1);
                world.edit(STAGING, |text| {
                    line(text, 4, &format!("app::aws_secret_access_key: {token}"))
                });
            }),
            &["recipient-changed"],
        ),
        "a file added" => {
            (Box::new(|world| save(&world.dir.join("x.sh"), "true\n")), &["file-added"])
        }
        "a file removed" => (
            Box::new(|world| std::fs::remove_file(world.dir.join("README.md")).unwrap()),
            &["file-removed"],
        ),
        "a link added" => (
            Box::new(|world| {
                std::os::unix::fs::symlink("/etc/passwd", world.dir.join("l")).unwrap()
            }),
            &["link-changed"],
        ),
        "the mode changed" => (
            Box::new(|world| {
                let add = ["update-index", "--chmod=+x", STAGING];
                world.context.git(&world.dir, &add);
                world.context.git(&world.dir, &["config", "core.fileMode", "false"]);
            }),
            &["mode-changed"],
        ),
        "line ends normalised" => (
            Box::new(|world| world.edit(PRODUCTION, |text| text.replace('\n', "\r\n"))),
            &["line-ends-changed"],
        ),
        "a comment edited" => (
            Box::new(|world| world.edit(STAGING, |text| text.replace("who: ops", "who: me"))),
            &["comment-changed"],
        ),
        other => planted_more(other),
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn planted_more(name: &str) -> Planted {
    match name {
        "an edit mark" => (
            Box::new(|world| {
                world.edit(STAGING, |text| line(text, 5, "app::password: DEC(3)::PKCS7[hunter2]!"));
            }),
            &["edit-mark", "unsealed"],
        ),
        "only the ID changed, nowhere its secret" => (
            Box::new(|world| {
                world.put(STAGING, &[(1, OLD_SECRET)]);
                world.put(PRODUCTION, &[(1, OLD_SECRET), (2, &url(&world.new.0, OLD_SECRET))]);
            }),
            &["id-without-secret", "resealed"],
        ),
        "only the ID changed in one place" => (
            Box::new(|world| world.put(STAGING, &[(1, OLD_SECRET)])),
            &["conflicting-secrets", "old-remains", "resealed"],
        ),
        "two different new pairs" => (
            Box::new(|world| world.put(STAGING, &[(0, THIRD), (1, OTHER_SECRET)])),
            &["other-access-key", "other-secret"],
        ),
        "another rotation than the commits say" => (
            Box::new(|world| {
                let words = world.context.git(&world.dir, &["log", "-1", "--format=%B"]);
                let words = words.replace(&world.new.0, THIRD);
                world.context.git(&world.dir, &["commit", "-q", "--amend", "-m", &words]);
            }),
            &["trailers-differ"],
        ),
        "a certificate changed" => (
            Box::new(|world| {
                let wrong = key_file("wrong").with_file_name("public_key.pkcs7.pem");
                let text = std::fs::read_to_string(wrong).unwrap();
                save(&world.dir.join("keys/public_key.pkcs7.pem"), text);
            }),
            &["certificate-changed"],
        ),
        "the layout changed" => (
            Box::new(|world| {
                world.edit(PRODUCTION, |text| {
                    let first = text.find("\n    ").unwrap() + 1;
                    let (head, tail) = text.split_at(first);
                    format!("{head}{}", tail.replacen("\n    ", "", 1))
                });
            }),
            &["layout-changed"],
        ),
        "an unchanged value sealed anew" => (
            Box::new(|world| {
                let token = seal("staging", "hunter2 is no secret key");
                world.edit(STAGING, |text| line(text, 5, &format!("app::password: {token}")));
            }),
            &["resealed"],
        ),
        "an entry added" => (
            Box::new(|world| world.edit(STAGING, |text| format!("{text}more: x\n"))),
            &["value-added"],
        ),
        "quotes added" => (
            Box::new(|world| {
                world.edit("keyroll.yaml", |text| text.replace("recheck: 0s", "recheck: '0s'"));
            }),
            &["bytes-changed"],
        ),
        other => panic!("{other} is not planted"),
    }
}

fn url(id: &str, secret: &str) -> String {
    format!("sqs://{id}:{}@queue", secret.replace('/', "%2F").replace('+', "%2B"))
}

/// A text with another n-th line, from 1.
fn line(text: &str, number: usize, with: &str) -> String {
    let lines = text.lines().enumerate();
    lines.map(|(at, old)| format!("{}\n", if at + 1 == number { with } else { old })).collect()
}

#[test]
fn whatever_else_a_branch_does_is_told() {
    let world = World::rotated();
    let mut wrong = String::new();
    for name in [
        "another value changed",
        "the secrets of two IDs swapped",
        "another access key's secret beside the new ID, everywhere",
        "one occurrence left old",
        "one value left old",
        "a token replaced by clear text",
        "sealed to somebody else",
        "a file added",
        "a file removed",
        "a link added",
        "the mode changed",
        "line ends normalised",
        "a comment edited",
        "an edit mark",
        "only the ID changed, nowhere its secret",
        "only the ID changed in one place",
        "two different new pairs",
        "another rotation than the commits say",
        "a certificate changed",
        "the layout changed",
        "an unchanged value sealed anew",
        "an entry added",
        "quotes added",
    ] {
        let (change, reasons) = planted(name);
        world.plant(|world| change(world));
        let run = world.with_identity(&["--output", "json"]);
        let answer = run.json();
        assert_fits("check", &answer);
        let told = words(&answer, "findings", "reason");
        if run.code != 1 || told != reasons {
            wrong.push_str(&format!("{name}: exit {}, {told:?}, not {reasons:?}\n", run.code));
        }
        for secret in [OLD_SECRET, OTHER_SECRET, world.new.1.as_str(), "hunter"] {
            assert!(!run.stdout.contains(secret), "{name} shows a secret");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_was_committed_on_top_is_not_what_the_ledger_recorded() {
    let world = World::rotated();
    world.edit("README.md", |text| format!("{text}more\n"));
    world.context.git(&world.dir, &["commit", "-q", "-a", "-m", "more"]);
    let answer = world.with_identity(&["--output", "json"]).ends(1).json();
    assert_eq!(words(&answer, "findings", "reason"), ["digest-differs", "value-added"]);
    let without = world.check(&["--output", "json"]).ends(1).json();
    assert_eq!(without["complete"], false);
    assert_eq!(words(&without, "findings", "path"), ["README.md"]);
}

#[test]
fn without_identities_the_structure_tells_much() {
    let world = World::rotated();
    for (name, reason) in [
        ("a token replaced by clear text", "unsealed"),
        ("a file added", "file-added"),
        ("the mode changed", "mode-changed"),
        ("line ends normalised", "line-ends-changed"),
        ("a comment edited", "comment-changed"),
        ("an edit mark", "edit-mark"),
        ("a certificate changed", "certificate-changed"),
        ("the layout changed", "layout-changed"),
        ("an entry added", "value-added"),
    ] {
        let (change, _) = planted(name);
        world.plant(|world| change(world));
        let answer = world.check(&["--output", "json"]).ends(1).json();
        let told = words(&answer, "findings", "reason");
        assert!(told.iter().any(|word| word == reason), "{name}: {told:?}");
    }
}

#[test]
fn base_may_move_on_and_what_it_gains_is_looked_at() {
    let world = World::rotated();
    let base = |world: &World, file: &str, text: String| {
        let (context, dir) = (&world.context, &world.dir);
        context.git(dir, &["checkout", "-q", "-B", "side", "origin/main"]);
        save(&dir.join(file), text);
        context.git(dir, &["add", "--all"]);
        context.git(dir, &["commit", "-q", "-m", "more on base"]);
        context.git(dir, &["checkout", "-q", "work"]);
    };
    let check = |world: &World| {
        let identity = key_file("staging");
        let words =
            ["check", "side..work", "--output", "json", "--identity", identity.to_str().unwrap()];
        world.context.run_in(&world.dir, &words)
    };
    base(&world, "hieradata/more.yaml", "a: b\n".to_owned());
    let answer = check(&world).ends(0).json();
    assert_eq!(answer["base_moved"], true);
    base(&world, "hieradata/more.yaml", format!("a: {}\n", seal("staging", OLD)));
    let answer = check(&world).ends(1).json();
    assert_eq!(words(&answer, "findings", "reason"), ["old-remains"]);
    let text = format!(
        "{}more: x\n",
        world.context.git(&world.dir, &["show", &format!("origin/main:{STAGING}")]) + "\n"
    );
    base(&world, STAGING, text);
    let answer = check(&world).ends(3).json();
    assert_eq!(words(&answer, "could_not_check", "what"), ["merge"]);
}

#[test]
fn in_github_actions_the_lines_are_annotated() {
    let mut world = World::rotated();
    world.edit("README.md", |text| format!("{text}more\n"));
    world.context.git(&world.dir, &["commit", "-q", "-a", "-m", "more"]);
    let summary = world.context.work().join("summary.md");
    world.context.set("GITHUB_ACTIONS", "true");
    world.context.set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let run = world.with_identity(&["--output", "sarif"]).ends(1);
    assert_eq!(run.json()["runs"][0]["results"][1]["ruleId"], "value-added");
    let annotated = "::error file=README.md,line=2,title=keyroll%3A value-added::README.md:2: this value was added";
    assert!(run.stderr.lines().any(|line| line == annotated), "{run}");
    let summary = std::fs::read_to_string(summary).expect("a summary");
    assert!(
        summary.starts_with("### keyroll check\n\n```text\nthis is not a rotation"),
        "{summary}"
    );
}

#[test]
fn an_address_is_compared_as_a_clone_is() {
    let world = World::rotated();
    let remote = format!("file://{}", world.context.stage().join("remotes/secrets.git").display());
    let identity = key_file("staging");
    let range = format!("main..{}", world.branch);
    let words =
        ["check", &range, &remote, "--output", "json", "--identity", identity.to_str().unwrap()];
    let answer = world.context.run(&words).ends(0).json();
    assert_eq!(answer["verdict"], "ok");
    assert!(words_of(&answer).contains(&"digests".to_owned()), "{answer:#}");
    let words = ["check", "HEAD..nowhere", &remote, "--output", "json"];
    assert_eq!(world.context.run(&words).ends(2).json()["error"]["reason"], "missing-reference");
}

fn words_of(answer: &Value) -> Vec<String> {
    words(answer, "proved", "fact")
}

#[test]
fn what_is_no_rotation_or_cannot_be_compared_is_said() {
    let context = Context::new();
    let dir = context.repository("secrets", &[("a.yaml", "a: b\n")]);
    let check = |range: &str, more: &[&str]| {
        context.run_in(&dir, &[&["check", range, "--output", "json"], more].concat())
    };
    let answer = check("main..HEAD", &[]).ends(1).json();
    assert_fits("check", &answer);
    assert_eq!(words(&answer, "findings", "reason"), ["no-rotation"]);
    context.git(&dir, &["checkout", "-q", "--orphan", "alone"]);
    context.git(&dir, &["commit", "-q", "-m", "alone"]);
    for (range, more, reason) in [
        ("main..alone", &[][..], "unrelated-commits"),
        ("main..gone", &[], "missing-reference"),
        ("main..HEAD", &["--base", "main"], "base-named-twice"),
    ] {
        let answer = check(range, more).ends(2).json();
        assert_eq!(answer["error"]["reason"], reason);
    }
    context.git(&dir, &["checkout", "-q", "main"]);
    for text in ["a: c\n", "a: d\n"] {
        save(&dir.join("a.yaml"), text);
        context.git(&dir, &["commit", "-q", "-a", "-m", "more"]);
    }
    let from = format!("file://{}", dir.display());
    context
        .git(&context.work(), &["clone", "-q", "--depth", "1", "--no-single-branch", &from, "cut"]);
    let cut = context
        .run_in(&context.work().join("cut"), &["check", "origin/alone..HEAD", "--output", "json"]);
    let error = cut.ends(2).json();
    assert_eq!(error["error"]["reason"], "missing-object", "{error:#}");
    context.git(&context.work(), &["clone", "-q", "--depth", "2", &from, "two"]);
    let two = context.work().join("two");
    let answer =
        context.run_in(&two, &["check", "HEAD~1..HEAD", "--output", "json"]).ends(1).json();
    assert_eq!(words(&answer, "findings", "reason"), ["value-changed"]);
}
