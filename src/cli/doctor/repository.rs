//! What `doctor` sees of the repository: settings, identities and what they open, remote, forge,
//! ledger, and what this machine left unfinished.

use std::collections::{BTreeMap, BTreeSet};

use super::super::args::DoctorArgs;
use super::super::outside::connected;
use super::super::progress::Bar;
use super::super::session::Session;
use super::super::target::{Settings, Source, access, keyring};
use super::add;
use crate::error::Result;
use crate::forge::{Forge, Permission};
use crate::keyring::Keyring;
use crate::model::{AccessKeyId, Cell, Content, Endpoint, Lock, Role, Scheme, visible};
use crate::protocol::{Base, Intent, Located, Search, locate};
use crate::repo::{Head, Journal, Lease, Ledger, Rehearse, Remote, Repository, Signing};
use crate::report::{Check, Examined, State, plural};
use crate::rotation::Query;

/// Adds the checks of the repository, and gives the access keys that were found in it.
pub(super) fn examine(
    session: &Session,
    args: &DoctorArgs,
    examined: &mut Examined,
) -> Vec<AccessKeyId> {
    let checks = &mut examined.checks;
    add(checks, "journal", journal(session));
    let target = args.target.as_deref();
    let opened = Source::open(session, target, access(session, None))
        .and_then(|source| source.head(None).map(|head| (source, head)));
    let (source, head) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            checks.push(Check::failed("repository", &error));
            return Vec::new();
        }
    };
    let name = target.map_or_else(|| session.cwd.to_string_lossy().into_owned(), visible);
    examined.repository = Some(name);
    let read = format!("{} at {}", visible(&head.reference), head.commit);
    checks.push(Check::new("repository", State::Ok, read));
    let found = match Settings::read(session, source.repository(), &head.commit, &args.repository) {
        Ok(settings) => {
            let check = Check::new("settings", State::Ok, "they can be read, or there are none");
            let floors = settings.config.policy.check(Endpoint::Loopback).map(|()| check);
            add(checks, "settings", floors);
            sealed(session, args, (&source, &head, &settings), checks)
        }
        Err(error) => {
            checks.push(Check::failed("settings", &error));
            Vec::new()
        }
    };
    match &source {
        Source::Clone(clone) => of_clone(session, args, clone, &head, checks),
        Source::Fetched(remote) => ledger_check(remote, checks),
    }
    found
}

/// What identities there are, and how much of each scheme they open.
fn sealed(
    session: &Session,
    args: &DoctorArgs,
    (source, head, settings): (&Source, &Head, &Settings),
    checks: &mut Vec<Check>,
) -> Vec<AccessKeyId> {
    let repository = source.repository();
    let searched = || -> Result<(Keyring, Located)> {
        let listing = repository.list(&head.commit)?;
        let keyring =
            keyring(session, repository, repository, &listing, settings, &args.repository)?;
        let query = Query::all(&settings.pattern)?;
        let bar = Bar::new(session.shows_progress);
        let search = Search {
            repository,
            keyring: &keyring,
            takes_part: &|path| settings.takes_part(path),
            wanted: &|bytes| query.is_in(bytes),
            progress: &bar,
        };
        let located = locate(&search, &listing, &query, &[], &settings.pattern)?;
        bar.done();
        Ok((keyring, located))
    };
    let (keyring, located) = match searched() {
        Ok(found) => found,
        Err(error) => {
            checks.push(Check::failed("identities", &error));
            return Vec::new();
        }
    };
    let mut schemes: BTreeMap<Scheme, Tally> = BTreeMap::new();
    for file in &located.survey.files {
        count(&file.cells, &mut schemes);
    }
    let locked = schemes.values().any(|tally| !tally.locked.is_empty());
    checks.push(identities(&keyring, locked));
    for (scheme, tally) in &schemes {
        checks.push(tally.check(scheme));
    }
    for one in &located.survey.closed {
        let message = format!("{}: {}", one.place, one.lock.detail);
        checks.push(Check::new("closed-file", State::Missing, message));
    }
    let ids = located.occurrences.into_iter().filter(|one| one.role == Role::Id);
    ids.filter_map(|one| one.id).collect::<BTreeSet<_>>().into_iter().collect()
}

fn identities(keyring: &Keyring, locked: bool) -> Check {
    let names: Vec<String> = keyring.identities.iter().map(|one| visible(one.name())).collect();
    let message = match names.as_slice() {
        [] => "none was found".to_owned(),
        some => format!("{}: {}", plural(some.len(), "identity"), some.join(", ")),
    };
    // A file that is no identity hurts only where one is missing.
    let state = if locked && !keyring.rejected.is_empty() { State::Missing } else { State::Ok };
    let refused = |lock: &Lock| format!("not usable ({}): {}", lock.reason.word(), lock.detail);
    let hints = keyring.rejected.iter().map(refused).collect();
    Check { hints, ..Check::new("identities", state, message) }
}

/// The values of one scheme.
#[derive(Default)]
struct Tally {
    opened: BTreeMap<String, usize>,
    locked: Vec<(String, Lock)>,
}

