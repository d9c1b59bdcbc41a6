//! IAM and STS through the AWS SDK: the calls that a rotation makes, blocking.
//!
//! [`connect`] decides whom to ask and who signs, [`trace`] watches each call, [`errors`] names what
//! went wrong, [`reads`], [`create`] and [`prove`] are the calls. What an answer means for a
//! rotation is left to `protocol`.

mod connect;
mod create;
mod endpoint;
mod errors;
mod prove;
mod reads;
mod settings;
#[cfg(test)]
mod tests;
mod trace;

use std::fmt;

use tokio::runtime::Runtime;

pub use settings::{Settings, TimeOuts};

use super::{Caller, CreateFailure, Iam, KeyList, KeyUse, Proof};
use crate::error::Result;
use crate::model::{AccessKeyId, AccessKeyPair, Endpoint, KeyStatus, UserName};

/// The AWS SDK behind [`Iam`]. Not to be called from inside an async task: it blocks.
pub struct Aws {
    runtime: Runtime,
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    /// Where the two services were found.
    place: endpoint::Place,
    time_outs: TimeOuts,
}

impl Iam for Aws {
    fn caller(&self) -> Result<Caller> {
        self.runtime.block_on(reads::caller(self))
    }

    fn last_used(&self, id: &AccessKeyId) -> Result<KeyUse> {
        self.runtime.block_on(reads::last_used(self, id))
    }

    fn access_keys(&self, user: &UserName) -> Result<KeyList> {
        self.runtime.block_on(reads::access_keys(self, user))
    }

    fn quarantine(&self, user: &UserName) -> Result<Option<String>> {
        self.runtime.block_on(reads::quarantine(self, user))
    }

    fn create(&self, user: &UserName) -> std::result::Result<AccessKeyPair, CreateFailure> {
        self.runtime.block_on(create::create(self, user))
    }

    fn set_status(&self, user: &UserName, id: &AccessKeyId, status: &KeyStatus) -> Result<()> {
        self.runtime.block_on(create::set_status(self, user, id, status))
    }

    fn delete(&self, user: &UserName, id: &AccessKeyId) -> Result<()> {
        self.runtime.block_on(create::delete(self, user, id))
    }

    fn prove(&self, pair: &AccessKeyPair, region: &str) -> Result<Proof> {
        self.runtime.block_on(prove::prove(self, pair, region))
    }

    fn proving_regions(&self) -> Vec<String> {
        self.place.proving_regions()
    }

    fn endpoint(&self) -> Endpoint {
        self.place.endpoint()
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").field("place", &self.place).finish_non_exhaustive()
    }
}
