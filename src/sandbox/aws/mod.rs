//! IAM and STS behind one address, as AWS's query protocol speaks them: who signs, what is asked,
//! which fault is due. What each action does is left to `iam` and `sts`.

mod iam;
mod issue;
mod sigv4;
mod state;
mod sts;
mod uses;
mod xml;

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use state::State;

use super::clock::Clock;
use super::http::{Answer, Request};
use crate::model::Timestamp;

/// What can go wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 400 `Throttling`, before anything is done.
    Throttle,
    /// 500 `ServiceFailure`, before anything is done.
    FailBefore,
    /// 500 `ServiceFailure`, after it was done.
    FailAfter,
    /// The connection closes after it was done.
    DropAnswer,
    /// The answer ends after so many bytes, with a length that says so.
    CutAnswer(usize),
    /// The answer comes so much later.
    DelayAnswer(Duration),
}

impl Fault {
    /// Whether the request is never carried out.
    const fn comes_first(self) -> bool {
        matches!(self, Self::Throttle | Self::FailBefore)
    }
}

/// Who signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Principal {
    /// An IAM user and whether it may do everything; nobody else may do anything here.
    User { name: String, admin: bool },
    /// The account's root user.
    Root,
    /// A role, assumed by somebody who may.
    Role { name: String, session: String },
}

/// The parameters of one request.
type Params = BTreeMap<String, String>;

/// What AWS says instead of doing it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

/// What an action works with beside the state.
struct Asked<'a> {
    params: &'a Params,
    principal: &'a Principal,
    now: Timestamp,
}

impl Asked<'_> {
    fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.param(name).ok_or_else(|| {
            let what = format!("The request must contain the parameter {name}.");
            Refusal::new(400, "MissingParameter", what)
        })
    }
}

/// Answers one request.
pub(super) fn answer(state: &mut State, request: &Request, clock: &Clock) -> Answer {
    let params: Params = url::form_urlencoded::parse(&request.body)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let action = params.get("Action").cloned().unwrap_or_default();
    let namespace = xml::namespace(params.get("Version").map_or("", String::as_str));
    state.arrived(&action);
    let fault = state.next_fault(&action);
    let result = match fault {
        Some(Fault::Throttle) => Err(Refusal::new(400, "Throttling", "Rate exceeded")),
        Some(Fault::FailBefore) => Err(failure()),
        _ => sigv4::authenticate(state, request, clock).and_then(|principal| {
            let asked = Asked { params: &params, principal: &principal, now: clock.now() };
            carry_out(state, &action, &asked)
        }),
    };
    let result = match fault {
        Some(Fault::FailAfter) => result.and(Err(failure())),
        _ => result,
    };
    let (status, body) = match &result {
        Ok(inner) => (200, xml::success(&action, namespace, inner)),
        Err(refusal) => (refusal.status, xml::refusal(namespace, refusal)),
    };
    let answer = Answer {
        status,
        headers: vec![("content-type", "text/xml".to_owned())],
        body: body.into_bytes(),
        ..Answer::default()
    };
    after(answer, fault.filter(|fault| !fault.comes_first()))
}

fn failure() -> Refusal {
    let what = "The request processing has failed because of an unknown error.";
    Refusal::new(500, "ServiceFailure", what)
}

fn after(mut answer: Answer, fault: Option<Fault>) -> Answer {
    match fault {
        Some(Fault::DropAnswer) => answer.dropped = true,
        Some(Fault::CutAnswer(bytes)) => answer.body.truncate(bytes),
        Some(Fault::DelayAnswer(length)) => answer.delay = length,
        _ => {}
    }
    answer
}

/// Checks the permission and does it. The inner XML of the result comes back.
fn carry_out(state: &mut State, action: &str, asked: &Asked<'_>) -> Result<String, Refusal> {
    // No policy can deny this one.
    if action == "GetCallerIdentity" {
        return Ok(sts::get_caller_identity(state, asked));
    }
    permit(state, action, asked)?;
    match action {
        "AssumeRole" => sts::assume_role(state, asked),
        "CreateUser" => iam::create_user(state, asked),
        "GetUser" => iam::get_user(state, asked),
        "CreateAccessKey" => iam::create_access_key(state, asked),
        "ListAccessKeys" => iam::list_access_keys(state, asked),
        "GetAccessKeyLastUsed" => iam::get_access_key_last_used(state, asked),
        "UpdateAccessKey" => iam::update_access_key(state, asked),
        "DeleteAccessKey" => iam::delete_access_key(state, asked),
        "ListAttachedUserPolicies" => iam::list_attached_user_policies(state, asked),
        _ => Err(Refusal::new(
            400,
            "InvalidAction",
            format!("Could not find operation {action} for the version that was asked for"),
        )),
    }
}

fn permit(state: &State, action: &str, asked: &Asked<'_>) -> Result<(), Refusal> {
    let allowed = match asked.principal {
        Principal::User { admin, .. } => *admin,
        Principal::Root | Principal::Role { .. } => true,
    };
    if allowed && !state.is_denied(action) {
        return Ok(());
    }
    let service = if action == "AssumeRole" { "sts" } else { "iam" };
    let who = sts::arn(state, asked.principal);
    let on = asked
        .param("UserName")
        .map_or_else(String::new, |user| format!(" on resource: user {user}"));
    Err(Refusal::new(
        403,
        "AccessDenied",
        format!(
            "User: {who} is not authorized to perform: {service}:{action}{on} because no identity-based policy allows the {service}:{action} action"
        ),
    ))
}
