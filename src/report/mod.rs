//! What is said on stdout.

pub mod sarif;
