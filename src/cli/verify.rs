//! `keyroll verify`: asks once, or again and again for a while, whether old access keys may go.

use std::time::Duration;

use super::actions::{Annotation, Level, tell};
use super::args::{Targets, Until as Step, VerifyArgs};
use super::config::Config;
use super::outside::aws;
use super::ready::{Ready, Words};
use super::rotate::Wishes;
use super::session::Session;
use super::tracked;
use crate::error::{Error, Kind, Result};
use crate::iam::Iam as _;
use crate::model::{
    AccessKeyId, Endpoint, Facts, KeyIdPattern, Policy, Replaced, Timestamp, Until, Verdict, Word,
};
use crate::protocol::{Extra, Record, Seams, Tracked, Verified, overall};
use crate::report::{Judged, Outcome, Verdicts, verify as report};

/// How far the local clock may be off before it is named.
const CLOCK: Duration = Duration::from_secs(5 * 60);

/// Says whether old access keys may go.
///
/// # Errors
/// Wrong words or settings, `no-record`; what cannot be read makes the verdict *unknown*.
pub(super) fn verify(session: &Session, args: &VerifyArgs) -> Result<Outcome> {
    let until = match args.until {
        Step::Replaced => Until::Replaced,
        Step::Deployed => Until::Deployed,
        Step::Quiet => Until::Quiet,
    };
    if args.old.is_some() {
        return without_clone(session, args, until);
    }
    let target = one_repository(&args.targets)?;
    let words = Words { target, repository: &args.repository, aws: &args.aws, forge: &args.forge };
    let ready = Ready::looking(session, &words)?;
    let typed: Vec<AccessKeyId> =
        args.targets.ids().map(|word| ready.settings.pattern.parse(word)).collect::<Result<_>>()?;
    let seams = ready.seams();
    let wishes = Wishes { ready: &ready };
    let look = || -> Result<Vec<Verified>> {
        let mut all = Vec::new();
        for one in selected(&seams, &typed)? {
            let wanted = tracked::wanted(&wishes, &one)?;
            let extra = Extra {
                deployed_at: args.deployed_at,
                accept_infrequent: args.accept_infrequent.clone(),
                ..tracked::extra(&ready, &one, Record::Yes)
            };
            all.push(crate::protocol::verify(&seams, &wanted, one, &extra, until)?);
        }
        Ok(all)
    };
    let wait = Wait { length: args.wait, endpoint: ready.aws.endpoint(), seams: &seams };
    let all = wait.until_told(look, |all| {
        let reasons = all.iter().map(|one| &one.verdict);
        (overall(reasons.clone()), reasons.filter(|one| one.reason != "quiet-window").count() == 0)
    })?;
    ready.quiet();
    let mut notes =
        clock_note(&all.iter().filter_map(|one| one.facts.as_ref()).collect::<Vec<_>>());
    if !seams.keeps_ledger && all.iter().any(|one| one.verdict.reason == "quiet-window") {
        notes.push("no ledger is kept: without --deployed-at every new use of the new access key starts the window again".to_owned());
    }
    Ok(answer(session, args, &all, &notes))
}

/// The rotations that are meant: those of the named access keys, else all that are under way.
fn selected(seams: &Seams<'_>, ids: &[AccessKeyId]) -> Result<Vec<Tracked>> {
    if ids.is_empty() {
        let mut all = Tracked::all(seams)?;
        all.retain(|one| !one.is_over() && one.inactive_since().is_none());
        return Ok(all);
    }
    let find = |id: &AccessKeyId| Tracked::find(seams, id)?.ok_or_else(|| no_record(id));
    ids.iter().map(find).collect()
}

/// The refusal for an access key of which nothing tells.
pub(super) fn no_record(id: &AccessKeyId) -> Error {
    Error::refused(
        "no-record",
        format!("neither ledger, branch nor pull request tells of a rotation of {id}"),
    )
    .hint("check the ID: it is the old access key's")
    .hint(
        "for a rotation that was made elsewhere: --old ID --new ID --user NAME --deployed-at TIME",
    )
}

fn answer(session: &Session, args: &VerifyArgs, all: &[Verified], notes: &[String]) -> Outcome {
    let judged: Vec<Judged<'_>> = all
        .iter()
        .map(|one| Judged {
            old: &one.tracked.old,
            new: one.tracked.new.as_ref(),
            user: &one.tracked.user,
            pull_request: one.tracked.pull_request.as_deref(),
            not_attested: one.facts.as_ref().map(not_attested).unwrap_or_default(),
            verdict: &one.verdict,
        })
        .collect();
    say(session, args, &judged, notes)
}

/// The consumers for which nobody vouched, where there is more than one.
fn not_attested(facts: &Facts) -> Vec<&str> {
    if facts.consumers.len() < 2 {
        return Vec::new();
    }
    facts.consumers.iter().filter(|one| !one.attested).map(|one| one.name.as_str()).collect()
}

