//! What went wrong in a call to AWS, in our words. It decides between refused, lost and
//! unreachable from evidence only; what follows from that is left to the calls.

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};

use super::trace::Trace;
use crate::error::{Error, Kind, Result};
use crate::model::{Timestamp, visible};

/// How much of a service's own text is shown.
const SHOWN: usize = 300;

/// What was asked, for the sentence.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The IAM action, such as `iam:ListAccessKeys`.
    pub(super) action: &'static str,
    /// The user or access key, made visible; empty when there is none.
    pub(super) subject: String,
    /// What `NoSuchEntity` means here.
    pub(super) missing: Missing,
}

/// What does not exist when IAM says `NoSuchEntity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    User,
    AccessKey,
}

/// How far the call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing left this machine: no credentials, no connection.
    NotSent,
    /// Sent, and no answer.
    Lost,
    /// Answered by something that could not be read to its end.
    Cut,
    /// The service answered with this HTTP status.
    Answered(u16),
}

/// One failed call.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) stage: Stage,
    /// The service's code; empty without an answer.
    pub(super) code: String,
    /// The service's or the client's text.
    pub(super) text: String,
}

impl Failure {
    /// Reads the SDK's error together with what the trace saw.
    pub(super) fn read<E>(error: &SdkError<E, HttpResponse>, trace: &Trace) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let stage = match error {
            // Success in the status line and no readable document behind it.
            SdkError::ServiceError(context) if context.raw().status().is_success() => Stage::Cut,
            SdkError::ResponseError(_) => Stage::Cut,
            SdkError::ServiceError(context) => Stage::Answered(context.raw().status().as_u16()),
            _ if !trace.sent() || never_connected(error) => Stage::NotSent,
            _ => Stage::Lost,
        };
        let code = error.code().unwrap_or_default().to_owned();
        let text = error.message().map_or_else(|| chain(error), str::to_owned);
        let text = match (stage, trace.address()) {
            // Who does not answer must be named: it may be an endpoint that nobody meant.
            (Stage::NotSent | Stage::Lost, Some(address)) if !is_about_credentials(&text) => {
                format!("{}: {text}", address.trim_end_matches('/'))
            }
            _ => text,
        };
        Self { stage, code, text }
    }

    /// Whether the service is known to have refused before it carried anything out. What is not
    /// in this list may have happened.
    pub(super) fn refused_before_execution(&self) -> bool {
        let client_error = match self.stage {
            Stage::NotSent => return true,
            Stage::Lost | Stage::Cut => return false,
            Stage::Answered(status) => (400..500).contains(&status),
        };
        let known = is_throttle(&self.code)
            || is_denied(&self.code)
            || is_expired(&self.code)
            || is_bad_signature(&self.code)
            || matches!(
                self.code.as_str(),
                "NoSuchEntity"
                    | "LimitExceeded"
                    | "ConcurrentModification"
                    | "EntityTemporarilyUnmodifiable"
                    | "ValidationError"
                    | "InvalidInput"
                    | "InvalidAction"
                    | "InvalidParameterValue"
                    | "InvalidParameterCombination"
                    | "InvalidQueryParameter"
                    | "MalformedQueryString"
                    | "MissingAction"
                    | "MissingParameter"
                    | "OptInRequired"
            );
        client_error && known
    }

    /// The error for the user.
    pub(super) fn explain(&self, call: &Call) -> Error {
        match self.stage {
            Stage::NotSent if is_about_credentials(&self.text) => self.credentials(call),
            Stage::NotSent | Stage::Lost => self.unreachable(call),
            Stage::Cut => cut(call),
            Stage::Answered(status) => self.answered(call, status),
        }
    }

    fn credentials(&self, call: &Call) -> Error {
        let shown = shorten(&self.text);
        if self.text.contains("AccessDenied") {
            return Error::new(
                Kind::Denied,
                "access-denied",
                format!("AWS denied `sts:AssumeRole`: {shown}"),
            )
            .hint("the role's trust policy must name who signs, see --aws-role-arn");
        }
        if ["ExpiredToken", "expired", "Expired"].iter().any(|word| self.text.contains(word)) {
            return expired(call, &shown);
        }
        Error::new(
            Kind::Denied,
            "no-credentials",
            format!("no AWS credentials were found for `{}`: {shown}", call.action),
        )
        .hint("set AWS_PROFILE or give --aws-profile, or log in with `aws sso login`")
    }

    fn unreachable(&self, call: &Call) -> Error {
        let what = if self.stage == Stage::Lost {
            "was sent and no answer came back"
        } else {
            "could not be sent"
        };
        Error::new(
            Kind::Network,
            "unreachable",
            format!("`{}` {what}: {}", call.action, shorten(&self.text)),
        )
        .hint("check the network, the proxy and --aws-endpoint, then run the same command again")
    }

    fn answered(&self, call: &Call, status: u16) -> Error {
        let Call { action, subject, .. } = call;
        let shown = shorten(&self.text);
        let code = self.code.as_str();
        if is_throttle(code) {
            return Error::new(
                Kind::Throttled,
                "throttled",
                format!("AWS throttled `{action}`: {shown}"),
            )
            .hint("run the same command again in a minute");
        }
        if is_denied(code) {
            return self.denied(call);
        }
        if is_expired(code) {
            return expired(call, &shown);
        }
        if is_bad_signature(code) {
            return Error::new(
                Kind::Denied,
                "invalid-credentials",
                format!("AWS does not accept the credentials of `{action}` ({code}): {shown}"),
            )
            .hint("check AWS_PROFILE and the AWS_* variables; a local clock that is off by more than 15 minutes does this too");
        }
        match (code, call.missing) {
            ("NoSuchEntity", Missing::AccessKey) => unknown_access_key(subject),
            ("NoSuchEntity", Missing::User) => Error::new(
                Kind::NotFound,
                "unknown-user",
                format!("this AWS account has no IAM user `{subject}`"),
            )
            .hint("check the user name and the account that --aws-profile signs for"),
            ("LimitExceeded", _) if *action == "iam:CreateAccessKey" => Error::refused(
                "two-access-keys",
                format!("`{subject}` already has two access keys, the most that IAM allows"),
            )
            .hint("see both with `keyroll status`, and finish or undo the rotation that is open"),
            _ => Error::new(
                if status >= 500 { Kind::Network } else { Kind::Denied },
                "service-error",
                format!("AWS answered `{action}` with {status} {}: {shown}", shorten(code)),
            ),
        }
    }

    fn denied(&self, call: &Call) -> Error {
        let Call { action, subject, .. } = call;
        let error = Error::new(
            Kind::Denied,
            "access-denied",
            format!("AWS denied `{action}`: {}", shorten(&self.text)),
        )
        .hint("`keyroll policy` prints the permissions that are needed");
        if *action == "iam:GetAccessKeyLastUsed" {
            return error.hint(format!(
                "an access key of another account is answered the same way: {subject}"
            ));
        }
        error
    }
}

