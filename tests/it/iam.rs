//! The AWS client against the simulated IAM and STS over real HTTP: both sides of the contract
//! must agree.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keyroll::iam::{Aws, CreateFailure, Iam as _, Proof, Settings, TimeOuts};
use keyroll::model::{
    AccessKeyId, AccessKeyPair, Endpoint, KeyStatus, Secret, Timestamp, UserName,
};
use keyroll::sandbox::{ACCOUNT, Fault, Options, Sandbox};

const DAY: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);

#[expect(clippy::disallowed_methods, reason = "the client under test signs with the real clock")]
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Timestamp(i64::try_from(now.as_secs()).expect("a date"))
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::start(Options::new(now())).expect("a sandbox");
    sandbox.add_user(&alice()).expect("a new user");
    sandbox
}

fn alice() -> UserName {
    UserName::new("alice").expect("a name")
}

fn copy(pair: &AccessKeyPair) -> AccessKeyPair {
    AccessKeyPair { id: pair.id.clone(), secret: pair.secret.duplicate() }
}

fn settings(sandbox: &Sandbox, pair: &AccessKeyPair) -> Settings {
    Settings {
        region: Some("eu-west-1".to_owned()),
        endpoint: Some(sandbox.aws_endpoint().to_owned()),
        credentials: Some(Arc::new(copy(pair))),
        time_outs: TimeOuts { read: Duration::from_secs(2), ..TimeOuts::default() },
        ..Settings::default()
    }
}

fn signed_by(sandbox: &Sandbox, pair: &AccessKeyPair) -> Aws {
    Aws::connect(&settings(sandbox, pair)).expect("a client")
}

fn aws(sandbox: &Sandbox) -> Aws {
    signed_by(sandbox, sandbox.operator())
}

fn ids(aws: &Aws) -> Vec<AccessKeyId> {
    aws.access_keys(&alice()).expect("a list").keys.into_iter().map(|key| key.id).collect()
}

#[test]
fn the_caller_is_the_operator() {
    let sandbox = sandbox();
    let caller = aws(&sandbox).caller().expect("an answer");
    assert_eq!(caller.account.as_str(), ACCOUNT);
    assert_eq!(caller.user.as_ref().map(UserName::as_str), Some("operator"));
    assert_eq!(caller.access_key_id.as_ref(), Some(&sandbox.operator().id));
    assert!(!caller.root);
    assert!(caller.at.since(now()) < MINUTE && now().since(caller.at) < MINUTE);
    assert_eq!(aws(&sandbox).endpoint(), Endpoint::Loopback);
    let root = sandbox.add_root_access_key().expect("a pair");
    let caller = signed_by(&sandbox, &root).caller().expect("an answer");
    assert!(caller.root && caller.user.is_none());
}

#[test]
fn an_access_key_lives_from_creation_to_deletion() {
    let sandbox = sandbox();
    let aws = aws(&sandbox);
    let pair = aws.create(&alice()).expect("a pair");
    assert_eq!(pair.id.account().as_ref().map(|account| account.as_str()), Some(ACCOUNT));
    let list = aws.access_keys(&alice()).expect("a list");
    assert_eq!((list.keys.len(), &list.keys[0].id), (1, &pair.id));
    assert!(list.keys[0].created.is_some());
    let used = aws.last_used(&pair.id).expect("an answer");
    assert_eq!((used.owner.as_str(), used.last_used.at), ("alice", None));
    assert_eq!((used.last_used.service.as_str(), used.last_used.region.as_str()), ("N/A", "N/A"));

    let proof = aws.prove(&pair, "eu-west-1").expect("an answer");
    let Proof::Accepted { account, arn, .. } = proof else { panic!("{proof:?}") };
    assert_eq!((account.as_str(), arn.as_str()), (ACCOUNT, "arn:aws:iam::123456789012:user/alice"));
    let used = aws.last_used(&pair.id).expect("an answer").last_used;
    assert_eq!((used.service.as_str(), used.region.as_str()), ("sts", "eu-west-1"));

    aws.set_status(&alice(), &pair.id, &KeyStatus::Inactive).expect("switched off");
    assert_eq!(aws.access_keys(&alice()).expect("a list").keys[0].status, KeyStatus::Inactive);
    let proof = aws.prove(&pair, "eu-west-1").expect("an answer");
    assert_eq!(proof, Proof::Rejected("InvalidClientTokenId".to_owned()));
    aws.set_status(&alice(), &pair.id, &KeyStatus::Active).expect("switched on");
    assert!(matches!(aws.prove(&pair, "eu-west-1"), Ok(Proof::Accepted { .. })));

    aws.delete(&alice(), &pair.id).expect("deleted");
    assert!(ids(&aws).is_empty());
    for gone in [
        aws.delete(&alice(), &pair.id).expect_err("gone"),
        aws.set_status(&alice(), &pair.id, &KeyStatus::Active).expect_err("gone"),
        aws.last_used(&pair.id).expect_err("gone"),
    ] {
        assert_eq!(gone.reason(), "unknown-access-key");
    }
}

