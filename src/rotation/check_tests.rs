//! That a rewritten file is as planned, and that any other byte in it is seen.

use super::super::kit::{
    NEW, NEW_SECRET, OLD, OTHER, OTHER_SECRET, SECRET, file, id, keyring, new_pair, paired, places,
    seal,
};
use super::super::{Allowances, apply, find_secret, plan};
use super::check;
use crate::Result;
use crate::model::{Change, Encoding, Plan, RepoPath, Role, Secret, SourceFile};
use crate::rotation::Needles;

/// The plan of rotating the old pair in these files.
fn planned(files: &[SourceFile]) -> Result<Plan> {
    let pairing = paired(files, &[])?;
    let mut found = places(files);
    if let Some(secret) = &pairing.secret {
        let needles = Needles::of(secret)?;
        found.extend(files.iter().flat_map(|file| find_secret(file, &id(OLD), &needles)));
    }
    let locked: Vec<_> = files.iter().flat_map(SourceFile::locked).collect();
    plan(&id(OLD), "0", &found, &pairing, &locked, &Allowances { accepted: &|_| false })
}

fn rewritten(files: &[SourceFile]) -> (Plan, Vec<Change>) {
    let plan = planned(files).expect("a plan");
    let changes = apply(&plan, files, &new_pair(), &keyring("staging")).expect("applied");
    (plan, changes)
}

fn checked(plan: &Plan, files: &[SourceFile], changes: &[Change]) -> Result<()> {
    let old = Secret::from(SECRET.to_owned());
    check(plan, files, changes, &old, &new_pair(), &keyring("staging"))
}

/// One file with the new pair in it, which the check takes.
fn accepted(path: &str, text: &str) -> String {
    let files = [file(path, text)];
    let (plan, changes) = rewritten(&files);
    checked(&plan, &files, &changes).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8(changes[0].after.clone()).expect("text")
}

#[test]
fn a_rewrite_of_each_shape_is_taken() {
    let url = format!("sqs://{OLD}:{}@q", SECRET.replace('/', "%2F"));
    for (path, text) in [
        ("a.yaml", format!("aws_access_key_id: «{OLD}»\naws_secret_access_key: «{SECRET}»\n")),
        ("a.yaml", format!("aws_access_key_id: {OLD}\naws_secret_access_key: «{SECRET}»\n")),
        (
            "a.yaml",
            format!("k: {{ id: \"{OLD}\", secret: '«{SECRET}»' }}\nl: ['{OLD}', '«{SECRET}»']\n"),
        ),
        ("a.yaml", format!("url: «{url}»\n")),
        ("a.yaml", format!("url: sqs://{OLD}:«{SECRET}»@q\n")),
        ("a.yaml", format!("a: &k «{OLD}»\nb: *k\na_secret: «{SECRET}»\nc: «{url}»\n")),
        (
            "a.json",
            format!("{{\"AccessKeyId\": \"{OLD}\", \"SecretAccessKey\": \"«{SECRET}»\"}}\n"),
        ),
        // Flat text that another parser would take for YAML, and whose routes it would not know.
        ("a.properties", format!("access.key.id: «{OLD}»\naccess.key.secret: «{SECRET}»\n")),
        ("notes.txt", format!("- access_key: «{OLD}»\n- secret_key: «{SECRET}»\n")),
        (
            "a.sh",
            format!("export AWS_ACCESS_KEY_ID={OLD}\nexport AWS_SECRET_ACCESS_KEY=«{SECRET}»\n"),
        ),
    ] {
        let after = accepted(path, &text);
        assert!(!after.contains(OLD), "{after}");
    }
}

#[test]
fn values_inside_values_are_rewritten_and_checked() {
    let inner = format!(
        "user: x\naws_access_key_id: {}\naws_secret_access_key: {}\n",
        seal(OLD),
        seal(SECRET)
    );
    let text = format!("a: «{inner}»\n");
    let after = accepted("a.yaml", &text);
    let again = super::super::kit::opened("a.yaml", after.into_bytes(), &keyring("staging"));
    let inside = &again.cells.iter().find(|cell| !cell.inside.is_empty()).expect("nested").inside;
    let opened: Vec<String> = inside
        .iter()
        .filter_map(|cell| match &cell.content {
            crate::model::Content::Open(plain) => {
                Some(String::from_utf8(plain.expose().to_vec()).expect("text"))
            }
            crate::model::Content::Locked(_) => None,
        })
        .collect();
    assert_eq!(opened, [NEW, NEW_SECRET]);
}

#[test]
fn text_around_a_nested_value_may_not_change() {
    let inner = |name: &str, id: &str, secret: &str| {
        format!(
            "user: {name}\naws_access_key_id: {}\naws_secret_access_key: {}\n",
            seal(id),
            seal(secret)
        )
    };
    let files = [file("a.yaml", &format!("a: «{}»\n", inner("alice", OLD, SECRET)))];
    let (plan, mut changes) = rewritten(&files);
    let token = seal(&inner("mallory", NEW, NEW_SECRET));
    changes[0].after = format!("a: {token}\n").into_bytes();
    assert_eq!(
        checked(&plan, &files, &changes).expect_err("another user").reason(),
        "rewrite-check"
    );
}

