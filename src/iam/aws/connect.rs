//! From settings to two clients: who signs, in which region, at which address. Nothing is sent
//! here; the first call is left to the caller.

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_iam::config::{Credentials, SharedCredentialsProvider};

use super::trace::Trace;
use super::{Aws, Settings, TimeOuts, endpoint};
use crate::error::{Error, Kind, Result};
use crate::model::{AccessKeyPair, visible};

/// Where IAM is asked when nothing names a region: it has one home per partition.
const HOME: &str = "us-east-1";

impl Aws {
    /// Prepares the two clients. Credentials are looked up at the first call.
    ///
    /// The instance metadata service is not asked for a region: off EC2 that costs seconds, and
    /// IAM has no regions.
    ///
    /// # Errors
    /// `insecure-endpoint` and `bad-endpoint`, wherever the address comes from; `io` when the
    /// runtime cannot start.
    pub fn connect(settings: &Settings) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("keyroll-aws")
            .enable_all()
            .build()
            .map_err(|source| {
                Error::new(Kind::Io, "io", format!("could not start the AWS client: {source}"))
            })?;
        if let Some(address) = &settings.endpoint {
            endpoint::accept(address)?;
        }
        let (iam, sts, place) = runtime.block_on(clients(settings))?;
        Ok(Self { runtime, iam, sts, place, time_outs: settings.time_outs })
    }
}

async fn clients(
    settings: &Settings,
) -> Result<(aws_sdk_iam::Client, aws_sdk_sts::Client, endpoint::Place)> {
    let config = load(settings).await;
    let place = locate(&config).await?;
    let config = match &settings.role_arn {
        None => config,
        Some(role) => {
            let session = settings.role_session.as_deref().unwrap_or("keyroll");
            let provider = AssumeRoleProvider::builder(role)
                .session_name(session_name(session))
                .configure(&config)
                .build()
                .await;
            let provider = SharedCredentialsProvider::new(provider);
            config.into_builder().credentials_provider(provider).build()
        }
    };
    Ok((aws_sdk_iam::Client::new(&config), aws_sdk_sts::Client::new(&config), place))
}

async fn load(settings: &Settings) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(regions(settings))
        .retry_config(RetryConfig::standard())
        .timeout_config(time_outs(&settings.time_outs));
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(address) = &settings.endpoint {
        loader = loader.endpoint_url(address);
    }
    if let Some(pair) = &settings.credentials {
        loader = loader.credentials_provider(credentials(pair));
    }
    loader.load().await
}

fn regions(settings: &Settings) -> RegionProviderChain {
    let named = settings.region.clone().map(aws_sdk_iam::config::Region::new);
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    RegionProviderChain::first_try(named)
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(HOME)
}

/// The SDK's time-outs from ours.
pub(super) fn time_outs(ours: &TimeOuts) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(ours.connect)
        .read_timeout(ours.read)
        .operation_timeout(ours.operation)
        .build()
}

/// The pair as the SDK wants it: a copy that the SDK holds and does not wipe.
pub(super) fn credentials(pair: &AccessKeyPair) -> Credentials {
    let secret = String::from_utf8_lossy(pair.secret.expose()).into_owned();
    Credentials::new(pair.id.as_str(), secret, None, None, "keyroll")
}

/// What STS accepts as `RoleSessionName`: 2 to 64 characters of `[A-Za-z0-9_=,.@-]`.
fn session_name(wanted: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
    let name: String = wanted.chars().map(|c| if fits(c) { c } else { '-' }).take(64).collect();
    if name.len() < 2 { "keyroll".to_owned() } else { name }
}

/// Asks the clients where they would go, without sending anything: environment, profiles and
/// AWS's own table of endpoints have all had their say by then.
async fn locate(config: &SdkConfig) -> Result<endpoint::Place> {
    let iam = endpoint::accept(&iam_address(config).await?)?;
    let sts_config = aws_sdk_sts::config::Builder::from(config);
    let sts = endpoint::accept(&sts_address(sts_config.clone()).await?)?;
    let mut plain = sts_config;
    plain.set_endpoint_url(None);
    let plain = sts_address(plain).await?;
    let region = config.region().map_or(HOME, |region| region.as_ref()).to_owned();
    Ok(endpoint::Place {
        region,
        loopback: endpoint::is_loopback(&iam) && endpoint::is_loopback(&sts),
        overridden: endpoint::accept(&plain)? != sts,
    })
}

/// Stands in for credentials while only an address is asked for; never sent.
fn nobody() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("none", "none", None, None, "keyroll"))
}

async fn iam_address(config: &SdkConfig) -> Result<String> {
    let builder = aws_sdk_iam::config::Builder::from(config)
        .credentials_provider(nobody())
        .retry_config(RetryConfig::disabled());
    let trace = Trace::peek();
    let client = aws_sdk_iam::Client::from_conf(builder.build());
    let call = client.get_access_key_last_used().access_key_id("AKIAIOSFODNN7EXAMPLE");
    let answer = call.customize().interceptor(trace.clone()).send().await;
    trace.address().ok_or_else(|| nowhere(&answer.map(|_| ())))
}

async fn sts_address(builder: aws_sdk_sts::config::Builder) -> Result<String> {
    let builder = builder.credentials_provider(nobody()).retry_config(RetryConfig::disabled());
    let trace = Trace::peek();
    let client = aws_sdk_sts::Client::from_conf(builder.build());
    let call = client.get_caller_identity().customize().interceptor(trace.clone());
    let answer = call.send().await;
    trace.address().ok_or_else(|| nowhere(&answer.map(|_| ())))
}

/// No address came out: the region or the endpoint in the configuration is unusable.
fn nowhere<E: std::error::Error>(answer: &std::result::Result<(), E>) -> Error {
    let why = answer.as_ref().err().map(|error| super::errors::chain(error)).unwrap_or_default();
    Error::new(
        Kind::Settings,
        "bad-endpoint",
        format!("the AWS region or endpoint is unusable: {}", visible(&why)),
    )
    .hint("check --aws-region, --aws-endpoint, AWS_REGION and AWS_ENDPOINT_URL")
}

#[cfg(test)]
mod tests {
    use super::session_name;

    #[test]
    fn the_session_name_is_what_sts_accepts() {
        assert_eq!(session_name("keyroll-01HX:a b"), "keyroll-01HX-a-b");
        assert_eq!(session_name(""), "keyroll");
        assert_eq!(session_name(&"a".repeat(80)).len(), 64);
    }
}