fn expired(call: &Call, shown: &str) -> Error {
    Error::new(
        Kind::Denied,
        "expired-credentials",
        format!("the AWS credentials for `{}` have expired: {shown}", call.action),
    )
    .hint("log in again, for instance with `aws sso login`, then run the same command")
}

/// IAM does not show the access key to this account.
pub(super) fn unknown_access_key(id: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "unknown-access-key",
        format!("IAM does not know the access key `{id}` in this account"),
    )
    .hint("it is deleted, or belongs to another account: check --aws-profile")
}

/// A call that succeeded, with AWS's clock; a cut answer or one without a clock is none.
pub(super) fn whole<T, E>(
    answer: std::result::Result<T, SdkError<E, HttpResponse>>,
    trace: &Trace,
    call: &Call,
) -> Result<(T, Timestamp)>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let value = answer.map_err(|error| Failure::read(&error, trace).explain(call))?;
    if trace.cut() {
        return Err(cut(call));
    }
    let at = trace.at().ok_or_else(|| {
        implausible(call, "the answer bears no date, and AWS's clock is the only one that counts")
    })?;
    Ok((value, at))
}

/// The answer ended before its document did.
pub(super) fn cut(call: &Call) -> Error {
    Error::new(
        Kind::Network,
        "cut-answer",
        format!("the answer of `{}` ends in the middle", call.action),
    )
    .hint("a proxy on the way may cut answers; run the same command again")
}

/// The answer is whole and makes no sense.
pub(super) fn implausible(call: &Call, what: &str) -> Error {
    Error::new(
        Kind::Network,
        "service-error",
        format!("`{}` was answered implausibly: {what}", call.action),
    )
    .hint("is the endpoint really AWS? see --aws-endpoint and AWS_ENDPOINT_URL")
}

/// The messages of an error and of what caused it. Never its `Debug`, which shows whole requests.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = error.source();
    }
    text
}

/// Whether the connection was never made: the request cannot have arrived.
fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return error.is_connect();
        }
        next = error.source();
    }
    false
}

fn shorten(text: &str) -> String {
    let shown = visible(text.trim_end_matches('.'));
    match shown.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

fn is_about_credentials(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["credential", "sso token", "assumerole", "identity"].iter().any(|word| text.contains(word))
        && !text.contains("client error (connect)")
}

fn is_throttle(code: &str) -> bool {
    code.starts_with("Throttl")
        || matches!(
            code,
            "RequestLimitExceeded" | "TooManyRequestsException" | "RequestThrottled" | "SlowDown"
        )
}

fn is_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized"
    )
}

