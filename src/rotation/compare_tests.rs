//! The comparison without any repository: what each kind of change is called.

use super::super::kit::{
    NEW, NEW_SECRET, OLD, OTHER, OTHER_SECRET, SECRET, file, id, keyring, opened, sealed,
};
use super::super::leftovers;
use super::{Comparison, Ids, compare, is_certificate};
use crate::keyring::Keyring;
use crate::model::{KeyIdPattern, RepoPath, Role, Secret, SourceFile};

fn spelled(text: &str) -> String {
    text.replace("<I>", OLD)
        .replace("<S>", SECRET)
        .replace("<S%>", &SECRET.replace('/', "%2F"))
        .replace("<N>", NEW)
        .replace("<M>", NEW_SECRET)
        .replace("<M%>", &NEW_SECRET.replace('/', "%2F").replace('+', "%2B"))
        .replace("<J>", OTHER)
        .replace("<T>", OTHER_SECRET)
}

/// Compares two versions of one file; values that are the same in both keep their bytes.
fn compared(path: &str, before: &str, after: &str, claim: Option<&Ids>) -> Comparison {
    let (before, after) = (spelled(before), spelled(after));
    let mut tokens: Vec<(String, String)> = Vec::new();
    let mut fill = |text: &str| {
        let mut out = text.to_owned();
        while let Some(start) = out.find('«') {
            let end = out.find('»').expect("closed");
            let plain = out[start + '«'.len_utf8()..end].to_owned();
            let known =
                tokens.iter().find(|(known, _)| *known == plain).map(|(_, token)| token.clone());
            let token = known.unwrap_or_else(|| sealed(&format!("«{plain}»")));
            tokens.push((plain, token.clone()));
            out.replace_range(start..end + '»'.len_utf8(), &token);
        }
        out
    };
    let (before, after) = (fill(&before), fill(&after));
    let keyring = keyring("staging");
    let before = [opened(path, before.into_bytes(), &keyring)];
    let after = [opened(path, after.into_bytes(), &keyring)];
    compare(&before, &after, claim, &KeyIdPattern::default()).expect("compared")
}

fn reasons(comparison: &Comparison) -> Vec<&'static str> {
    let mut reasons: Vec<_> = comparison.findings.iter().map(|one| one.reason).collect();
    reasons.dedup();
    reasons
}

#[test]
fn a_rotation_in_each_shape_has_no_finding() {
    for (path, before, after, halves) in [
        ("a.yaml", "id: «<I>»\nid_secret: «<S>»\n", "id: «<N>»\nid_secret: «<M>»\n", 2),
        ("a.yaml", "id: <I>\nid_secret: «<S>»\n", "id: <N>\nid_secret: «<M>»\n", 2),
        ("a.yaml", "u: «sqs://<I>:<S%>@q»\n", "u: «sqs://<N>:<M%>@q»\n", 2),
        ("a.yaml", "u: sqs://<I>:«<S>»@q\n", "u: sqs://<N>:«<M>»@q\n", 2),
        (
            "a.yaml",
            "i: «[a]\naws_access_key_id = <I>\naws_secret_access_key = <S>\n[b]\naws_access_key_id = <J>\naws_secret_access_key = <T>\n»\n",
            "i: «[a]\naws_access_key_id = <N>\naws_secret_access_key = <M>\n[b]\naws_access_key_id = <J>\naws_secret_access_key = <T>\n»\n",
            2,
        ),
        (
            "a.yaml",
            "# «<I>»\na: {id: '«<I>»', secret: '«<S>»'}\nx: &k «<I>»\nx_secret: «<S>»\ny: *k\n",
            "# «<N>»\na: {id: '«<N>»', secret: '«<M>»'}\nx: &k «<N>»\nx_secret: «<M>»\ny: *k\n",
            5,
        ),
        (
            "a.env",
            "KEY_ID=«<I>»\r\nKEY_SECRET=«<S>»\r\n",
            "KEY_ID=«<N>»\r\nKEY_SECRET=«<M>»\r\n",
            2,
        ),
    ] {
        let found = compared(path, before, after, None);
        assert_eq!(reasons(&found), [""; 0], "{after}: {:?}", found.findings);
        assert!(found.unseen.is_empty(), "{after}: {:?}", found.unseen);
        assert_eq!(found.exchanges.len(), halves, "{after}");
        assert_eq!(found.ids, Some((id(OLD), id(NEW))));
        let secrets = found.secrets.expect("both were seen");
        assert_eq!(
            (secrets.0.expose(), secrets.1.expose()),
            (SECRET.as_bytes(), NEW_SECRET.as_bytes())
        );
    }
}

