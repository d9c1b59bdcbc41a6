//! Writing: commits from trees, leases, races, signatures, the ledger.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use keyroll::model::{AccessKeyId, RepoPath};
use keyroll::repo::{Event, Happening, Lease, Ledger, Pushed, Rehearse, Remote, Signing, Stamp};

use super::kit::{AT, World, access, author, change, commit};

const LOCK: &str = "refs/heads/keyroll/rotate/u/AKIAIOSFODNN7EXAMPLE";

fn empty_commit(remote: &Remote, base: &str, message: &str) -> String {
    commit(remote, base, &[], message, &Signing::Off).unwrap()
}

fn key() -> AccessKeyId {
    AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").unwrap()
}

#[test]
fn one_commit_on_base_changes_the_named_files_and_keeps_modes() {
    let world = World::new();
    let clone = world.clone_dir();
    world.write("clone/hieradata/a.yaml", "dirty work tree\n");
    let before = world.git(&clone, &["count-objects", "-v"]);
    let remote = world.remote("clone");
    let head = remote.ls_remote().unwrap();
    assert_eq!(head.branch.as_deref(), Some("refs/heads/main"));
    let base = head.commit.unwrap();
    remote.bring("refs/heads/main", &base).unwrap();
    let changes =
        [change("run.sh", "#!/bin/sh\n", "new\n"), change("hieradata/a.yaml", "a: 1\n", "a: 2\n")];
    let id =
        commit(&remote, &base, &changes, "keys: move\n\nKeyroll-Rotation: r1\n", &Signing::Off)
            .unwrap();
    assert_eq!(
        remote.push("refs/heads/topic", &id, Lease::Absent, Rehearse::Yes).unwrap(),
        Pushed::Done
    );
    assert_eq!(world.at_remote("topic"), "", "a rehearsal changes nothing");
    remote.push("refs/heads/topic", &id, Lease::Absent, Rehearse::No).unwrap();
    let bare = world.root().join("remote.git");
    assert_eq!(world.git(&bare, &["rev-parse", "topic^"]), base);
    assert_eq!(
        world.git(&bare, &["diff-tree", "-r", "main", "topic", "--name-status"]),
        "M\thieradata/a.yaml\nM\trun.sh"
    );
    assert!(world.git(&bare, &["ls-tree", "topic", "run.sh"]).starts_with("100755"));
    assert_eq!(
        world.git(&bare, &["log", "-1", "--format=%an <%ae> %at %s", "topic"]),
        "Tester <tester@example.com> 1795000000 keys: move"
    );
    world.git(&bare, &["fsck", "--strict"]);
    drop(remote);
    assert_eq!(world.git(&clone, &["count-objects", "-v"]), before, "the clone is untouched");
    assert!(world.left_behind().is_empty());
}

#[test]
fn a_file_that_is_not_as_planned_refuses() {
    let world = World::new();
    let remote = world.remote("clone");
    let base = world.at_remote("main");
    for wrong in [change("hieradata/a.yaml", "a: 9\n", "x"), change("absent", "x", "y")] {
        let error = commit(&remote, &base, &[wrong], "x\n", &Signing::Off).expect_err("differs");
        assert_eq!(error.reason(), "base-differs");
    }
    let into_clone = world.open("clone");
    let author = author();
    let stamp = Stamp { author: &author, at: AT, signing: &Signing::Off };
    assert!(into_clone.commit(Some(&base), &[], "x\n", &stamp).is_err());
}

