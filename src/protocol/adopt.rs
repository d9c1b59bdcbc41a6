//! Finds the rotation that is already open for an access key, so that running `rotate` twice gives
//! one access key, one branch, one pull request and the same answer (I10). Where base has changed
//! under the branch, the commit is made again with the same new pair.

use super::announce::{Subject, propose_branch};
use super::intent::Intent;
use super::locate::Located;
use super::preflight::Standing;
use super::rotate::{Mode, Replacement, Rotated};
use super::seams::{Seams, Wanted};
use super::think::{Base, search, think};
use super::trailers::{Trailers, branch};
use crate::breakage;
use crate::error::{Error, Result};
use crate::forge::{PullRequest, State};
use crate::model::{AccessKeyId, AccessKeyPair, KeyStatus};
use crate::repo::{Lease, Rehearse, Stamp};
use crate::rotation;

/// What stands at the remote for this access key.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A rotation that this machine began and did not finish.
    Ours(Box<Intent>),
    /// A rotation whose branch holds the new pair.
    Open(Box<Rotated>),
}

/// Looks for an open rotation.
///
/// # Errors
/// `lock-held` naming the holder and its age, `branch-taken`, `closed-by-somebody`,
/// `already-merged`; network errors.
pub(super) fn adopt(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    standing: &Standing,
    base: &Base,
    mode: Mode,
) -> Result<Found> {
    if breakage::is_on("I10") {
        return Ok(Found::Nothing);
    }
    let ours = Intent::all(seams.journal)?.into_iter().find(|intent| {
        intent.old == wanted.old.as_str() && intent.remote == seams.remote.address()
    });
    if let Some(intent) = ours {
        return Ok(Found::Ours(Box::new(intent)));
    }
    let name = branch(&wanted.branch_prefix, &standing.user, &wanted.old);
    let reference = format!("refs/heads/{name}");
    let Some(tip) = seams.remote.ref_at(&reference)? else { return Ok(Found::Nothing) };
    seams.remote.bring(&reference, &tip)?;
    let objects = seams.remote.objects();
    let ours = |one: &Trailers| one.old == wanted.old && one.user == standing.user;
    let Some(trailers) = Trailers::parse(&objects.message(&tip)?).filter(ours) else {
        return Err(taken(&name));
    };
    let parents = objects.parents(&tip)?;
    let parent = parents.first().map_or(tip.as_str(), String::as_str);
    let new = match &trailers.new {
        Some(new) if !objects.same_files(&tip, parent)? => new.clone(),
        _ => return Err(held(&name, &trailers, standing)),
    };
    let parent = parent.to_owned();
    let open = Open { seams, wanted, standing, base, mode, name, reference, tip, parent, new };
    open.answer(&trailers.rotation).map(|answer| Found::Open(Box::new(answer)))
}

fn taken(name: &str) -> Error {
    Error::refused(
        "branch-taken",
        format!("the branch `{name}` exists and its newest commit is not keyroll's"),
    )
    .hint("somebody committed on it: finish or close that work; keyroll never overwrites it")
}

fn held(name: &str, trailers: &Trailers, standing: &Standing) -> Error {
    let age = crate::report::ago(trailers.started_at, standing.listed.read_at);
    let (id, made) = (&trailers.rotation, trailers.new.as_ref());
    let error = Error::refused(
        "lock-held",
        format!(
            "another rotation of this access key holds the branch `{name}`, begun {age} ({id})"
        ),
    )
    .hint("it may still be running: look again in some minutes");
    match made {
        Some(new) => error.hint(format!("if its machine is gone, somebody must retire the access key it made and delete the branch: {new}")),
        None => error.hint("if its machine is gone, delete the branch and run the same command again"),
    }
}

/// A rotation whose branch holds the new pair.
struct Open<'a> {
    seams: &'a Seams<'a>,
    wanted: &'a Wanted<'a>,
    standing: &'a Standing,
    base: &'a Base,
    mode: Mode,
    name: String,
    reference: String,
    tip: String,
    parent: String,
    new: AccessKeyId,
}

