//! Who signed a request: AWS Signature Version 4, checked for real, so that a wrong secret, a
//! stale time or a key that is not Active is refused as AWS refuses it.

use std::time::Duration;

use aws_lc_rs::{constant_time, digest, hmac};

use super::state::{Key, State};
use super::uses::Use;
use super::{Principal, Refusal};
use crate::model::{KeyStatus, Secret, Timestamp};
use crate::sandbox::clock::Clock;
use crate::sandbox::http::Request;

/// The parts of an `Authorization` header.
struct Signature<'a> {
    id: &'a str,
    /// `<date>/<region>/<service>/aws4_request`.
    scope: &'a str,
    headers: &'a str,
    value: &'a str,
}

/// Checks the signature, notes the use of the access key, and says who it is.
pub(super) fn authenticate(
    state: &mut State,
    request: &Request,
    clock: &Clock,
) -> Result<Principal, Refusal> {
    let signature = parse(request.header("authorization"))?;
    let signed = signed_at(request.header("x-amz-date")).ok_or_else(incomplete)?;
    if let Some(place) = state.sessions.iter().position(|s| s.pair.id.as_str() == signature.id) {
        return session(state, place, request, &signature, clock);
    }
    let (principal, key) = find(state, signature.id).ok_or_else(invalid_token)?;
    if key.status != KeyStatus::Active {
        return Err(invalid_token());
    }
    if key.unseen > 0 {
        key.unseen -= 1;
        return Err(invalid_token());
    }
    verify(request, &signature, &key.secret)?;
    if !clock.is_fresh(signed) {
        return Err(stale(signed, clock.now()));
    }
    let mut scope = signature.scope.split('/').skip(1).map(str::to_owned);
    let region = scope.next().unwrap_or_default();
    let service = scope.next().unwrap_or_default();
    key.uses.note(Use { at: clock.now(), service, region });
    Ok(principal)
}

fn find<'s>(state: &'s mut State, id: &str) -> Option<(Principal, &'s mut Key)> {
    let users = state.users.iter_mut().flat_map(|user| {
        let (name, admin) = (&user.name, user.admin);
        let owner = move || Principal::User { name: name.clone(), admin };
        user.keys.iter_mut().map(move |key| (owner(), key))
    });
    let root = state.root.iter_mut().map(|key| (Principal::Root, key));
    users.chain(root).find(|(_, key)| key.id.as_str() == id)
}

fn session(
    state: &State,
    place: usize,
    request: &Request,
    signature: &Signature<'_>,
    clock: &Clock,
) -> Result<Principal, Refusal> {
    let session = &state.sessions[place];
    if request.header("x-amz-security-token").as_bytes() != session.token.expose() {
        return Err(invalid_token());
    }
    verify(request, signature, &session.pair.secret)?;
    if session.expires <= clock.now() {
        let what = "The security token included in the request is expired";
        return Err(Refusal::new(403, "ExpiredToken", what));
    }
    Ok(Principal::Role { name: session.role.clone(), session: session.name.clone() })
}

fn parse(header: &str) -> Result<Signature<'_>, Refusal> {
    if header.is_empty() {
        let what = "Request is missing Authentication Token";
        return Err(Refusal::new(403, "MissingAuthenticationToken", what));
    }
    let fields = header.strip_prefix("AWS4-HMAC-SHA256").ok_or_else(incomplete)?;
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .ok_or_else(incomplete)
    };
    let (id, scope) = field("Credential")?.split_once('/').ok_or_else(incomplete)?;
    if scope.split('/').count() != 4 || !scope.ends_with("/aws4_request") {
        return Err(incomplete());
    }
    Ok(Signature { id, scope, headers: field("SignedHeaders")?, value: field("Signature")? })
}

