//! Deliberate breakages, one per invariant of the protocol: each turns a test red, which shows that
//! the test can. They exist only with the feature `breakage`, which only the project's own tests
//! switch on; in a released program [`is_on`] is a constant *no*.

/// The variable that names the invariant to break, such as `I2`.
#[cfg(feature = "breakage")]
const VARIABLE: &str = "KEYROLL_BREAK";

/// Whether the invariant is to be broken on purpose.
#[cfg(feature = "breakage")]
#[expect(clippy::disallowed_methods, reason = "a hook of tests, in no release")]
#[must_use]
pub fn is_on(invariant: &str) -> bool {
    std::env::var(VARIABLE).is_ok_and(|wanted| wanted == invariant)
}

/// Never: this is a released program.
#[cfg(not(feature = "breakage"))]
#[must_use]
pub const fn is_on(_invariant: &str) -> bool {
    false
}
