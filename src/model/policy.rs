//! How long evidence has to hold: the windows of the protocol and their floors.

use std::time::Duration;

use super::format_duration;
use crate::error::{Error, Kind, Result};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// The windows of one repository (`policy` in `keyroll.yaml`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Age from which an access key counts as overdue.
    pub max_age: Duration,
    /// How long the old access key must show no use. Presigned URLs live 7 days.
    pub quiet: Duration,
    /// How late IAM may record a use. AWS gives 4 hours for sibling data.
    pub lag: Duration,
    /// How long a key stays Inactive before it may be deleted.
    pub soak: Duration,
    /// The cadence of a consumer that nobody declared.
    pub assumed_cadence: Duration,
    /// The pause between switching a new key off and looking at its use again.
    pub recheck: Duration,
    /// How a new pair proves itself.
    pub prove: Prove,
}

/// How often and how long a new pair must be accepted before it is written anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prove {
    /// Successes in a row.
    pub successes: u32,
    /// The least time between the first and the last of them.
    pub span: Duration,
    /// When to give up.
    pub deadline: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(90 * DAY),
            quiet: Duration::from_secs(7 * DAY),
            lag: Duration::from_secs(4 * HOUR),
            soak: Duration::from_secs(14 * DAY),
            assumed_cadence: Duration::from_secs(31 * DAY),
            recheck: Duration::from_secs(60),
            prove: Prove {
                successes: 3,
                span: Duration::from_secs(10),
                deadline: Duration::from_secs(120),
            },
        }
    }
}

/// Where the IAM endpoint is: lower waits are for stand-ins on this machine only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// AWS, or anything that is not this machine.
    Remote,
    /// A stand-in on loopback.
    Loopback,
}

impl Policy {
    /// The least `quiet`: session tokens live 36 hours.
    pub const LEAST_QUIET: Duration = Duration::from_secs(36 * HOUR);
    /// The least `soak`.
    pub const LEAST_SOAK: Duration = Duration::from_secs(48 * HOUR);

    /// Refuses windows below their floors; `prove` and `recheck` may be lower on loopback only.
    ///
    /// # Errors
    /// `policy-too-low`, naming the field and its floor.
    pub fn check(&self, endpoint: Endpoint) -> Result<()> {
        let default = Self::default();
        let mut floors = vec![
            ("quiet", self.quiet, Self::LEAST_QUIET),
            ("soak", self.soak, Self::LEAST_SOAK),
            ("lag", self.lag, default.lag),
        ];
        if endpoint == Endpoint::Remote {
            floors.push(("recheck", self.recheck, default.recheck));
            floors.push(("prove.span", self.prove.span, default.prove.span));
            floors.push(("prove.deadline", self.prove.deadline, default.prove.deadline));
            if self.prove.successes < default.prove.successes {
                return Err(too_low("prove.successes", &default.prove.successes.to_string()));
            }
        }
        match floors.iter().find(|(_, value, floor)| value < floor) {
            Some((field, _, floor)) => Err(too_low(field, &format_duration(*floor))),
            None => Ok(()),
        }
    }
}

fn too_low(field: &str, floor: &str) -> Error {
    Error::new(
        Kind::Settings,
        "policy-too-low",
        format!("`policy.{field}` is under its floor of {floor}"),
    )
    .hint("the floors keep a live access key from being switched off too early")
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Policy};
    use std::time::Duration;

    #[test]
    fn floors_hold_and_loopback_may_hurry_only_the_proofs() {
        let mut policy = Policy::default();
        assert!(policy.check(Endpoint::Remote).is_ok());
        policy.prove.span = Duration::ZERO;
        policy.recheck = Duration::ZERO;
        assert_eq!(policy.check(Endpoint::Remote).expect_err("remote").reason(), "policy-too-low");
        assert!(policy.check(Endpoint::Loopback).is_ok());
        policy.quiet = Policy::LEAST_QUIET - Duration::from_secs(1);
        assert!(policy.check(Endpoint::Loopback).is_err());
    }
}