fn say(
    session: &Session,
    args: &VerifyArgs,
    rotations: &[Judged<'_>],
    notes: &[String],
) -> Outcome {
    let (word, next_check_at) = overall(rotations.iter().map(|one| one.verdict));
    let until = match args.until {
        Step::Replaced => "replaced",
        Step::Deployed => "deployed",
        Step::Quiet => "quiet",
    };
    let answer = Verdicts { until, word, next_check_at, rotations, notes, explain: args.explain };
    let mut outcome = report(&answer, session.width, session.paint);
    let annotations: Vec<Annotation> = rotations.iter().map(annotation).collect();
    tell(session, &mut outcome, args.output.get(), &annotations);
    outcome
}

fn annotation(one: &Judged<'_>) -> Annotation {
    let Verdict { word, sentence, next_check_at, .. } = one.verdict;
    let level = match word {
        Word::Safe | Word::Waiting => Level::Notice,
        Word::Unknown => Level::Warning,
        Word::InUse => Level::Error,
    };
    let again = next_check_at.map(|at| format!("; ask again at {at}")).unwrap_or_default();
    Annotation {
        level,
        title: format!("keyroll: {} {}", word.text(), one.old),
        message: format!("{sentence}{again}"),
    }
}

/// AWS's clock counts; ours is only named when it is off.
fn clock_note(all: &[&Facts]) -> Vec<String> {
    let local = Session::now();
    let off = |facts: &&&Facts| {
        let apart = local.since(facts.read_at).max(facts.read_at.since(local));
        facts.unread.is_empty() && apart > CLOCK
    };
    let note = all.iter().find(off).map(|facts| {
        format!("the clock of this machine says {local} and AWS's {}; AWS's counts", facts.read_at)
    });
    note.into_iter().collect()
}

/// Asking again.
struct Wait<'s> {
    length: Option<Duration>,
    endpoint: Endpoint,
    seams: &'s Seams<'s>,
}

impl Wait<'_> {
    /// Looks until the answer is another than *waiting* or the time is over. Stops early where
    /// only a quiet window is left that ends later than the wait.
    fn until_told<T>(
        &self,
        look: impl Fn() -> Result<T>,
        state: impl Fn(&T) -> ((Word, Option<Timestamp>), bool),
    ) -> Result<T> {
        let mut left = self.length.unwrap_or_default();
        loop {
            let begun = (self.seams.clock)();
            let seen = look()?;
            let ((word, next), only_windows) = state(&seen);
            let ahead = next.map(|next| next.since(begun)).unwrap_or_default();
            if word != Word::Waiting || left.is_zero() || (only_windows && ahead > left) {
                return Ok(seen);
            }
            let pause = self.pause(ahead).min(left);
            (self.seams.note)(&format!(
                "waiting: asking again in {}",
                crate::model::format_duration(pause)
            ));
            (self.seams.sleep)(pause);
            left = left.saturating_sub((self.seams.clock)().since(begun).max(pause));
        }
    }

    /// As long as the next change is away, but neither so short that AWS throttles nor so long that
    /// a deploy is seen late.
    fn pause(&self, ahead: Duration) -> Duration {
        let (least, most) = match self.endpoint {
            Endpoint::Remote => (Duration::from_secs(60), Duration::from_secs(300)),
            Endpoint::Loopback => (Duration::from_millis(200), Duration::from_secs(1)),
        };
        ahead.clamp(least, most)
    }
}

/// The answer where there is neither ledger nor clone: a person vouches for the deploy.
fn without_clone(session: &Session, args: &VerifyArgs, until: Until) -> Result<Outcome> {
    let (pattern, policy) = settings(session, args)?;
    let parse = |word: &Option<String>| pattern.parse(word.as_deref().unwrap_or_default());
    let (old, new) = (parse(&args.old)?, parse(&args.new)?);
    let (Some(user), Some(deployed)) = (args.user.as_ref(), args.deployed_at) else {
        return Err(Error::new(
            Kind::Usage,
            "missing-deployed-at",
            "without a clone somebody has to vouch when the new pair was deployed",
        )
        .hint("give --deployed-at TIME, such as 2026-11-20T10:00:00Z"));
    };
    let aws = aws(&args.aws, None)?;
    policy.check(aws.endpoint())?;
    let watched = crate::protocol::watch(&aws, user, None, (&old, &new), Session::now());
    let facts = Facts {
        read_at: watched.read_at,
        old: watched.old,
        new: watched.new,
        replaced: Replaced::Attested,
        merged_at: None,
        deployed_at: Some(deployed),
        last_probe: None,
        consumers: Vec::new(),
        declared_cadence: None,
        observed: Vec::new(),
        accept_infrequent: args.accept_infrequent.clone(),
        unread: watched.unread,
    };
    let verdict = crate::rotation::judge(&facts, &policy, until);
    let judged = Judged {
        old: &old,
        new: Some(&new),
        user,
        pull_request: None,
        not_attested: Vec::new(),
        verdict: &verdict,
    };
    Ok(say(session, args, &[judged], &clock_note(&[&facts])))
}

/// Pattern and windows of `--config`, else the defaults.
fn settings(session: &Session, args: &VerifyArgs) -> Result<(KeyIdPattern, Policy)> {
    let origin = &args.repository.origin;
    let config = match &origin.config {
        Some(path) => {
            let path = session.cwd.join(path);
            let text = std::fs::read(&path).map_err(|source| Error::io("read", &path, &source))?;
            Config::parse(&text, &path.to_string_lossy())?
        }
        None => Config::default(),
    };
    let pattern = match (&origin.key_id_pattern, config.key_id_pattern) {
        (Some(text), _) => KeyIdPattern::new(text)?,
        (None, pattern) => pattern.unwrap_or_default(),
    };
    Ok((pattern, config.policy))
}

/// The one repository that is meant.
pub(super) fn one_repository(targets: &Targets) -> Result<Option<&str>> {
    let all: Vec<&str> = targets.repositories().collect();
    match all.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(Error::new(
            Kind::Usage,
            "several-repositories",
            "rotations are verified in one repository at a time",
        )),
    }
}
