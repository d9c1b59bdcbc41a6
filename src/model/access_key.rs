//! The access key and everything IAM says of it.

use std::fmt;

use regex::Regex;

use super::{Secret, Timestamp};
use crate::error::{Error, Kind, Result};

/// The ID of an access key: 16 to 128 word characters (`AccessKeyId` in the IAM API reference).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccessKeyId(String);

impl AccessKeyId {
    /// Accepts what IAM itself accepts. Words that a person types go through
    /// [`KeyIdPattern::parse`], which is stricter.
    ///
    /// # Errors
    /// `malformed-access-key-id` when the text is no possible access key ID.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let fits = (16..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits { Ok(Self(text)) } else { Err(malformed(&text)) }
    }

    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account that issued the access key, decoded offline; `None` for the format before 2019
    /// (fifth character outside `Q`–`Z` and `2`–`7`) and for IDs of stand-ins that are not base32.
    ///
    /// Characters 5 to 20 are RFC 4648 base32 of 10 bytes; bit 47 of the first six is a flag that
    /// must be set, the 40 bits behind it are the account.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        let mut bits: u128 = 0;
        let body = self.0.as_bytes().get(4..20)?;
        if self.0.len() != 20 {
            return None;
        }
        for byte in body {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'2'..=b'7' => byte - b'2' + 26,
                _ => return None,
            };
            bits = (bits << 5) | u128::from(value);
        }
        let first_six = (bits >> 32) as u64 & 0xffff_ffff_ffff;
        let flagged = first_six >> 47 == 1;
        let account = (first_six & 0x7fff_ffff_ff80) >> 7;
        (flagged && account <= 999_999_999_999).then(|| AccountId(format!("{account:012}")))
    }

    /// Whether the prefix says temporary credentials (`ASIA`), which cannot be rotated.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.0.starts_with("ASIA")
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn malformed(text: &str) -> Error {
    let shown = super::visible(text);
    Error::new(
        Kind::Usage,
        "malformed-access-key-id",
        format!("`{shown}` does not have the shape of an access key ID"),
    )
    .hint("an access key ID is `AKIA` and 16 characters of A–Z and 2–7")
    .hint("for a stand-in or another vendor give --key-id-pattern")
}

/// What an access key ID looks like in this repository (`--key-id-pattern`, `key_id_pattern`).
#[derive(Debug, Clone)]
pub struct KeyIdPattern {
    source: String,
    whole: Regex,
}

impl KeyIdPattern {
    /// The shape of a long-lived access key of AWS: `AKIA` and 16 characters of base32.
    pub const AWS: &str = "AKIA[A-Z2-7]{16}";

    /// Compiles a pattern of the `regex` crate's syntax; it is matched against whole words.
    ///
    /// # Errors
    /// `bad-pattern` when it does not compile.
    pub fn new(pattern: &str) -> Result<Self> {
        let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|source| {
            Error::new(
                Kind::Usage,
                "bad-pattern",
                format!(
                    "`{}` is no regular expression: {}",
                    super::visible(pattern),
                    super::visible(&source.to_string())
                ),
            )
        })?;
        Ok(Self { source: pattern.to_owned(), whole })
    }

    /// Reads one access key ID that a person typed.
    ///
    /// # Errors
    /// `malformed-access-key-id`, or `temporary-access-key` for `ASIA…`.
    pub fn parse(&self, text: &str) -> Result<AccessKeyId> {
        let id = AccessKeyId::new(text)?;
        if id.is_temporary() {
            return Err(Error::refused(
                "temporary-access-key",
                format!(
                    "`{id}` is a temporary access key: it expires by itself and cannot be rotated"
                ),
            )
            .hint("name the long-lived access key (`AKIA…`) of the IAM user"));
        }
        if self.whole.is_match(text) { Ok(id) } else { Err(malformed(text)) }
    }

    /// The pattern as it was given, for searching.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl Default for KeyIdPattern {
    fn default() -> Self {
        Self::new(Self::AWS).expect("the built-in pattern compiles")
    }
}

/// An AWS account: 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// Accepts 12 digits.
    ///
    /// # Errors
    /// `malformed-account` otherwise.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(text));
        }
        let shown = super::visible(&text);
        Err(Error::new(
            Kind::Settings,
            "malformed-account",
            format!("`{shown}` is no AWS account: 12 digits are"),
        ))
    }

    /// The 12 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an IAM user: 1 to 64 characters of `[A-Za-z0-9_+=,.@-]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// Accepts what IAM accepts.
    ///
    /// # Errors
    /// `malformed-user-name` otherwise.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
        if fits {
            return Ok(Self(text));
        }
        let shown = super::visible(&text);
        Err(Error::new(
            Kind::Usage,
            "malformed-user-name",
            format!("`{shown}` is no possible IAM user name"),
        )
        .hint("IAM user names have 1 to 64 characters of letters, digits and _+=,.@-"))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with every byte outside `[A-Za-z0-9_-]` written as `=XX`, legal in a ref name.
    #[must_use]
    pub fn in_ref(&self) -> String {
        let mut out = String::new();
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("={byte:02X}"));
            }
        }
        out
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an access key works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStatus {
    /// Signs requests.
    Active,
    /// Switched off; can be switched on again.
    Inactive,
    /// A word that IAM may add (`Expired` exists for other credentials): not active, not ours to touch.
    Other(String),
}

