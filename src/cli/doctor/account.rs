//! What `doctor` sees of AWS: who signs, which reading actions are allowed, and how far the two
//! clocks are apart. Actions that change something are named and never tried.

use super::super::args::DoctorArgs;
use super::super::outside::aws;
use super::super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::iam::{Aws, Caller, Iam as _, KeyUse};
use crate::model::{AccessKeyId, Timestamp, UserName, format_duration};
use crate::report::{Check, Examined, State};

/// How far the local clock may be off without a word.
const SKEW: u64 = 5 * 60;

/// Adds the checks of the account.
pub(super) fn examine(args: &DoctorArgs, ids: &[AccessKeyId], examined: &mut Examined) {
    let asked = aws(&args.aws, None).and_then(|aws| aws.caller().map(|caller| (aws, caller)));
    let checks = &mut examined.checks;
    let (aws, caller) = match asked {
        Ok(both) => both,
        Err(error) => return checks.push(Check::failed("caller", &error)),
    };
    examined.caller = Some((caller.arn.clone(), caller.account.to_string()));
    checks.push(who(&caller));
    checks.push(clock(caller.at, Session::now()));
    let subject = subject(&aws, &caller, ids);
    let user = match &subject {
        Some(Ok(known)) => Some(&known.owner),
        _ => caller.user.as_ref(),
    };
    checks.push(read("iam-get-access-key-last-used", subject.as_ref().map(Result::as_ref)));
    let listed = user.map(|user| aws.access_keys(user));
    checks.push(read("iam-list-access-keys", listed.as_ref().map(Result::as_ref)));
    let policies = user.map(|user: &UserName| aws.quarantine(user));
    checks.push(read("iam-list-attached-user-policies", policies.as_ref().map(Result::as_ref)));
    if let (Some(Ok(Some(policy))), Some(user)) = (&policies, user) {
        let message = format!("AWS has quarantined user {user}: {policy}");
        let check = Check::new("quarantine", State::Missing, message);
        checks.push(check.hint("follow its support case; the access key is known to be public"));
    }
    for (name, command) in [
        ("iam-create-access-key", "rotate"),
        ("iam-update-access-key", "deactivate"),
        ("iam-delete-access-key", "delete"),
    ] {
        let message = format!("not tried, because it changes something; `{command}` needs it");
        let hint = format!("`keyroll policy {command}` prints what is needed");
        checks.push(Check::new(name, State::Unknown, message).hint(hint));
    }
}

fn who(caller: &Caller) -> Check {
    if caller.root {
        let message = format!("the root user of account {} signs", caller.account);
        return Check::new("caller", State::Missing, message).hint(
            "use the credentials of a role or an IAM user; every command but `find` refuses these",
        );
    }
    Check::new("caller", State::Ok, caller.arn.clone())
}

fn clock(aws: Timestamp, local: Timestamp) -> Check {
    let (apart, which) =
        if local > aws { (local.since(aws), "ahead of") } else { (aws.since(local), "behind") };
    if apart.as_secs() <= SKEW {
        return Check::new("clock", State::Ok, "the local clock agrees with AWS's");
    }
    let message = format!("the local clock is {} {which} AWS's", format_duration(apart));
    Check::new("clock", State::Missing, message)
        .hint("set it: verdicts go by AWS's clock, but signatures of a wrong time are refused")
}

/// An access key to ask about: of the repository in this account, else the one that signs.
fn subject(aws: &Aws, caller: &Caller, ids: &[AccessKeyId]) -> Option<Result<KeyUse>> {
    let here = |id: &&AccessKeyId| id.account().is_none_or(|account| account == caller.account);
    let own = caller.access_key_id.as_ref().filter(|id| !id.is_temporary());
    let mut last: Option<Error> = None;
    // A few suffice: the repository may name access keys that are long gone.
    for id in ids.iter().filter(here).take(3).chain(own) {
        match aws.last_used(id) {
            Ok(known) => return Some(Ok(known)),
            Err(error) => last = Some(error),
        }
    }
    last.map(Err)
}

/// How a reading action went.
fn read<T>(name: &'static str, outcome: Option<std::result::Result<&T, &Error>>) -> Check {
    match outcome {
        None => Check::new(name, State::Unknown, "there is no access key or user to ask about"),
        Some(Ok(_)) => Check::new(name, State::Ok, "allowed"),
        Some(Err(error)) if error.kind() == Kind::NotFound => {
            Check::new(name, State::Unknown, error.message())
        }
        Some(Err(error)) => {
            Check::failed(name, error).hint("`keyroll policy doctor` prints what is needed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::clock;
    use crate::model::Timestamp;
    use crate::report::State;

    #[test]
    fn a_clock_that_is_off_by_more_than_five_minutes_is_named() {
        let state = |local: i64| clock(Timestamp(10_000), Timestamp(local)).state;
        assert_eq!([state(10_000), state(10_300), state(9_700)], [State::Ok; 3]);
        assert_eq!([state(10_301), state(9_699)], [State::Missing; 2]);
        let message = clock(Timestamp(10_000), Timestamp(6_400)).message;
        assert_eq!(message, "the local clock is 1h behind AWS's");
    }
}
