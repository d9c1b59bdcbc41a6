//! Access keys that nobody looks after: switched off and left behind, or older than they may be.

use super::seams::Seams;
use super::tracked::Tracked;
use crate::model::{AccessKey, AccessKeyId, KeyStatus, Timestamp, UserName};

/// An access key that is switched off and still exists: it takes the place of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The access key.
    pub id: AccessKeyId,
    /// Its user.
    pub user: UserName,
    /// Since when, as recorded; IAM does not tell.
    pub inactive_since: Option<Timestamp>,
    /// The command that removes it.
    pub next: String,
}

/// An Active access key older than `policy.max_age`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldKey {
    /// The access key.
    pub id: AccessKeyId,
    /// Its user.
    pub user: UserName,
    /// When it was created.
    pub created: Option<Timestamp>,
}

/// Asks IAM for the access keys of every user that is tracked or declared.
pub(super) fn left_and_old(
    seams: &Seams<'_>,
    all: &[Tracked],
    declared: &[UserName],
    now: Timestamp,
    unread: &mut Vec<String>,
) -> (Vec<Leftover>, Vec<OldKey>) {
    let mut users: Vec<UserName> = all.iter().map(|one| one.user.clone()).collect();
    users.extend(declared.iter().cloned());
    users.sort();
    users.dedup();
    let (mut left, mut old) = (Vec::new(), Vec::new());
    for user in users {
        let keys = match seams.iam.access_keys(&user) {
            Ok(list) => list.keys,
            Err(error) => {
                if !unread.iter().any(|known| known == error.message()) {
                    unread.push(error.message().to_owned());
                }
                continue;
            }
        };
        for key in keys {
            match key.status {
                KeyStatus::Inactive => left.push(leftover(seams, all, &user, key)),
                KeyStatus::Active if is_old(seams, &key, now) => {
                    old.push(OldKey { id: key.id, user: user.clone(), created: key.created });
                }
                _ => {}
            }
        }
    }
    (left, old)
}

/// An unknown age is no young age.
fn is_old(seams: &Seams<'_>, key: &AccessKey, now: Timestamp) -> bool {
    key.created.is_none_or(|created| now.since(created) > seams.policy.max_age)
}

fn leftover(seams: &Seams<'_>, all: &[Tracked], user: &UserName, key: AccessKey) -> Leftover {
    let id = key.id;
    let since = all.iter().find(|one| one.old == id).and_then(Tracked::inactive_since);
    let delete = format!("keyroll delete {id} --confirm {id}");
    let next = match since {
        Some(at) => format!("{delete}, from {} on", at.plus(seams.policy.soak)),
        None => format!("{delete} --inactive-since TIME, or keyroll reactivate {id}"),
    };
    Leftover { id, user: user.clone(), inactive_since: since, next }
}