impl KeyStatus {
    /// Reads IAM's word.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "Active" => Self::Active,
            "Inactive" => Self::Inactive,
            other => Self::Other(other.to_owned()),
        }
    }

    /// IAM's word.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Other(word) => word,
        }
    }
}

/// An access key as `ListAccessKeys` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The ID.
    pub id: AccessKeyId,
    /// Whether it works.
    pub status: KeyStatus,
    /// When it was created, by AWS's clock; `None` when IAM left it out.
    pub created: Option<Timestamp>,
}

/// Both halves of an access key: exists only in memory and, sealed, in the escrow.
#[derive(Debug)]
pub struct AccessKeyPair {
    /// The public half.
    pub id: AccessKeyId,
    /// The secret half: 40 characters of `[A-Za-z0-9+/]`.
    pub secret: Secret,
}

impl AccessKeyPair {
    /// Accepts a pair of AWS's shape only: a cut answer of `CreateAccessKey` must never pass.
    ///
    /// # Errors
    /// `malformed-pair` when the secret is not 40 characters of `[A-Za-z0-9+/]`.
    pub fn new(id: AccessKeyId, secret: Secret) -> Result<Self> {
        let fits = secret.len() == 40
            && secret
                .expose()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'+' || *b == b'/');
        if fits {
            return Ok(Self { id, secret });
        }
        Err(Error::refused(
            "malformed-pair",
            format!("the secret for `{id}` does not have 40 characters of A–Z, a–z, 0–9, + and /"),
        ))
    }
}

/// When and where an access key was last used, as far as IAM knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUsed {
    /// Start of the 15-minute span of the last recorded use; `None` when none is recorded.
    pub at: Option<Timestamp>,
    /// The service, such as `s3`; `N/A` when none is recorded.
    pub service: String,
    /// The region; `N/A` also for services without regions: it says nothing about use.
    pub region: String,
}

#[cfg(test)]
mod tests {
    use super::{AccessKeyId, AccessKeyPair, KeyIdPattern, UserName};
    use crate::model::Secret;

    fn account(id: &str) -> Option<String> {
        let id = AccessKeyId::new(id).expect("a test ID has the shape");
        id.account().map(|account| account.as_str().to_owned())
    }

    #[test]
    fn account_is_decoded_from_the_id() {
        // Published vectors: TalBe'ery's note, trufflehog and localstack.
        assert_eq!(account("ASIAY34FZKBOKMUTVV7A").as_deref(), Some("609629065308"));
        assert_eq!(account("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        assert_eq!(account("AKIASP2TPHJSQH3FJRUX").as_deref(), Some("171436882533"));
        assert_eq!(account("AKIARZPUZDIKGB2VALC4").as_deref(), Some("123456789012"));
        assert_eq!(account("ASIAQAAAAAAAGMKEM7X5").as_deref(), Some("000000000000"));
    }

    #[test]
    fn ids_of_the_old_format_carry_no_account() {
        assert_eq!(account("AKIAIOSFODNN7EXAMPLE"), None);
        assert_eq!(account("AKIAJQT5JHHFVO6KZOLQ"), None);
        assert_eq!(account("AKIA0189ABCDEF012345"), None);
    }

    #[test]
    fn the_pattern_takes_whole_ids_only() {
        let pattern = KeyIdPattern::default();
        assert!(pattern.parse("AKIAIOSFODNN7EXAMPLE").is_ok());
        for wrong in [
            "AKIAIOSFODNN7EXAMPL",
            "AKIAIOSFODNN7EXAMPLEE",
            "akiaiosfodnn7example",
            "AKIA0189ABCDEF012345",
            "",
        ] {
            let error = pattern.parse(wrong).expect_err(wrong);
            assert_eq!(error.reason(), "malformed-access-key-id");
        }
        assert_eq!(
            pattern.parse("ASIAIOSFODNN7EXAMPLE").expect_err("ASIA").reason(),
            "temporary-access-key"
        );
    }

    #[test]
    fn a_cut_secret_is_no_pair() {
        let id = || AccessKeyId::new("AKIAIOSFODNN7EXAMPLE").expect("shape");
        for (secret, fits) in [
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", true),
            ("wJalrXUtnFEMI/K7MD", false),
            ("", false),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE ", false),
        ] {
            assert_eq!(AccessKeyPair::new(id(), Secret::from(secret.to_owned())).is_ok(), fits);
        }
    }

    #[test]
    fn a_user_name_becomes_a_legal_ref_component() {
        let user = UserName::new("ops+fastly@example.com").expect("legal");
        assert_eq!(user.in_ref(), "ops=2Bfastly=40example=2Ecom");
        assert!(UserName::new("a b").is_err());
    }
}
