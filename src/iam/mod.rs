//! Who issues access keys: the contract of IAM and STS as a rotation needs them. Remote and
//! irreversible, therefore a trait. Calls block; the runtime stays inside the implementation.

mod aws;

pub use aws::{Aws, Settings, TimeOuts};

use crate::error::{Error, Result};
use crate::model::{
    AccessKey, AccessKeyId, AccessKeyPair, AccountId, KeyStatus, LastUsed, Timestamp, UserName,
};

/// Who signs our calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The ARN as STS gives it.
    pub arn: String,
    /// The IAM user, when the caller is one (not a role, not root).
    pub user: Option<UserName>,
    /// Whether the caller is the account's root user.
    pub root: bool,
    /// The access key ID that signs.
    pub access_key_id: Option<AccessKeyId>,
    /// AWS's clock, from the `Date` header of the answer.
    pub at: Timestamp,
}

/// What IAM knows of one access key's use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The user that the access key belongs to.
    pub owner: UserName,
    /// The last recorded use.
    pub last_used: LastUsed,
    /// AWS's clock when this was read.
    pub read_at: Timestamp,
}

/// The answer of `ListAccessKeys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyList {
    /// All access keys of the user, over all pages.
    pub keys: Vec<AccessKey>,
    /// AWS's clock when this was read.
    pub read_at: Timestamp,
}

/// How `CreateAccessKey` failed. One request is ever sent: the SDK's retries are off.
#[derive(Debug)]
pub enum CreateFailure {
    /// IAM refused before doing anything (denied, quota, throttled, no such user).
    Refused(Error),
    /// The request may have been carried out: lost, cut or implausible answer, 5xx. Only
    /// `ListAccessKeys` can tell.
    Ambiguous(Error),
}

/// One answer to `GetCallerIdentity` signed by a new pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Accepted; the identity that the pair has.
    Accepted {
        /// The account.
        account: AccountId,
        /// The ARN.
        arn: String,
        /// AWS's clock.
        at: Timestamp,
    },
    /// Not (yet) accepted; the code that AWS gave, such as `InvalidClientTokenId`.
    Rejected(String),
}

/// IAM and STS.
///
/// Every method that fails says so: an error is never turned into "never used" or "no key" (I9).
/// Besides the reasons named below every call may fail with `no-credentials`,
/// `expired-credentials`, `invalid-credentials`, `access-denied`, `throttled`, `unreachable`,
/// `cut-answer` and `service-error`.
pub trait Iam: Send + Sync {
    /// `sts:GetCallerIdentity`.
    ///
    /// # Errors
    /// No credentials, expired ones, or no answer.
    fn caller(&self) -> Result<Caller>;

    /// `iam:GetAccessKeyLastUsed`: the owner and the last use.
    ///
    /// # Errors
    /// `unknown-access-key` when IAM does not show it to this account; denied; throttled; network.
    fn last_used(&self, id: &AccessKeyId) -> Result<KeyUse>;

    /// `iam:ListAccessKeys`, all pages.
    ///
    /// # Errors
    /// `unknown-user`; denied; throttled; network.
    fn access_keys(&self, user: &UserName) -> Result<KeyList>;

    /// The ARN of an attached `AWSCompromisedKeyQuarantine…` policy, if there is one
    /// (`iam:ListAttachedUserPolicies`, all pages).
    ///
    /// # Errors
    /// As [`Iam::access_keys`].
    fn quarantine(&self, user: &UserName) -> Result<Option<String>>;

    /// `iam:CreateAccessKey`, sent exactly once. The answer was checked: user asked for, shape of
    /// the pair, Active.
    ///
    /// # Errors
    /// See [`CreateFailure`].
    fn create(&self, user: &UserName) -> std::result::Result<AccessKeyPair, CreateFailure>;

    /// `iam:UpdateAccessKey`.
    ///
    /// # Errors
    /// `unknown-access-key`; denied; throttled; network.
    fn set_status(&self, user: &UserName, id: &AccessKeyId, status: &KeyStatus) -> Result<()>;

    /// `iam:DeleteAccessKey`.
    ///
    /// # Errors
    /// `unknown-access-key`; denied; throttled; network.
    fn delete(&self, user: &UserName, id: &AccessKeyId) -> Result<()>;

    /// `sts:GetCallerIdentity` signed by `pair`, in the n-th of the regions that are asked
    /// (an endpoint override counts as one region). Sent once.
    ///
    /// # Errors
    /// The region cannot be reached.
    fn prove(&self, pair: &AccessKeyPair, region: &str) -> Result<Proof>;

    /// The regions in which a pair proves itself: two of AWS's, or one for an endpoint override.
    fn proving_regions(&self) -> Vec<String>;

    /// Whether the endpoint is a stand-in on this machine.
    fn endpoint(&self) -> crate::model::Endpoint;
}
