//! Words, settings and verbs.

pub mod args;
pub mod config;
