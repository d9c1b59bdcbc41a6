//! Switching off and on with the real program where credentials are checked: what the printed
//! policies allow is enough, and a key that is off is refused by the service itself.

use crate::context::Context;
use crate::context::aws::Signed;
use crate::context::servers::Ministack;

/// This stand-in's IDs are hexadecimal.
const PATTERN: &str = "AKIA[A-Z0-9]{16}";

fn user(root: &Signed, name: &str) -> (String, String) {
    root.wait(root.iam.create_user().user_name(name).send()).expect("a user");
    loop {
        let made = root.wait(root.iam.create_access_key().user_name(name).send());
        let made = made.expect("a pair").access_key.expect("a pair");
        // One that happens to be base32 would decode to some account.
        if made.access_key_id().bytes().any(|b| b"0189".contains(&b)) {
            return (made.access_key_id().to_owned(), made.secret_access_key().to_owned());
        }
    }
}

#[test]
fn an_inactive_key_is_refused_and_works_again_after_reactivate() {
    let mut context = Context::new();
    let Some(ministack) = Ministack::start(&context) else { return };
    let root = ministack.root();
    let (operator, signing) = user(&root, "operator");
    let (id, secret) = user(&root, "logs-writer");
    let policy = context.run(&["policy", "deactivate"]).ends(0).stdout;
    let put = root.iam.put_user_policy().user_name("operator").policy_name("keyroll");
    root.wait(put.policy_document(policy).send()).expect("a policy");
    context.set("AWS_ENDPOINT_URL", ministack.endpoint()).set("AWS_REGION", "us-east-1");
    context.set("AWS_ACCESS_KEY_ID", &*operator).set("AWS_SECRET_ACCESS_KEY", &*signing);
    let clone = context.repository("secrets", &[("a.yaml", &format!("id: {id}\n"))]);
    let remote = context.remote(&clone, "secrets.git");
    let url = format!("file://{}", remote.display());
    context.git(&clone, &["remote", "add", "origin", &url]);

    let consumer = ministack.signed_by(&id, &secret);
    assert!(consumer.caller().is_ok());
    let off = ["deactivate", &id, "--compromised", "--reason", "leaked", "--confirm", &id];
    let off = [&off[..], &["--key-id-pattern", PATTERN, "--output", "json"]].concat();
    let answer = context.run_in(&clone, &off).ends(0).json();
    assert!(answer["breaks"].to_string().contains("a.yaml:1"), "{answer:#}");
    assert_eq!(consumer.caller(), Err("InvalidClientTokenId".to_owned()));
    let again = context.run_in(&clone, &off).ends(0).json();
    assert_eq!((&again["changed"], &again["at"]), (&false.into(), &answer["at"]));

    let on = ["reactivate", &id, "--output", "json"];
    assert_eq!(context.run_in(&clone, &on).ends(0).json()["recorded"], true);
    assert!(consumer.caller().expect("active").ends_with(":user/logs-writer"));
    // The policy of one command is not that of another.
    let operator = ministack.signed_by(&operator, &signing);
    let delete = operator.iam.delete_access_key().user_name("logs-writer").access_key_id(&id);
    assert!(operator.wait(delete.send()).is_err(), "deleting needs a policy of its own");
    assert!(consumer.caller().is_ok());
}
