//! `keyroll rotate`, `resume` and `abort`.

use std::io::Read as _;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::args::{AbortArgs, ResumeArgs, RotateArgs, Targets};
use super::outside::confirm;
use super::ready::{Ready, Words};
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::iam::Iam as _;
use crate::model::{AccessKeyId, AccessKeyPair, RepoPath, Secret, UserName, visible};
use crate::protocol::{
    self, Accepted, ChosenPaths, Intent, Mode, RequestForm, Wanted, go_on, reconstruct, undo,
};
use crate::report::{Outcome, plural};
use crate::rotation::Chosen;

/// Rotates one access key.
///
/// # Errors
/// Wrong words, refusals, and whatever the services answer.
pub(super) fn rotate(session: &Session, args: &RotateArgs) -> Result<Outcome> {
    let target = one_repository(&args.targets)?;
    let words = Words { target, repository: &args.repository, aws: &args.aws, forge: &args.forge };
    // Words are read before anything is opened: a wrong one must not cost a network call.
    let chosen: Vec<Chosen> =
        args.pair.iter().map(|text| Chosen::parse(text)).collect::<Result<_>>()?;
    let given = if args.new_pair_stdin { Some(pair_from_stdin()?) } else { None };
    let typed = one_id(&args.targets)?;
    if typed.is_none() && args.user.is_none() {
        return Err(Error::new(Kind::Usage, "nothing-to-rotate", "no access key was named")
            .hint("give its ID, or --user NAME for the one access key of an IAM user"));
    }
    let ready = Ready::open(session, &words)?;
    let old = old_id(&ready, typed, args.user.as_ref())?;
    let seams = ready.seams();
    let wishes = Wishes { ready: &ready };
    let wanted = match cut_short(&ready, Some(old.as_str()))? {
        // One that was begun is finished as it was begun.
        Some(intent) => Wanted { user: args.user.clone(), ..wishes.resumed(old, &intent)? },
        None => wishes.wanted(old, args.user.clone(), args, chosen, given)?,
    };
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Real };
    let answer = protocol::rotate(&seams, &wanted, mode, &|thought, standing| {
        let places = plural(thought.plan.swaps().len(), "place");
        let question = format!(
            "Make a new access key for user {} of account {} and replace {} at {places}, on a branch of {}?",
            standing.user,
            standing.account,
            wanted.old,
            seams.remote.shown()
        );
        ready.quiet();
        confirm(session, args.yes, &question)
    })?;
    ready.quiet();
    Ok(crate::report::rotate(&facts(&answer, args.dry_run), session.width, session.paint))
}

/// Finishes a rotation that was cut short on this machine.
///
/// # Errors
/// As [`rotate`]; `several-rotations` when it is not clear which one is meant.
pub(super) fn resume(session: &Session, args: &ResumeArgs) -> Result<Outcome> {
    let words = Words {
        target: one_repository(&args.targets)?,
        repository: &args.repository,
        aws: &args.aws,
        forge: &args.forge,
    };
    let typed = one_id(&args.targets)?;
    let ready = Ready::open(session, &words)?;
    let Some(intent) = cut_short(&ready, typed)? else {
        return Ok(crate::report::nothing_open("resume"));
    };
    let old = AccessKeyId::new(intent.old.as_str())?;
    confirm(
        session,
        args.yes,
        &format!(
            "Go on with the rotation of user {} after step `{}`: {old}?",
            intent.user, intent.step
        ),
    )?;
    let seams = ready.seams();
    let wishes = Wishes { ready: &ready };
    let wanted = wishes.resumed(old, &intent)?;
    let answer = go_on(&seams, &wanted, intent)?;
    ready.quiet();
    Ok(crate::report::resume(&facts(&answer, false), session.width, session.paint))
}

/// Undoes a rotation that was cut short on this machine.
///
/// # Errors
/// As [`resume`]; why the new access key may not be retired.
pub(super) fn abort(session: &Session, args: &AbortArgs) -> Result<Outcome> {
    let words = Words {
        target: one_repository(&args.targets)?,
        repository: &args.repository,
        aws: &args.aws,
        forge: &args.forge,
    };
    let typed = one_id(&args.targets)?;
    let ready = Ready::open(session, &words)?;
    let Some(intent) = to_undo(&ready, typed, &args.branch_prefix)? else {
        return Ok(crate::report::nothing_open("abort"));
    };
    let old = AccessKeyId::new(intent.old.as_str())?;
    let new = intent.new.clone().unwrap_or_else(|| "if one was made".to_owned());
    confirm(
        session,
        args.yes,
        &format!(
            "Undo the rotation of user {}, retire the new access key ({new}) and keep {old}?",
            intent.user
        ),
    )?;
    let seams = ready.seams();
    let wishes = Wishes { ready: &ready };
    let wanted = wishes.resumed(old, &intent)?;
    let done = undo(&seams, &wanted, &intent)?;
    ready.quiet();
    let retired = done.retired.as_ref().map(|(id, how)| (id, *how == protocol::Retired::Deleted));
    let (user, old) = (&done.user, &done.old);
    Ok(crate::report::abort(&done.rotation, user, old, retired, &done.branch))
}

