//! The secrets repository as keyroll sees it: git without a work tree.
//!
//! - [`Repository`] reads the blobs of a commit and lists what cannot be searched. It opens any
//!   clone as plain folders; the clone's configuration is never loaded, no code of it can run, and
//!   nothing is ever written into it.
//! - [`Remote`] is a private repository that borrows the clone's objects. New commits are made
//!   there ([`Remote::objects`]) and pushed under a [`Lease`] by the user's `git` program, whose
//!   credential helpers, SSH agent, proxy and signing keep working.
//! - [`Journal`] keeps what this machine intends, durably; [`Ledger`] keeps on a branch of the
//!   remote what happened to each access key.
//!
//! What the bytes of a file mean is left to `format`; when what is done, to `protocol`.

mod address;
pub mod askpass;
mod attributes;
pub mod child;
mod commit;
mod config;
mod git;
mod history;
mod journal;
mod ledger;
mod locate;
mod private;
mod push;
mod push_error;
mod range;
mod remote;
mod revision;
mod sign;
mod walk;

pub use child::Environment;
pub use commit::{Author, Stamp};
pub use config::Configuration;
pub use git::{Head, Repository};
pub use history::{History, Seen};
pub use journal::{Hold, Journal};
pub use ledger::{Event, Happening, Ledger};
pub use push::{Lease, Pushed, Rehearse};
pub use range::{Difference, Leaf};
pub use remote::{Access, Remote, RemoteHead, Token};
pub use sign::{Signer, Signing};
pub use walk::{Entry, Listing, NotSearched, What, is_lfs_pointer};
