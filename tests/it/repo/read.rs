//! Reading: every kind of clone, and what is not searched.

use std::fs;
use std::os::unix::fs::symlink;

use keyroll::model::RepoPath;
use keyroll::repo::{Repository, What, is_lfs_pointer};

use super::kit::World;

fn paths(repository: &Repository, commit: &str) -> Vec<String> {
    repository.list(commit).unwrap().files.iter().map(|entry| entry.path.to_text()).collect()
}

#[test]
fn every_kind_of_clone_reads_the_same() {
    let world = World::new();
    let root = world.root();
    let url = format!("file://{}", root.join("remote.git").display());
    world.git(&root, &["clone", "-q", "--bare", "remote.git", "bare"]);
    world.git(&root, &["clone", "-q", "--depth=1", &url, "shallow"]);
    world.git(&root, &["clone", "-q", "--shared", "remote.git", "shared"]);
    world.git(&root, &["clone", "-q", "remote.git", "detached"]);
    world.git(&root.join("detached"), &["checkout", "-q", "--detach"]);
    world.git(&world.clone_dir(), &["worktree", "add", "-q", "../linked", "-b", "other"]);
    world.git(&world.clone_dir(), &["pack-refs", "--all"]);
    let commit = world.at_remote("main");
    let below = "clone/hieradata";
    for name in ["clone", below, "bare", "shallow", "shared", "detached", "linked", "remote.git"] {
        let repository = world.open(name);
        let head = repository.head(None).unwrap();
        assert_eq!(head.commit, commit, "{name}");
        assert_eq!(paths(&repository, &commit), ["hieradata/a.yaml", "run.sh"], "{name}");
        let listing = repository.list(&commit).unwrap();
        assert_eq!(repository.read(&listing.files[0]).unwrap().as_deref(), Some(&b"a: 1\n"[..]));
        let bare = ["bare", "remote.git"].contains(&name);
        assert_eq!(repository.worktree().is_none(), bare, "{name}");
    }
}

