//! The secrets repository against real ones, made by the git program.
#![expect(clippy::unwrap_used, reason = "what a test's own preparation cannot do, fails the test")]

mod hostile;
mod kit;
mod password;
mod publish;
mod read;
