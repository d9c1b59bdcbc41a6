//! Where the services are: loopback or not, overridden or AWS's own, and the regions in which a
//! new pair proves itself. Finding the endpoint is left to `connect`.

use url::{Host, Url};

use crate::error::{Error, Kind, Result};
use crate::model::{Endpoint, visible};

/// What was found out about the endpoints of IAM and STS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The region that signs.
    pub(super) region: String,
    /// Whether both services are on this machine.
    pub(super) loopback: bool,
    /// Whether STS is somewhere else than AWS's own table says.
    pub(super) overridden: bool,
}

impl Place {
    pub(super) const fn endpoint(&self) -> Endpoint {
        if self.loopback { Endpoint::Loopback } else { Endpoint::Remote }
    }

    /// Two regions of the partition, or the one of an overridden endpoint.
    pub(super) fn proving_regions(&self) -> Vec<String> {
        let mut regions = vec![self.region.clone()];
        if !self.overridden {
            regions.extend(second_region(&self.region).map(str::to_owned));
        }
        regions
    }
}

/// Another region of the same partition; `None` for partitions whose regions are not public.
fn second_region(region: &str) -> Option<&'static str> {
    let (one, other) = match region {
        r if r.starts_with("cn-") => ("cn-north-1", "cn-northwest-1"),
        r if r.starts_with("us-gov-") => ("us-gov-west-1", "us-gov-east-1"),
        r if r.contains("-iso") || r.starts_with("eusc-") => return None,
        _ => ("us-east-1", "eu-west-1"),
    };
    Some(if region == one { other } else { one })
}

/// Whether the address is this machine, by name or number; nothing is resolved, because a name
/// that resolves to loopback today may not tomorrow.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.trim_end_matches('.') == "localhost",
        None => false,
    }
}

/// Reads an endpoint that was configured somewhere and refuses clear text to another machine.
///
/// # Errors
/// `bad-endpoint` when it is no http(s) address, `insecure-endpoint` for plain http.
pub(super) fn accept(address: &str) -> Result<Url> {
    let url = Url::parse(address).ok().filter(|url| {
        url.has_host()
            && matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
    });
    let Some(url) = url else {
        return Err(Error::new(
            Kind::Settings,
            "bad-endpoint",
            "the AWS endpoint is no http or https address without a user name",
        )
        .hint("write it like https://iam.example.org or http://127.0.0.1:4566"));
    };
    if url.scheme() == "http" && !is_loopback(&url) {
        let shown = visible(url.host_str().unwrap_or_default());
        return Err(Error::new(
            Kind::Settings,
            "insecure-endpoint",
            format!("the AWS endpoint `{shown}` is plain http and not this machine"),
        )
        .hint("use https; plain http is accepted for loopback only")
        .hint("it comes from --aws-endpoint, AWS_ENDPOINT_URL or the AWS profile"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::{Place, accept, is_loopback};

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for fine in [
            "https://iam.amazonaws.com",
            "http://127.0.0.1:4566",
            "http://127.9.9.9/",
            "http://[::1]:1",
            "http://localhost:5000",
            "http://LOCALHOST./",
        ] {
            assert!(accept(fine).is_ok(), "{fine}");
        }
        for clear in [
            "http://10.0.0.1:4566",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org",
            "http://[::2]/",
            "http://0.0.0.0:1",
            "http://2130706434/",
        ] {
            let answer = accept(clear);
            let reason = answer.as_ref().map_err(crate::Error::reason);
            if clear.ends_with("2130706434/") {
                // A number is an address too: this one is 127.0.0.2.
                assert!(reason.is_ok());
            } else {
                assert_eq!(reason.expect_err(clear), "insecure-endpoint");
            }
        }
        for wrong in ["", "127.0.0.1:4566", "ftp://localhost", "http://", "http://a:b@localhost/"] {
            assert_eq!(accept(wrong).expect_err(wrong).reason(), "bad-endpoint");
        }
    }

    #[test]
    fn a_pair_proves_itself_in_two_regions_of_its_partition() {
        let regions = |region: &str, overridden| {
            Place { region: region.to_owned(), loopback: false, overridden }.proving_regions()
        };
        assert_eq!(regions("us-east-1", false), ["us-east-1", "eu-west-1"]);
        assert_eq!(regions("eu-central-1", false), ["eu-central-1", "us-east-1"]);
        assert_eq!(regions("cn-north-1", false), ["cn-north-1", "cn-northwest-1"]);
        assert_eq!(regions("us-gov-east-1", false), ["us-gov-east-1", "us-gov-west-1"]);
        assert_eq!(regions("us-iso-east-1", false), ["us-iso-east-1"]);
        assert_eq!(regions("us-east-1", true), ["us-east-1"]);
        assert!(!is_loopback(&accept("https://sts.amazonaws.com").expect("fine")));
    }
}