#[test]
fn a_wrong_secret_is_refused_by_the_signature() {
    let sandbox = sandbox();
    let aws = aws(&sandbox);
    let mut pair = aws.create(&alice()).expect("a pair");
    pair.secret = Secret::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned());
    let proof = aws.prove(&pair, "us-east-1").expect("an answer");
    assert_eq!(proof, Proof::Rejected("SignatureDoesNotMatch".to_owned()));
    assert_eq!(aws.last_used(&pair.id).expect("an answer").last_used.at, None);
    let error = signed_by(&sandbox, &pair).caller().expect_err("refused");
    assert_eq!(error.reason(), "invalid-credentials");
}

#[test]
fn the_quota_is_two() {
    let sandbox = sandbox();
    let aws = aws(&sandbox);
    aws.create(&alice()).expect("the first");
    aws.create(&alice()).expect("the second");
    let Err(CreateFailure::Refused(error)) = aws.create(&alice()) else { panic!("a third") };
    assert_eq!(error.reason(), "two-access-keys");
    assert_eq!(sandbox.count("CreateAccessKey"), 3);
}

#[test]
fn pages_are_followed() {
    let sandbox = sandbox();
    let aws = aws(&sandbox);
    let made = [aws.create(&alice()).expect("one").id, aws.create(&alice()).expect("two").id];
    sandbox.set_page_size(1);
    assert_eq!(ids(&aws), made);
    assert_eq!(sandbox.count("ListAccessKeys"), 2);
}

#[test]
fn who_may_not_is_told_what_is_missing() {
    let sandbox = sandbox();
    let pair = sandbox.add_access_key(&alice(), DAY).expect("a pair");
    let error = signed_by(&sandbox, &pair).access_keys(&alice()).expect_err("denied");
    assert_eq!(error.reason(), "access-denied");
    assert!(error.message().contains("iam:ListAccessKeys"), "{}", error.message());
    sandbox.deny("DeleteAccessKey");
    let error = aws(&sandbox).delete(&alice(), &pair.id).expect_err("denied");
    assert_eq!(error.reason(), "access-denied");
    let nobody = UserName::new("nobody").expect("a name");
    assert_eq!(aws(&sandbox).access_keys(&nobody).expect_err("none").reason(), "unknown-user");
}

