//! The secrets repository against real ones, made by the git program.

mod hostile;
mod kit;
mod publish;
mod read;
