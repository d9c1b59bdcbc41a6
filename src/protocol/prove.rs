//! Proves a new pair before it is written anywhere: IAM is eventually consistent, and one success
//! says nothing about the next endpoint.

use std::time::Duration;

use super::seams::Seams;
use crate::error::{Error, Kind, Result};
use crate::iam::Proof;
use crate::model::{AccessKeyPair, AccountId, Timestamp, UserName};

/// The pause between two probes.
const PAUSE: Duration = Duration::from_secs(2);

/// Asks STS, signed by the pair, until it succeeded often and long enough in a row.
///
/// `before_probe` is called before every probe and must make its time durable: a probe moves the
/// new access key's last-used date, and a verdict has to know which use was ours.
///
/// # Errors
/// `not-propagated` when the deadline passes; `wrong-identity` when the pair is someone else's.
pub(super) fn prove(
    seams: &Seams<'_>,
    pair: &AccessKeyPair,
    user: &UserName,
    account: &AccountId,
    before_probe: &mut dyn FnMut(Timestamp) -> Result<()>,
) -> Result<()> {
    let wants = &seams.policy.prove;
    let regions = seams.iam.proving_regions();
    let begun = (seams.clock)();
    // Probe times are held against dates of AWS later: they are told by AWS's clock.
    let ahead = seams.iam.caller()?.at.0 - begun.0;
    let mut first_success: Option<Timestamp> = None;
    let mut successes = 0;
    let mut skipped: Vec<String> = Vec::new();
    let mut said = String::new();
    let mut turn = 0;
    loop {
        let region = next_region(&regions, &skipped, turn)?;
        turn += 1;
        before_probe(Timestamp((seams.clock)().0 + ahead))?;
        match seams.iam.prove(pair, region) {
            Ok(Proof::Accepted { account: theirs, arn, .. }) => {
                is_theirs(&theirs, &arn, user, account)?;
                successes += 1;
                first_success.get_or_insert_with(|| (seams.clock)());
            }
            Ok(Proof::Rejected(code)) => {
                said = code;
                successes = 0;
                first_success = None;
            }
            Err(error) if error.kind() == Kind::Network && regions.len() - skipped.len() > 1 => {
                (seams.note)(&format!(
                    "region {region} cannot be reached, it is left out of the proof"
                ));
                skipped.push(region.to_owned());
            }
            Err(error) => {
                return Err(
                    error.hint("the new access key exists; `keyroll resume` goes on from here")
                );
            }
        }
        let now = (seams.clock)();
        let lasted = first_success.is_some_and(|first| now.since(first) >= wants.span);
        if successes >= wants.successes && lasted {
            return Ok(());
        }
        if now.since(begun) >= wants.deadline {
            return Err(not_propagated(&said));
        }
        (seams.sleep)(PAUSE.min(wants.span));
    }
}

fn next_region<'r>(regions: &'r [String], skipped: &[String], turn: usize) -> Result<&'r str> {
    let usable: Vec<&String> = regions.iter().filter(|one| !skipped.contains(one)).collect();
    let region = usable.get(turn % usable.len().max(1)).map(|one| one.as_str());
    region.ok_or_else(|| Error::bug("no region to prove a pair in"))
}

fn is_theirs(theirs: &AccountId, arn: &str, user: &UserName, account: &AccountId) -> Result<()> {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let name = resource.strip_prefix("user/").and_then(|path| path.rsplit('/').next());
    if theirs == account && name == Some(user.as_str()) {
        return Ok(());
    }
    Err(Error::refused(
        "wrong-identity",
        format!(
            "the new pair is {} and not user {user} of account {account}",
            crate::model::visible(arn)
        ),
    )
    .hint("nothing was written; `keyroll abort` retires the new access key"))
}

fn not_propagated(said: &str) -> Error {
    let word = if said.is_empty() {
        String::new()
    } else {
        format!(" (AWS says {})", crate::model::visible(said))
    };
    Error::new(
        Kind::Network,
        "not-propagated",
        format!("the new access key was created and is not accepted everywhere yet{word}"),
    )
    .hint("nothing is lost: run `keyroll resume` in some minutes")
}
