//! The simulation behind `demo` is held against the stand-ins, each on what it is right about: moto
//! for quota, last use and errors, ministack for what an Inactive access key may still do. The same
//! steps are taken on both, through the very code that the program uses.

use std::sync::Arc;
use std::time::Duration;

use keyroll::iam::{Aws, CreateFailure, Iam, Proof, Settings};
use keyroll::model::{AccessKeyId, AccessKeyPair, KeyStatus, Secret, Timestamp, UserName};
use keyroll::sandbox::{Options, Sandbox};

use crate::context::Context;
use crate::context::servers::{Ministack, Moto};

fn now() -> Timestamp {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    Timestamp(i64::try_from(since.as_secs()).unwrap())
}

fn aws(endpoint: &str, pair: AccessKeyPair) -> Aws {
    Aws::connect(&Settings {
        endpoint: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(Arc::new(pair)),
        ..Settings::default()
    })
    .unwrap()
}

fn pair(id: &str, secret: &str) -> AccessKeyPair {
    AccessKeyPair::new(AccessKeyId::new(id).unwrap(), Secret::from(secret.to_owned())).unwrap()
}

fn copy(pair: &AccessKeyPair) -> AccessKeyPair {
    AccessKeyPair { id: pair.id.clone(), secret: pair.secret.duplicate() }
}

/// A story about one user's access keys, in words that do not depend on the IDs.
fn story(iam: &dyn Iam, user: &UserName) -> Vec<String> {
    let mut told = Vec::new();
    let mut tell = |what: &str, said: String| told.push(format!("{what}: {said}"));
    let stranger = UserName::new("nobody-of-that-name").unwrap();
    let unknown = AccessKeyId::new("AKIARZPUZDIKAAAAAAAA").unwrap();
    let first = iam.create(user).unwrap();
    let second = iam.create(user).unwrap();
    tell("account of the IDs", format!("{:?}", first.id.account() == second.id.account()));
    let third = iam.create(user).err().map(|failure| match failure {
        CreateFailure::Refused(error) => format!("refused {}", error.reason()),
        CreateFailure::Ambiguous(error) => format!("ambiguous {}", error.reason()),
    });
    tell("a third access key", format!("{third:?}"));
    tell("listed", iam.access_keys(user).unwrap().keys.len().to_string());
    let unused = iam.last_used(&first.id).unwrap();
    tell("never used", format!("{:?} {:?}", unused.owner, unused.last_used));
    let proof = iam.prove(&first, "us-east-1").unwrap();
    tell("a new pair", format!("{:?}", matches!(proof, Proof::Accepted { .. })));
    let used = iam.last_used(&first.id).unwrap().last_used;
    tell("used", format!("{} {} {}", used.at.is_some(), used.service, used.region));
    iam.set_status(user, &first.id, &KeyStatus::Inactive).unwrap();
    let status = |id: &AccessKeyId| {
        let keys = iam.access_keys(user).unwrap().keys;
        keys.into_iter().find(|key| &key.id == id).map(|key| key.status)
    };
    tell("switched off", format!("{:?}", status(&first.id)));
    iam.set_status(user, &first.id, &KeyStatus::Inactive).unwrap();
    iam.delete(user, &first.id).unwrap();
    tell("deleted", format!("{:?}", status(&first.id)));
    let again = iam.delete(user, &first.id).unwrap_err();
    tell("deleted again", again.reason().to_owned());
    tell("no such key", iam.last_used(&unknown).unwrap_err().reason().to_owned());
    tell("no such user", iam.access_keys(&stranger).unwrap_err().reason().to_owned());
    tell("quarantine", format!("{:?}", iam.quarantine(user).unwrap()));
    told
}

#[test]
fn quota_last_use_and_errors_are_those_of_moto() {
    let context = Context::new();
    let Some(moto) = Moto::start(&context) else { return };
    let user = UserName::new("logs-writer").unwrap();
    moto.iam("CreateUser", &[("UserName", user.as_str())]).is(200);
    let (id, secret) = moto.user("operator");
    let on_moto = story(&aws(&moto.endpoint(), pair(&id, &secret)), &user);

    let sandbox = Sandbox::start(Options::new(now())).unwrap();
    sandbox.add_user(&user).unwrap();
    let simulated = story(&aws(sandbox.aws_endpoint(), copy(sandbox.operator())), &user);
    assert_eq!(simulated, on_moto);
}

/// What STS says of a pair that is Active, has a wrong secret, is off, and is on again.
fn door(iam: &dyn Iam, pair: &AccessKeyPair, switch: &dyn Fn(KeyStatus)) -> Vec<String> {
    let wrong = AccessKeyPair::new(pair.id.clone(), Secret::from("a".repeat(40))).unwrap();
    let ask = |pair: &AccessKeyPair| match iam.prove(pair, "us-east-1").unwrap() {
        Proof::Accepted { arn, .. } => arn.rsplit(':').next().unwrap_or_default().to_owned(),
        Proof::Rejected(code) => code,
    };
    let mut said = vec![ask(pair), ask(&wrong)];
    switch(KeyStatus::Inactive);
    said.push(ask(pair));
    switch(KeyStatus::Active);
    said.push(ask(pair));
    said
}

#[test]
fn an_inactive_key_is_refused_as_ministack_refuses_it() {
    let context = Context::new();
    let Some(ministack) = Ministack::start(&context) else { return };
    let root = ministack.root();
    root.wait(root.iam.create_user().user_name("logs-writer").send()).unwrap();
    let made = root.wait(root.iam.create_access_key().user_name("logs-writer").send()).unwrap();
    let made = made.access_key.unwrap();
    let theirs = pair(made.access_key_id(), made.secret_access_key());
    let on_ministack = door(&aws(&ministack.endpoint(), copy(&theirs)), &theirs, &|status| {
        let update = root.iam.update_access_key().user_name("logs-writer");
        let update = update.access_key_id(theirs.id.as_str()).status(status.word().into());
        root.wait(update.send()).unwrap();
    });

    let sandbox = Sandbox::start(Options::new(now())).unwrap();
    let user = UserName::new("logs-writer").unwrap();
    sandbox.add_user(&user).unwrap();
    let ours = sandbox.add_access_key(&user, Duration::ZERO).unwrap();
    let by = aws(sandbox.aws_endpoint(), copy(sandbox.operator()));
    let simulated = door(&by, &ours, &|status| sandbox.set_status(&ours.id, status).unwrap());
    assert_eq!(simulated, on_ministack);
}
