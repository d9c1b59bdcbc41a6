//! Changes references of the remote, each under a lease that the server compares at the moment of
//! the change. How the remote is reached is left to `remote`.

use super::child::Output;
use super::git::parse_id;
use super::push_error::{Attempt, LeaseKind, lease_error};
use super::remote::{LIMIT, Remote, check_name};
use crate::error::Result;
use crate::model::visible;

/// What must hold of a reference for a push to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease<'a> {
    /// It does not exist.
    Absent,
    /// It stands at this object.
    At(&'a str),
}

/// Whether a push is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearse {
    /// It is.
    No,
    /// Only connecting, authenticating and comparing are.
    Yes,
}

/// How a push ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The reference was changed, or would have been.
    Done,
    /// It stood there already: an earlier push of the same commit had arrived.
    AlreadyThere,
}

impl Remote {
    /// Makes a reference stand at a commit if the lease holds; compared by the server at the
    /// moment of the change, so of many at once one wins.
    ///
    /// # Errors
    /// `lock-held` when it had to be absent and is not, also when it stands at this very commit;
    /// `lease-lost` when it stood elsewhere; `protected-branch`, `push-declined`, `no-permission`,
    /// `authentication-failed`, `unknown-host-key`, `remote-not-found`, `remote-unreachable`.
    pub fn push(
        &self,
        reference: &str,
        commit: &str,
        lease: Lease<'_>,
        rehearse: Rehearse,
    ) -> Result<Pushed> {
        parse_id(commit)?;
        let output = self.push_refspec(commit, reference, lease, rehearse)?;
        // `=` means that nothing had to be done: git does not look at the lease then.
        let idle = output.stdout.split(|b| *b == b'\n').any(|line| line.starts_with(b"=\t"));
        match (idle, lease) {
            (false, _) => Ok(Pushed::Done),
            (true, Lease::At(_)) => Ok(Pushed::AlreadyThere),
            (true, Lease::Absent) => {
                let what = format!("create {reference}");
                let shown = self.shown();
                let attempt = Attempt { what: &what, remote: &shown, lease: None };
                Err(lease_error(LeaseKind::Absent, attempt))
            }
        }
    }

    /// Removes a reference if it still stands at `commit`; one that is gone already is no error.
    ///
    /// # Errors
    /// As [`Remote::push`].
    pub fn delete_ref(&self, reference: &str, commit: &str) -> Result<()> {
        match self.push_refspec("", reference, Lease::At(commit), Rehearse::No) {
            Ok(_) => Ok(()),
            Err(error) if self.ref_at(reference)?.is_some() => Err(error),
            Err(_) => Ok(()),
        }
    }

    fn push_refspec(
        &self,
        source: &str,
        reference: &str,
        lease: Lease<'_>,
        rehearse: Rehearse,
    ) -> Result<Output> {
        check_name(reference)?;
        let (expected, kind) = match lease {
            Lease::Absent => ("", LeaseKind::Absent),
            Lease::At(id) => (id, LeaseKind::At),
        };
        let mut git = self.git();
        git.args(["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed"]);
        git.arg("--recurse-submodules=no");
        git.arg(format!("--force-with-lease={reference}:{expected}"));
        if rehearse == Rehearse::Yes {
            git.arg("--dry-run");
        }
        git.args(["--", self.address.as_str()]).arg(format!("{source}:{reference}"));
        let output = self.run(git, LIMIT)?;
        let verb = match (source.is_empty(), lease) {
            (true, _) => "delete",
            (_, Lease::Absent) => "create",
            (_, Lease::At(_)) => "push",
        };
        let what = format!("{verb} {}", visible(reference));
        self.judge(output, Attempt { what: &what, remote: &self.shown(), lease: Some(kind) })
    }
}
