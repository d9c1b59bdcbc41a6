//! What IAM makes up: access key IDs with the account inside, secrets, request IDs.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};
use crate::model::{AccessKeyId, AccessKeyPair, AccountId, Secret};

/// A new pair of an account. The ID holds 80 bits in base32: a flag, 40 bits of account, 39 random
/// ones; the flag puts its fifth character into `Q`–`Z` and `2`–`7`.
pub(super) fn pair(prefix: &str, account: &AccountId) -> Result<AccessKeyPair> {
    let mut random = [0; 35];
    fill(&mut random)?;
    let (for_id, for_secret) = random.split_at(5);
    let id = access_key_id(prefix, account, for_id)?;
    // 30 bytes are 40 characters of base64 without padding.
    Ok(AccessKeyPair { id, secret: Secret::from(STANDARD.encode(for_secret)) })
}

fn access_key_id(prefix: &str, account: &AccountId, random: &[u8]) -> Result<AccessKeyId> {
    let account: u128 = account.as_str().parse().map_err(|_| Error::bug("an account is digits"))?;
    let low = random.iter().fold(0_u128, |low, byte| (low << 8) | u128::from(*byte));
    let bits = (1 << 79) | (account << 39) | (low & ((1 << 39) - 1));
    let mut text = prefix.to_owned();
    for place in (0..16).rev() {
        let digit = u8::try_from((bits >> (place * 5)) & 31).expect("five bits are a byte");
        text.push(char::from(if digit < 26 { b'A' + digit } else { b'2' + digit - 26 }));
    }
    AccessKeyId::new(text)
}

/// A token of temporary credentials.
pub(super) fn session_token() -> Result<Secret> {
    let mut random = [0; 96];
    fill(&mut random)?;
    Ok(Secret::from(STANDARD.encode(random)))
}

/// A request ID in the shape of a UUID. It identifies nothing, so a lack of randomness is no
/// error.
pub(super) fn request_id() -> String {
    let mut random = [0_u8; 16];
    if rand::fill(&mut random).is_err() {
        return "00000000-0000-0000-0000-000000000000".to_owned();
    }
    let mut id = String::with_capacity(36);
    for (place, byte) in random.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        id.push_str(&format!("{byte:02x}"));
    }
    id
}

fn fill(random: &mut [u8]) -> Result<()> {
    rand::fill(random).map_err(|_| Error::bug("the system gives no random numbers"))
}

#[cfg(test)]
mod tests {
    use super::{access_key_id, pair, request_id};
    use crate::model::{AccessKeyPair, AccountId, KeyIdPattern};

    #[test]
    fn an_id_holds_its_account_and_passes_for_one_of_aws() {
        for digits in ["123456789012", "000000000000", "999999999999"] {
            let account = AccountId::new(digits).expect("an account");
            for random in [[0; 5], [255; 5]] {
                let id = access_key_id("AKIA", &account, &random).expect("an ID");
                assert_eq!(id.account().as_ref(), Some(&account), "{id}");
                assert!(KeyIdPattern::default().parse(id.as_str()).is_ok(), "{id}");
            }
        }
    }

    #[test]
    fn a_pair_has_the_shape_and_is_new_each_time() {
        let account = AccountId::new("123456789012").expect("an account");
        let one = pair("AKIA", &account).expect("a pair");
        let other = pair("AKIA", &account).expect("a pair");
        assert_ne!(one.id, other.id);
        assert!(!one.secret.same(&other.secret));
        assert!(AccessKeyPair::new(one.id, one.secret).is_ok());
        assert_eq!(request_id().len(), 36);
    }
}