/// The rotation that this machine has under way for this remote.
fn cut_short(ready: &Ready<'_>, typed: Option<&str>) -> Result<Option<Intent>> {
    let here = ready.connected.remote.address();
    let mut all: Vec<Intent> =
        Intent::all(&ready.journal)?.into_iter().filter(|one| one.remote == here).collect();
    if let Some(word) = typed {
        all.retain(|one| one.old == word || one.rotation == word);
    }
    if all.len() > 1 {
        let ids: Vec<String> = all.iter().map(|one| one.old.clone()).collect();
        return Err(Error::refused(
            "several-rotations",
            "more than one rotation is under way here",
        )
        .hint(format!("name one: {}", ids.join(", "))));
    }
    Ok(all.pop())
}

/// The rotation that is under way here, else the one that is open at the remote.
fn to_undo(ready: &Ready<'_>, typed: Option<&str>, prefix: &str) -> Result<Option<Intent>> {
    if let Some(intent) = cut_short(ready, typed)? {
        return Ok(Some(intent));
    }
    match typed.map(|word| ready.settings.pattern.parse(word)) {
        Some(Ok(old)) => reconstruct(&ready.seams(), prefix, &old),
        _ => Ok(None),
    }
}

/// Builds what was wanted, with functions over the settings.
pub(super) struct Wishes<'r, 'a> {
    pub(super) ready: &'r Ready<'a>,
}

impl<'r> Wishes<'r, '_> {
    fn wanted(
        &'r self,
        old: AccessKeyId,
        user: Option<UserName>,
        args: &RotateArgs,
        chosen: Vec<Chosen>,
        given: Option<AccessKeyPair>,
    ) -> Result<Wanted<'r>> {
        let reason = args.reason.clone().unwrap_or_default();
        let accepted = args.accept_locked.iter();
        let accepted = accepted.map(|path| Accepted { path: path.clone(), reason: reason.clone() });
        let accepted = accepted.collect();
        let mut wanted = self.plain(old);
        wanted.user = user;
        wanted.chosen = chosen;
        wanted.paths = ChosenPaths {
            include: args.repository.include.clone(),
            exclude: args.repository.exclude.clone(),
            environment: args.repository.environment.clone(),
        };
        wanted.accepted = accepted;
        wanted.branch_prefix.clone_from(&args.branch_prefix);
        wanted.form = self.form(args)?;
        wanted.sign_off = args.signoff;
        wanted.given = given;
        Ok(wanted)
    }

    fn resumed(&'r self, old: AccessKeyId, intent: &Intent) -> Result<Wanted<'r>> {
        let mut wanted = self.plain(old);
        wanted.user = Some(UserName::new(intent.user.as_str())?);
        wanted.chosen =
            intent.pairs.iter().map(|text| Chosen::parse(text)).collect::<Result<_>>()?;
        wanted.accepted = intent.accepted.clone();
        wanted.paths = intent.chosen.clone();
        let settings = self.ready.settings.with(&intent.chosen)?;
        wanted.excluded = settings.paths.exclusions().map(|one| one.as_str().to_owned()).collect();
        wanted.takes_part = Box::new(move |path: &RepoPath| settings.takes_part(path));
        wanted.sign_off = intent.sign_off;
        wanted.form = RequestForm { ..intent.form.clone() };
        Ok(wanted)
    }

    pub(super) fn plain(&'r self, old: AccessKeyId) -> Wanted<'r> {
        let ready = self.ready;
        let settings = &ready.settings;
        let excluded =
            ready.settings.paths.exclusions().map(|one| one.as_str().to_owned()).collect();
        Wanted {
            old,
            user: None,
            account_of: Box::new(|path: &RepoPath| ready.account_of(path)),
            base: Some(ready.base.reference.clone()),
            branch_prefix: "keyroll/rotate".to_owned(),
            chosen: Vec::new(),
            accepted: Vec::new(),
            paths: ChosenPaths::default(),
            excluded,
            takes_part: Box::new(|path: &RepoPath| settings.takes_part(path)),
            environment_of: Box::new(|path: &RepoPath| ready.environment_of(path)),
            pattern: ready.settings.pattern.clone(),
            form: RequestForm::default(),
            sign_off: false,
            consumers: Box::new(|user: &str| ready.consumers(user)),
            given: None,
        }
    }

    /// The flags laid over the settings; a list that is given replaces the settings' one.
    fn form(&self, args: &RotateArgs) -> Result<RequestForm> {
        let settings = &self.ready.settings.config.pull_request;
        let flags = &args.request;
        let either = |flag: &Vec<String>, setting: &Vec<String>| {
            if flag.is_empty() { setting.clone() } else { flag.clone() }
        };
        let template = flags.template.as_ref().or(settings.template.as_ref());
        let template = template.map(|path| self.template(path)).transpose()?;
        Ok(RequestForm {
            draft: flags.draft || settings.draft,
            labels: either(&flags.label, &settings.labels),
            reviewers: either(&flags.reviewer, &settings.reviewers),
            team_reviewers: either(&flags.team_reviewer, &settings.team_reviewers),
            title: flags.title.clone().or_else(|| settings.title.clone()),
            template,
        })
    }

    /// A text of the base commit (I12).
    fn template(&self, path: &str) -> Result<String> {
        let objects = self.ready.connected.remote.objects();
        match objects.read_path(&self.ready.base.commit, &RepoPath::new(path))? {
            Some(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            None => Err(Error::new(
                Kind::Settings,
                "missing-template",
                format!("the base commit has no file `{}`", visible(path)),
            )
            .hint("the pull request's template is read from the base branch")),
        }
    }
}

fn facts(answer: &protocol::Rotated, dry_run: bool) -> crate::report::Rotation<'_> {
    crate::report::Rotation {
        rotation: &answer.rotation,
        user: &answer.user,
        old: &answer.old,
        new: answer.new.as_ref(),
        dry_run,
        adopted: answer.adopted,
        branch: &answer.branch,
        base: &answer.base,
        base_commit: &answer.base_commit,
        commit: answer.commit.as_deref(),
        pull_request: answer.pull_request.as_deref(),
        request_file: answer.request_file.as_deref(),
        changes: answer.changes.iter().map(|one| (&one.place, &one.role, &one.scheme)).collect(),
        warnings: &answer.warnings,
    }
}

fn one_repository(targets: &Targets) -> Result<Option<&str>> {
    let all: Vec<&str> = targets.repositories().collect();
    match all.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(Error::new(
            Kind::Usage,
            "several-repositories",
            "a rotation is made in one repository at a time",
        )
        .hint("run the command once for each repository")),
    }
}

