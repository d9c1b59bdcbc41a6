//! The memory of the simulated IAM: users, access keys, sessions, faults and counters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::uses::{Use, Uses};
use super::{Fault, issue};
use crate::error::{Error, Kind, Result};
use crate::model::{AccessKeyId, AccessKeyPair, AccountId, KeyStatus, Secret, Timestamp, visible};

/// IAM's default page.
const PAGE: usize = 100;

/// One access key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: AccessKeyId,
    pub(super) secret: Secret,
    pub(super) status: KeyStatus,
    pub(super) created: Timestamp,
    pub(super) uses: Uses,
    /// How often it is still refused although it is Active.
    pub(super) unseen: u32,
}

/// One user.
#[derive(Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) created: Timestamp,
    /// May do everything.
    pub(super) admin: bool,
    pub(super) keys: Vec<Key>,
    /// ARNs of attached policies.
    pub(super) policies: Vec<String>,
}

/// Temporary credentials of an assumed role.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) pair: AccessKeyPair,
    pub(super) token: Secret,
    pub(super) role: String,
    pub(super) name: String,
    pub(super) expires: Timestamp,
}

/// The account.
#[derive(Debug)]
pub(in crate::sandbox) struct State {
    pub(super) account: AccountId,
    pub(super) users: Vec<User>,
    /// The access keys of the root user.
    pub(super) root: Vec<Key>,
    pub(super) sessions: Vec<Session>,
    pub(super) roles: BTreeSet<String>,
    pub(super) page: usize,
    pub(super) lag: Duration,
    pub(super) unseen: u32,
    denied: BTreeSet<String>,
    faults: Vec<(String, Fault)>,
    counts: BTreeMap<String, u64>,
}

impl State {
    pub(in crate::sandbox) const fn new(account: AccountId) -> Self {
        Self {
            account,
            users: Vec::new(),
            root: Vec::new(),
            sessions: Vec::new(),
            roles: BTreeSet::new(),
            page: PAGE,
            lag: Duration::ZERO,
            unseen: 0,
            denied: BTreeSet::new(),
            faults: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Makes the user who may do everything.
    pub(in crate::sandbox) fn operator(&mut self, now: Timestamp) -> Result<AccessKeyPair> {
        self.add_user("operator", now)?;
        self.named("operator")?.admin = true;
        self.add_access_key("operator", now)
    }

    pub(in crate::sandbox) fn add_user(&mut self, name: &str, now: Timestamp) -> Result<()> {
        if self.user(name).is_some() {
            return Err(Error::bug(format!("the simulated user `{}` exists", visible(name))));
        }
        self.users.push(User {
            name: name.to_owned(),
            created: now,
            admin: false,
            keys: Vec::new(),
            policies: Vec::new(),
        });
        Ok(())
    }

    pub(in crate::sandbox) fn add_access_key(
        &mut self,
        user: &str,
        created: Timestamp,
    ) -> Result<AccessKeyPair> {
        let pair = issue::pair("AKIA", &self.account)?;
        self.import_access_key(user, &pair, created)?;
        Ok(pair)
    }

    pub(in crate::sandbox) fn import_access_key(
        &mut self,
        user: &str,
        pair: &AccessKeyPair,
        created: Timestamp,
    ) -> Result<()> {
        self.named(user)?.keys.push(Key::new(pair, created, 0));
        Ok(())
    }

    pub(in crate::sandbox) fn add_root_access_key(
        &mut self,
        created: Timestamp,
    ) -> Result<AccessKeyPair> {
        let pair = issue::pair("AKIA", &self.account)?;
        self.root.push(Key::new(&pair, created, 0));
        Ok(pair)
    }

    pub(in crate::sandbox) fn add_role(&mut self, name: &str) {
        self.roles.insert(name.to_owned());
    }

    pub(in crate::sandbox) fn use_access_key(
        &mut self,
        id: &AccessKeyId,
        service: &str,
        region: &str,
        at: Timestamp,
    ) -> bool {
        let Some(key) = self.key(id.as_str()).filter(|key| key.status == KeyStatus::Active) else {
            return false;
        };
        let (service, region) = (service.to_owned(), region.to_owned());
        key.uses.note(Use { at, service, region });
        true
    }

    pub(in crate::sandbox) fn access_keys(&self, user: &str) -> Vec<(AccessKeyId, KeyStatus)> {
        let user = self.users.iter().find(|known| known.is(user));
        user.map_or_else(Vec::new, |user| {
            user.keys.iter().map(|key| (key.id.clone(), key.status.clone())).collect()
        })
    }

    pub(in crate::sandbox) fn set_status(
        &mut self,
        id: &AccessKeyId,
        status: KeyStatus,
    ) -> Result<()> {
        self.key(id.as_str()).ok_or_else(|| unknown("access key", id.as_str()))?.status = status;
        Ok(())
    }

    pub(in crate::sandbox) fn attach_policy(&mut self, user: &str, arn: &str) -> Result<()> {
        self.named(user)?.policies.push(arn.to_owned());
        Ok(())
    }

    pub(in crate::sandbox) fn deny(&mut self, action: &str) {
        self.denied.insert(action.to_owned());
    }

    pub(super) fn is_denied(&self, action: &str) -> bool {
        self.denied.contains(action)
    }

    pub(in crate::sandbox) fn fault(&mut self, action: &str, fault: Fault, times: usize) {
        self.faults.extend((0..times).map(|_| (action.to_owned(), fault)));
    }

    /// Takes the next fault of an action, in the order in which they were asked for.
    pub(super) fn next_fault(&mut self, action: &str) -> Option<Fault> {
        let place = self.faults.iter().position(|(due, _)| due == action)?;
        Some(self.faults.remove(place).1)
    }

    pub(in crate::sandbox) const fn delay_new_access_keys(&mut self, times: u32) {
        self.unseen = times;
    }

    pub(in crate::sandbox) const fn set_last_used_lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    pub(in crate::sandbox) fn set_page_size(&mut self, entries: usize) {
        self.page = entries.clamp(1, PAGE);
    }

    pub(super) fn arrived(&mut self, action: &str) {
        *self.counts.entry(action.to_owned()).or_default() += 1;
    }

    pub(in crate::sandbox) fn count(&self, action: &str) -> u64 {
        self.counts.get(action).copied().unwrap_or_default()
    }

    /// A user by name; names are unique without regard to case.
    pub(super) fn user(&mut self, name: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.is(name))
    }

    fn named(&mut self, name: &str) -> Result<&mut User> {
        self.user(name).ok_or_else(|| unknown("user", name))
    }

    /// An access key of anybody.
    fn key(&mut self, id: &str) -> Option<&mut Key> {
        let owned = self.users.iter_mut().flat_map(|user| user.keys.iter_mut());
        owned.chain(self.root.iter_mut()).find(|key| key.id.as_str() == id)
    }
}

impl User {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Key {
    pub(super) fn new(pair: &AccessKeyPair, created: Timestamp, unseen: u32) -> Self {
        Self {
            id: pair.id.clone(),
            secret: pair.secret.duplicate(),
            status: KeyStatus::Active,
            created,
            uses: Uses::default(),
            unseen,
        }
    }
}

fn unknown(what: &str, name: &str) -> Error {
    Error::new(
        Kind::NotFound,
        "unknown-in-sandbox",
        format!("the simulated IAM has no {what} `{}`", visible(name)),
    )
}
