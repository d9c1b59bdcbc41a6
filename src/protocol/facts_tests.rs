//! What IAM says becomes facts, and what it does not say becomes unread.

use super::{Watched, watch};
use crate::error::{Error, Kind, Result};
use crate::iam::{Caller, CreateFailure, Iam, KeyList, KeyUse, Proof};
use crate::model::{
    AccessKey, AccessKeyId, AccessKeyPair, AccountId, Endpoint, KeyStatus, LastUsed, Timestamp,
    UserName,
};

const OLD: &str = "AKIAIOSFODNN7EXAMPLE";
const NEW: &str = "AKIAI44QH7DHBEXAMPLE";

/// IAM of one account that lists these access keys of one user.
struct Listing {
    account: &'static str,
    keys: Vec<(&'static str, KeyStatus)>,
    owner: &'static str,
    fails: Option<&'static str>,
}

fn id(text: &str) -> AccessKeyId {
    AccessKeyId::new(text).expect("shape")
}

fn failed(what: &str) -> Error {
    Error::new(Kind::Throttled, "throttled", format!("`{what}` was throttled"))
}

impl Listing {
    fn answers(&self, what: &str) -> Result<()> {
        if self.fails == Some(what) { Err(failed(what)) } else { Ok(()) }
    }
}

impl Iam for Listing {
    fn caller(&self) -> Result<Caller> {
        self.answers("caller")?;
        Ok(Caller {
            account: AccountId::new(self.account)?,
            arn: "arn:aws:iam::123456789012:user/operator".into(),
            user: None,
            root: false,
            access_key_id: None,
            at: Timestamp(90),
        })
    }

    fn last_used(&self, _id: &AccessKeyId) -> Result<KeyUse> {
        self.answers("last_used")?;
        let last_used =
            LastUsed { at: Some(Timestamp(50)), service: "s3".into(), region: "N/A".into() };
        Ok(KeyUse { owner: UserName::new(self.owner)?, last_used, read_at: Timestamp(101) })
    }

    fn access_keys(&self, _user: &UserName) -> Result<KeyList> {
        self.answers("access_keys")?;
        let one = |(text, status): &(&str, KeyStatus)| AccessKey {
            id: id(text),
            status: status.clone(),
            created: Some(Timestamp(1)),
        };
        Ok(KeyList { keys: self.keys.iter().map(one).collect(), read_at: Timestamp(100) })
    }

    fn quarantine(&self, _user: &UserName) -> Result<Option<String>> {
        Err(failed("quarantine"))
    }

    fn create(&self, _user: &UserName) -> std::result::Result<AccessKeyPair, CreateFailure> {
        Err(CreateFailure::Refused(failed("create")))
    }

    fn set_status(&self, _user: &UserName, _id: &AccessKeyId, _status: &KeyStatus) -> Result<()> {
        Err(failed("set_status"))
    }

    fn delete(&self, _user: &UserName, _id: &AccessKeyId) -> Result<()> {
        Err(failed("delete"))
    }

    fn prove(&self, _pair: &AccessKeyPair, _region: &str) -> Result<Proof> {
        Err(failed("prove"))
    }

    fn proving_regions(&self) -> Vec<String> {
        Vec::new()
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Loopback
    }
}

fn iam() -> Listing {
    Listing {
        account: "123456789012",
        keys: vec![(OLD, KeyStatus::Active), (NEW, KeyStatus::Active)],
        owner: "logs-writer",
        fails: None,
    }
}

fn watched(iam: &Listing) -> Watched {
    let user = UserName::new("logs-writer").expect("legal");
    let account = AccountId::new("123456789012").expect("12 digits");
    watch(iam, &user, Some(&account), (&id(OLD), &id(NEW)), Timestamp(7))
}

#[test]
fn a_clean_answer_is_read_at_its_earliest_time() {
    let seen = watched(&iam());
    assert_eq!(seen.unread, Vec::<String>::new());
    assert_eq!((seen.read_at, seen.old.last_used.at), (Timestamp(100), Some(Timestamp(50))));
    assert_eq!(seen.new.status, Some(KeyStatus::Active));
}

#[test]
fn a_key_that_is_not_listed_is_gone_and_nothing_is_asked_of_it() {
    let seen = watched(&Listing { keys: vec![(NEW, KeyStatus::Active)], ..iam() });
    assert!(seen.unread.is_empty());
    assert_eq!((seen.old.status, seen.old.last_used.at), (None, None));
}

#[test]
fn the_list_of_another_account_is_no_answer() {
    let seen = watched(&Listing { account: "210987654321", keys: Vec::new(), ..iam() });
    assert_eq!(seen.unread.len(), 1);
    assert!(seen.unread[0].contains("210987654321"), "{:?}", seen.unread);
}

#[test]
fn every_call_that_fails_is_unread() {
    for fails in ["caller", "access_keys", "last_used"] {
        let seen = watched(&Listing { fails: Some(fails), ..iam() });
        assert_eq!(seen.unread, [format!("`{fails}` was throttled")]);
    }
    assert_eq!(watched(&Listing { fails: Some("access_keys"), ..iam() }).read_at, Timestamp(7));
}

#[test]
fn an_access_key_of_somebody_else_is_unread() {
    let seen = watched(&Listing { owner: "somebody", ..iam() });
    assert!(seen.unread[0].contains("somebody"), "{:?}", seen.unread);
    assert_eq!(seen.old.last_used.at, None);
}
