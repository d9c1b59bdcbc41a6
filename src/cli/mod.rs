//! Words, settings and verbs.

pub mod config;
