//! The order of steps over the seams: rotate, resume, abort, verify, deactivate, reactivate, delete,
//! and what a reviewer asks: check. Each step looks at the facts again, does one thing and records
//! it. What things mean is decided in `rotation`; what the user typed and what is said are left to
//! `cli` and `report`.

mod abort;
mod adopt;
mod announce;
mod attest;
mod check;
mod content;
mod create;
mod deactivate;
mod delete;
mod digests;
mod escrow;
mod facts;
mod grounds;
mod intent;
mod life;
mod locate;
mod noted;
mod observe;
mod overdue;
mod past;
mod planned;
mod preflight;
mod proofs;
mod prove;
mod reactivate;
mod resume;
mod retire;
mod revert;
mod rotate;
mod run;
mod seams;
mod status;
mod steps;
mod subject;
mod survey;
mod think;
mod tracked;
mod trailers;
mod verify;

pub use abort::{Aborted, reconstruct, undo};
pub use attest::{Attested, attest, consumer};
pub use check::{Checked, Inspection, check};
pub use deactivate::{Deactivated, Deactivation, Finding, Why, deactivate};
pub use delete::{Deleted, Deletion, delete};
pub use facts::{Extra, Record, Watched, gather, watch};
pub use grounds::{
    Grounds, on_compromise, on_disuse, on_verdict, recorded_successor, without_repository,
};
pub use intent::Intent;
pub use life::{AsNew, Life, Scribe};
pub use locate::{Located, locate};
pub use observe::{Observation, Observed, observe};
pub use overdue::{Leftover, OldKey};
pub use past::{Past, locate_past};
pub use planned::Planned;
pub use preflight::{Standing, standing};
pub use reactivate::{Reactivated, reactivate, record_reactivated, record_revert};
pub use resume::go_on;
pub use retire::Retired;
pub use revert::{Reverted, revert};
pub use rotate::{Confirm, Mode, Replacement, Rotated, rotate};
pub use seams::{Accepted, ChosenPaths, DeclaredConsumer, RequestForm, Seams, Telling, Wanted};
pub use status::{InFlight, Settled, Status, status};
pub use subject::Subject;
pub use survey::{Progress, Search, Silent, Survey};
pub use think::{Base, Thought};
pub use tracked::Tracked;
pub use trailers::{Trailers, branch};
pub use verify::{Verified, overall, verify};
