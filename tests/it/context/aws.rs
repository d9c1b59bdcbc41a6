//! IAM and STS through the SDK with one fixed pair, for stand-ins that check signatures.
//! What keyroll itself asks of AWS goes through `keyroll::iam`.

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};

/// Clients that sign with one pair, and the runtime they need.
pub(crate) struct Signed {
    runtime: tokio::runtime::Runtime,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) sts: aws_sdk_sts::Client,
}

impl Signed {
    /// Clients for an endpoint. Nothing is sent again: a test wants the first answer.
    pub(crate) fn by(endpoint: &str, id: &str, secret: &str) -> Self {
        let pair = Credentials::new(id, secret, None, None, "test");
        let iam = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .credentials_provider(pair.clone())
            .build();
        let sts = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .credentials_provider(pair)
            .build();
        Self {
            runtime: tokio::runtime::Runtime::new().expect("a runtime"),
            iam: aws_sdk_iam::Client::from_conf(iam),
            sts: aws_sdk_sts::Client::from_conf(sts),
        }
    }

    /// Waits for an answer.
    pub(crate) fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// The ARN that STS gives this pair, or the code of its refusal.
    pub(crate) fn caller(&self) -> Result<String, String> {
        use aws_sdk_sts::error::ProvideErrorMetadata as _;
        let answer = self.wait(self.sts.get_caller_identity().send());
        match answer {
            Ok(identity) => Ok(identity.arn().unwrap_or_default().to_owned()),
            Err(error) => Err(error.code().unwrap_or("none").to_owned()),
        }
    }
}