#[test]
fn a_partial_clone_opens_and_missing_blobs_are_none() {
    let world = World::bare();
    let root = world.root();
    world.git(&root.join("remote.git"), &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", root.join("remote.git").display());
    world.git(&root, &["clone", "-q", "--bare", "--filter=blob:none", &url, "partial"]);
    let repository = world.open("partial");
    assert!(repository.is_partial());
    let listing = repository.list(&repository.head(None).unwrap().commit).unwrap();
    assert_eq!(listing.files.len(), 2);
    assert_eq!(repository.read(&listing.files[0]).unwrap(), None);
}

#[test]
fn references_are_found_by_every_name() {
    let world = World::new();
    let clone = world.clone_dir();
    let first = world.at_remote("main");
    world.git(&clone, &["tag", "-am", "x", "v1"]);
    world.write("clone/new", "x");
    world.git(&clone, &["add", "."]);
    world.git(&clone, &["commit", "-qm", "second"]);
    world.git(&clone, &["push", "-q", "origin", "HEAD:topic"]);
    let second = world.git(&clone, &["rev-parse", "HEAD"]);
    let repository = world.open("clone");
    for (words, want) in [
        ("main", &second),
        ("refs/heads/main", &second),
        ("v1", &first),
        ("origin/main", &first),
        ("topic", &second),
        ("HEAD", &second),
        ("HEAD~1", &first),
        ("main^", &first),
        (&second, &second),
        (&second[..8], &second),
    ] {
        assert_eq!(&repository.head(Some(words)).unwrap().commit, want, "{words}");
    }
    // Without words it is what the remote calls HEAD, not what is checked out.
    let head = repository.head(None).unwrap();
    assert_eq!((head.commit, head.reference.as_str()), (first, "refs/remotes/origin/main"));
    for words in ["nope", "../../etc/passwd", "main~99", "0000000", "-x", "a b", "HEAD^3"] {
        let error = repository.head(Some(words)).expect_err(words);
        assert_eq!(error.reason(), "missing-reference", "{words}");
    }
}

#[test]
fn a_clone_without_origin_head_reads_head_and_tells_the_last_fetch() {
    let world = World::new();
    let clone = world.clone_dir();
    fs::remove_file(clone.join(".git/refs/remotes/origin/HEAD")).unwrap();
    let repository = world.open("clone");
    assert_eq!(repository.head(None).unwrap().reference, "refs/heads/main");
    assert_eq!(repository.head(None).unwrap().fetched_at, None);
    world.git(&clone, &["fetch", "-q"]);
    assert!(world.open("clone").head(None).unwrap().fetched_at.is_some());
}

#[test]
fn what_is_no_repository_or_has_no_commit_is_said() {
    let world = World::bare();
    let open = |name: &str| Repository::open(&world.root().join(name), &world.environment());
    assert_eq!(open("home").map(drop).expect_err("none").reason(), "not-a-repository");
    assert_eq!(open("absent").map(drop).expect_err("none").reason(), "file-not-found");
    world.git(&world.root(), &["init", "-q", "empty"]);
    let error = world.open("empty").head(None).expect_err("unborn");
    assert_eq!(error.reason(), "unborn-branch");
    assert!(error.message().contains("refs/heads/main"), "{}", error.message());
    world.git(&world.root(), &["init", "-q", "--object-format=sha256", "sha256"]);
    assert_eq!(open("sha256").map(drop).expect_err("sha256").reason(), "unsupported-repository");
}

#[test]
fn symlinks_submodules_and_lfs_pointers_are_named_and_not_searched() {
    let world = World::new();
    let clone = world.clone_dir();
    symlink("/etc/passwd", clone.join("link")).unwrap();
    world.write("clone/big", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    world.git(&clone, &["submodule", "add", "-q", "../remote.git", "sub"]);
    world.git(&clone, &["add", "."]);
    world.git(&clone, &["commit", "-qm", "odd"]);
    let repository = world.open("clone");
    let head = repository.head(Some("HEAD")).unwrap();
    for listing in [repository.list(&head.commit).unwrap(), repository.list_worktree().unwrap()] {
        let odd: Vec<_> =
            listing.not_searched.iter().map(|item| (item.path.to_text(), item.what)).collect();
        assert_eq!(odd, [("link".into(), What::Symlink), ("sub".into(), What::Submodule)]);
        let big = listing.files.iter().find(|entry| entry.path.as_bytes() == b"big").unwrap();
        assert!(is_lfs_pointer(&repository.read(big).unwrap().unwrap()));
    }
    // The checkout of a submodule is a repository of its own.
    assert_eq!(world.open("clone/sub").head(None).unwrap().commit, world.at_remote("main"));
}

#[test]
fn names_that_are_no_utf8_are_read() {
    let world = World::new();
    let clone = world.clone_dir();
    let blob = world.git(&clone, &["hash-object", "-w", "hieradata/a.yaml"]);
    world.git(&clone, &["update-index", "--add", "--cacheinfo", &format!("100644,{blob},x")]);
    let name = std::ffi::OsString::from_encoded(b"caf\xe9.yaml");
    fs::copy(clone.join("run.sh"), clone.join(name)).unwrap();
    world.git(&clone, &["add", "."]);
    world.git(&clone, &["commit", "-qm", "latin"]);
    let repository = world.open("clone");
    let listing = repository.list(&repository.head(Some("HEAD")).unwrap().commit).unwrap();
    assert!(listing.files.iter().any(|entry| entry.path.as_bytes() == b"caf\xe9.yaml"));
}

trait FromEncoded {
    fn from_encoded(bytes: &[u8]) -> Self;
}

impl FromEncoded for std::ffi::OsString {
    fn from_encoded(bytes: &[u8]) -> Self {
        use std::os::unix::ffi::OsStringExt as _;
        Self::from_vec(bytes.to_vec())
    }
}

#[test]
fn the_work_tree_is_read_as_it_lies_on_disk() {
    let world = World::new();
    world.write("clone/hieradata/a.yaml", "dirty\n");
    world.write("clone/untracked", "u\n");
    world.write("clone/.gitignore", "ignored\n");
    world.write("clone/ignored", "i\n");
    fs::remove_file(world.clone_dir().join("run.sh")).unwrap();
    let repository = world.open("clone");
    let listing = repository.list_worktree().unwrap();
    let names: Vec<_> = listing.files.iter().map(|entry| entry.path.to_text()).collect();
    assert_eq!(names, [".gitignore", "hieradata/a.yaml", "untracked"]);
    assert_eq!(repository.read(&listing.files[1]).unwrap().as_deref(), Some(&b"dirty\n"[..]));
    // A folder that became a symlink is not followed.
    fs::remove_dir_all(world.clone_dir().join("hieradata")).unwrap();
    world.write("outside/a.yaml", "secret of somebody else\n");
    symlink(world.root().join("outside"), world.clone_dir().join("hieradata")).unwrap();
    assert_eq!(repository.read(&listing.files[1]).unwrap(), None);
    let bare = world.open("remote.git").list_worktree().expect_err("bare");
    assert_eq!(bare.reason(), "no-worktree");
    assert!(world.left_behind().is_empty());
}

#[test]
fn history_has_every_version_once_and_counts_what_is_missing() {
    let world = World::new();
    let clone = world.clone_dir();
    for text in ["a: 2\n", "a: 1\n"] {
        world.write("clone/hieradata/a.yaml", text);
        world.git(&clone, &["commit", "-qam", text]);
    }
    world.git(&clone, &["checkout", "-qb", "side"]);
    world.write("clone/side", "s\n");
    world.git(&clone, &["add", "."]);
    world.git(&clone, &["commit", "-qm", "side"]);
    world.git(&clone, &["checkout", "-q", "main"]);
    let history = world.open("clone").history().unwrap();
    let mut names: Vec<_> = history.seen.iter().map(|seen| seen.entry.path.to_text()).collect();
    names.sort();
    assert_eq!(names, ["hieradata/a.yaml", "hieradata/a.yaml", "run.sh", "side"]);
    assert_eq!(history.missing, 0);
    let url = format!("file://{}", clone.display());
    world.git(&world.root(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    let history = world.open("shallow").history().unwrap();
    assert_eq!((history.seen.len(), history.missing), (2, 1));
}

#[test]
fn filters_are_read_from_the_commit_at_every_level() {
    let world = World::new();
    world.write("clone/.gitattributes", "[attr]sealed filter=git-crypt\n*.key sealed\n");
    world.write("clone/hieradata/.gitattributes", "b.key !filter\n*.u ident\n");
    world.git(&world.clone_dir(), &["add", "."]);
    world.git(&world.clone_dir(), &["commit", "-qm", "attributes"]);
    let repository = world.open("clone");
    let commit = repository.head(Some("HEAD")).unwrap().commit;
    let filter = |path: &str| repository.filter_of(&commit, &RepoPath::new(path)).unwrap();
    assert_eq!(filter("x.key").as_deref(), Some("filter=git-crypt"));
    assert_eq!(filter("hieradata/a.key").as_deref(), Some("filter=git-crypt"));
    assert_eq!(filter("hieradata/b.key"), None);
    assert_eq!(filter("hieradata/c.u").as_deref(), Some("ident"));
    assert_eq!(filter("run.sh"), None);
    // What git itself says agrees.
    for path in ["x.key", "hieradata/a.key", "hieradata/b.key", "run.sh"] {
        let said = world.git(&world.clone_dir(), &["check-attr", "filter", "--", path]);
        assert_eq!(said.ends_with("git-crypt"), filter(path).is_some(), "{said}");
    }
}

#[test]
fn trees_made_to_exhaust_memory_are_refused() {
    let world = World::new();
    let clone = world.clone_dir();
    let mut tree = world.git(&clone, &["rev-parse", "HEAD^{tree}"]);
    for _ in 0..12 {
        let lines: String = (0..10).map(|n| format!("040000 tree {tree}\t{n}\n")).collect();
        world.write("lines", &lines);
        let script = format!("git mktree < {}", world.root().join("lines").display());
        let alias = format!("!{script}");
        tree = world.git(&clone, &["-c", &format!("alias.bomb={alias}"), "bomb"]);
    }
    let commit = world.git(&clone, &["commit-tree", "-m", "bomb", &tree]);
    let error = world.open("clone").list(&commit).expect_err("too many");
    assert_eq!(error.reason(), "too-many-files");
}
