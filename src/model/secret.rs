//! The only holder of plaintext. It cannot be printed, serialized or cloned, and is wiped on drop.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretSlice};

/// Opened plaintext: the bytes of a value, or the secret half of an access key.
///
/// `Debug` shows the length only. [`Secret::expose`] is the one door, so that
/// `grep -rn 'expose()' src` lists every place where plaintext is looked at.
pub struct Secret(SecretSlice<u8>);

impl Secret {
    /// Takes the bytes over; the caller's buffer becomes the one that is wiped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(SecretSlice::from(bytes))
    }

    /// The plaintext bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// A second wiped buffer with the same bytes; explicit, because every copy is one more to wipe.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.expose().to_vec())
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Whether there is no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both hold the same bytes, in time that depends on the lengths only.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.expose(), other.expose()).is_ok()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_the_length_only() {
        let secret = Secret::new(b"hunter2".to_vec());
        assert_eq!(format!("{secret:?}"), "Secret(7 bytes)");
    }

    #[test]
    fn same_compares_bytes() {
        let a = Secret::new(b"abc".to_vec());
        assert!(a.same(&a.duplicate()));
        assert!(!a.same(&Secret::new(b"abd".to_vec())));
        assert!(!a.same(&Secret::new(b"ab".to_vec())));
    }
}
