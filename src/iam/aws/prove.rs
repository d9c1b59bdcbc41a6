//! A new pair proves itself: `GetCallerIdentity` signed by it, which no policy can deny. How often
//! and how long it must succeed is left to `protocol`.

use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{Builder, Region, SharedCredentialsProvider};

use super::Aws;
use super::connect::{credentials, time_outs};
use super::errors::{Call, Failure, Missing, Stage, implausible, whole};
use super::trace::Trace;
use crate::error::Result;
use crate::iam::Proof;
use crate::model::{AccessKeyPair, AccountId, visible};

/// Asks STS once, as the pair.
pub(super) async fn prove(aws: &Aws, pair: &AccessKeyPair, region: &str) -> Result<Proof> {
    let call = Call {
        action: "sts:GetCallerIdentity",
        subject: pair.id.to_string(),
        missing: Missing::AccessKey,
    };
    let trace = Trace::default();
    let once = Builder::new()
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials(pair)))
        .retry_config(RetryConfig::disabled())
        .timeout_config(time_outs(&aws.time_outs));
    let sent = aws.sts.get_caller_identity().customize().config_override(once);
    let answer = sent.interceptor(trace.clone()).send().await;
    if let Err(error) = &answer {
        let failure = Failure::read(error, &trace);
        // A refusal is an answer about the pair; a throttle or a failing service is not.
        if matches!(failure.stage, Stage::Answered(403)) && !failure.code.is_empty() {
            return Ok(Proof::Rejected(visible(&failure.code)));
        }
    }
    let (answer, at) = whole(answer, &trace, &call)?;
    let account = AccountId::new(answer.account().unwrap_or_default())
        .map_err(|_| implausible(&call, "the account is not 12 digits"))?;
    let signed = trace.signer();
    if signed.as_deref() != Some(pair.id.as_str()) {
        return Err(implausible(&call, "the call was signed by somebody else"));
    }
    Ok(Proof::Accepted { account, arn: answer.arn().unwrap_or_default().to_owned(), at })
}