#[test]
fn whatever_else_changes_is_named() {
    let pair = "id: «<I>»\nid_secret: «<S>»\n";
    let rotated = "id: «<N>»\nid_secret: «<M>»\n";
    for (before, after, wanted) in [
        ("x: 1\n", "x: 2\n", &["value-changed"][..]),
        ("x: «a»\n", "x: «b»\n", &["value-changed"]),
        ("x: 1\n", "x:  1\n", &["bytes-changed"]),
        ("x: a b\n", "x: a\n  b\n", &["layout-changed"]),
        ("x: 1 # a\n", "x: 1 # b\n", &["comment-changed"]),
        ("x: 1\n", "y: 1\n", &["value-added", "value-removed"]),
        ("x: 1\n", "x: 1\ny: 2\n", &["value-added"]),
        ("x: 1\ny: 2\n", "x: 1\n", &["value-removed"]),
        ("x: 1\ny: 2\n", "y: 2\nx: 1\n", &["value-changed"]),
        ("x: «a»\n", "x: a\n", &["unsealed"]),
        ("x: b«a»\n", "x: ba\n", &["unsealed"]),
        ("x: a\n", "x: «a»\n", &["scheme-changed"]),
        ("x: 1\n", "x: <M>\n", &["plaintext-secret"]),
        ("x: 1\n", "x: 1\r\n", &["line-ends-changed"]),
        ("x: «a»\n", "x: DEC(1)::PKCS7[b]!\n", &["edit-mark", "unsealed"]),
        ("x: 1\n", "x: 1\n  bad: [\n", &["invalid-yaml", "value-added", "value-removed"]),
        (&format!("{pair}x: 1\n"), &format!("{rotated}x: 2\n"), &["value-changed"]),
        (pair, "id: «<N>»\nid_secret: «<S>»\n", &["id-without-secret"]),
        (pair, "id: «<I>»\nid_secret: «<M>»\n", &["value-changed"]),
        (pair, "id: «<N>»\nid_secret: <M>\n", &["unsealed"]),
        (pair, "id: «<N> »\nid_secret: «<M>»\n", &["value-changed"]),
        (
            &format!("{pair}two: «<I>»\ntwo_secret: «<S>»\n"),
            &format!("{rotated}two: «<J>»\ntwo_secret: «<T>»\n"),
            &["other-access-key", "other-secret"],
        ),
    ] {
        let found = compared("a.yaml", before, after, None);
        let mut told = reasons(&found);
        told.sort_unstable();
        told.dedup();
        assert_eq!(told, wanted, "{before:?} {after:?}: {:?}", found.findings);
        for one in &found.findings {
            for secret in [SECRET, NEW_SECRET, OTHER_SECRET] {
                assert!(!one.message.contains(secret));
            }
        }
    }
}

#[test]
fn what_the_commits_claim_is_held_against_what_is_seen() {
    let (before, after) = ("id: «<I>»\nid_secret: «<S>»\n", "id: «<N>»\nid_secret: «<M>»\n");
    let claim = |old: &str, new: &str| compared("a.yaml", before, after, Some(&(id(old), id(new))));
    assert!(claim(OLD, NEW).findings.is_empty());
    for (old, new) in [(OTHER, NEW), (OLD, OTHER), (NEW, OLD)] {
        assert_eq!(reasons(&claim(old, new)), ["trailers-differ"], "{old} {new}");
    }
}

