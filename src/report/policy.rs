//! The smallest IAM policies: what the commands really call, and no more. `GetCallerIdentity` needs
//! no permission. Who gets which policy is left to the reader.

use serde_json::{Value, json};

/// What a command does with IAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Reads last-used dates.
    Look,
    /// Reads everything that any command reads.
    LookAtAll,
    /// Makes a new access key, and switches one off that came to nothing.
    Rotate,
    /// Switches a new access key off that came to nothing.
    Abort,
    /// Switches an access key off.
    SwitchOff,
    /// Switches an access key on again.
    SwitchOn,
    /// Deletes an access key.
    Delete,
}

const LAST_USED: &str = "iam:GetAccessKeyLastUsed";
const LIST: &str = "iam:ListAccessKeys";
const POLICIES: &str = "iam:ListAttachedUserPolicies";
const UPDATE: &str = "iam:UpdateAccessKey";

impl Rights {
    /// What is done to the access keys of a user, beside asking whose they are.
    const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Look => &[LIST],
            Self::LookAtAll => &[LIST, POLICIES],
            Self::Rotate => &["iam:CreateAccessKey", LIST, POLICIES, UPDATE],
            Self::Abort | Self::SwitchOff => &[LIST, POLICIES, UPDATE],
            Self::SwitchOn => &[LIST, UPDATE],
            Self::Delete => &["iam:DeleteAccessKey", LIST],
        }
    }
}

/// The policy of one command.
#[must_use]
pub fn policy(rights: Rights) -> Value {
    let allow = |sid: &str, actions: &[&str], resource: &str| json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource });
    json!({
        "Version": "2012-10-17",
        "Statement": [
            // Asked by an ID alone, before the owner is known: no user's ARN is in that request.
            allow("KeyrollOwner", &[LAST_USED], "*"),
            allow("KeyrollUsers", rights.actions(), "arn:aws:iam::*:user/*"),
        ],
    })
}

/// The three policies that all commands together need. They are apart so that credentials that
/// leak from a job cannot delete.
#[must_use]
pub fn policies() -> Value {
    json!({
        "finder": policy(Rights::LookAtAll),
        "rotator": policy(Rights::Rotate),
        "deleter": policy(Rights::Delete),
    })
}
