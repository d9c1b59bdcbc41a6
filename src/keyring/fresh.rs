//! A new RSA identity with its certificate, as `eyaml createkeys` makes them, for the sample
//! repository of `keyroll demo`. Where files are put is left to the caller.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use cms::cert::IssuerAndSerialNumber;
use cms::cert::x509::name::Name;
use cms::cert::x509::serial_number::SerialNumber;
use cms::cert::x509::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use cms::cert::x509::time::{Time, Validity};
use cms::cert::x509::{Certificate, TbsCertificate, Version};
use cms::enveloped_data::RecipientIdentifier;
use der::asn1::{BitString, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::pem::{LineEnding, encode_string};
use der::{Any, DateTime, Decode as _, Encode as _};
use zeroize::Zeroizing;

use super::Sealer;
use super::pkcs7;
use crate::error::{Error, Result};

const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

/// An identity that nobody had before.
pub struct Fresh {
    /// The RSA key of 2048 bits, as PKCS#8 in PEM.
    pub private: Zeroizing<String>,
    /// The X.509 v1 certificate in PEM, with an empty name and the serial number 1.
    pub certificate: String,
    /// Seals to the identity.
    pub sealer: Box<dyn Sealer>,
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fresh")
    }
}

/// Makes an identity.
///
/// # Errors
/// A defect only: the cryptographic library gave no key.
pub fn fresh() -> Result<Fresh> {
    let failed = || Error::bug("an RSA key could not be made");
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed())?;
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| failed())?;
    let encoded = encode_string("PRIVATE KEY", LineEnding::LF, pkcs8.as_ref());
    let private = Zeroizing::new(encoded.map_err(|_| failed())?);
    let certificate = certificate(&pair).map_err(|_| failed())?;
    let certificate = encode_string("CERTIFICATE", LineEnding::LF, &certificate);
    let recipient = RecipientIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
        issuer: Name::default(),
        serial_number: SerialNumber::from(1_u8),
    });
    Ok(Fresh {
        private,
        certificate: certificate.map_err(|_| failed())?,
        sealer: pkcs7::sealer(pkcs8.as_ref(), recipient).ok_or_else(failed)?,
    })
}

/// The self-signed certificate; hiera-eyaml reads nothing of it but the public key and the serial.
fn certificate(pair: &KeyPair) -> Result<Vec<u8>, Failure> {
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair_public(pair)).map_err(|_| Failure)?;
    // RFC 5280: dates before 2050 have two digits of a year, later ones four.
    let from = UtcTime::from_date_time(DateTime::new(2026, 1, 1, 0, 0, 0)?)?;
    let to = GeneralizedTime::from_date_time(DateTime::new(2076, 1, 1, 0, 0, 0)?);
    let signature =
        AlgorithmIdentifierOwned { oid: SHA256_WITH_RSA, parameters: Some(Any::null()) };
    let signed = TbsCertificate {
        version: Version::V1,
        serial_number: SerialNumber::from(1_u8),
        signature: signature.clone(),
        issuer: Name::default(),
        validity: Validity { not_before: Time::UtcTime(from), not_after: Time::GeneralTime(to) },
        subject: Name::default(),
        subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(public.as_ref())?,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: None,
    };
    let mut proof = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &signed.to_der()?, &mut proof)
        .map_err(|_| Failure)?;
    let certificate = Certificate {
        tbs_certificate: signed,
        signature_algorithm: signature,
        signature: BitString::from_bytes(&proof)?,
    };
    Ok(certificate.to_der()?)
}

fn pair_public(pair: &KeyPair) -> &aws_lc_rs::rsa::PublicKey {
    use aws_lc_rs::signature::KeyPair as _;
    pair.public_key()
}

/// The library did not do it, and says no more.
struct Failure;

impl From<der::Error> for Failure {
    fn from(_: der::Error) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::fresh;
    use crate::keyring::{Sealed, Surroundings, discover};
    use crate::model::{RepoPath, Secret};
    use std::io::Write as _;

    #[test]
    fn what_is_sealed_to_it_opens_and_its_certificate_is_its_own() {
        let fresh = fresh().expect("an identity");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("private_key.pkcs7.pem");
        let mut file = std::fs::File::create(&path).expect("a file");
        file.write_all(fresh.private.as_bytes()).expect("written");
        let certificate = fresh.certificate.clone().into_bytes();
        let keyring = discover(&Surroundings {
            identities: vec![path],
            certificates: vec![(RepoPath::new("keys/public_key.pkcs7.pem"), certificate)],
            ..Surroundings::default()
        });
        let keyring = keyring.expect("the identity is read");
        let sealed = fresh.sealer.seal(&Secret::from("sample".to_owned())).expect("sealed");
        let (opened, identity) = keyring.open(Sealed::Pkcs7(&sealed)).expect("it opens");
        assert_eq!(opened.expose(), b"sample");
        // A certificate of somebody else's would refuse (I7).
        assert!(identity.sealer(Sealed::Pkcs7(&sealed)).is_ok());
    }
}
