//! The integration tests, in one binary: whole commands, the stand-ins they talk to, and the
//! shape of the source itself. Tests of one function stand beside that function.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod bad_input;
mod breakage;
mod check;
mod context;
mod demo;
mod edges;
mod faults;
mod find_repo;
mod floors;
mod forge;
mod help;
mod iam;
mod kit;
mod leaks;
mod peers;
mod readme;
mod repo;
mod retire;
mod sandbox;
mod schema;
mod stack;
mod stage;
mod story;
mod story_auth;
mod undo;
mod verify;