#[test]
fn a_dropped_answer_leaves_a_key_behind_and_is_sent_once() {
    let sandbox = sandbox();
    let aws = aws(&sandbox);
    for fault in [
        Fault::DropAnswer,
        Fault::FailAfter,
        Fault::CutAnswer(180),
        Fault::DelayAnswer(Duration::from_secs(4)),
    ] {
        let before = sandbox.count("CreateAccessKey");
        sandbox.fault("CreateAccessKey", fault, 1);
        let result = aws.create(&alice());
        assert!(matches!(result, Err(CreateFailure::Ambiguous(_))), "{fault:?} {result:?}");
        assert_eq!(sandbox.count("CreateAccessKey"), before + 1, "{fault:?}");
        let made = ids(&aws);
        assert_eq!(made.len(), 1, "{fault:?}");
        aws.delete(&alice(), &made[0]).expect("deleted");
    }
    sandbox.fault("CreateAccessKey", Fault::Throttle, 1);
    let result = aws.create(&alice());
    let Err(CreateFailure::Refused(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.reason(), "throttled");
    assert!(ids(&aws).is_empty());
}

#[test]
fn a_new_key_is_refused_before_it_works() {
    let sandbox = sandbox();
    sandbox.delay_new_access_keys(2);
    let aws = aws(&sandbox);
    let pair = aws.create(&alice()).expect("a pair");
    let accepted: Vec<bool> = (0..3)
        .map(|_| matches!(aws.prove(&pair, "eu-west-1"), Ok(Proof::Accepted { .. })))
        .collect();
    assert_eq!(accepted, [false, false, true]);
}

#[test]
fn a_use_hides_the_next_fifteen_minutes_and_shows_after_the_lag() {
    let sandbox = sandbox();
    let aws = aws(&sandbox);
    let id = sandbox.add_access_key(&alice(), 400 * DAY).expect("a pair").id;
    let service = || aws.last_used(&id).expect("an answer").last_used;
    assert!(sandbox.use_access_key(&id, "sts", "us-east-1", Duration::ZERO));
    sandbox.advance(14 * MINUTE);
    assert!(sandbox.use_access_key(&id, "s3", "N/A", Duration::ZERO));
    assert_eq!(service().service, "sts");
    sandbox.advance(2 * MINUTE);
    assert!(sandbox.use_access_key(&id, "s3", "N/A", Duration::ZERO));
    assert_eq!((service().service, service().region), ("s3".to_owned(), "N/A".to_owned()));
    sandbox.set_last_used_lag(60 * MINUTE);
    assert_eq!(service().at, None);
    sandbox.advance(61 * MINUTE);
    assert_eq!(service().service, "s3");
    sandbox.set_status(&id, KeyStatus::Inactive).expect("there");
    assert!(!sandbox.use_access_key(&id, "s3", "N/A", Duration::ZERO));
}

#[test]
fn simulated_weeks_do_not_break_signatures() {
    let sandbox = sandbox();
    let aws = aws(&sandbox);
    for _ in 0..3 {
        sandbox.advance(14 * DAY);
        let at = aws.caller().expect("an answer").at;
        assert!(sandbox.now().since(at) < MINUTE && at.since(now()) > 13 * DAY);
    }
    assert!(aws.create(&alice()).is_ok());
}

#[test]
fn a_quarantine_is_seen() {
    let sandbox = sandbox();
    let aws = aws(&sandbox);
    assert_eq!(aws.quarantine(&alice()).expect("an answer"), None);
    sandbox.quarantine(&alice()).expect("there");
    let arn = aws.quarantine(&alice()).expect("an answer").expect("a policy");
    assert!(arn.contains("AWSCompromisedKeyQuarantine"), "{arn}");
}

#[test]
fn a_role_signs_under_its_session_name() {
    let sandbox = sandbox();
    sandbox.add_role("rotator");
    let with = |role: &str| {
        let settings = Settings {
            role_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/{role}")),
            role_session: Some("keyroll-01HX".to_owned()),
            ..settings(&sandbox, sandbox.operator())
        };
        Aws::connect(&settings).expect("a client").caller()
    };
    let caller = with("rotator").expect("an answer");
    assert_eq!(caller.arn, format!("arn:aws:sts::{ACCOUNT}:assumed-role/rotator/keyroll-01HX"));
    assert!(caller.user.is_none());
    assert!(caller.access_key_id.expect("the signer").is_temporary());
    let error = with("nobody").expect_err("no such role");
    assert_eq!(error.reason(), "access-denied", "{}", error.message());
    assert!(error.message().contains("sts:AssumeRole"), "{}", error.message());
}

/// Runs one of the ignored tests below in a process of its own with this environment and nothing
/// else: the SDK reads the environment by itself.
fn alone(test: &str, environment: &[(&str, &str)]) {
    let home = tempfile::tempdir().expect("a directory");
    let output = std::process::Command::new(std::env::current_exe().expect("this binary"))
        .args([&format!("iam::{test}"), "--exact", "--ignored"])
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn the_environment_is_honoured_and_watched() {
    let sandbox = sandbox();
    let here = sandbox.aws_endpoint();
    alone("child_without_credentials", &[("AWS_ENDPOINT_URL", here)]);
    assert_eq!(sandbox.count("GetCallerIdentity"), 0);
    alone("child_with_clear_text", &[("AWS_ENDPOINT_URL", "http://192.0.2.1")]);
    alone("child_with_clear_text", &[("AWS_ENDPOINT_URL_STS", "http://192.0.2.1")]);
    alone("child_on_loopback", &[("AWS_ENDPOINT_URL_IAM", here), ("AWS_ENDPOINT_URL_STS", here)]);
    alone("child_half_on_loopback", &[("AWS_ENDPOINT_URL_IAM", here)]);
}

#[test]
#[ignore = "run by `the_environment_is_honoured_and_watched`"]
fn child_without_credentials() {
    let aws = Aws::connect(&Settings::default()).expect("a client");
    let error = aws.caller().expect_err("nobody signs");
    assert_eq!((error.reason(), error.kind().word()), ("no-credentials", "denied"), "{error}");
    let result = aws.create(&alice());
    let Err(CreateFailure::Refused(error)) = result else { panic!("{result:?}") };
    assert_eq!(error.reason(), "no-credentials");
}

#[test]
#[ignore = "run by `the_environment_is_honoured_and_watched`"]
fn child_with_clear_text() {
    let error = Aws::connect(&Settings::default()).expect_err("clear text");
    assert_eq!(error.reason(), "insecure-endpoint");
}

#[test]
#[ignore = "run by `the_environment_is_honoured_and_watched`"]
fn child_on_loopback() {
    let aws = Aws::connect(&Settings::default()).expect("a client");
    assert_eq!((aws.endpoint(), aws.proving_regions().len()), (Endpoint::Loopback, 1));
}

#[test]
#[ignore = "run by `the_environment_is_honoured_and_watched`"]
fn child_half_on_loopback() {
    let aws = Aws::connect(&Settings::default()).expect("a client");
    assert_eq!((aws.endpoint(), aws.proving_regions().len()), (Endpoint::Remote, 2));
}
