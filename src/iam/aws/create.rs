//! The calls that change something. `CreateAccessKey` is not idempotent: it is sent exactly once,
//! and an answer counts only when every part of it is plausible. Sorting out an ambiguous one is
//! left to `protocol`.

use aws_sdk_iam::config::Builder;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::types::{AccessKey, StatusType};

use super::Aws;
use super::connect::time_outs;
use super::errors::{Call, Failure, Missing, cut, implausible};
use super::trace::Trace;
use crate::error::{Error, Result};
use crate::iam::CreateFailure;
use crate::model::{AccessKeyId, AccessKeyPair, KeyStatus, Secret, UserName};

/// `iam:CreateAccessKey`, once.
pub(super) async fn create(
    aws: &Aws,
    user: &UserName,
) -> std::result::Result<AccessKeyPair, CreateFailure> {
    let call =
        Call { action: "iam:CreateAccessKey", subject: user.to_string(), missing: Missing::User };
    let trace = Trace::default();
    // The same client as the reads, so that a clock skew it has learned corrects the signature.
    let once = Builder::new()
        .retry_config(RetryConfig::disabled())
        .timeout_config(time_outs(&aws.time_outs));
    let sent = aws.iam.create_access_key().user_name(user.as_str()).customize();
    let answer = sent.config_override(once).interceptor(trace.clone()).send().await;
    let answer = answer.map_err(|error| {
        let failure = Failure::read(&error, &trace);
        let told = failure.explain(&call);
        if failure.refused_before_execution() {
            CreateFailure::Refused(told)
        } else {
            CreateFailure::Ambiguous(told)
        }
    })?;
    // Taken over before anything is judged: the secret of a refused answer is wiped too.
    let pair = answer
        .access_key
        .ok_or_else(|| implausible(&call, "there is no access key in the answer"))
        .and_then(|created| plausible(created, user, &call));
    if trace.cut() {
        return Err(CreateFailure::Ambiguous(cut(&call)));
    }
    pair.map_err(CreateFailure::Ambiguous)
}

/// Accepts what was asked for and nothing else. The SDK reports even an empty document as
/// success.
fn plausible(created: AccessKey, user: &UserName, call: &Call) -> Result<AccessKeyPair, Error> {
    let secret = Secret::from(created.secret_access_key);
    // User names are unique without regard to case, and IAM answers with the stored one.
    if !created.user_name.eq_ignore_ascii_case(user.as_str()) {
        return Err(implausible(call, "the new access key is not of the user that was asked for"));
    }
    if created.status != StatusType::Active {
        return Err(implausible(call, "the new access key is not Active"));
    }
    let id = AccessKeyId::new(created.access_key_id)
        .ok()
        .filter(|id| !id.is_temporary())
        .ok_or_else(|| implausible(call, "the new access key's ID does not have the shape"))?;
    AccessKeyPair::new(id, secret)
        .map_err(|_| implausible(call, "the new secret does not have the shape"))
}

/// `iam:UpdateAccessKey`; setting a state twice is the same as once.
pub(super) async fn set_status(
    aws: &Aws,
    user: &UserName,
    id: &AccessKeyId,
    status: &KeyStatus,
) -> Result<()> {
    let status = match status {
        KeyStatus::Active => StatusType::Active,
        KeyStatus::Inactive => StatusType::Inactive,
        KeyStatus::Other(_) => return Err(Error::bug("an access key is either on or off")),
    };
    let call = of_access_key("iam:UpdateAccessKey", id);
    let trace = Trace::default();
    let sent = aws.iam.update_access_key().user_name(user.as_str()).access_key_id(id.as_str());
    let sent = sent.status(status).customize().interceptor(trace.clone()).send().await;
    sent.map(|_| ()).map_err(|error| Failure::read(&error, &trace).explain(&call))
}

/// `iam:DeleteAccessKey`.
///
/// A repetition by the SDK after a lost answer reads `NoSuchEntity`, which is reported as
/// `unknown-access-key`; whether the key is gone, a fresh list tells.
pub(super) async fn delete(aws: &Aws, user: &UserName, id: &AccessKeyId) -> Result<()> {
    let call = of_access_key("iam:DeleteAccessKey", id);
    let trace = Trace::default();
    let sent = aws.iam.delete_access_key().user_name(user.as_str()).access_key_id(id.as_str());
    let sent = sent.customize().interceptor(trace.clone()).send().await;
    sent.map(|_| ()).map_err(|error| Failure::read(&error, &trace).explain(&call))
}

fn of_access_key(action: &'static str, id: &AccessKeyId) -> Call {
    Call { action, subject: id.to_string(), missing: Missing::AccessKey }
}
