//! What sealed bytes show without being opened: who they are for and how, as far as the structure
//! tells. Whom a recipient stands for is not known from it: hiera-eyaml leaves the names empty.

use cms::content_info::ContentInfo;
use cms::enveloped_data::{EnvelopedData, RecipientInfo};
use der::{Decode as _, Encode};

use super::Sealed;

/// Everything of sealed bytes that is not itself a ciphertext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Each recipient: its name in the envelope, how its key is wrapped, and in how many bytes.
    pub recipients: Vec<String>,
    /// The content cipher.
    pub cipher: String,
    /// Versions and whatever else an envelope may hold.
    pub frame: String,
    /// The length of the sealed content in bytes, padding included.
    pub content: usize,
}

/// The outline of sealed bytes; `None` where they are no structure of that kind.
#[must_use]
pub fn outline(sealed: Sealed<'_>) -> Option<Outline> {
    let Sealed::Pkcs7(der) = sealed;
    let outer = ContentInfo::from_der(der).ok()?;
    let data: EnvelopedData = outer.content.decode_as().ok()?;
    let recipients = data.recip_infos.0.iter().map(recipient).collect::<Option<_>>()?;
    let content = &data.encrypted_content;
    let algorithm = &content.content_enc_alg;
    let frame = [
        outer.content_type.to_string(),
        hex(&data.version)?,
        data.originator_info.as_ref().map_or(Some(String::new()), hex)?,
        data.unprotected_attrs.as_ref().map_or(Some(String::new()), hex)?,
        content.content_type.to_string(),
    ];
    Some(Outline {
        recipients,
        cipher: algorithm.oid.to_string(),
        frame: frame.join(" "),
        content: content.encrypted_content.as_ref().map_or(0, |bytes| bytes.as_bytes().len()),
    })
}

fn recipient(one: &RecipientInfo) -> Option<String> {
    let RecipientInfo::Ktri(one) = one else { return hex(one) };
    let words = [
        hex(&one.version)?,
        hex(&one.rid)?,
        hex(&one.key_enc_alg)?,
        one.enc_key.as_bytes().len().to_string(),
    ];
    Some(words.join(" "))
}

fn hex(part: &impl Encode) -> Option<String> {
    let der = part.to_der().ok()?;
    Some(der.iter().map(|byte| format!("{byte:02x}")).collect())
}
