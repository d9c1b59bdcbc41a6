//! IAM and STS through the AWS SDK.

/// How to reach AWS.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `--aws-profile`.
    pub profile: Option<String>,
    /// `--aws-role-arn`.
    pub role_arn: Option<String>,
    /// `--aws-region`.
    pub region: Option<String>,
    /// `--aws-endpoint`; else `AWS_ENDPOINT_URL_IAM` / `_STS` / `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
}

/// The AWS SDK behind [`super::Iam`].
pub struct Aws;
