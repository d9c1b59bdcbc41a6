//! The name of a rotation's branch, and what its commits say of it for people.

use crate::model::{AccessKeyId, AccountId, Timestamp, UserName};

/// What the commits of a rotation's branch tell (`git interpret-trailers` form).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailers {
    /// The rotation, unique per attempt.
    pub rotation: String,
    /// The IAM user.
    pub user: UserName,
    /// The account.
    pub account: AccountId,
    /// The access key that goes.
    pub old: AccessKeyId,
    /// The access key that comes, once it exists.
    pub new: Option<AccessKeyId>,
    /// The access keys that IAM listed before.
    pub listed: Vec<AccessKeyId>,
    /// AWS's clock when the rotation began.
    pub started_at: Timestamp,
}

/// The branch of a rotation, without `refs/heads/`.
#[must_use]
pub fn branch(prefix: &str, user: &UserName, old: &AccessKeyId) -> String {
    format!("{prefix}/{}/{old}", user.in_ref())
}

impl Trailers {
    /// The message of the commit that holds the lock. It skips CI: nothing is to be built.
    #[must_use]
    pub fn lock_message(&self) -> String {
        let what = match &self.new {
            None => "Hold the rotation of an access key",
            Some(_) => "Hold the rotation of an access key: the new one exists",
        };
        format!("{what} [skip ci]\n\n{}", self.lines())
    }

    /// The message of the commit that replaces the pair.
    #[must_use]
    pub fn rewrite_message(
        &self,
        title: &str,
        places: usize,
        signed_off_by: Option<&str>,
    ) -> String {
        let mut message = format!(
            "{title}\n\nReplaces {} by {} at {}.\nMerging does not deploy by itself.\n\n{}",
            self.old,
            self.new.as_ref().map_or("a new access key", AccessKeyId::as_str),
            crate::report::plural(places, "place"),
            self.lines()
        );
        if let Some(who) = signed_off_by {
            message.push_str(&format!("Signed-off-by: {who}\n"));
        }
        message
    }

    fn lines(&self) -> String {
        let listed: Vec<&str> = self.listed.iter().map(AccessKeyId::as_str).collect();
        let mut lines = format!(
            "Keyroll-Rotation: {}\nKeyroll-User: {}\nKeyroll-Account: {}\nKeyroll-Old: {}\nKeyroll-Listed: {}\nKeyroll-Started: {}\n",
            self.rotation,
            self.user,
            self.account,
            self.old,
            listed.join(","),
            self.started_at,
        );
        if let Some(new) = &self.new {
            lines.push_str(&format!("Keyroll-New: {new}\n"));
        }
        lines
    }

    /// Reads the trailers of a commit message; `None` when it is not one of ours.
    #[must_use]
    pub fn parse(message: &str) -> Option<Self> {
        let value = |name: &str| {
            message.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let listed: Option<Vec<AccessKeyId>> =
            value("Keyroll-Listed")?.split(',').map(|id| AccessKeyId::new(id).ok()).collect();
        Some(Self {
            rotation: value("Keyroll-Rotation").filter(|id| is_rotation(id))?.to_owned(),
            user: UserName::new(value("Keyroll-User")?).ok()?,
            account: AccountId::new(value("Keyroll-Account")?).ok()?,
            old: AccessKeyId::new(value("Keyroll-Old")?).ok()?,
            new: value("Keyroll-New").and_then(|id| AccessKeyId::new(id).ok()),
            listed: listed?,
            started_at: Timestamp::parse(value("Keyroll-Started")?).ok()?,
        })
    }
}

/// Rotation ids are 32 hex digits: safe in file names and messages.
#[must_use]
fn is_rotation(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::{Trailers, branch};
    use crate::model::{AccessKeyId, AccountId, Timestamp, UserName};

    fn trailers(new: Option<&str>) -> Trailers {
        let id = |text: &str| AccessKeyId::new(text).expect("shape");
        Trailers {
            rotation: "0123456789abcdef0123456789abcdef".into(),
            user: UserName::new("logs+writer").expect("legal"),
            account: AccountId::new("123456789012").expect("12 digits"),
            old: id("AKIAIOSFODNN7EXAMPLE"),
            new: new.map(id),
            listed: vec![id("AKIAIOSFODNN7EXAMPLE")],
            started_at: Timestamp(1_700_000_000),
        }
    }

    #[test]
    fn what_a_commit_says_is_read_back() {
        for new in [None, Some("AKIAI44QH7DHBEXAMPLE")] {
            let one = trailers(new);
            assert_eq!(Trailers::parse(&one.lock_message()), Some(one.clone()));
            let message = one.rewrite_message("Rotate", 2, Some("A <a@example.com>"));
            assert_eq!(Trailers::parse(&message), Some(one));
        }
    }

    #[test]
    fn other_commits_are_not_ours() {
        assert_eq!(Trailers::parse("Fix a typo\n\nKeyroll-Rotation: ../../etc\n"), None);
        assert_eq!(Trailers::parse(""), None);
    }

    #[test]
    fn a_branch_name_is_a_legal_ref() {
        let one = trailers(None);
        assert_eq!(
            branch("keyroll/rotate", &one.user, &one.old),
            "keyroll/rotate/logs=2Bwriter/AKIAIOSFODNN7EXAMPLE"
        );
    }
}
