//! Turns what the `git` program says (in the C locale) into errors with stable reasons. A server's
//! words are shown in part, made visible and without credentials.

use super::address::without_credentials;
use super::child::Output;
use crate::error::{Error, Kind};
use crate::model::visible;

/// What was tried with a remote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    /// A clause such as `push refs/heads/x`.
    pub(super) what: &'a str,
    /// The remote for people.
    pub(super) remote: &'a str,
    /// What to say when the reference was not as expected; `None` for reading.
    pub(super) lease: Option<LeaseKind>,
}

/// What the lease expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseKind {
    /// That the reference does not exist.
    Absent,
    /// That it stands at one commit.
    At,
}

/// A family of failures: words of git or of a server, in lower case, any of which tells it.
struct Sign {
    words: &'static [&'static str],
    kind: Kind,
    reason: &'static str,
    hint: &'static str,
}

/// In the order in which they are looked for: the particular before the general.
const SIGNS: &[Sign] = &[
    Sign {
        words: &["protected branch", "gh006", "gh013", "repository rule", "protected ref"],
        kind: Kind::Denied,
        reason: "protected-branch",
        hint: "let keyroll's account create branches below `keyroll/`, or choose --branch-prefix",
    },
    Sign {
        words: &["hook declined", "push declined", "prohibited by gerrit", "deletion prohibited"],
        kind: Kind::Denied,
        reason: "push-declined",
        hint: "a rule of the server declined the push: ask those who run it",
    },
    Sign {
        words: &["shallow update not allowed"],
        kind: Kind::Denied,
        reason: "shallow-push",
        hint: "the server takes no push from a shallow clone: run `git fetch --unshallow` first",
    },
    Sign {
        words: &["host key verification failed", "host identification has changed"],
        kind: Kind::Denied,
        reason: "unknown-host-key",
        hint: "connect once with `ssh` by hand and compare the host key, or add it to known_hosts",
    },
    Sign {
        words: &[
            "permission denied (publickey",
            "authentication failed",
            "could not read username",
            "could not read password",
            "invalid username or",
            "invalid credentials",
            "returned error: 401",
            "terminal prompts disabled",
            "too many authentication failures",
        ],
        kind: Kind::Denied,
        reason: "authentication-failed",
        hint: "check the token, the credential helper or the SSH agent: `git ls-remote` must work",
    },
    Sign {
        words: &[
            "returned error: 403",
            "write access to repository not granted",
            "permission to ",
            "not allowed to push",
            "insufficient permission",
            "access denied",
            "marked as read only",
            "remote: forbidden",
            "permission denied",
            "service not enabled",
        ],
        kind: Kind::Denied,
        reason: "no-permission",
        hint: "the account needs the right to push to this repository (GitHub: contents, write)",
    },
    Sign {
        words: &["dubious ownership"],
        kind: Kind::Denied,
        reason: "dubious-ownership",
        hint: "the remote folder belongs to somebody else: see `safe.directory` in `git help config`",
    },
    Sign {
        words: &["no space left", "disk quota exceeded", "unpacker error"],
        kind: Kind::Io,
        reason: "disk-full",
        hint: "make room where the repository or the temporary folder (TMPDIR) is",
    },
    Sign {
        words: &["ssl certificate", "certificate verif", "server certificate", "ssl routines"],
        kind: Kind::Network,
        reason: "tls-failed",
        hint: "the host's certificate is not trusted: see `http.sslCAInfo` in `git help config`",
    },
    Sign {
        words: &[
            "repository not found",
            "does not appear to be a git repository",
            "returned error: 404",
            "not found",
            "no such file or directory",
        ],
        kind: Kind::NotFound,
        reason: "remote-not-found",
        hint: "check the remote's address; hosts also say this when the account may not read it",
    },
    Sign {
        words: &["transport '"],
        kind: Kind::Refused,
        reason: "remote-address",
        hint: "use https, ssh or a local path; plain http is for this machine only",
    },
    Sign {
        words: &[
            "could not resolve",
            "connection refused",
            "connection timed out",
            "connection reset",
            "connection closed",
            "network is unreachable",
            "no route to host",
            "failed to connect",
            "couldn't connect",
            "operation timed out",
            "operation too slow",
            "early eof",
            "hung up unexpectedly",
            "unexpected disconnect",
            "returned error: 5",
            "unable to access",
            "could not read from remote",
        ],
        kind: Kind::Network,
        reason: "remote-unreachable",
        hint: "check the network, the proxy and the remote's address, then run the same again",
    },
];

/// Words that tell that the reference was not as the lease expected; the server's words after a
/// lost race differ from those of git's own check.
const STALE: &[&str] = &[
    "stale info",
    "cannot lock ref",
    "failed to update ref",
    "reference already exists",
    "incorrect old value",
    "(fetch first)",
    "non-fast-forward",
    "': file exists",
];

