//! The RSA identities of hiera-eyaml and the envelopes (RFC 5652 `EnvelopedData`) that they open
//! and seal. Issuer and serial of an envelope say nothing about its recipient, so an identity is
//! tried, not chosen. Where identities are found is left to `registry`.

use std::sync::Arc;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo,
    RecipientInfos,
};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Any, Decode as _, Encode as _};
use zeroize::Zeroizing;

use super::pem::{PrivateKey, PublicKey};
use super::{Identity, Sealed, Sealer};
use crate::breakage;
use crate::error::{Error, Result};
use crate::model::{Lock, LockReason, Secret, visible};

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const AES_128_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2");
const AES_192_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22");
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");

/// The smallest RSA key that is used, in bits.
const SMALLEST: usize = 2048;

const BLOCK: usize = 16;

/// A public key with the name that people know it by.
pub(super) struct Certificate {
    /// The file.
    pub(super) name: String,
    /// Its key.
    pub(super) public: PublicKey,
}

/// Both halves of a key that is strong enough.
struct Pair {
    opening: Pkcs1PrivateDecryptingKey,
    sealing: Arc<Pkcs1PublicEncryptingKey>,
}

impl Pair {
    fn new(pkcs8: &[u8]) -> std::result::Result<Self, &'static str> {
        let unsound = "holds an RSA key that is not sound";
        let opening = PrivateDecryptingKey::from_pkcs8(pkcs8).map_err(|_| unsound)?;
        let sealing = Pkcs1PublicEncryptingKey::new(opening.public_key()).map_err(|_| unsound)?;
        let opening = Pkcs1PrivateDecryptingKey::new(opening).map_err(|_| unsound)?;
        Ok(Self { opening, sealing: Arc::new(sealing) })
    }
}

/// An RSA private key, and what the repository says its public half is.
pub(super) struct Pkcs7 {
    name: String,
    public: PublicKey,
    /// `None` for a key under 2048 bits.
    key: Option<Pair>,
    /// The certificates that belong to this very identity.
    pub(super) own: Vec<Certificate>,
    /// All certificates of the repository.
    all: Arc<[Certificate]>,
}

impl Pkcs7 {
    /// Makes an identity of a private key.
    ///
    /// # Errors
    /// One clause when the cryptographic library does not take the key.
    pub(super) fn new(
        name: String,
        key: &PrivateKey,
        all: Arc<[Certificate]>,
    ) -> std::result::Result<Self, &'static str> {
        let usable = key.public.bits() >= SMALLEST;
        let pair = usable.then(|| Pair::new(&key.pkcs8)).transpose()?;
        Ok(Self { name, public: key.public.clone(), key: pair, own: Vec::new(), all })
    }

    /// Whether both are the same key.
    pub(super) fn same(&self, public: &PublicKey) -> bool {
        self.public == *public
    }

    /// Invariant I7: what is sealed anew goes to the public half of this identity, and a
    /// certificate that says otherwise refuses. A certificate that belongs to the identity must
    /// match; of all others one must, since each environment has its own.
    fn check_recipient(&self) -> Result<()> {
        let own = self.own.iter().find(|certificate| certificate.public != self.public);
        let none = !self.all.is_empty() && !self.all.iter().any(|c| c.public == self.public);
        let foreign = own.or_else(|| if none { self.all.first() } else { None });
        let Some(foreign) = foreign.filter(|_| !breakage::is_on("I7")) else { return Ok(()) };
        Err(Error::refused(
            "recipient-mismatch",
            format!(
                "the certificate `{}` has another public key than the identity `{}` that opened \
                 the value",
                visible(&foreign.name),
                visible(&self.name)
            ),
        )
        .hint("seal to a new certificate with eyaml first, or put the matching certificate back")
        .hint("give the identity that belongs to the certificate with --identity"))
    }
}