#[test]
fn without_an_identity_only_the_structure_speaks() {
    let nobody = Keyring::default();
    let shut = |text: &str| [opened("a.yaml", sealed(&spelled(text)).into_bytes(), &nobody)];
    let before = shut("id: «<I>»\nid_secret: «<S>»\n");
    let after = shut("id: «<N>»\nid_secret: «<M>»\n");
    let found = compare(&before, &after, None, &KeyIdPattern::default()).expect("compared");
    assert!(found.findings.is_empty() && found.exchanges.is_empty(), "{found:?}");
    assert_eq!(found.unseen.iter().filter(|one| one.what == "sealed-value").count(), 2);
    // An ID in clear is seen to change; whether its secret does is not.
    let before = shut("id: <I>\nid_secret: «<S>»\n");
    let after = shut("id: <N>\nid_secret: «<M>»\n");
    let found = compare(&before, &after, None, &KeyIdPattern::default()).expect("compared");
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    assert_eq!((found.exchanges.len(), &found.exchanges[0].role), (1, &Role::Id));
    let unseen: Vec<_> = found.unseen.iter().map(|one| one.what).collect();
    assert_eq!(unseen, ["partner", "sealed-value"]);
    // A much larger value is no secret of an access key.
    let before = shut("x: «<S>»\n");
    let after = shut(&format!("x: «{}»\n", "long ".repeat(60)));
    let found = compare(&before, &after, None, &KeyIdPattern::default()).expect("compared");
    assert_eq!(reasons(&found), ["size-changed"]);
}

#[test]
fn another_recipient_is_told_by_who_opens_it() {
    let text = |id: &str, secret: &str| spelled(&format!("id: «{id}»\nid_secret: «{secret}»\n"));
    let (both, wrong) = (keyring("staging"), keyring("wrong"));
    let before = [file("a.yaml", &text("<I>", "<S>"))];
    let bytes = sealed(&text("<N>", "<M>")).into_bytes();
    let after = [opened("a.yaml", bytes.clone(), &wrong)];
    let found = compare(&before, &after, None, &KeyIdPattern::default()).expect("compared");
    assert_eq!(reasons(&found), ["recipient-changed"]);
    let locked = [opened("a.yaml", before[0].bytes.clone(), &wrong)];
    let after = [opened("a.yaml", bytes, &both)];
    let found = compare(&locked, &after, None, &KeyIdPattern::default()).expect("compared");
    assert!(reasons(&found).contains(&"recipient-changed"), "{:?}", found.findings);
}

#[test]
fn what_is_left_anywhere_is_found() {
    let ids = (id(OLD), id(NEW));
    let secret = |text: &str| Secret::from(text.to_owned());
    let secrets = (secret(SECRET), secret(NEW_SECRET));
    let left = |text: &str| -> Vec<&'static str> {
        let files: Vec<SourceFile> = vec![file("a.yaml", &spelled(text))];
        let found = leftovers(&files, &ids, Some(&secrets), &KeyIdPattern::default());
        found.expect("searched").iter().map(|one| one.reason).collect()
    };
    assert_eq!(left("id: «<N>»\nid_secret: «<M>»\n"), [""; 0]);
    assert_eq!(left("# was <I>\n"), ["old-remains"]);
    assert_eq!(left("u: «x://<S%>@h»\n"), ["old-remains"]);
    assert_eq!(left("x: <M>\n"), ["plaintext-secret"]);
    assert_eq!(left("id: «<J>»\nid_secret: «<M>»\n"), ["shared-secret"]);
}

#[test]
fn a_certificate_is_known_by_name_or_by_how_it_begins() {
    for (path, bytes, wanted) in [
        ("keys/a.pem", "", true),
        ("keys/a", "\n-----BEGIN CERTIFICATE-----\n", true),
        ("keys/a", "-----BEGIN PUBLIC KEY-----\n", true),
        ("team.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", true),
        ("a.yaml", "tls: |\n  -----BEGIN CERTIFICATE-----\n", false),
        ("a.yaml", "pem: 1\n", false),
    ] {
        assert_eq!(is_certificate(&RepoPath::new(path), bytes.as_bytes()), wanted, "{path}");
    }
}
