//! The simulated forge as octocrab sees it, over a real bare repository.

use crate::iam::now;
use keyroll::model::Timestamp;
use keyroll::sandbox::{Merge, Options, Sandbox};
use octocrab::models::IssueState;
use octocrab::params::State;
use octocrab::{Octocrab, OctocrabBuilder};

struct World {
    sandbox: Sandbox,
    repository: git2::Repository,
    runtime: tokio::runtime::Runtime,
    _directory: tempfile::TempDir,
}

fn world() -> World {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("secrets.git");
    let repository = git2::Repository::init_bare(&path).expect("a repository");
    repository.set_head("refs/heads/main").expect("a head");
    commit(&repository, "main", "base", &[]);
    let options = Options { repository: Some(path), ..Options::new(now()) };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let sandbox = Sandbox::start(options).expect("a sandbox");
    World { sandbox, repository, runtime, _directory: directory }
}

/// A commit on a branch, with one file of this name.
fn commit(repository: &git2::Repository, branch: &str, file: &str, parents: &[git2::Oid]) {
    let who = git2::Signature::new("a", "a@example.com", &git2::Time::new(1_700_000_000, 0))
        .expect("a signature");
    let parents: Vec<_> =
        parents.iter().map(|oid| repository.find_commit(*oid).expect("a commit")).collect();
    let before = parents.first().map(|parent| parent.tree().expect("a tree"));
    let mut tree = repository.treebuilder(before.as_ref()).expect("a tree");
    let blob = repository.blob(file.as_bytes()).expect("a blob");
    tree.insert(file, blob, 0o100_644).expect("an entry");
    let tree = repository.find_tree(tree.write().expect("a tree")).expect("a tree");
    let parents: Vec<_> = parents.iter().collect();
    let oid = repository.commit(None, &who, &who, file, &tree, &parents).expect("a commit");
    let name = format!("refs/heads/{branch}");
    repository.reference(&name, oid, true, "test").expect("a ref");
}

impl World {
    fn tip(&self, branch: &str) -> git2::Oid {
        self.repository.refname_to_id(&format!("refs/heads/{branch}")).expect("a branch")
    }

    fn branch(&self, name: &str) {
        commit(&self.repository, name, name, &[self.tip("main")]);
    }

    fn run<T>(&self, token: &str, call: impl AsyncFnOnce(Octocrab) -> T) -> T {
        self.runtime.block_on(async {
            let client = OctocrabBuilder::new()
                .base_uri(self.sandbox.github_api_url())
                .expect("an address")
                .personal_token(token.to_owned())
                .build()
                .expect("a client");
            call(client).await
        })
    }

    fn open(&self, head: &str) -> octocrab::Result<octocrab::models::pulls::PullRequest> {
        self.run("sandbox-token", async |github| {
            github.pulls("example", "secrets").create("Rotate", head, "main").send().await
        })
    }

    fn list(&self, head: &str) -> Vec<octocrab::models::pulls::PullRequest> {
        self.run("sandbox-token", async |github| {
            let pulls = github.pulls("example", "secrets");
            let page = pulls.list().state(State::All).head(head).base("main").send().await;
            page.expect("a page").items
        })
    }
}

fn refusal<T>(result: octocrab::Result<T>) -> (u16, String) {
    let Err(octocrab::Error::GitHub { source, .. }) = result else { panic!("no error of GitHub") };
    let errors = serde_json::to_string(&source.errors).expect("JSON");
    (source.status_code.as_u16(), format!("{} {errors}", source.message))
}

#[test]
fn a_pull_request_is_opened_found_and_merged_in_git() {
    let world = world();
    world.branch("keyroll-rotate");
    let opened = world.open("keyroll-rotate").expect("a pull request");
    assert_eq!((opened.number, opened.head.sha.len()), (1, 40));
    assert_eq!(world.list("example:keyroll-rotate").len(), 1);
    assert!(world.list("example:other").is_empty());
    let (status, text) = refusal(world.open("keyroll-rotate"));
    assert_eq!(status, 422);
    assert!(text.contains("A pull request already exists for example:keyroll-rotate."));

    let before = world.tip("main");
    world.sandbox.merge(1, Merge::Squash).expect("merged");
    let merged = world.repository.find_commit(world.tip("main")).expect("a commit");
    assert_eq!(merged.parent_ids().collect::<Vec<_>>(), [before]);
    assert!(merged.tree().expect("a tree").get_name("keyroll-rotate").is_some());
    let found = &world.list("example:keyroll-rotate")[0];
    let at = found.merged_at.expect("a time").timestamp();
    assert!(world.sandbox.now().since(Timestamp(at)).as_secs() < 60);
    assert_eq!(found.state, Some(IssueState::Closed));
    assert!(world.sandbox.merge(1, Merge::Commit).is_err());
}

