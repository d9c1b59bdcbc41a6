//! Finds the rotation that is already open for an access key, so that running `rotate` twice gives
//! one access key, one branch, one pull request and the same answer (I10).

use super::intent::Intent;
use super::preflight::Standing;
use super::rotate::{Replacement, Rotated};
use super::seams::{Seams, Wanted};
use super::think::Base;
use super::trailers::{Trailers, branch};
use crate::error::{Error, Result};
use crate::forge::State;
use crate::model::{AccessKeyId, Occurrence};

/// What stands at the remote for this access key.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A rotation that this machine began and did not finish.
    Ours(Box<Intent>),
    /// A rotation whose pull request is open.
    Open(Box<Rotated>),
}

/// Looks for an open rotation.
///
/// # Errors
/// `lock-held` naming the holder and its age, `branch-taken`, `closed-by-somebody`; network errors.
pub(super) fn adopt(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    standing: &Standing,
    base: &Base,
) -> Result<Found> {
    let name = branch(&wanted.branch_prefix, &standing.user, &wanted.old);
    let reference = format!("refs/heads/{name}");
    let ours = Intent::all(seams.journal)?.into_iter().find(|intent| {
        intent.old == wanted.old.as_str() && intent.remote == seams.remote.address()
    });
    if let Some(intent) = ours {
        return Ok(Found::Ours(Box::new(intent)));
    }
    let Some(tip) = seams.remote.ref_at(&reference)? else { return Ok(Found::Nothing) };
    seams.remote.bring(&reference, &tip)?;
    let objects = seams.remote.objects();
    let Some(trailers) = Trailers::parse(&objects.message(&tip)?) else {
        return Err(Error::refused(
            "branch-taken",
            format!("the branch `{name}` exists and its newest commit is not keyroll's"),
        )
        .hint("somebody committed on it: finish or close that work; keyroll never overwrites it"));
    };
    let parents = objects.parents(&tip)?;
    let parent = parents.first().map_or(tip.as_str(), String::as_str);
    let written = trailers.new.is_some() && !objects.same_files(&tip, parent)?;
    if !written {
        return Err(held(&name, &trailers, standing));
    }
    open_request(seams, wanted, standing, base, &name, &tip, parent, trailers)
}

fn held(name: &str, trailers: &Trailers, standing: &Standing) -> Error {
    let age = crate::report::ago(trailers.started_at, standing.listed.read_at);
    Error::refused(
        "lock-held",
        format!(
            "another rotation of this access key holds the branch `{name}`, begun {age} ({})",
            trailers.rotation
        ),
    )
    .hint("it may still be running: look again in some minutes")
    .hint("if its machine is gone: `keyroll resume --takeover`")
}

#[expect(clippy::too_many_arguments, reason = "all of them are facts that were just read")]
fn open_request(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    standing: &Standing,
    base: &Base,
    name: &str,
    tip: &str,
    parent: &str,
    trailers: Trailers,
) -> Result<Found> {
    let found = seams.forge.find(name, base.branch())?;
    let (url, file) = match &found {
        Some(request) => match &request.state {
            State::Open => (request.url.clone(), request.file.clone()),
            State::Closed => {
                let url = request.url.clone().unwrap_or_default();
                return Err(Error::refused("closed-by-somebody", format!("somebody closed the pull request of this rotation: {url}"))
                    .hint("`keyroll abort` retires the new access key, or reopen the pull request by hand"));
            }
            State::Merged(at) => {
                return Err(Error::refused(
                    "already-merged",
                    format!("the rotation was merged at {at}"),
                )
                .hint(format!("go on with `keyroll verify {}`", wanted.old)));
            }
        },
        None => (None, None),
    };
    let new = trailers.new.clone().ok_or_else(|| Error::bug("a rewrite without a new ID"))?;
    let changes = placed(seams, wanted, &new, tip)?;
    let mut warnings = Vec::new();
    if found.is_none() {
        warnings.push("the branch stands and has no pull request yet: open it by hand, or `keyroll abort` and rotate again".to_owned());
    }
    if parent != base.commit {
        warnings.push(format!("{} moved since this rotation was made", base.branch()));
    }
    Ok(Found::Open(Box::new(Rotated {
        rotation: trailers.rotation,
        user: standing.user.clone(),
        old: wanted.old.clone(),
        new: Some(new),
        branch: name.to_owned(),
        base: base.branch().to_owned(),
        base_commit: parent.to_owned(),
        commit: Some(tip.to_owned()),
        pull_request: url,
        request_file: file.map(|file| file.to_string_lossy().into_owned()),
        changes,
        warnings,
        adopted: true,
    })))
}

/// Where the new pair stands on the branch: the same places as the plan's.
fn placed(
    seams: &Seams<'_>,
    wanted: &Wanted<'_>,
    new: &AccessKeyId,
    commit: &str,
) -> Result<Vec<Replacement>> {
    let located = super::think::search(seams, wanted, new, commit)?;
    let one = |occurrence: Occurrence| Replacement {
        place: occurrence.place,
        role: occurrence.role,
        scheme: occurrence.scheme,
    };
    Ok(located.occurrences.into_iter().map(one).collect())
}
