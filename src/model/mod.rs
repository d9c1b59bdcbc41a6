//! The nouns of a rotation: no I/O, no clock, no printing.

mod access_key;
mod cell;
mod finding;
mod place;
mod plan;
mod policy;
mod secret;
mod source_file;
mod time;
mod verdict;

pub use crate::error::visible;
pub use access_key::{
    AccessKey, AccessKeyId, AccessKeyPair, AccountId, KeyIdPattern, KeyStatus, LastUsed, UserName,
};
pub use cell::{Cell, Content, Lock, LockReason, Occurrence, Role, Scheme};
pub use finding::{Finding, Proof, Unseen};
pub use place::{Place, RepoPath, Route, Span, Step};
pub use plan::{Change, Edit, Encoding, Form, Plan, Swap};
pub use policy::{Endpoint, Policy, Prove};
pub use secret::Secret;
pub use source_file::{Locked, SourceFile};
pub use time::{Timestamp, format_duration, parse_duration};
pub use verdict::{Consumer, Evidence, Facts, KeyFacts, Replaced, Until, Verdict, Word};