fn one_id(targets: &Targets) -> Result<Option<&str>> {
    let all: Vec<&str> = targets.ids().collect();
    match all.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(Error::new(
            Kind::Usage,
            "several-access-keys",
            "one access key is rotated at a time",
        )
        .hint("run the command once for each access key")),
    }
}

fn old_id(ready: &Ready<'_>, typed: Option<&str>, user: Option<&UserName>) -> Result<AccessKeyId> {
    if let Some(word) = typed {
        return ready.settings.pattern.parse(word);
    }
    let Some(user) = user else { return Err(Error::bug("neither an ID nor a user was named")) };
    let listed = ready.aws.access_keys(user)?;
    match listed.keys.as_slice() {
        [only] => Ok(only.id.clone()),
        [] => Err(Error::new(
            Kind::NotFound,
            "no-access-key",
            format!("user {user} has no access key"),
        )
        .hint("check the user name, and the account that the credentials belong to")),
        many => {
            let ids: Vec<&str> = many.iter().map(|key| key.id.as_str()).collect();
            Err(Error::refused(
                "two-access-keys",
                format!("user {user} has more than one access key"),
            )
            .hint(format!("name the one to replace: {}", ids.join(", "))))
        }
    }
}

/// A pair that was made elsewhere. Both IAM's own answer and its inner object are taken.
#[derive(Deserialize)]
struct GivenPair {
    #[serde(alias = "AccessKeyId")]
    access_key_id: String,
    #[serde(alias = "SecretAccessKey")]
    secret_access_key: Wiped,
}

/// A text that is wiped when dropped.
struct Wiped(Zeroizing<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Inner(GivenPair),
    Answer {
        #[serde(rename = "AccessKey")]
        access_key: GivenPair,
    },
}

fn pair_from_stdin() -> Result<AccessKeyPair> {
    let mut text = Zeroizing::new(String::with_capacity(4_096));
    std::io::stdin()
        .take(4_000)
        .read_to_string(&mut text)
        .map_err(|source| Error::io("read", std::path::Path::new("-"), &source))?;
    // The parser's own message could quote the secret.
    let given: Given = serde_json::from_str(&text).map_err(|_| {
        Error::new(Kind::Usage, "malformed-pair", "standard input holds no pair as JSON")
            .hint("write {\"access_key_id\": \"…\", \"secret_access_key\": \"…\"}, or pipe the answer of `aws iam create-access-key`")
    })?;
    let given = match given {
        Given::Inner(pair) | Given::Answer { access_key: pair } => pair,
    };
    let id = AccessKeyId::new(given.access_key_id)?;
    AccessKeyPair::new(id, Secret::new(given.secret_access_key.0.as_bytes().to_vec()))
}
