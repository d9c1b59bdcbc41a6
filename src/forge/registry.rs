//! The list of forges.

use super::Forge;

/// Which forge, and how to reach it.
#[derive(Debug, Clone, Default)]
pub struct Choice;

/// Connects.
///
/// # Errors
/// When the settings do not fit.
pub fn connect(_choice: &Choice) -> crate::error::Result<Box<dyn Forge>> {
    Err(crate::Error::bug("no forge"))
}