impl Tally {
    fn check(&self, scheme: &Scheme) -> Check {
        let open: usize = self.opened.values().sum();
        let with: Vec<String> =
            self.opened.iter().map(|(name, n)| format!("{n} with {}", visible(name))).collect();
        let with = if with.is_empty() { String::new() } else { format!(" ({})", with.join(", ")) };
        let closed = self.locked.len();
        let message = format!("{} open{with}, {closed} locked", plural(open, "value"));
        let state = if closed == 0 { State::Ok } else { State::Missing };
        let mut check = Check::new(format!("opens-{scheme}"), state, message);
        let mut reasons: BTreeMap<&str, (usize, &str, &str)> = BTreeMap::new();
        for (place, lock) in &self.locked {
            let known = reasons.entry(lock.reason.word());
            known.or_insert((0, place, &lock.detail)).0 += 1;
        }
        for (reason, (n, place, detail)) in reasons {
            check = check.hint(format!("{n} {reason}, the first at {place}: {detail}"));
        }
        if closed > 0 {
            check = check
                .hint("give the identity with --identity, or set `identities` in keyroll.yaml");
        }
        check
    }
}

fn count(cells: &[Cell], schemes: &mut BTreeMap<Scheme, Tally>) {
    for cell in cells {
        if cell.scheme != Scheme::Plain {
            let tally = schemes.entry(cell.scheme.clone()).or_default();
            match &cell.content {
                Content::Open(_) => {
                    let with = cell.opened_by.clone().unwrap_or_else(|| "no identity".to_owned());
                    *tally.opened.entry(with).or_default() += 1;
                }
                Content::Locked(lock) => tally.locked.push((cell.place.to_string(), lock.clone())),
            }
        }
        count(&cell.inside, schemes);
    }
}

fn of_clone(
    session: &Session,
    args: &DoctorArgs,
    clone: &Repository,
    head: &Head,
    checks: &mut Vec<Check>,
) {
    add(
        checks,
        "author",
        clone.author().map(|author| {
            let who = visible(&format!("{} <{}>", author.name, author.email));
            Check::new("author", State::Ok, format!("commits are made by {who}"))
        }),
    );
    add(
        checks,
        "signing",
        clone.signing().map(|signing| {
            let how = match signing {
                Signing::Off => "commits are not signed",
                Signing::With(_) => "commits are signed as git is set to",
            };
            Check::new("signing", State::Ok, how)
        }),
    );
    let name = &args.repository.origin.remote;
    let (remote, forge) = match connected(session, clone, &args.forge, name) {
        Ok(both) => (both.remote, Some(both.forge)),
        Err(error) => {
            checks.push(Check::failed("forge", &error));
            let named = Some(name.as_str()).filter(|name| *name != "origin");
            match Remote::of(clone, named, access(session, None)) {
                Ok(remote) => (remote, None),
                Err(error) => return checks.push(Check::failed("remote", &error)),
            }
        }
    };
    reach(args, &remote, head, checks);
    if let Some(forge) = forge {
        add(checks, "forge", permission(forge.as_ref()));
    }
    ledger_check(&remote, checks);
}

/// The remote answers, and would take a branch.
fn reach(args: &DoctorArgs, remote: &Remote, head: &Head, checks: &mut Vec<Check>) {
    let base = Base::read(remote, args.repository.origin.base.as_deref());
    let commit = base.as_ref().map_or(head.commit.clone(), |base| base.commit.clone());
    add(
        checks,
        "remote",
        base.map(|base| {
            let same =
                if base.commit == head.commit { "" } else { "; this clone is not at its commit" };
            let message = format!("{} answers, base is {}{same}", remote.shown(), base.branch());
            Check::new("remote", State::Ok, message)
        }),
    );
    let rehearsed = remote.push("refs/heads/keyroll/doctor", &commit, Lease::Absent, Rehearse::Yes);
    add(
        checks,
        "push",
        rehearsed.map(|_| {
            Check::new("push", State::Ok, "a branch can be pushed, as far as a dry run tells")
        }),
    );
}

fn permission(forge: &dyn Forge) -> Result<Check> {
    Ok(match forge.preflight()? {
        Permission::Granted => {
            Check::new("forge", State::Ok, format!("{}: pull requests may be opened", forge.name()))
        }
        Permission::Unknown => Check::new(
            "forge",
            State::Unknown,
            format!("{}: it does not tell whether pull requests may be opened", forge.name()),
        ),
    })
}

fn ledger_check(remote: &Remote, checks: &mut Vec<Check>) {
    add(
        checks,
        "ledger",
        Ledger::of(remote).read_all().map(|all| {
            let events: usize = all.iter().map(|(_, events)| events.len()).sum();
            let message = match all.len() {
                0 => "no access key is recorded yet".to_owned(),
                n => format!(
                    "{} in the life of {}",
                    plural(events, "event"),
                    plural(n, "access key")
                ),
            };
            Check::new("ledger", State::Ok, message)
        }),
    );
}

/// What this machine began and did not finish.
fn journal(session: &Session) -> Result<Check> {
    let dir = session.state_dir();
    let nothing = || Check::new("journal", State::Ok, "nothing was left unfinished here");
    if !dir.is_dir() {
        return Ok(nothing());
    }
    let left = Intent::all(&Journal::open(&dir)?)?;
    let Some(first) = left.first() else { return Ok(nothing()) };
    let message = format!(
        "{} unfinished, the first of user {} after step `{}`: {}",
        plural(left.len(), "rotation"),
        first.user,
        first.step,
        first.old
    );
    Ok(Check::new("journal", State::Missing, message)
        .hint("go on with `keyroll resume`, or undo it with `keyroll abort`"))
}
