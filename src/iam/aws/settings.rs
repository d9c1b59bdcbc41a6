//! How to reach AWS and how long to wait for it. Reading flags and environment is left to `cli`;
//! the SDK itself reads `AWS_*` and the shared configuration files.

use std::sync::Arc;
use std::time::Duration;

use crate::model::AccessKeyPair;

/// How to reach AWS. What is left out is looked up by the SDK in its usual places.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `--aws-profile`.
    pub profile: Option<String>,
    /// `--aws-role-arn`: the role that signs, assumed with the credentials found.
    pub role_arn: Option<String>,
    /// What CloudTrail shows behind the role (`keyroll-<rotation>`); `None` means `keyroll`.
    pub role_session: Option<String>,
    /// `--aws-region`.
    pub region: Option<String>,
    /// `--aws-endpoint`; else `AWS_ENDPOINT_URL_IAM` / `_STS` / `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// The pair that signs, instead of what the SDK would find.
    pub credentials: Option<Arc<AccessKeyPair>>,
    /// How long to wait.
    pub time_outs: TimeOuts,
}

/// How long to wait for AWS. The SDK alone would wait for an answer without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOuts {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the request to the first byte of the answer.
    pub read: Duration,
    /// One whole call, with the repetitions of a read.
    pub operation: Duration,
}

impl Default for TimeOuts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(20),
            operation: Duration::from_secs(30),
        }
    }
}