#[test]
fn every_byte_of_a_rewritten_file_is_looked_at() {
    let text = format!(
        "# ops\r\nid: «{OLD}»\r\nid_secret: «{SECRET}»\r\nkey: {OLD} # «{OTHER}»\r\nclear: \"a \\x41\"\r\nb: >\r\n  a\r\n  b\r\n"
    );
    let files = [file("a.yaml", &text)];
    let (plan, mut changes) = rewritten(&files);
    checked(&plan, &files, &changes).expect("as planned");
    let good = changes[0].after.clone();
    let mut missed = Vec::new();
    for (at, byte) in good.iter().enumerate() {
        // The other case of a letter, or its neighbour.
        let flip = if at % 2 == 0 { 0x01 } else { 0x20 };
        changes[0].after[at] = byte ^ flip;
        if checked(&plan, &files, &changes).is_ok() {
            missed.push((at, flip));
        }
        changes[0].after[at] = *byte;
    }
    assert!(
        missed.is_empty(),
        "changes that nobody saw: {missed:?}\n{}",
        String::from_utf8_lossy(&good)
    );
    for at in [0, good.len() / 2, good.len()] {
        changes[0].after.insert(at, b' ');
        assert!(checked(&plan, &files, &changes).is_err(), "a blank at {at}");
        changes[0].after.remove(at);
    }
    changes[0].after.truncate(good.len() - 2);
    assert!(checked(&plan, &files, &changes).is_err(), "the last line end");
}

#[test]
fn an_unchanged_value_may_not_be_sealed_anew() {
    let text = format!("id: «{OLD}»\nid_secret: «{SECRET}»\nother: «{OTHER_SECRET}»\n");
    let files = [file("a.yaml", &text)];
    let (plan, mut changes) = rewritten(&files);
    let after = String::from_utf8(changes[0].after.clone()).expect("text");
    let head = after.rsplit_once("other: ").expect("an entry").0;
    changes[0].after = format!("{head}other: {}\n", seal(OTHER_SECRET)).into_bytes();
    let error = checked(&plan, &files, &changes).expect_err("sealed anew");
    assert_eq!(error.reason(), "rewrite-check");
    assert!(error.message().contains("a.yaml:3 other"), "{error}");
}

#[test]
fn what_must_not_be_rotated_is_refused() {
    let pair = format!("id: «{OLD}»\nid_secret: «{SECRET}»\n");
    let (weak, other) = ("ENC[PKCS7,AAAA]", format!("{pair}more: ENC[PKCS7,AAAA]\n"));
    for (text, reason, word) in [
        (format!("x: {OTHER}\n"), "no-occurrence", OLD),
        (format!("id: «{OLD}»\n"), "partner-not-found", "a.yaml:1 id"),
        (
            format!("l: ['«{OLD}»', '«{SECRET}»', '«{OTHER_SECRET}»']\n"),
            "ambiguous-partner",
            "l/[0]",
        ),
        (
            format!(
                "a: {{id: '«{OLD}»', secret: '«{SECRET}»'}}\nb: {{id: '«{OLD}»', secret: '«{OTHER_SECRET}»'}}\n"
            ),
            "conflicting-secrets",
            OLD,
        ),
        (format!("id: «{OLD}»\nid_secret: {SECRET}\n"), "plaintext-secret", "a.yaml:2 id_secret"),
        (format!("{pair}# {SECRET}\n"), "plaintext-secret", "a.yaml:3 #"),
        (other, "locked-values", "1 value stayed locked in a.yaml"),
        (format!("a: {weak}\nb: {weak}\n"), "locked-values", "2 values stayed locked in a.yaml"),
    ] {
        let error = planned(&[file("a.yaml", &text)]).expect_err(reason);
        assert_eq!(error.reason(), reason, "{text}: {error}");
        assert!(error.message().contains(word), "{error}");
        assert_eq!(error.kind().exit_code(), 3);
        let said = format!("{error} {:?}", error.hints());
        assert!(!said.contains(SECRET) && !said.contains(OTHER_SECRET), "{said}");
    }
}

#[test]
fn locked_values_of_an_accepted_path_do_not_stop_a_plan() {
    let text = format!("id: «{OLD}»\nid_secret: «{SECRET}»\n");
    let files = [file("a.yaml", &text), file("b.yaml", "x: ENC[PKCS7,AAAA]\n")];
    let accepted = |path: &RepoPath| path.as_bytes() == b"b.yaml";
    let pairing = paired(&files, &[]).expect("paired");
    let locked: Vec<_> = files.iter().flat_map(SourceFile::locked).collect();
    let made = |accepted: &dyn Fn(&RepoPath) -> bool| {
        plan(&id(OLD), "0", &places(&files), &pairing, &locked, &Allowances { accepted })
    };
    assert_eq!(made(&|_| false).expect_err("locked").reason(), "locked-values");
    let plan = made(&accepted).expect("accepted");
    assert_eq!(plan.swaps().len(), 1);
    assert_eq!((&plan.swaps()[0].role, plan.swaps()[0].encoding), (&Role::Id, Encoding::default()));
}