#[test]
fn leases_hold_and_each_loss_has_its_reason() {
    let world = World::new();
    let remote = world.remote("clone");
    let base = world.at_remote("main");
    let [a, b, c] = ["a\n", "b\n", "c\n"].map(|message| empty_commit(&remote, &base, message));
    let push = |commit: &str, lease| remote.push(LOCK, commit, lease, Rehearse::No);
    assert_eq!(push(&a, Lease::Absent).unwrap(), Pushed::Done);
    assert_eq!(remote.ref_at(LOCK).unwrap(), Some(a.clone()));
    assert_eq!(push(&b, Lease::Absent).expect_err("held").reason(), "lock-held");
    // git says "up to date" and exits with 0 here.
    assert_eq!(push(&a, Lease::Absent).expect_err("same object").reason(), "lock-held");
    assert_eq!(push(&c, Lease::At(&b)).expect_err("stale").reason(), "lease-lost");
    assert_eq!(push(&b, Lease::At(&a)).unwrap(), Pushed::Done);
    assert_eq!(push(&b, Lease::At(&a)).unwrap(), Pushed::AlreadyThere);
    assert_eq!(remote.delete_ref(LOCK, &a).expect_err("moved").reason(), "lease-lost");
    remote.delete_ref(LOCK, &b).unwrap();
    remote.delete_ref(LOCK, &b).unwrap();
    assert_eq!(remote.ref_at(LOCK).unwrap(), None);
}

