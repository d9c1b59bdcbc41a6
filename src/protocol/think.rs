//! The two beats before anything exists: read and open the base commit, plan, and rehearse the plan
//! with a stand-in pair, so that every refusal comes before a real access key does.

use super::escrow::EscrowIdentity;
use super::locate::{Located, locate};
use super::seams::{Seams, Wanted};
use super::survey::Search;
use crate::error::{Error, Kind, Result};
use crate::format::PARSE_LIMIT;
use crate::model::{AccessKeyId, Change, Plan, RepoPath, Secret, SourceFile};
use crate::repo::Remote;
use crate::rotation::{self, Allowances, Query};

/// The commit that a rotation is made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The full reference, such as `refs/heads/main`.
    pub reference: String,
    /// The commit.
    pub commit: String,
}

impl Base {
    /// The remote's base branch, and its commit made readable.
    ///
    /// # Errors
    /// `missing-base` when the branch does not exist; network errors.
    pub fn read(remote: &Remote, wanted: Option<&str>) -> Result<Self> {
        let head = remote.ls_remote()?;
        let reference = match wanted {
            Some(name) if name.starts_with("refs/") => name.to_owned(),
            Some(name) => format!("refs/heads/{name}"),
            None => head.branch.clone().ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    "missing-base",
                    format!("`{}` does not say which branch is its default", remote.shown()),
                )
                .hint("name it with --base, or set `base` in keyroll.yaml")
            })?,
        };
        let Some(commit) = head.refs.get(&reference).cloned() else {
            let name = crate::model::visible(reference.trim_start_matches("refs/heads/"));
            return Err(Error::new(
                Kind::NotFound,
                "missing-base",
                format!("`{}` has no branch `{name}`", remote.shown()),
            )
            .hint("name the base branch with --base"));
        };
        remote.bring(&reference, &commit)?;
        Ok(Self { reference, commit })
    }

    /// The branch without `refs/heads/`.
    #[must_use]
    pub fn branch(&self) -> &str {
        self.reference.strip_prefix("refs/heads/").unwrap_or(&self.reference)
    }
}

/// What reading and planning gave.
pub struct Thought {
    /// The commit that was read.
    pub base: Base,
    /// Everything that was found.
    pub located: Located,
    /// What changes.
    pub plan: Plan,
    /// The old secret.
    pub old_secret: Secret,
}

/// Searches one commit for one access key.
///
/// # Errors
/// When the repository cannot be read.
pub(super) fn search(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    old: &AccessKeyId,
    commit: &str,
) -> Result<Located> {
    search_for(seams, wanted, std::slice::from_ref(old), commit)
}

/// Searches one commit for several access keys in one pass.
///
/// # Errors
/// When the repository cannot be read.
pub(super) fn search_for(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    ids: &[AccessKeyId],
    commit: &str,
) -> Result<Located> {
    search_in(seams, wanted, ids, commit, wanted.takes_part.as_ref())
}

/// Searches every file of one commit for one access key, whatever was left out by name.
///
/// # Errors
/// When the repository cannot be read.
pub(super) fn search_everywhere(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    id: &AccessKeyId,
    commit: &str,
) -> Result<Located> {
    search_in(seams, wanted, std::slice::from_ref(id), commit, &|_| true)
}

fn search_in(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    ids: &[AccessKeyId],
    commit: &str,
    takes_part: &(dyn Fn(&RepoPath) -> bool + Sync),
) -> Result<Located> {
    let listing = seams.remote.objects().list(commit)?;
    let query = Query::ids(ids.to_vec())?;
    let search = Search {
        repository: seams.remote.objects(),
        keyring: seams.keyring,
        takes_part,
        wanted: &|bytes| query.is_in(bytes),
        progress: seams.progress,
    };
    let mut located = locate(&search, &listing, &query, &wanted.chosen, &wanted.pattern)?;
    for one in &mut located.occurrences {
        one.environment = (wanted.environment_of)(&one.place.path);
    }
    Ok(located)
}

/// Reads the base commit and plans the rotation.
///
/// # Errors
/// The refusals of `rotation::plan`, and `filtered-path` where git would transform a planned file.
pub(super) fn think(seams: &Seams<'_>, wanted: &Wanted<'_>, base: &Base) -> Result<Thought> {
    let mut located = search(seams, wanted, &wanted.old, &base.commit)?;
    let locked = located.survey.locked();
    let accepted = |path: &RepoPath| wanted.accepted.iter().any(|one| one.path == path.to_text());
    let mut pairing = located.pairings.remove(&wanted.old).unwrap_or_default();
    let allowances = Allowances { accepted: &accepted };
    let plan = rotation::plan(
        &wanted.old,
        &base.commit,
        &located.occurrences,
        &pairing,
        &locked,
        &allowances,
    )?;
    refuse_unwritable(seams, &plan, &located, &base.commit)?;
    let old_secret =
        pairing.secret.take().ok_or_else(|| Error::bug("a plan was made without a secret"))?;
    Ok(Thought { base: base.clone(), located, plan, old_secret })
}

/// Paths that git would transform on checkout must not get raw bytes (git-crypt would end in clear).
fn refuse_unwritable(
    seams: &Seams<'_>,
    plan: &Plan,
    located: &Located,
    commit: &str,
) -> Result<()> {
    for path in plan.files() {
        let files = &located.survey.files;
        let large = |file: &&SourceFile| &file.path == path && file.bytes.len() > PARSE_LIMIT;
        if files.iter().any(|file| large(&file)) {
            return Err(Error::refused(
                "file-too-large",
                format!("{path} is larger than 16 MiB and holds the access key"),
            )
            .hint("split the file, or change it by hand and leave it out with --exclude"));
        }
        if let Some(filter) = seams.remote.objects().filter_of(commit, path)? {
            return Err(Error::refused(
                "filtered-path",
                format!(
                    "{path} has the attribute `{}`: its bytes are not what git checks out",
                    crate::model::visible(&filter)
                ),
            )
            .hint("leave it out with --exclude, or change it by hand"));
        }
    }
    Ok(())
}

/// Applies the plan with a pair that nobody issued and checks the result.
///
/// # Errors
/// Whatever would stop the real rewrite.
pub(super) fn rehearse(seams: &Seams<'_>, thought: &Thought) -> Result<Vec<Change>> {
    let pair = rotation::stand_in(&thought.plan.old)?;
    let files = &thought.located.survey.files;
    let changes = rotation::apply(&thought.plan, files, &pair, seams.keyring)?;
    rotation::check(&thought.plan, files, &changes, &thought.old_secret, &pair, seams.keyring)?;
    // The escrow must have somebody to be sealed to, too.
    EscrowIdentity::generate().seal(&thought.plan, files, seams.keyring)?;
    Ok(changes)
}

/// The planned files as they stand in another commit, beside those of base.
///
/// # Errors
/// When the commit lacks one of the files.
pub(super) fn changes_between(
    seams: &Seams<'_>,
    thought: &Thought,
    commit: &str,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for path in thought.plan.files() {
        let file = thought.located.survey.files.iter().find(|file| &file.path == path);
        let before = file.map(|file| file.bytes.clone()).unwrap_or_default();
        let after = seams.remote.objects().read_path(commit, path)?.ok_or_else(|| {
            Error::refused("rewrite-check", format!("{path} is not in the pushed commit"))
        })?;
        changes.push(Change { path: path.clone(), before, after });
    }
    Ok(changes)
}