fn is_expired(code: &str) -> bool {
    matches!(code, "ExpiredToken" | "ExpiredTokenException")
}

fn is_bad_signature(code: &str) -> bool {
    matches!(
        code,
        "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "RequestExpired"
            | "InvalidAccessKeyId"
    )
}

#[cfg(test)]
mod tests {
    use super::{Call, Failure, Missing, Stage};

    fn failure(stage: Stage, code: &str, text: &str) -> Failure {
        Failure { stage, code: code.to_owned(), text: text.to_owned() }
    }

    fn call(action: &'static str, missing: Missing) -> Call {
        Call { action, subject: "alice".to_owned(), missing }
    }

    #[test]
    fn only_what_is_known_to_be_refused_counts_as_refused() {
        let refused = |stage, code| failure(stage, code, "").refused_before_execution();
        for (status, code) in [
            (403, "AccessDenied"),
            (403, "InvalidClientTokenId"),
            (403, "SignatureDoesNotMatch"),
            (403, "ExpiredToken"),
            (400, "RequestExpired"),
            (404, "NoSuchEntity"),
            (409, "LimitExceeded"),
            (409, "ConcurrentModification"),
            (400, "Throttling"),
            (400, "ThrottlingException"),
            (400, "ValidationError"),
        ] {
            assert!(refused(Stage::Answered(status), code), "{status} {code}");
        }
        for (status, code) in [
            (500, "ServiceFailure"),
            (503, "ServiceUnavailable"),
            (503, "Throttling"),
            (400, ""),
            (403, "Forbidden"),
            (400, "RequestTimeout"),
            (200, "NoSuchEntity"),
        ] {
            assert!(!refused(Stage::Answered(status), code), "{status} {code}");
        }
        assert!(refused(Stage::NotSent, ""));
        assert!(!refused(Stage::Lost, "AccessDenied"));
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn each_trouble_has_its_own_word() {
        let list = call("iam:ListAccessKeys", Missing::User);
        let last = call("iam:GetAccessKeyLastUsed", Missing::AccessKey);
        let create = call("iam:CreateAccessKey", Missing::User);
        let loaded = "failed to load: the credential provider was not enabled";
        let sso = "credentials: the SSO session has expired or is invalid";
        for (call, failure, reason, exit) in [
            (&list, failure(Stage::NotSent, "", loaded), "no-credentials", "denied"),
            (&list, failure(Stage::NotSent, "", sso), "expired-credentials", "denied"),
            (&list, failure(Stage::NotSent, "", "connection refused"), "unreachable", "network"),
            (&list, failure(Stage::Lost, "", "io error"), "unreachable", "network"),
            (
                &list,
                failure(Stage::Answered(403), "ExpiredToken", ""),
                "expired-credentials",
                "denied",
            ),
            (
                &list,
                failure(Stage::Answered(403), "InvalidClientTokenId", ""),
                "invalid-credentials",
                "denied",
            ),
            (&list, failure(Stage::Answered(403), "AccessDenied", ""), "access-denied", "denied"),
            (&last, failure(Stage::Answered(403), "AccessDenied", ""), "access-denied", "denied"),
            (
                &last,
                failure(Stage::Answered(404), "NoSuchEntity", ""),
                "unknown-access-key",
                "not-found",
            ),
            (&list, failure(Stage::Answered(404), "NoSuchEntity", ""), "unknown-user", "not-found"),
            (&list, failure(Stage::Answered(400), "Throttling", ""), "throttled", "throttled"),
            (
                &create,
                failure(Stage::Answered(409), "LimitExceeded", ""),
                "two-access-keys",
                "refused",
            ),
            (
                &list,
                failure(Stage::Answered(500), "ServiceFailure", ""),
                "service-error",
                "network",
            ),
        ] {
            let error = failure.explain(call);
            assert_eq!((error.reason(), error.kind().word()), (reason, exit), "{failure:?}");
        }
        let denied = failure(Stage::Answered(403), "AccessDenied", "no").explain(&last);
        assert!(denied.message().contains("iam:GetAccessKeyLastUsed"));
        assert!(denied.hints().iter().any(|hint| hint.contains("another account")));
    }

    #[test]
    fn a_service_cannot_write_on_the_terminal_or_at_length() {
        let text = format!("\u{1b}[2K{}", "x".repeat(1000));
        let error = failure(Stage::Answered(500), "\u{1b}", &text)
            .explain(&call("iam:ListAccessKeys", Missing::User));
        assert!(!error.message().contains('\u{1b}'));
        assert!(error.message().chars().count() < 500);
    }
}
