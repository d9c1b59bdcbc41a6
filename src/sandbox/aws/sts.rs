//! What the simulated STS does: who am I, and assuming a role.

use std::time::Duration;

use super::state::{Session, State};
use super::xml::{element, nest};
use super::{Asked, Principal, Refusal, issue};

/// `GetCallerIdentity`.
pub(super) fn get_caller_identity(state: &State, asked: &Asked<'_>) -> String {
    let id = match asked.principal {
        Principal::User { name, .. } => format!("AIDA{:A<17}", name.to_ascii_uppercase()),
        Principal::Root => state.account.to_string(),
        Principal::Role { session, .. } => format!("AROAAAAAAAAAAAAAAAAAA:{session}"),
    };
    [
        element("Arn", &arn(state, asked.principal)),
        element("UserId", &id),
        element("Account", state.account.as_str()),
    ]
    .concat()
}

/// The ARN that STS shows.
pub(super) fn arn(state: &State, principal: &Principal) -> String {
    let account = &state.account;
    match principal {
        Principal::User { name, .. } => format!("arn:aws:iam::{account}:user/{name}"),
        Principal::Root => format!("arn:aws:iam::{account}:root"),
        Principal::Role { name, session } => {
            format!("arn:aws:sts::{account}:assumed-role/{name}/{session}")
        }
    }
}

/// `AssumeRole`: the role must exist, and root cannot.
pub(super) fn assume_role(state: &mut State, asked: &Asked<'_>) -> Result<String, Refusal> {
    let wanted = asked.required("RoleArn")?;
    let session = asked.required("RoleSessionName")?;
    let seconds = asked.param("DurationSeconds").unwrap_or("3600").parse().unwrap_or(0);
    if !(900..=43_200).contains(&seconds) {
        return Err(Refusal::new(400, "ValidationError", "DurationSeconds is out of range"));
    }
    let prefix = format!("arn:aws:iam::{}:role/", state.account);
    let role = wanted.strip_prefix(&prefix).filter(|role| state.roles.contains(*role));
    let (Some(role), false) = (role, *asked.principal == Principal::Root) else {
        let who = arn(state, asked.principal);
        return Err(Refusal::new(
            403,
            "AccessDenied",
            format!(
                "User: {who} is not authorized to perform: sts:AssumeRole on resource: {wanted}"
            ),
        ));
    };
    let failed = |error: crate::Error| Refusal::new(500, "InternalFailure", error.message());
    let opened = Session {
        pair: issue::pair("ASIA", &state.account).map_err(failed)?,
        token: issue::session_token().map_err(failed)?,
        role: role.to_owned(),
        name: session.to_owned(),
        expires: asked.now.plus(Duration::from_secs(seconds)),
    };
    let shown = described(state, &opened);
    state.sessions.push(opened);
    Ok(shown)
}

fn described(state: &State, session: &Session) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let credentials = [
        element("AccessKeyId", session.pair.id.as_str()),
        element("SecretAccessKey", &text(session.pair.secret.expose())),
        element("SessionToken", &text(session.token.expose())),
        element("Expiration", &session.expires.to_string()),
    ];
    let principal = Principal::Role { name: session.role.clone(), session: session.name.clone() };
    let user = [
        element("AssumedRoleId", &format!("AROAAAAAAAAAAAAAAAAAA:{}", session.name)),
        element("Arn", &arn(state, &principal)),
    ];
    [nest("Credentials", &credentials.concat()), nest("AssumedRoleUser", &user.concat())].concat()
}