impl Identity for Pkcs7 {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self, sealed: Sealed<'_>) -> Option<std::result::Result<Secret, Lock>> {
        let Sealed::Pkcs7(der) = sealed;
        let envelope = match Envelope::read(der) {
            Ok(envelope) => envelope,
            Err(lock) => return Some(Err(lock)),
        };
        let wrapped = envelope.recipient.enc_key.as_bytes();
        if wrapped.len() != self.public.len() {
            return None;
        }
        let Some(key) = &self.key else {
            return Some(Err(lock(
                LockReason::WeakIdentity,
                format!(
                    "the identity `{}` is an RSA key of {} bits, and under {SMALLEST} is not used",
                    visible(&self.name),
                    self.public.bits()
                ),
            )));
        };
        let mut buffer = Zeroizing::new(vec![0; key.opening.min_output_size()]);
        // A failure, and a key of another length, is what any foreign envelope gives.
        let content_key = key.opening.decrypt(wrapped, &mut buffer).ok()?;
        let content_key = UnboundCipherKey::new(envelope.cipher, content_key).ok()?;
        Some(envelope.decrypt(content_key))
    }

    fn sealer(&self, sealed: Sealed<'_>) -> Result<Box<dyn Sealer>> {
        let Sealed::Pkcs7(der) = sealed;
        let envelope = Envelope::read(der).map_err(|lock| Error::bug(lock.detail))?;
        if envelope.recipients > 1 {
            return Err(Error::refused(
                "several-recipients",
                "a PKCS#7 value is sealed to several recipients, of which only one is known here",
            )
            .hint("hiera-eyaml seals to one recipient: seal the value again with eyaml"));
        }
        let Some(key) = &self.key else {
            return Err(Error::bug("a weak identity opened nothing and is asked to seal"));
        };
        self.check_recipient()?;
        Ok(Box::new(Pkcs7Sealer {
            public: Arc::clone(&key.sealing),
            recipient: envelope.recipient.rid,
        }))
    }
}

/// What of an envelope is needed to open it.
struct Envelope {
    recipient: KeyTransRecipientInfo,
    /// How many recipients there are; only the first one counts, as for hiera-eyaml.
    recipients: usize,
    cipher: &'static Algorithm,
    iv: [u8; BLOCK],
    content: Vec<u8>,
}

impl Envelope {
    fn read(der: &[u8]) -> std::result::Result<Self, Lock> {
        let broken = |what: &str| lock(LockReason::InvalidStructure, what.to_owned());
        let cut = |_| broken("the sealed bytes are cut or no PKCS#7 structure");
        let outer = ContentInfo::from_der(der).map_err(cut)?;
        if outer.content_type != ENVELOPED_DATA {
            return Err(broken("the sealed bytes are a PKCS#7 structure that is no envelope"));
        }
        let data: EnvelopedData = outer.content.decode_as().map_err(cut)?;
        let recipients = data.recip_infos.0.len();
        let recipient = match data.recip_infos.0.get(0) {
            Some(RecipientInfo::Ktri(recipient)) => recipient.clone(),
            Some(_) => return Err(foreign("the recipient is no RSA key")),
            None => return Err(broken("the envelope has no recipient")),
        };
        if recipient.key_enc_alg.oid != RSA {
            return Err(foreign("the content key is not wrapped with RSA PKCS#1 v1.5"));
        }
        if !matches!(recipient.rid, RecipientIdentifier::IssuerAndSerialNumber(_)) {
            return Err(broken("the recipient is not named by issuer and serial"));
        }
        let algorithm = data.encrypted_content.content_enc_alg;
        let cipher = match algorithm.oid {
            AES_128_CBC => &AES_128,
            AES_192_CBC => &AES_192,
            AES_256_CBC => &AES_256,
            other => return Err(foreign(&format!("the content is sealed with {}", name(other)))),
        };
        let iv = algorithm.parameters.and_then(|iv| iv.decode_as::<OctetString>().ok());
        let iv = iv.and_then(|iv| iv.as_bytes().try_into().ok());
        let content = data.encrypted_content.encrypted_content.map(OctetString::into_bytes);
        let content = content.filter(|c| !c.is_empty() && c.len().is_multiple_of(BLOCK));
        match (iv, content) {
            (Some(iv), Some(content)) => Ok(Self { recipient, recipients, cipher, iv, content }),
            _ => Err(broken("the sealed content has no whole block or no initial vector")),
        }
    }

    fn decrypt(self, key: UnboundCipherKey) -> std::result::Result<Secret, Lock> {
        let changed = || {
            let what = "the padding is wrong: the sealed bytes were changed";
            lock(LockReason::Tampered, what.to_owned())
        };
        let context = DecryptionContext::Iv128(FixedLength::from(self.iv));
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| changed())?;
        let mut content = Zeroizing::new(self.content);
        let plain = key.decrypt(&mut content, context).map_err(|_| changed())?;
        Ok(Secret::new(plain.to_vec()))
    }
}

