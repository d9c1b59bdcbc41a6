//! The calls that change nothing: who am I, who owns a key, which keys, which policies. All pages,
//! and an answer that is not whole is an error, never "none" (I9).

use aws_sdk_iam::types::AccessKeyMetadata;

use super::Aws;
use super::errors::{Call, Missing, implausible, whole};
use super::trace::Trace;
use crate::error::{Error, Result};
use crate::iam::{Caller, KeyList, KeyUse};
use crate::model::{
    AccessKey, AccessKeyId, AccountId, KeyStatus, LastUsed, Timestamp, UserName, visible,
};

/// More pages than any user can have: a service that never ends is an error, not a loop.
const PAGES: usize = 1000;

/// `sts:GetCallerIdentity`.
pub(super) async fn caller(aws: &Aws) -> Result<Caller> {
    let call = asked("sts:GetCallerIdentity", "");
    let trace = Trace::default();
    let sent = aws.sts.get_caller_identity().customize().interceptor(trace.clone());
    let (answer, at) = whole(sent.send().await, &trace, &call)?;
    let account = AccountId::new(answer.account().unwrap_or_default())
        .map_err(|_| implausible(&call, "the account is not 12 digits"))?;
    let arn = answer.arn().unwrap_or_default();
    if !arn.starts_with("arn:") {
        return Err(implausible(&call, "there is no ARN"));
    }
    Ok(Caller {
        account,
        user: user_of(arn),
        root: arn.ends_with(":root"),
        arn: arn.to_owned(),
        access_key_id: trace.signer().and_then(|id| AccessKeyId::new(id).ok()),
        at,
    })
}

/// The user in `arn:<partition>:iam::<account>:user/<path><name>`.
fn user_of(arn: &str) -> Option<UserName> {
    let rest = arn.splitn(6, ':').nth(5)?.strip_prefix("user/")?;
    UserName::new(rest.rsplit('/').next()?).ok()
}

/// `iam:GetAccessKeyLastUsed`.
pub(super) async fn last_used(aws: &Aws, id: &AccessKeyId) -> Result<KeyUse> {
    let call = Call {
        action: "iam:GetAccessKeyLastUsed",
        subject: id.to_string(),
        missing: Missing::AccessKey,
    };
    let trace = Trace::default();
    let sent = aws.iam.get_access_key_last_used().access_key_id(id.as_str());
    let sent = sent.customize().interceptor(trace.clone()).send().await;
    let (answer, read_at) = whole(sent, &trace, &call)?;
    let owner = answer.user_name().unwrap_or_default();
    let owner =
        UserName::new(owner).map_err(|_| implausible(&call, "the answer names no IAM user"))?;
    let used = answer
        .access_key_last_used()
        .ok_or_else(|| implausible(&call, "the answer does not speak of the last use"))?;
    let at = used.last_used_date().map(|at| Timestamp(at.secs()));
    let last_used =
        LastUsed { at, service: visible(used.service_name()), region: visible(used.region()) };
    Ok(KeyUse { owner, last_used, read_at })
}

/// `iam:ListAccessKeys`, all pages.
pub(super) async fn access_keys(aws: &Aws, user: &UserName) -> Result<KeyList> {
    let call = asked("iam:ListAccessKeys", user.as_str());
    let mut keys = Vec::new();
    let mut marker = None;
    for _ in 0..PAGES {
        let trace = Trace::default();
        let sent = aws.iam.list_access_keys().user_name(user.as_str()).set_marker(marker);
        let sent = sent.customize().interceptor(trace.clone()).send().await;
        let (answer, read_at) = whole(sent, &trace, &call)?;
        for listed in answer.access_key_metadata() {
            keys.push(access_key(listed, user, &call)?);
        }
        if !answer.is_truncated() {
            return Ok(KeyList { keys, read_at });
        }
        marker = Some(next_page(answer.marker(), &call)?);
    }
    Err(implausible(&call, "the list does not end"))
}

fn access_key(listed: &AccessKeyMetadata, user: &UserName, call: &Call) -> Result<AccessKey> {
    let id = AccessKeyId::new(listed.access_key_id().unwrap_or_default())
        .map_err(|_| implausible(call, "a listed access key has no ID"))?;
    let owned = listed.user_name().is_none_or(|name| name.eq_ignore_ascii_case(user.as_str()));
    if !owned {
        return Err(implausible(call, "a listed access key belongs to another user"));
    }
    let status = listed
        .status()
        .map(|status| KeyStatus::from_word(status.as_str()))
        .ok_or_else(|| implausible(call, "a listed access key has no status"))?;
    Ok(AccessKey { id, status, created: listed.create_date().map(|at| Timestamp(at.secs())) })
}

/// The ARN of an attached quarantine policy (`iam:ListAttachedUserPolicies`, all pages).
pub(super) async fn quarantine(aws: &Aws, user: &UserName) -> Result<Option<String>> {
    let call = asked("iam:ListAttachedUserPolicies", user.as_str());
    let mut marker = None;
    for _ in 0..PAGES {
        let trace = Trace::default();
        let sent = aws.iam.list_attached_user_policies().user_name(user.as_str());
        let sent = sent.set_marker(marker).customize().interceptor(trace.clone()).send().await;
        let (answer, _) = whole(sent, &trace, &call)?;
        let arns = answer.attached_policies().iter().filter_map(|policy| policy.policy_arn());
        if let Some(arn) = arns.into_iter().find(|arn| is_quarantine(arn)) {
            return Ok(Some(visible(arn)));
        }
        if !answer.is_truncated() {
            return Ok(None);
        }
        marker = Some(next_page(answer.marker(), &call)?);
    }
    Err(implausible(&call, "the list does not end"))
}

/// AWS attaches `AWSCompromisedKeyQuarantine`, `…V2` and later ones, in every partition.
fn is_quarantine(arn: &str) -> bool {
    arn.contains(":policy/AWSCompromisedKeyQuarantine")
}

fn next_page(marker: Option<&str>, call: &Call) -> Result<String, Error> {
    marker
        .filter(|marker| !marker.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| implausible(call, "a further page is announced without its marker"))
}

fn asked(action: &'static str, user: &str) -> Call {
    Call { action, subject: user.to_owned(), missing: Missing::User }
}

#[cfg(test)]
mod tests {
    use super::{is_quarantine, user_of};

    #[test]
    fn the_user_is_the_last_step_of_its_path() {
        let user = |arn| user_of(arn).map(|user| user.to_string());
        assert_eq!(user("arn:aws:iam::123456789012:user/alice").as_deref(), Some("alice"));
        assert_eq!(user("arn:aws-cn:iam::123456789012:user/a/b/bob").as_deref(), Some("bob"));
        assert_eq!(user("arn:aws:sts::123456789012:assumed-role/user/bob"), None);
        assert_eq!(user("arn:aws:iam::123456789012:root"), None);
    }

    #[test]
    fn every_version_and_partition_of_the_quarantine_is_known() {
        for arn in [
            "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine",
            "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV4",
            "arn:aws-us-gov:iam::aws:policy/AWSCompromisedKeyQuarantineV2",
        ] {
            assert!(is_quarantine(arn), "{arn}");
        }
        assert!(!is_quarantine("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    }
}
