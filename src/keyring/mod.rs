//! What opens and seals: the contract of an identity, and the set of all that were found.
//! Where identities are looked for is the business of one file per kind, listed in `registry`.

mod eyaml_config;
mod fresh;
mod outline;
mod pem;
mod pkcs7;
mod registry;

pub use fresh::{Fresh, fresh};
pub use outline::{Outline, outline};
pub use registry::{Surroundings, discover};

use crate::error::Result;
use crate::model::{Lock, Secret};

/// Sealed bytes, by the structure that holds them.
#[derive(Debug, Clone, Copy)]
pub enum Sealed<'a> {
    /// DER of a CMS `ContentInfo` with `EnvelopedData` (RFC 5652), as hiera-eyaml writes it.
    Pkcs7(&'a [u8]),
}

/// Something that opens what was sealed to it.
pub trait Identity: Send + Sync {
    /// The name shown to people: the file or the variable that it came from.
    fn name(&self) -> &str;

    /// `None`: not sealed to me, or not of my kind. `Some(Err(_))`: sealed to me, and it did not
    /// open, with the reason.
    fn open(&self, sealed: Sealed<'_>) -> Option<std::result::Result<Secret, Lock>>;

    /// What seals to exactly the recipients of `sealed`, which this identity opens.
    ///
    /// # Errors
    /// `recipient-mismatch` when a certificate of the repository has another public key (I7).
    fn sealer(&self, sealed: Sealed<'_>) -> Result<Box<dyn Sealer>>;
}

/// Seals to one whole recipient set, or with one file's data key.
pub trait Sealer: Send + Sync {
    /// The sealed bytes of `plain`.
    ///
    /// # Errors
    /// When the recipient's public key is not usable.
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>>;
}

/// Every identity that was found, in the order in which they are tried.
#[derive(Default)]
pub struct Keyring {
    /// The identities.
    pub identities: Vec<Box<dyn Identity>>,
    /// Why a file that should have held an identity did not (for `doctor` and for lock details).
    pub rejected: Vec<Lock>,
    /// Which identity opened last: values beside one another mostly share theirs.
    last: std::sync::atomic::AtomicUsize,
}

impl Keyring {
    /// A keyring of these identities, tried in this order.
    #[must_use]
    pub fn new(identities: Vec<Box<dyn Identity>>) -> Self {
        Self { identities, ..Self::default() }
    }

    /// Opens with the first identity it was sealed to, and says which one that was.
    ///
    /// # Errors
    /// The [`Lock`] that the report shows: no identity, wrong identity, or the reason of the
    /// identity that it was sealed to.
    pub fn open(&self, sealed: Sealed<'_>) -> std::result::Result<(Secret, &dyn Identity), Lock> {
        registry::open(self, sealed)
    }
}