#[test]
fn what_github_refuses_is_refused() {
    let world = world();
    let (status, text) = refusal(world.open("nowhere"));
    assert_eq!(status, 422);
    assert!(text.contains("\"field\":\"head\""), "{text}");
    let (status, text) = refusal(world.open("main"));
    assert!(status == 422 && text.contains("No commits between"), "{text}");
    let (status, _) =
        refusal(world.run("wrong", async |github| github.repos("example", "secrets").get().await));
    assert_eq!(status, 401);
    let (status, _) = refusal(
        world.run("sandbox-token", async |github| github.repos("example", "others").get().await),
    );
    assert_eq!(status, 404);
    world.branch("topic");
    world.open("topic").expect("a pull request");
    let ask = |reviewer: &str| {
        world.run("sandbox-token", async |github| {
            let pulls = github.pulls("example", "secrets");
            pulls.request_reviews(1, [reviewer.to_owned()], []).await
        })
    };
    assert_eq!(refusal(ask("keyroll-bot")).0, 422);
    assert_eq!(refusal(ask("stranger")).0, 422);
    ask("alice").expect("a collaborator");
}

#[test]
fn the_repository_tells_permissions_and_default_branch() {
    let world = world();
    let found = world.run("sandbox-token", async |github| {
        github.repos("example", "secrets").get().await.expect("a repository")
    });
    assert_eq!(found.default_branch.as_deref(), Some("main"));
    assert!(found.permissions.expect("permissions").push);
    let login = world
        .run("sandbox-token", async |github| github.current().user().await.expect("a user").login);
    assert_eq!(login, "keyroll-bot");
    let left = world.run("sandbox-token", async |github| {
        github.ratelimit().get().await.expect("limits").rate.remaining
    });
    assert_eq!(left, 4999);
}

#[test]
fn labels_states_and_pages_are_kept() {
    let world = world();
    for name in ["a", "b", "c"] {
        world.branch(name);
        world.open(name).expect("a pull request");
    }
    let labels = world.run("sandbox-token", async |github| {
        let issues = github.issues("example", "secrets");
        issues.add_labels(2, &["rotation".to_owned()]).await.expect("labels")
    });
    assert_eq!(labels[0].name, "rotation");
    let numbers: Vec<u64> = world.run("sandbox-token", async |github| {
        let pulls = github.pulls("example", "secrets");
        let page = pulls.list().per_page(2).send().await.expect("a page");
        let all = github.all_pages(page).await.expect("all pages");
        all.iter().map(|pull: &octocrab::models::pulls::PullRequest| pull.number).collect()
    });
    assert_eq!(numbers, [3, 2, 1]);
    let closed = world.run("sandbox-token", async |github| {
        let pulls = github.pulls("example", "secrets");
        let state = octocrab::params::pulls::State::Closed;
        pulls.update(3).state(state).title("New").send().await.expect("closed")
    });
    assert_eq!(closed.state, Some(IssueState::Closed));
    assert_eq!(closed.title.as_deref(), Some("New"));
    let merged = world.run("sandbox-token", async |github| {
        github.pulls("example", "secrets").merge(1).send().await.expect("merged")
    });
    assert!(merged.merged);
    assert_eq!(world.repository.find_commit(world.tip("main")).expect("it").parent_count(), 2);
}

#[test]
fn a_deleted_branch_closes_its_request_and_keeps_the_commit() {
    let world = world();
    world.branch("topic");
    let tip = world.tip("topic");
    world.open("topic").expect("a pull request");
    world.repository.find_reference("refs/heads/topic").expect("it").delete().expect("gone");
    assert_eq!(world.list("example:topic")[0].state, Some(IssueState::Closed));
    assert_eq!(world.repository.refname_to_id("refs/pull/1/head").expect("kept"), tip);
}

#[test]
fn a_merge_pushed_by_hand_counts_as_merged() {
    let world = world();
    world.branch("topic");
    world.open("topic").expect("a pull request");
    let tip = world.tip("topic");
    world.repository.reference("refs/heads/main", tip, true, "push").expect("pushed");
    assert!(world.list("example:topic")[0].merged_at.is_some());
}
