//! RSA keys and certificates out of PEM files. Only what opening and sealing needs is read: a
//! certificate is its public key here, so that the X.509 v1 certificates of hiera-eyaml are as
//! good as any. Using the keys is left to `pkcs7`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::{AnyRef, Reader as _, SliceReader, Tag, Tagged as _};
use zeroize::Zeroizing;

/// The object identifier 1.2.840.113549.1.1.1 (`rsaEncryption`, RFC 8017), without tag and length.
const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The public half of an RSA key: modulus and exponent without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKey {
    /// The length of the modulus in bits.
    pub(super) fn bits(&self) -> usize {
        let top = self.modulus.first().map_or(8, |byte| byte.leading_zeros() as usize);
        (self.modulus.len() * 8).saturating_sub(top)
    }

    /// The length of the modulus, and of everything sealed to it, in bytes.
    pub(super) fn len(&self) -> usize {
        self.modulus.len()
    }

    /// Reads `RSAPublicKey` or the first numbers of `RSAPrivateKey`.
    fn read(numbers: &[AnyRef<'_>]) -> Option<Self> {
        let number = |at: usize| {
            let any: &AnyRef<'_> = numbers.get(at)?;
            if any.tag() != Tag::Integer {
                return None;
            }
            let zeros = any.value().iter().take_while(|byte| **byte == 0).count();
            Some(any.value()[zeros..].to_vec())
        };
        let key = Self { modulus: number(0)?, exponent: number(1)? };
        (!key.modulus.is_empty() && !key.exponent.is_empty()).then_some(key)
    }
}

/// An RSA private key.
pub(super) struct PrivateKey {
    /// The key as PKCS#8 (RFC 5208).
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
    /// The public half.
    pub(super) public: PublicKey,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({} bits)", self.public.bits())
    }
}

/// Whether the file names a private key of any kind.
pub(super) fn names_private_key(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"PRIVATE KEY-----").is_some()
}

/// The first private key of a PEM file.
///
/// # Errors
/// One clause that says what is wrong, without quoting the file.
pub(super) fn private_key(bytes: &[u8]) -> Result<PrivateKey, &'static str> {
    if !names_private_key(bytes) {
        return Err("holds no private key in PEM");
    }
    if memchr::memmem::find(bytes, b"ENCRYPTED").is_some() {
        return Err("holds a private key that is locked with a passphrase");
    }
    let (der, bare) = block(bytes, "RSA PRIVATE KEY")
        .map(|der| (der, true))
        .or_else(|| block(bytes, "PRIVATE KEY").map(|der| (der, false)))
        .ok_or("holds a private key that is no RSA key, or is cut")?;
    let broken = "holds a private key with a broken structure";
    if bare {
        let public = public_of_pkcs1(&der).ok_or(broken)?;
        return Ok(PrivateKey { pkcs8: wrap(&der), public });
    }
    let parts = sequence(&der).ok_or(broken)?;
    let algorithm = parts.get(1).and_then(|any| children(any.value())).ok_or(broken)?;
    if algorithm.first().map(|any| any.value()) != Some(&RSA[..]) {
        return Err("holds a private key that is no RSA key");
    }
    let inner = parts.get(2).filter(|any| any.tag() == Tag::OctetString).ok_or(broken)?;
    let public = public_of_pkcs1(inner.value()).ok_or(broken)?;
    Ok(PrivateKey { pkcs8: wrap(inner.value()), public })
}

/// The RSA public key of a PEM file with a certificate or a public key; `None` if it holds none.
pub(super) fn public_key(bytes: &[u8]) -> Option<PublicKey> {
    if let Some(der) = block(bytes, "CERTIFICATE") {
        let certificate = sequence(&der)?;
        let signed = children(certificate.first()?.value())?;
        // The version is left out of a v1 certificate; the key is the sixth field behind it.
        let versioned = usize::from(signed.first()?.tag().is_context_specific());
        return public_of_info(signed.get(versioned + 5)?.value());
    }
    if let Some(der) = block(bytes, "PUBLIC KEY") {
        return public_of_info(AnyRef::try_from(&der[..]).ok()?.value());
    }
    let der = block(bytes, "RSA PUBLIC KEY")?;
    PublicKey::read(&sequence(&der)?)
}

/// Reads the content of a `SubjectPublicKeyInfo` (RFC 5280).
fn public_of_info(content: &[u8]) -> Option<PublicKey> {
    let parts = children(content)?;
    let algorithm = children(parts.first()?.value())?;
    if algorithm.first()?.value() != RSA {
        return None;
    }
    // A bit string's first byte counts its unused bits.
    let (unused, key) = parts.get(1)?.value().split_first()?;
    if *unused != 0 {
        return None;
    }
    PublicKey::read(&sequence(key)?)
}

