//! keyroll rotates long-lived AWS access keys that live, encrypted, in secrets repositories.
//!
//! It searches sealed values for an access key ID, creates a replacement, rewrites every
//! occurrence, commits on a branch, opens a pull request, and later says from last-used dates
//! whether the old key may be switched off. The rooms, in the order in which data flows:
//!
//! - [`repo`] lists and reads the blobs of a commit, makes commits, pushes refs;
//! - [`format`] opens a blob into cells with the identities of a [`keyring`], and writes them back,
//!   over [`yaml`] as text;
//! - [`rotation`] is the pure heart: find, pair, plan, apply, check, judge;
//! - [`iam`] issues access keys, [`forge`] holds pull requests;
//! - [`protocol`] is the order of steps, each of which may be cut at any moment;
//! - [`report`] says it, [`cli`] hears it, [`sandbox`] simulates the outside for `keyroll demo`.
//!
//! [`model`] holds the nouns and [`error`] what can go wrong; [`breakage`] is for tests.

pub mod breakage;
pub mod cli;
pub mod error;
pub mod forge;
pub mod format;
pub mod iam;
pub mod keyring;
pub mod model;
pub mod protocol;
pub mod repo;
pub mod report;
pub mod rotation;
pub mod sandbox;
pub mod yaml;

pub use error::{Error, Kind, Result};
