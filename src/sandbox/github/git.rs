//! The bare repository behind the pull requests: branch tips, `refs/pull/N/head`, and merges. Its
//! configuration is not read, so nothing in it can act.

use std::path::Path;

use git2::{Commit, Config, Oid, Repository, Signature, Time};

use super::Merge;
use super::pulls::Pull;
use crate::model::Timestamp;

fn open(path: &Path) -> Option<Repository> {
    let repository = Repository::open_bare(path).ok()?;
    repository.set_config(&Config::new().ok()?).ok()?;
    Some(repository)
}

fn head_of(repository: &Repository, branch: &str) -> Option<Oid> {
    repository.refname_to_id(&format!("refs/heads/{branch}")).ok()
}

/// The commit that a branch stands on.
pub(super) fn tip(path: &Path, branch: &str) -> Option<String> {
    head_of(&open(path)?, branch).map(|oid| oid.to_string())
}

/// The branch that `HEAD` names.
pub(super) fn default_branch(path: &Path) -> Option<String> {
    let repository = open(path)?;
    let head = repository.find_reference("HEAD").ok()?;
    let target = head.symbolic_target().ok().flatten()?;
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

/// Whether a commit is already in a branch.
pub(super) fn contains(path: &Path, branch: &str, oid: &str) -> bool {
    let found = || {
        let repository = open(path)?;
        let (tip, oid) = (head_of(&repository, branch)?, Oid::from_str(oid).ok()?);
        Some(tip == oid || repository.graph_descendant_of(tip, oid).unwrap_or(false))
    };
    found().unwrap_or(false)
}

/// Keeps the head of a pull request reachable, as GitHub does when the branch is deleted.
pub(super) fn keep(path: &Path, number: u64, oid: &str) {
    let kept = || {
        let (repository, oid) = (open(path)?, Oid::from_str(oid).ok()?);
        repository
            .reference(&format!("refs/pull/{number}/head"), oid, true, "pull request")
            .ok()?;
        Some(())
    };
    // A repository that is gone has no pull requests to keep.
    let _ = kept();
}

/// Merges a pull request into its base and returns the new commit; `None` when it conflicts.
pub(super) fn merge(
    path: &Path,
    pull: &Pull,
    how: Merge,
    login: &str,
    now: Timestamp,
) -> Option<String> {
    let repository = open(path)?;
    let base = repository.find_commit(head_of(&repository, &pull.base)?).ok()?;
    let head = repository.find_commit(Oid::from_str(&pull.head_oid).ok()?).ok()?;
    let mut index = repository.merge_commits(&base, &head, None).ok()?;
    if index.has_conflicts() {
        return None;
    }
    let tree = repository.find_tree(index.write_tree_to(&repository).ok()?).ok()?;
    let email = format!("{login}@users.noreply.example.com");
    let who = Signature::new(login, &email, &Time::new(now.0, 0)).ok()?;
    let number = pull.number;
    let (message, parents): (String, Vec<&Commit<'_>>) = match how {
        Merge::Commit => {
            let head_name = &pull.head;
            let message = format!(
                "Merge pull request #{number} from {login}/{head_name}\n\n{}\n",
                pull.title
            );
            (message, vec![&base, &head])
        }
        // The commits' own messages, and with them their trailers, do not survive.
        Merge::Squash => (format!("{} (#{number})\n", pull.title), vec![&base]),
    };
    let oid = repository.commit(None, &who, &who, &message, &tree, &parents).ok()?;
    let target = format!("refs/heads/{}", pull.base);
    repository.reference_matching(&target, oid, true, base.id(), "merge").ok()?;
    Some(oid.to_string())
}
