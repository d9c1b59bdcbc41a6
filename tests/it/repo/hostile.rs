//! A clone whose configuration names commands: none of them runs, and nothing goes elsewhere.

use std::fs;

use keyroll::repo::{Lease, Rehearse, Remote, Repository, Signing};

use super::kit::{World, access, change, commit};

/// Every place of a clone where git would find a command, each leaving a canary behind.
fn poison(world: &World) {
    let clone = world.clone_dir();
    let evil = |name: &str| {
        let canary = world.root().join(format!("canary-{name}"));
        let text = format!("#!/bin/sh\ntouch '{}'\nexec cat\n", canary.display());
        world.script(&format!("evil/{name}"), &text).to_string_lossy().into_owned()
    };
    for hook in ["pre-push", "reference-transaction", "post-index-change", "pre-commit"] {
        let text = format!("#!/bin/sh\ntouch '{}'\n", world.root().join("canary-hook").display());
        world.script(&format!("clone/.git/hooks/{hook}"), &text);
    }
    world.git(&world.root(), &["init", "-q", "--bare", "stolen.git"]);
    let stolen = world.root().join("stolen.git").display().to_string();
    let real = world.root().join("remote.git").display().to_string();
    for (name, value) in [
        ("core.fsmonitor", evil("fsmonitor")),
        ("core.sshCommand", evil("ssh")),
        ("core.askPass", evil("askpass")),
        ("core.alternateRefsCommand", evil("alternate")),
        ("core.pager", evil("pager")),
        ("core.hooksPath", world.clone_dir().join(".git/hooks").display().to_string()),
        ("credential.helper", format!("!{}", evil("credential"))),
        ("filter.x.clean", evil("clean")),
        ("filter.x.smudge", evil("smudge")),
        ("filter.x.required", "true".to_owned()),
        ("gpg.program", evil("gpg")),
        ("gpg.ssh.program", evil("sshkeygen")),
        ("remote.origin.uploadpack", evil("uploadpack")),
        ("remote.origin.receivepack", evil("receivepack")),
        ("remote.origin.proxy", "http://127.0.0.1:1".to_owned()),
        ("protocol.ext.allow", "always".to_owned()),
        ("alias.push", format!("!{}", evil("alias"))),
        (&format!("url.{stolen}.insteadOf"), real.clone()),
        (&format!("url.{stolen}.pushInsteadOf"), real),
        ("include.path", world.root().join("evil/include").display().to_string()),
    ] {
        world.git(&clone, &["config", "--replace-all", name, &value]);
    }
    world.write("evil/include", "[user]\nemail = included@evil.example\n");
    world.write("clone/.git/info/exclude", "");
}

fn canaries(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.root()).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("canary-")).collect()
}

#[test]
fn nothing_that_the_clone_names_runs_and_the_push_goes_to_its_remote() {
    let world = World::new();
    world.write("clone/.gitattributes", "*.yaml filter=x\n");
    world.git(&world.clone_dir(), &["add", ".gitattributes"]);
    world.git(&world.clone_dir(), &["commit", "-qm", "attributes"]);
    world.git(&world.clone_dir(), &["push", "-q"]);
    poison(&world);
    world.write("clone/hieradata/a.yaml", "dirty\n");
    let repository = world.open("clone");
    let head = repository.head(None).unwrap();
    repository.list(&head.commit).unwrap();
    repository.list_worktree().unwrap();
    repository.history().unwrap();
    assert_eq!(repository.author().unwrap().email, "tester@example.com");
    let remote = Remote::of(&repository, None, access()).unwrap();
    let base = remote.ls_remote().unwrap().commit.unwrap();
    remote.fetch(&["refs/heads/*"]).unwrap();
    remote.bring("refs/heads/main", &base).unwrap();
    let changes = [change("hieradata/a.yaml", "a: 1\n", "a: 2\n")];
    let id = commit(&remote, &base, &changes, "x\n", &Signing::Off).unwrap();
    remote.push("refs/heads/topic", &id, Lease::Absent, Rehearse::Yes).unwrap();
    remote.push("refs/heads/topic", &id, Lease::Absent, Rehearse::No).unwrap();
    assert_eq!(world.at_remote("topic"), id);
    let stolen = world.git(&world.root().join("stolen.git"), &["for-each-ref"]);
    assert_eq!(stolen, "");
    assert_eq!(canaries(&world), Vec::<String>::new());
}

#[test]
fn the_canaries_sing_when_git_runs_in_the_clone() {
    // Proof that the test above can fail.
    let world = World::new();
    poison(&world);
    world.try_git(&world.clone_dir(), &["status"]);
    assert_eq!(canaries(&world), ["canary-fsmonitor", "canary-hook"]);
}

#[test]
fn an_ssh_remote_and_a_signature_use_the_users_programs() {
    let world = World::new();
    poison(&world);
    let clone = world.clone_dir();
    world.git(&clone, &["config", "remote.origin.url", "git@host.example:o/r.git"]);
    world.git(&clone, &["config", "commit.gpgsign", "true"]);
    let ssh =
        world.script("home/ssh", "#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n");
    let gpg = world.script(
        "home/gpg",
        "#!/bin/sh\necho '[GNUPG:] BEGIN_SIGNING' >&2\necho '[GNUPG:] SIG_CREATED D' >&2\necho fake\n",
    );
    world.git(&world.root(), &["config", "--global", "gpg.program", &gpg.to_string_lossy()]);
    // The user's command holds for this clone's folder only.
    let include = format!("includeIf.gitdir:{}/.path", clone.display());
    world.write("home/work", &format!("[core]\nsshCommand = {}\n", ssh.display()));
    world.git(&world.root(), &["config", "--global", &include, "work"]);
    let repository = world.open("clone");
    let remote = Remote::of(&repository, None, access()).unwrap();
    assert_eq!(remote.host(), Some("host.example"));
    assert_eq!(remote.ls_remote().expect_err("no such host").reason(), "unknown-host-key");
    let signing = remote.objects().signing().unwrap();
    let id = commit(&remote, &world.at_remote("main"), &[], "x\n", &signing).unwrap();
    assert!(remote.objects().holds(&id));
    assert_eq!(canaries(&world), Vec::<String>::new());
}

#[test]
fn a_clone_that_git_itself_refuses_to_configure_still_reads() {
    let world = World::new();
    world.write("clone/.git/config", "[core\nbroken");
    let repository = Repository::open(&world.clone_dir(), &world.environment()).unwrap();
    let head = repository.head(None).unwrap();
    assert_eq!(repository.list(&head.commit).unwrap().files.len(), 2);
    assert_eq!(repository.author().expect_err("broken").reason(), "bad-git-configuration");
}