/// Computes the signature that the secret gives and compares.
fn verify(request: &Request, signature: &Signature<'_>, secret: &Secret) -> Result<(), Refusal> {
    let canonical = canonical(request, signature.headers);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{}\n{}",
        request.header("x-amz-date"),
        signature.scope,
        sha256(canonical.as_bytes()),
    );
    let mut step = zeroize::Zeroizing::new([b"AWS4", secret.expose()].concat());
    for part in signature.scope.split('/') {
        step = zeroize::Zeroizing::new(hmac_sha256(&step, part.as_bytes()));
    }
    let expected = hex(&hmac_sha256(&step, to_sign.as_bytes()));
    constant_time::verify_slices_are_equal(expected.as_bytes(), signature.value.as_bytes())
        .map_err(|_| {
            Refusal::new(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            )
        })
}

/// The canonical request: method, path, sorted query, signed headers, hash of the body.
fn canonical(request: &Request, signed: &str) -> String {
    let mut query: Vec<&str> = request.query.split('&').filter(|part| !part.is_empty()).collect();
    query.sort_unstable();
    let mut headers = String::new();
    for name in signed.split(';') {
        let value: Vec<&str> = request.header(name).split_whitespace().collect();
        headers.push_str(&format!("{name}:{}\n", value.join(" ")));
    }
    format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        request.method,
        request.path,
        query.join("&"),
        sha256(&request.body),
    )
}

/// Reads `20261121T230000Z`.
fn signed_at(text: &str) -> Option<Timestamp> {
    let part = |from: usize, to: usize| text.get(from..to);
    if text.len() != 16 {
        return None;
    }
    let date = format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let time = format!("{}:{}:{}", part(9, 11)?, part(11, 13)?, part(13, 15)?);
    Timestamp::parse(&format!("{date}T{time}Z")).ok()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn incomplete() -> Refusal {
    let what = "The request signature does not conform to AWS standards.";
    Refusal::new(400, "IncompleteSignature", what)
}

fn invalid_token() -> Refusal {
    let what = "The security token included in the request is invalid.";
    Refusal::new(403, "InvalidClientTokenId", what)
}

fn stale(signed: Timestamp, now: Timestamp) -> Refusal {
    let earliest = now.minus(Duration::from_secs(15 * 60));
    Refusal::new(
        403,
        "SignatureDoesNotMatch",
        format!("Signature expired: {signed} is now earlier than {earliest} ({now} - 15 min.)"),
    )
}

#[cfg(test)]
mod tests {
    use super::{parse, signed_at, verify};
    use crate::model::Secret;
    use crate::sandbox::http::Request;

    /// The worked example of the AWS documentation ("Signature Version 4 signing process"):
    /// `ListUsers` of IAM on 2015-08-30.
    fn list_users() -> Request {
        let headers = [
            ("host", "iam.amazonaws.com"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        Request {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: "Action=ListUsers&Version=2010-05-08".to_owned(),
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect(),
            body: Vec::new(),
        }
    }

    const HEADER: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    #[test]
    fn the_published_signature_is_accepted_and_any_change_is_not() {
        let secret = || Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
        let signature = parse(HEADER).expect("a signature");
        assert_eq!(signature.id, "AKIDEXAMPLE");
        verify(&list_users(), &signature, &secret()).expect("the example's signature");
        let wrong = Secret::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ".to_owned());
        assert!(verify(&list_users(), &signature, &wrong).is_err());
        let mut other = list_users();
        other.query = "Action=ListRoles&Version=2010-05-08".to_owned();
        assert!(verify(&other, &signature, &secret()).is_err());
        let mut other = list_users();
        other.body = b"x".to_vec();
        assert!(verify(&other, &signature, &secret()).is_err());
    }

    #[test]
    fn what_is_no_signature_is_refused_by_name() {
        assert_eq!(parse("").err().expect("empty").code, "MissingAuthenticationToken");
        for wrong in
            ["Basic abc", "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=h, Signature=s"]
        {
            assert_eq!(parse(wrong).err().expect(wrong).code, "IncompleteSignature");
        }
        assert!(signed_at("20150830T123600Z").is_some());
        assert!(signed_at("2015-08-30T12:36:00Z").is_none());
    }
}
