//! What the simulated IAM does, action by action, with the words and status codes of the IAM API
//! reference. Who may do it is settled before.

use super::state::{Key, State, User};
use super::xml::{element, nest};
use super::{Asked, Principal, Refusal, issue};
use crate::model::{KeyStatus, UserName};

/// The quota that nobody can raise.
const QUOTA: usize = 2;

type Done = Result<String, Refusal>;

/// `CreateUser`.
pub(super) fn create_user(state: &mut State, asked: &Asked<'_>) -> Done {
    let name = asked.required("UserName")?;
    UserName::new(name).map_err(|_| {
        invalid("The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")
    })?;
    if state.user(name).is_some() {
        return Err(Refusal::new(
            409,
            "EntityAlreadyExists",
            format!("User with name {name} already exists."),
        ));
    }
    state.add_user(name, asked.now).map_err(|error| invalid(error.message()))?;
    get_user(state, asked)
}

/// `GetUser`.
pub(super) fn get_user(state: &mut State, asked: &Asked<'_>) -> Done {
    let account = state.account.clone();
    let user = user(state, asked)?;
    let name = &user.name;
    let shown = [
        element("Path", "/"),
        element("UserName", name),
        element("UserId", &format!("AIDA{:A<17}", name.to_ascii_uppercase())),
        element("Arn", &format!("arn:aws:iam::{account}:user/{name}")),
        element("CreateDate", &user.created.to_string()),
    ];
    Ok(nest("User", &shown.concat()))
}

/// `CreateAccessKey`: at most two per user, and the secret is shown once.
pub(super) fn create_access_key(state: &mut State, asked: &Asked<'_>) -> Done {
    let (account, unseen) = (state.account.clone(), state.unseen);
    let user = user(state, asked)?;
    if user.keys.len() >= QUOTA {
        return Err(Refusal::new(
            409,
            "LimitExceeded",
            format!("Cannot exceed quota for AccessKeysPerUser: {QUOTA}"),
        ));
    }
    let pair = issue::pair("AKIA", &account)
        .map_err(|error| Refusal::new(500, "ServiceFailure", error.message()))?;
    let key = Key::new(&pair, asked.now, unseen);
    let secret =
        zeroize::Zeroizing::new(String::from_utf8_lossy(pair.secret.expose()).into_owned());
    let shown = [
        element("UserName", &user.name),
        element("AccessKeyId", key.id.as_str()),
        element("Status", key.status.word()),
        element("SecretAccessKey", &secret),
        element("CreateDate", &key.created.to_string()),
    ];
    user.keys.push(key);
    Ok(nest("AccessKey", &shown.concat()))
}

/// `ListAccessKeys`, in pages.
pub(super) fn list_access_keys(state: &mut State, asked: &Asked<'_>) -> Done {
    let page = state.page;
    let user = user(state, asked)?;
    let mut members = Vec::new();
    for key in &user.keys {
        let shown = [
            element("UserName", &user.name),
            element("AccessKeyId", key.id.as_str()),
            element("Status", key.status.word()),
            element("CreateDate", &key.created.to_string()),
        ];
        members.push(nest("member", &shown.concat()));
    }
    paged(asked, page, "AccessKeyMetadata", &members)
}

/// `ListAttachedUserPolicies`, in pages.
pub(super) fn list_attached_user_policies(state: &mut State, asked: &Asked<'_>) -> Done {
    let page = state.page;
    let user = user(state, asked)?;
    let mut members = Vec::new();
    for arn in &user.policies {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let shown = [element("PolicyName", name), element("PolicyArn", arn)];
        members.push(nest("member", &shown.concat()));
    }
    paged(asked, page, "AttachedPolicies", &members)
}

/// One page of a list: `MaxItems` or less, with a marker where more follows.
fn paged(asked: &Asked<'_>, page: usize, name: &str, members: &[String]) -> Done {
    let most = match asked.param("MaxItems").map(str::parse::<usize>) {
        None => page,
        Some(Ok(items)) if (1..=1000).contains(&items) => page.min(items),
        Some(_) => return Err(invalid("Value at 'maxItems' failed to satisfy constraint")),
    };
    let start = match asked.param("Marker").map(|marker| marker.strip_prefix("page-")) {
        None => 0,
        Some(marker) => marker
            .and_then(|marker| marker.parse::<usize>().ok())
            .filter(|start| *start <= members.len())
            .ok_or_else(|| invalid("Invalid Marker."))?,
    };
    let end = members.len().min(start + most);
    let truncated = end < members.len();
    let mut shown = nest(name, &members[start..end].concat());
    shown.push_str(&element("IsTruncated", &truncated.to_string()));
    if truncated {
        shown.push_str(&element("Marker", &format!("page-{end}")));
    }
    Ok(shown)
}

/// `GetAccessKeyLastUsed`. A use older than the lag is shown; none is `N/A` without a date.
pub(super) fn get_access_key_last_used(state: &mut State, asked: &Asked<'_>) -> Done {
    let id = asked.required("AccessKeyId")?;
    let until = asked.now.minus(state.lag);
    let found = state
        .users
        .iter()
        .find_map(|user| user.keys.iter().find(|key| key.id.as_str() == id).map(|key| (user, key)));
    let (user, key) = found.ok_or_else(|| no_such_key(id))?;
    let used = match key.uses.recorded(until) {
        None => [element("ServiceName", "N/A"), element("Region", "N/A")].concat(),
        Some(used) => [
            element("LastUsedDate", &used.at.to_string()),
            element("ServiceName", &used.service),
            element("Region", &used.region),
        ]
        .concat(),
    };
    Ok([element("UserName", &user.name), nest("AccessKeyLastUsed", &used)].concat())
}

/// `UpdateAccessKey`: sets a state.
pub(super) fn update_access_key(state: &mut State, asked: &Asked<'_>) -> Done {
    let id = asked.required("AccessKeyId")?;
    let status = match asked.required("Status")? {
        "Active" => KeyStatus::Active,
        "Inactive" => KeyStatus::Inactive,
        _ => {
            return Err(invalid(
                "Value at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]",
            ));
        }
    };
    let user = user(state, asked)?;
    let key = user.keys.iter_mut().find(|key| key.id.as_str() == id);
    key.ok_or_else(|| no_such_key(id))?.status = status;
    Ok(String::new())
}

/// `DeleteAccessKey`: for good.
pub(super) fn delete_access_key(state: &mut State, asked: &Asked<'_>) -> Done {
    let id = asked.required("AccessKeyId")?;
    let user = user(state, asked)?;
    let place = user.keys.iter().position(|key| key.id.as_str() == id);
    user.keys.remove(place.ok_or_else(|| no_such_key(id))?);
    Ok(String::new())
}

/// The user that is named, else the one that signs.
fn user<'s>(state: &'s mut State, asked: &Asked<'_>) -> Result<&'s mut User, Refusal> {
    let name = match (asked.param("UserName"), asked.principal) {
        (Some(name), _) => name,
        (None, Principal::User { name, .. }) => name.as_str(),
        (None, _) => {
            return Err(invalid("Must specify userName when calling with non-User credentials"));
        }
    };
    let missing =
        || Refusal::new(404, "NoSuchEntity", format!("The user with name {name} cannot be found."));
    state.user(name).ok_or_else(missing)
}

fn no_such_key(id: &str) -> Refusal {
    Refusal::new(404, "NoSuchEntity", format!("The Access Key with id {id} cannot be found."))
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(400, "ValidationError", what)
}