/// Says whether the bytes are an envelope that an identity could open.
pub(super) fn inspect(der: &[u8]) -> std::result::Result<(), Lock> {
    Envelope::read(der).map(|_| ())
}

fn lock(reason: LockReason, detail: String) -> Lock {
    Lock { reason, detail }
}

fn foreign(detail: &str) -> Lock {
    lock(LockReason::ForeignCipher, detail.to_owned())
}

/// The name of a content cipher that is met and not opened.
fn name(cipher: ObjectIdentifier) -> String {
    match cipher.to_string().as_str() {
        "1.2.840.113549.3.7" => "des-ede3-cbc".to_owned(),
        "1.3.14.3.2.7" => "des-cbc".to_owned(),
        "1.2.840.113549.3.2" => "rc2-cbc".to_owned(),
        other => other.to_owned(),
    }
}

/// Seals to the public half of one identity, in the layout that hiera-eyaml writes.
struct Pkcs7Sealer {
    public: Arc<Pkcs1PublicEncryptingKey>,
    /// Issuer and serial as in the envelope that is replaced.
    recipient: RecipientIdentifier,
}

/// Seals to the public half of a private key, naming the recipient so; `None` for no sound key.
pub(super) fn sealer(pkcs8: &[u8], recipient: RecipientIdentifier) -> Option<Box<dyn Sealer>> {
    let public = Pair::new(pkcs8).ok()?.sealing;
    Some(Box::new(Pkcs7Sealer { public, recipient }))
}

impl Pkcs7Sealer {
    fn envelope(&self, plain: &Secret) -> std::result::Result<Vec<u8>, Failure> {
        let mut content_key = Zeroizing::new([0_u8; 32]);
        let mut iv = [0_u8; BLOCK];
        aws_lc_rs::rand::fill(&mut content_key[..]).map_err(|_| Failure)?;
        aws_lc_rs::rand::fill(&mut iv).map_err(|_| Failure)?;

        // Room for the padding, so that the plaintext is not left behind in a smaller buffer.
        let mut content = Zeroizing::new(Vec::with_capacity(plain.len() + BLOCK));
        content.extend_from_slice(plain.expose());
        let key = UnboundCipherKey::new(&AES_256, &content_key[..]).map_err(|_| Failure)?;
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(|_| Failure)?;
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        key.less_safe_encrypt(&mut *content, context).map_err(|_| Failure)?;

        let mut wrapped = vec![0; self.public.ciphertext_size()];
        let wrapped = self.public.encrypt(&content_key[..], &mut wrapped).map_err(|_| Failure)?;
        self.layout(wrapped, &iv, &content).map_err(|_| Failure)
    }

    /// Puts the parts together; the bytes in `content` are sealed.
    fn layout(&self, wrapped: &[u8], iv: &[u8], content: &[u8]) -> der::Result<Vec<u8>> {
        let algorithm =
            |oid, parameters| cms::cert::x509::spki::AlgorithmIdentifierOwned { oid, parameters };
        let recipient = RecipientInfo::Ktri(KeyTransRecipientInfo {
            version: CmsVersion::V0,
            rid: self.recipient.clone(),
            key_enc_alg: algorithm(RSA, Some(Any::null())),
            enc_key: OctetString::new(wrapped)?,
        });
        let data = EnvelopedData {
            version: CmsVersion::V0,
            originator_info: None,
            recip_infos: RecipientInfos::try_from(vec![recipient])?,
            encrypted_content: EncryptedContentInfo {
                content_type: DATA,
                content_enc_alg: algorithm(
                    AES_256_CBC,
                    Some(Any::encode_from(&OctetString::new(iv)?)?),
                ),
                encrypted_content: Some(OctetString::new(content)?),
            },
            unprotected_attrs: None,
        };
        ContentInfo { content_type: ENVELOPED_DATA, content: Any::encode_from(&data)? }.to_der()
    }
}

impl Sealer for Pkcs7Sealer {
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>> {
        self.envelope(plain).map_err(|Failure| Error::bug("a value could not be sealed"))
    }
}

/// Sealing failed in the cryptographic library, which says no more.
struct Failure;