#[test]
fn of_many_creators_at_once_one_wins() {
    let world = World::new();
    let base = world.at_remote("main");
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..12)
            .map(|n| {
                let (world, base) = (&world, &base);
                scope.spawn(move || {
                    let remote = world.remote("clone");
                    let id = empty_commit(&remote, base, &format!("lock {n}\n"));
                    let outcome = remote.push(LOCK, &id, Lease::Absent, Rehearse::No);
                    (id, outcome.map_err(|error| error.reason()))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.iter().partition(|(_, outcome)| outcome.is_ok());
    assert_eq!(won.len(), 1, "{outcomes:?}");
    assert_eq!(world.at_remote(LOCK), won[0].0);
    assert!(lost.iter().all(|(_, outcome)| *outcome == Err("lock-held")), "{lost:?}");
}

#[test]
fn a_declining_and_an_absent_remote_have_their_reasons() {
    let world = World::new();
    let remote = world.remote("clone");
    let base = world.at_remote("main");
    let id = empty_commit(&remote, &base, "x\n");
    let push = || remote.push(LOCK, &id, Lease::Absent, Rehearse::No).expect_err("no").reason();
    let hook = "remote.git/hooks/pre-receive";
    world.script(hook, "#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n");
    assert_eq!(push(), "protected-branch");
    world.script(hook, "#!/bin/sh\nexit 1\n");
    assert_eq!(push(), "push-declined");
    fs::rename(world.root().join("remote.git"), world.root().join("away.git")).unwrap();
    assert_eq!(push(), "remote-not-found");
    let refused = Remote::of(&world.open("clone"), Some("http://127.0.0.1:9/r"), access()).unwrap();
    let error = refused.ls_remote().expect_err("nobody listens");
    assert_eq!((error.reason(), error.kind().retryable()), ("remote-unreachable", true));
    let named = |name: &str| Remote::of(&world.open("clone"), Some(name), access()).map(drop);
    assert_eq!(named("upstream").expect_err("no such name").reason(), "no-remote");
    assert_eq!(named("ext::sh -c x").expect_err("a command").reason(), "remote-address");
}

#[test]
fn shallow_and_partial_clones_and_plain_addresses_publish() {
    let world = World::bare();
    let root = world.root();
    let url = format!("file://{}", root.join("remote.git").display());
    let seed = root.join("seed");
    world.write("seed/hieradata/b.yaml", "b: 1\n");
    world.git(&seed, &["add", "."]);
    world.git(&seed, &["commit", "-qm", "second"]);
    world.git(&seed, &["push", "-q", "../remote.git", "main"]);
    world.git(&root.join("remote.git"), &["config", "uploadpack.allowFilter", "true"]);
    world.git(&root, &["clone", "-q", "--depth=1", &url, "shallow"]);
    world.git(&root, &["clone", "-q", "--filter=blob:none", "--no-checkout", &url, "partial"]);
    // The base moves on after the clones were made.
    world.write("seed/hieradata/a.yaml", "a: 3\n");
    world.git(&seed, &["commit", "-qam", "third"]);
    world.git(&seed, &["push", "-q", "../remote.git", "main"]);
    let base = world.at_remote("main");
    let remotes = [
        ("shallow", world.remote("shallow")),
        ("partial", world.remote("partial")),
        ("url", Remote::of_url(&url, &world.environment(), access()).unwrap()),
    ];
    for (name, remote) in remotes {
        remote.bring("refs/heads/main", &base).unwrap();
        let listing = remote.objects().list(&base).unwrap();
        for entry in &listing.files {
            assert!(remote.objects().read(entry).unwrap().is_some(), "{name} {}", entry.path);
        }
        let changes = [change("hieradata/a.yaml", "a: 3\n", "a: 4\n")];
        let id = commit(&remote, &base, &changes, "x\n", &Signing::Off).unwrap();
        let reference = format!("refs/heads/{name}");
        remote.push(&reference, &id, Lease::Absent, Rehearse::No).unwrap();
        assert_eq!(world.at_remote(&reference), id);
    }
    world.git(&root.join("remote.git"), &["fsck", "--strict"]);
}

#[test]
fn an_address_alone_can_be_searched_through_its_history() {
    let world = World::new();
    world.write("clone/hieradata/a.yaml", "a: 2\n");
    world.git(&world.clone_dir(), &["commit", "-qam", "second"]);
    world.git(&world.clone_dir(), &["push", "-q"]);
    let url = format!("file://{}", world.root().join("remote.git").display());
    let remote = Remote::of_url(&url, &world.environment(), access()).unwrap();
    remote.bring("refs/heads/main", &world.at_remote("main")).unwrap();
    let history = remote.objects().history().unwrap();
    assert_eq!((history.seen.len(), history.missing), (2, 1));
    remote.fetch_history().unwrap();
    let history = remote.objects().history().unwrap();
    assert_eq!((history.seen.len(), history.missing), (3, 0));
}

#[test]
fn an_ssh_signature_verifies_and_a_failing_one_is_an_error() {
    let world = World::new();
    let clone = world.clone_dir();
    let identity = world.root().join("home/id");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&identity)
        .status()
        .unwrap();
    assert!(made.success());
    // The clone may say that and with what to sign.
    world.git(&clone, &["config", "commit.gpgsign", "true"]);
    world.git(&clone, &["config", "gpg.format", "ssh"]);
    world.git(&clone, &["config", "user.signingkey", "~/id"]);
    let remote = world.remote("clone");
    let base = world.at_remote("main");
    let signing = remote.objects().signing().unwrap();
    let id = commit(&remote, &base, &[], "signed\n", &signing).unwrap();
    remote.push("refs/heads/signed", &id, Lease::Absent, Rehearse::No).unwrap();
    let public = fs::read_to_string(identity.with_extension("pub")).unwrap();
    world.write("allowed", &format!("tester@example.com {public}"));
    let allowed = format!("gpg.ssh.allowedSignersFile={}", world.root().join("allowed").display());
    let bare = world.root().join("remote.git");
    let said = world.git(&bare, &["-c", &allowed, "verify-commit", "-v", "signed"]);
    assert!(said.contains("Good \"git\" signature for tester@example.com"), "{said}");
    fs::remove_file(&identity).unwrap();
    let error = commit(&remote, &base, &[], "x\n", &signing).expect_err("no identity");
    assert_eq!(error.reason(), "signing-failed");
    world.git(&clone, &["config", "--unset", "user.signingkey"]);
    let error = world.open("clone").signing().map(drop).expect_err("not set");
    assert_eq!(error.reason(), "no-signing-identity");
}

#[test]
fn an_openpgp_signature_verifies() {
    let world = World::new();
    let home = world.root().join("g");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    let gpg = |args: &[&str]| {
        let status = std::process::Command::new("gpg")
            .env("GNUPGHOME", &home)
            .args(["--batch", "--quiet"])
            .args(args)
            .status();
        assert!(status.unwrap().success(), "gpg {args:?}");
    };
    let who = "Tester <tester@example.com>";
    gpg(&["--passphrase", "", "--quick-generate-key", who, "ed25519", "sign"]);
    world.git(&world.root(), &["config", "--global", "commit.gpgsign", "true"]);
    let environment = world.environment_with("GNUPGHOME", &home.to_string_lossy());
    let repository = keyroll::repo::Repository::open(&world.clone_dir(), &environment).unwrap();
    let remote = Remote::of(&repository, None, access()).unwrap();
    let signing = remote.objects().signing().unwrap();
    let id = commit(&remote, &world.at_remote("main"), &[], "signed\n", &signing).unwrap();
    remote.push("refs/heads/signed", &id, Lease::Absent, Rehearse::No).unwrap();
    let verified = std::process::Command::new("git")
        .args(["verify-commit", "signed"])
        .current_dir(world.root().join("remote.git"))
        .env("GNUPGHOME", &home)
        .status();
    drop(
        std::process::Command::new("gpgconf")
            .env("GNUPGHOME", &home)
            .args(["--kill", "all"])
            .status(),
    );
    assert!(verified.unwrap().success());
}

#[test]
fn an_author_that_git_does_not_know_is_asked_for() {
    let world = World::new();
    world.git(&world.root(), &["config", "--global", "--unset", "user.email"]);
    let error = world.open("clone").author().expect_err("no email");
    assert_eq!(error.reason(), "no-author");
    world.git(&world.clone_dir(), &["config", "user.email", "clone@example.com"]);
    assert_eq!(world.open("clone").author().unwrap().email, "clone@example.com");
}

#[test]
fn the_ledger_takes_every_event_once_whoever_races() {
    let world = World::new();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let world = &world;
            scope.spawn(move || {
                let remote = world.remote("clone");
                let author = author();
                let stamp = Stamp { author: &author, at: AT, signing: &Signing::Off };
                let mut event =
                    Event::new(format!("e{n}"), Happening::Observed, "2026-11-21T00:00:00Z");
                event.evidence.insert("n".into(), n.into());
                for _ in 0..2 {
                    Ledger::of(&remote).append(&key(), &event, &stamp).unwrap();
                }
            });
        }
    });
    let remote = world.remote("clone");
    let events = Ledger::of(&remote).read(&key()).unwrap();
    let mut ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["e0", "e1", "e2", "e3"]);
    let bare = world.root().join("remote.git");
    assert_eq!(world.git(&bare, &["rev-list", "--count", Ledger::BRANCH]), "4");
    assert_eq!(Ledger::of(&remote).read_all().unwrap(), [(key(), events)]);
    let other = AccessKeyId::new("AKIAI44QH8DHBEXAMPLE").unwrap();
    assert_eq!(Ledger::of(&remote).read(&other).unwrap(), []);
}

#[test]
fn a_ledger_that_was_tampered_with_is_reported_and_not_appended_to() {
    let world = World::new();
    let remote = world.remote("clone");
    let author = author();
    let stamp = Stamp { author: &author, at: AT, signing: &Signing::Off };
    let damage = change("keys/AKIAIOSFODNN7EXAMPLE.jsonl", "", "no json\n");
    let id = remote.objects().commit(None, &[damage], "x\n", &stamp).unwrap();
    remote.push(Ledger::BRANCH, &id, Lease::Absent, Rehearse::No).unwrap();
    let event = Event::new("e", Happening::Started, "2026-11-21T00:00:00Z");
    let error = Ledger::of(&remote).append(&key(), &event, &stamp).expect_err("damaged");
    assert_eq!(error.reason(), "damaged-ledger");
    assert_eq!(world.at_remote(Ledger::BRANCH), id);
    let path = RepoPath::new("keys/AKIAIOSFODNN7EXAMPLE.jsonl");
    assert!(remote.objects().read_path(&id, &path).unwrap().is_some());
}