impl Open<'_> {
    fn answer(mut self, rotation: &str) -> Result<Rotated> {
        let request = self.open_request()?;
        self.still_works()?;
        let mut located = search(self.seams, self.wanted, &self.new, &self.tip)?;
        let mut warnings = Vec::new();
        if self.mode == Mode::Real && self.rebuild(&mut located)? {
            warnings.push(format!(
                "{} had changed: the commit was made again on it, with the same new pair",
                self.base.branch()
            ));
        }
        let request = match request {
            None if self.mode == Mode::Real => Some(self.propose(&located, &mut warnings)?),
            found => found,
        };
        let file = request.as_ref().and_then(|request| request.file.as_ref());
        let file = file.map(|file| file.to_string_lossy().into_owned());
        Ok(Rotated {
            rotation: rotation.to_owned(),
            user: self.standing.user.clone(),
            old: self.wanted.old.clone(),
            new: Some(self.new),
            branch: self.name,
            base: self.base.branch().to_owned(),
            base_commit: self.parent,
            commit: Some(self.tip),
            pull_request: request.and_then(|request| request.url),
            request_file: file,
            changes: located.occurrences.into_iter().map(Replacement::from).collect(),
            warnings,
            adopted: true,
        })
    }

    /// A branch says what stood when it was made: the new access key can have been retired since,
    /// and the commit of a stranger can name any.
    fn still_works(&self) -> Result<()> {
        let (user, keys) = (&self.standing.user, &self.standing.listed.keys);
        if keys.iter().any(|key| key.id == self.new && key.status == KeyStatus::Active) {
            return Ok(());
        }
        Err(Error::refused(
            "new-key-gone",
            format!("the branch `{}` holds an access key that user {user} does not have, or that is not Active: {}", self.name, self.new),
        )
        .hint("do not merge it: close the pull request, delete the branch, run the same command again"))
    }

    /// The open pull request; `None` when there is none yet.
    fn open_request(&self) -> Result<Option<PullRequest>> {
        let Some(request) = self.seams.forge.find(&self.name, self.base.branch())? else {
            return Ok(None);
        };
        match request.state {
            State::Open => Ok(Some(request)),
            State::Closed => {
                let url = request.url.unwrap_or_default();
                Err(Error::refused(
                    "closed-by-somebody",
                    format!("somebody closed the pull request of this rotation: {url}"),
                )
                .hint("reopen it there, or delete the branch and retire the new access key")
                .hint(format!("the new access key stays until somebody decides: {}", self.new)))
            }
            State::Merged(at) => {
                Err(Error::refused("already-merged", format!("this rotation was merged at {at}"))
                    .hint(format!("go on with `keyroll verify {}`", self.wanted.old)))
            }
        }
    }

    fn propose(&self, located: &Located, warnings: &mut Vec<String>) -> Result<PullRequest> {
        let subject = Subject {
            user: &self.standing.user,
            account: &self.standing.account,
            new: &self.new,
            branch: &self.name,
            base: self.base.branch(),
            located,
        };
        let (request, left_undone) = propose_branch(self.seams, self.wanted, &subject)?;
        warnings.extend(left_undone);
        Ok(request)
    }

    /// Makes the commit again on the newest base, where base gained an occurrence or changed a
    /// planned file: encrypted files do not merge as text.
    fn rebuild(&mut self, located: &mut Located) -> Result<bool> {
        if self.parent == self.base.commit || !self.base_differs(located)? {
            return Ok(false);
        }
        let secret = located.pairings.remove(&self.new).and_then(|pairing| pairing.secret);
        let Some(secret) = secret else {
            return Err(Error::refused(
                "base-moved",
                format!(
                    "{} has changed, and the new pair cannot be read from the branch",
                    self.base.branch()
                ),
            )
            .hint("give the identity that opens the branch's files with --identity"));
        };
        let pair = AccessKeyPair::new(self.new.clone(), secret)?;
        let thought = think(self.seams, self.wanted, self.base)?;
        let files = &thought.located.survey.files;
        let changes = rotation::apply(&thought.plan, files, &pair, self.seams.keyring)?;
        rotation::check(
            &thought.plan,
            files,
            &changes,
            &thought.old_secret,
            &pair,
            self.seams.keyring,
        )?;
        let objects = self.seams.remote.objects();
        let (author, signing) = (self.seams.author, self.seams.signing);
        let stamp = Stamp { author, at: (self.seams.clock)(), signing };
        let message = objects.message(&self.tip)?;
        let commit = objects.commit(Some(&self.base.commit), &changes, &message, &stamp)?;
        let lease = Lease::At(&self.tip);
        self.seams.remote.push(&self.reference, &commit, lease, Rehearse::No)?;
        (self.tip, self.parent) = (commit, self.base.commit.clone());
        *located = search(self.seams, self.wanted, &self.new, &self.tip)?;
        Ok(true)
    }

    /// Whether a file that holds the old pair on base is not what the branch was made on.
    fn base_differs(&self, on_branch: &Located) -> Result<bool> {
        let objects = self.seams.remote.objects();
        let old = search(self.seams, self.wanted, &self.wanted.old, &self.base.commit)?;
        let mut paths: Vec<_> = old.occurrences.iter().map(|one| &one.place.path).collect();
        paths.extend(on_branch.occurrences.iter().map(|one| &one.place.path));
        paths.sort();
        paths.dedup();
        for path in paths {
            if objects.read_path(&self.base.commit, path)?
                != objects.read_path(&self.parent, path)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