/// The error for a git program that ended badly while it talked to a remote.
pub(super) fn remote_failed(attempt: Attempt<'_>, output: &Output) -> Error {
    let said = format!("{}\n{}", output.talk(), String::from_utf8_lossy(&output.stdout));
    let low = said.to_ascii_lowercase();
    let stale = STALE.iter().any(|word| low.contains(word));
    let sign = SIGNS.iter().find(|sign| sign.words.iter().any(|word| low.contains(word)));
    // A server that may not or cannot write also says that it did not update the reference.
    let cause = ["protected-branch", "push-declined", "no-permission", "disk-full"];
    let caused = sign.is_some_and(|sign| cause.contains(&sign.reason));
    if let Some(lease) = attempt.lease.filter(|_| stale && !caused) {
        return lease_error(lease, attempt);
    }
    let what = format!("could not {} of `{}`", attempt.what, attempt.remote);
    let told = telling_line(&said, sign);
    match sign {
        Some(sign) => Error::new(sign.kind, sign.reason, format!("{what}: {told}")).hint(sign.hint),
        None => Error::new(Kind::Network, "git-failed", format!("{what}: {told}"))
            .hint("the same with `git` by hand tells more"),
    }
}

/// The reference was not as expected.
pub(super) fn lease_error(lease: LeaseKind, attempt: Attempt<'_>) -> Error {
    let Attempt { what, remote, .. } = attempt;
    match lease {
        LeaseKind::Absent => Error::refused(
            "lock-held",
            format!("could not {what} of `{remote}`: it exists already"),
        )
        .hint("another rotation holds it; `keyroll status` tells whose it is"),
        LeaseKind::At => Error::refused(
            "lease-lost",
            format!("could not {what} of `{remote}`: it was changed in the meantime"),
        )
        .hint("run the same command again: it reads the remote afresh"),
    }
}

/// The error for a git program that ended badly on this machine alone.
pub(super) fn git_failed(what: &str, output: &Output) -> Error {
    let told = telling_line(&output.talk(), None);
    Error::new(Kind::Io, "git-failed", format!("git could not {what}: {told}"))
}

/// The one line that says most: the one with the sign, else git's last complaint.
fn telling_line(said: &str, sign: Option<&Sign>) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let with_sign = sign.and_then(|sign| {
        lines().find(|line| {
            let low = line.to_ascii_lowercase();
            sign.words.iter().any(|word| low.contains(word))
        })
    });
    let complaint =
        || lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let line =
        with_sign.or_else(complaint).or_else(|| lines().next_back()).unwrap_or("no word why");
    let line = line.trim_start_matches("remote: ").trim_start_matches("fatal: ");
    let short: String = without_credentials(line).chars().take(300).collect();
    visible(short.trim().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::{Attempt, LeaseKind, remote_failed};
    use crate::repo::child::Output;
    use std::os::unix::process::ExitStatusExt as _;

    fn reason(talk: &str, lease: Option<LeaseKind>) -> (&'static str, String) {
        let output = Output {
            status: std::process::ExitStatus::from_raw(256),
            stdout: Vec::new(),
            stderr: talk.as_bytes().to_vec(),
        };
        let attempt = Attempt { what: "push refs/heads/x", remote: "https://h/r", lease };
        let error = remote_failed(attempt, &output);
        (error.reason(), error.message().to_owned())
    }

    /// What git and servers say, and the reason it gets.
    const FAILURES: &[(&str, &str)] = &[
        (" ! [rejected] a -> x (stale info)", "lease-lost"),
        (" ! [remote rejected] a -> x (failed to update ref)", "lease-lost"),
        (" ! [remote rejected] a -> x (non-fast-forward)", "lease-lost"),
        ("remote: error: cannot lock ref 'refs/heads/x': reference already exists", "lease-lost"),
        (
            "remote: error: GH006: Protected branch update failed\n ! [remote rejected] a -> x (protected branch hook declined)",
            "protected-branch",
        ),
        (" ! [remote rejected] a -> x (pre-receive hook declined)", "push-declined"),
        (
            "remote: Permission to o/r.git denied to bot.\nfatal: unable to access 'https://h/r/': The requested URL returned error: 403",
            "no-permission",
        ),
        ("fatal: Authentication failed for 'https://h/r/'", "authentication-failed"),
        (
            "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            "authentication-failed",
        ),
        (
            "fatal: could not read Username for 'https://h': terminal prompts disabled",
            "authentication-failed",
        ),
        (
            "Host key verification failed.\nfatal: Could not read from remote repository.",
            "unknown-host-key",
        ),
        (
            "ERROR: Repository not found.\nfatal: Could not read from remote repository.",
            "remote-not-found",
        ),
        (
            "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.",
            "remote-not-found",
        ),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", "remote-unreachable"),
        (
            "fatal: unable to access 'https://h/': The requested URL returned error: 503",
            "remote-unreachable",
        ),
        ("fatal: transport 'http' not allowed", "remote-address"),
        ("fatal: detected dubious ownership in repository at '/x'", "dubious-ownership"),
        (" ! [remote rejected] a -> x (shallow update not allowed)", "shallow-push"),
        ("fatal: something new", "git-failed"),
    ];

    #[test]
    fn each_failure_has_its_own_reason() {
        for (talk, want) in FAILURES {
            assert_eq!(reason(talk, Some(LeaseKind::At)).0, *want, "{talk}");
        }
    }

    #[test]
    fn a_lease_on_absence_says_who_holds_it() {
        let talk = " ! [rejected] a -> x (stale info)";
        assert_eq!(reason(talk, Some(LeaseKind::Absent)).0, "lock-held");
        // Reading has no lease to lose.
        assert_eq!(reason(talk, None).0, "git-failed");
    }

    #[test]
    fn a_servers_words_lose_control_characters_and_credentials() {
        let (_, message) =
            reason("fatal: Authentication failed for 'https://u:canary@h/\u{1b}[2Jr'", None);
        assert!(!message.contains("canary") && !message.contains('\u{1b}'), "{message}");
    }
}