fn public_of_pkcs1(der: &[u8]) -> Option<PublicKey> {
    let numbers = sequence(der)?;
    if numbers.len() < 9 {
        return None;
    }
    PublicKey::read(&numbers[1..])
}

/// The elements of a DER sequence that fills `der`.
fn sequence(der: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let outer = AnyRef::try_from(der).ok()?;
    (outer.tag() == Tag::Sequence).then(|| children(outer.value())).flatten()
}

fn children(content: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(content).ok()?;
    let mut parts = Vec::new();
    while !reader.is_finished() {
        parts.push(reader.decode::<AnyRef<'_>>().ok()?);
    }
    Some(parts)
}

/// The bytes of the first PEM block with this label (RFC 7468, read leniently: text around it,
/// CRLF and any line length are accepted).
fn block(bytes: &[u8], label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let begin = format!("-----BEGIN {label}-----");
    let start = memchr::memmem::find(bytes, begin.as_bytes())? + begin.len();
    let rest = &bytes[start..];
    let end = memchr::memmem::find(rest, format!("-----END {label}-----").as_bytes())?;
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(rest[..end].iter().copied().filter(|b| !b.is_ascii_whitespace()).collect());
    STANDARD.decode(&text[..]).ok().map(Zeroizing::new)
}

/// Wraps `RSAPrivateKey` as PKCS#8, which is all that the cryptographic library takes.
fn wrap(pkcs1: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(pkcs1.len() + 32));
    content.extend_from_slice(&[0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09]);
    content.extend_from_slice(&RSA);
    content.extend_from_slice(&[0x05, 0x00, 0x04]);
    put_length(&mut content, pkcs1.len());
    content.extend_from_slice(pkcs1);
    let mut out = Zeroizing::new(Vec::with_capacity(content.len() + 8));
    out.push(0x30);
    put_length(&mut out, content.len());
    out.extend_from_slice(&content);
    out
}

/// Writes a DER length (X.690, 8.1.3).
fn put_length(out: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        out.push(length as u8);
        return;
    }
    let bytes = length.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    out.push(0x80 | (bytes.len() - zeros) as u8);
    out.extend_from_slice(&bytes[zeros..]);
}

#[cfg(test)]
mod tests {
    use super::{private_key, public_key};

    const STAGING: &[u8] = include_bytes!("../../fixtures/keys/staging/private_key.pkcs7.pem");
    const PKCS8: &[u8] = include_bytes!("../../fixtures/keys/staging/pkcs8.pem");
    const V1: &[u8] = include_bytes!("../../fixtures/keys/staging/v1.crt.pem");
    const V3: &[u8] = include_bytes!("../../fixtures/keys/staging/public_key.pkcs7.pem");
    const BARE: &[u8] = include_bytes!("../../fixtures/keys/staging/bare.pub.pem");
    const WRONG: &[u8] = include_bytes!("../../fixtures/keys/wrong/public_key.pkcs7.pem");
    const EC: &[u8] = include_bytes!("../../fixtures/keys/odd/ec.pem");
    const LOCKED: &[u8] = include_bytes!("../../fixtures/keys/odd/passphrase.pem");

    #[test]
    fn both_private_forms_are_one_key() {
        let one = private_key(STAGING).expect("PKCS#1 is read");
        let two = private_key(PKCS8).expect("PKCS#8 is read");
        assert_eq!(one.pkcs8, two.pkcs8);
        assert_eq!(one.public.bits(), 2048);
        let crlf = String::from_utf8_lossy(STAGING).replace('\n', "\r\n");
        assert_eq!(private_key(crlf.as_bytes()).expect("CRLF is read").public, one.public);
    }

    #[test]
    fn every_public_form_is_the_same_half() {
        let half = private_key(STAGING).expect("the key is read").public;
        for form in [V1, V3, BARE] {
            assert_eq!(public_key(form), Some(half.clone()));
        }
        assert_ne!(public_key(WRONG), Some(half));
        assert_eq!(public_key(STAGING), None);
    }

    #[test]
    fn what_is_no_rsa_key_is_refused_with_the_reason() {
        let refusal = |bytes: &[u8]| private_key(bytes).map(|_| ()).expect_err("refused");
        assert_eq!(refusal(EC), "holds a private key that is no RSA key");
        assert_eq!(refusal(LOCKED), "holds a private key that is locked with a passphrase");
        assert_eq!(refusal(V3), "holds no private key in PEM");
        assert_eq!(refusal(&STAGING[..900]), "holds a private key that is no RSA key, or is cut");
    }
}
