//! The pure heart of a rotation: find, pair, plan, apply, check, compare, judge.
//! Functions over nouns; no I/O, no clock, no traits. Reading blobs and asking services is left to
//! `protocol`.

mod apply;
mod candidates;
mod check;
mod chosen;
mod compare;
mod differ;
mod encode;
mod evidence;
mod find;
mod form;
mod graft;
mod indirect;
mod judge;
#[cfg(test)]
mod kit;
mod leftovers;
mod names;
mod neighbours;
mod pair;
mod plan;

pub use apply::{apply, stand_in};
pub use check::{check, remains};
pub use chosen::Chosen;
pub use compare::{Comparison, Exchange, Ids, compare, is_certificate};
pub use encode::{Needles, encode};
pub use find::{Query, find, find_secret};
pub use graft::graft;
pub use indirect::{Indirect, indirect, may_interpolate};
pub use judge::{LAST_USED_SPAN, deployed_at, judge};
pub use leftovers::leftovers;
pub use neighbours::Neighbours;
pub use pair::{Ambiguity, Pairing, pair};
pub use plan::{Allowances, plan};
