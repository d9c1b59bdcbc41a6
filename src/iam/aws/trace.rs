//! What one call showed on its way: whether it was handed to the network, who signed it, AWS's
//! clock, and whether the answer was whole. One trace per call, never shared between calls.
//! Judging it is left to `errors` and the calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_iam::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_iam::error::BoxError;
use aws_sdk_iam::primitives::{DateTime, DateTimeFormat};

use super::endpoint;
use crate::model::Timestamp;

/// The notes of one call.
#[derive(Debug, Default, Clone)]
struct Notes {
    sent: bool,
    at: Option<Timestamp>,
    signer: Option<String>,
    cut: bool,
    address: Option<String>,
}

/// Watches one call; clones share the same notes.
#[derive(Debug, Default, Clone)]
pub(super) struct Trace {
    notes: Arc<Mutex<Notes>>,
    /// Stops the call before it is signed: only its address is wanted.
    peek: bool,
}

impl Trace {
    /// A trace whose call is never sent.
    pub(super) fn peek() -> Self {
        Self { peek: true, ..Self::default() }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the request was handed to the network; `false` proves that nothing was sent.
    pub(super) fn sent(&self) -> bool {
        self.notes().sent
    }

    /// The `Date` of the answer.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.notes().at
    }

    /// The access key ID in the signature.
    pub(super) fn signer(&self) -> Option<String> {
        self.notes().signer.clone()
    }

    /// Whether a successful answer ended before its document did. The SDK reports such an answer
    /// as success with whatever fields it had read.
    pub(super) fn cut(&self) -> bool {
        self.notes().cut
    }

    /// The address that the call would have gone to, or went to.
    pub(super) fn address(&self) -> Option<String> {
        self.notes().address.clone()
    }
}

impl Intercept for Trace {
    fn name(&self) -> &'static str {
        "keyroll"
    }

    fn read_before_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let address = context.request().uri().to_owned();
        // The last door: whatever the endpoint came from, nothing signed leaves in clear text.
        let accepted = endpoint::accept(&address);
        self.notes().address = Some(address);
        if self.peek {
            return Err("only the address was wanted".into());
        }
        accepted.map(|_| ()).map_err(Into::into)
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut notes = self.notes();
        notes.sent = true;
        notes.signer = context.request().headers().get("authorization").and_then(signer);
        // A repetition starts anew.
        notes.at = None;
        notes.cut = false;
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let at = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        self.notes().at = at.map(|at| Timestamp(at.secs()));
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let whole = response.body().bytes().is_some_and(is_whole);
        self.notes().cut = response.status().is_success() && !whole;
        Ok(())
    }
}

/// Whether an answer of the query protocol reaches the end of its document: the root element is
/// `<action>Response`.
fn is_whole(body: &[u8]) -> bool {
    let Some(start) = body.iter().rposition(|byte| *byte == b'<') else { return false };
    let last = body[start..].trim_ascii_end();
    let name = last.strip_prefix(b"</").and_then(|last| last.strip_suffix(b">"));
    name.is_some_and(|name| name.trim_ascii_end().ends_with(b"Response"))
}

/// The access key ID in `AWS4-HMAC-SHA256 Credential=<id>/<date>/…`.
fn signer(authorization: &str) -> Option<String> {
    let (_, rest) = authorization.split_once("Credential=")?;
    rest.split_once('/').map(|(id, _)| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{is_whole, signer};

    #[test]
    fn a_cut_document_is_seen() {
        assert!(is_whole(b"<A></A></ListAccessKeysResponse>\n"));
        assert!(is_whole(b"<A></A></ListAccessKeysResponse >"));
        for cut in [
            &b""[..],
            b"<ListAccessKeysResponse><ListAccessKeysResult>",
            b"<ListAccessKeysResponse>",
            b"<ListAccessKeysResponse></ListAccessKeysRes",
            b"<ListAccessKeysResponse></ListAccessKeysResponse",
        ] {
            assert!(!is_whole(cut), "{}", String::from_utf8_lossy(cut));
        }
    }

    #[test]
    fn the_signer_is_read_from_the_signature() {
        let header = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=ab";
        assert_eq!(signer(header).as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
        assert_eq!(signer("Basic abc"), None);
    }
}
