//! YAML as text: where each scalar stands in the bytes, replacing byte ranges, and a second,
//! independent reader that says what a replacement changed. What a value means is left to
//! `format`; nothing here ever emits YAML.

mod bytes;
mod lines;
mod same;
mod scan;
mod splice;

pub use lines::Lines;
pub use same::{Side, Unreadable, differences, unplanned};
pub use scan::{Alias, Comment, Node, Part, Scalar, Scan, ScanError, Style, Text, scan};
pub use splice::{Overlap, splice};
