//! Several formats and levels in one text.

use super::{bears_marker, open, open_where, write};
use crate::format::{DEPTH_LIMIT, PARSE_LIMIT, Source};
use crate::keyring::{Keyring, Sealed, Surroundings, discover};
use crate::model::{Cell, Content, Edit, LockReason, RepoPath, Route, Secret};

const TOKEN: &str = include_str!("../../fixtures/keys/staging/sealed.txt");
const KEY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/staging/private_key.pkcs7.pem");

fn keyring() -> Keyring {
    let around = Surroundings { identities: vec![KEY.into()], ..Surroundings::default() };
    discover(&around).expect("the identity is there")
}

/// A token that opens to `plain`.
fn token(keyring: &Keyring, plain: &str) -> String {
    use base64::Engine as _;
    let standard = base64::engine::general_purpose::STANDARD;
    let text = TOKEN.trim_end().trim_start_matches("ENC[PKCS7,").trim_end_matches(']');
    let der = standard.decode(text).expect("base64");
    let sealed = Sealed::Pkcs7(&der);
    let (_, identity) = keyring.open(sealed).expect("it opens");
    let fresh = identity.sealer(sealed).expect("a sealer").seal(&Secret::from(plain.to_owned()));
    format!("ENC[PKCS7,{}]", standard.encode(fresh.expect("sealed")))
}

fn with<T>(path: &str, bytes: &[u8], look: impl FnOnce(&Source<'_>) -> T) -> T {
    let path = RepoPath::new(path);
    let route = Route::default();
    look(&Source { path: &path, bytes, route: &route, line: 1, depth: 0 })
}

fn plain(cell: &Cell) -> &[u8] {
    match &cell.content {
        Content::Open(plain) => plain.expose(),
        Content::Locked(lock) => lock.reason.word().as_bytes(),
    }
}

#[test]
fn values_inside_values_are_opened_to_the_limit() {
    let keyring = keyring();
    let mut text = "AKIAIOSFODNN7EXAMPLE".to_owned();
    for _ in 0..=DEPTH_LIMIT {
        text = token(&keyring, &format!("x {text}"));
    }
    let document = format!("a: 1\nk: {text}\n");
    let cells = with("a.yaml", document.as_bytes(), |text| open(text, &keyring)).expect("opened");
    let mut cell = cells.iter().find(|cell| plain(cell).starts_with(b"x ENC")).expect("sealed");
    let mut levels = 1;
    while let [inner] = &cell.inside[..] {
        assert_eq!(inner.place.line, 2, "the line is that of the file");
        cell = inner;
        levels += 1;
    }
    assert_eq!(levels, DEPTH_LIMIT + 1);
    assert_eq!(plain(cell), b"x AKIAIOSFODNN7EXAMPLE");
    assert_eq!(cell.place.route.to_string(), format!("k{}", "/(eyaml)".repeat(DEPTH_LIMIT)));

    let text = token(&keyring, &format!("x {text}"));
    let cells = with("a", text.as_bytes(), |text| open(text, &keyring)).expect("opened");
    let mut cell = &cells[0];
    while let [inner] = &cell.inside[..] {
        cell = inner;
    }
    assert_eq!(plain(cell), LockReason::TooDeep.word().as_bytes());
}

#[test]
fn edits_of_sealed_and_clear_text_go_in_together() {
    let keyring = keyring();
    let (one, two) = (token(&keyring, "one"), token(&keyring, "two"));
    let document = format!("a: first\nb: {one}\nc: middle {two} last\n");
    let change = |cells: &[Cell], from: &[u8], to: &str| {
        let cell = cells.iter().find(|cell| plain(cell) == from).expect("it is there");
        let before = Secret::new(from.to_vec());
        Edit { span: cell.place.span, before, after: Secret::from(to.to_owned()) }
    };
    with("a.yaml", document.as_bytes(), |text| {
        let cells = open(text, &keyring).expect("opened");
        let edits = [
            change(&cells, b"two", "zwei"),
            change(&cells, b"first", "a longer one"),
            change(&cells, b"one", "eins"),
            change(&cells, b"middle ", "in between "),
        ];
        let written = write(text, &edits, &keyring).expect("written");
        let again = Source { bytes: &written, ..*text };
        let cells = open(&again, &keyring).expect("opened");
        let texts: Vec<&[u8]> = cells.iter().map(plain).collect();
        let expected: [&[u8]; 8] =
            [b"a", b"a longer one", b"b", b"eins", b"c", b"in between ", b"zwei", b" last"];
        assert_eq!(texts, expected);
    });
}

#[test]
fn a_value_in_a_value_is_written_through_its_own_text() {
    let keyring = keyring();
    let inner = format!("u:{}@h", token(&keyring, "one"));
    let path = RepoPath::new("a.yaml");
    let route = Route::default();
    let text = Source { path: &path, bytes: inner.as_bytes(), route: &route, line: 7, depth: 1 };
    let cells = open(&text, &keyring).expect("opened");
    let [cell] = &cells[..] else { panic!("inside a value only sealed cells count") };
    let secret = |text: &str| Secret::from(text.to_owned());
    let edit = |span| Edit { span, before: secret("one"), after: secret("two") };
    let written = write(&text, &[edit(cell.place.span)], &keyring).expect("written");
    assert!(written.starts_with(b"u:ENC[PKCS7,") && written.ends_with(b"]@h"));
    let wrong = crate::model::Span::new(0, 1);
    assert!(write(&text, &[edit(wrong)], &keyring).is_err());
}

#[test]
fn beside_a_sealed_value_that_matters_text_in_clear_is_returned() {
    let keyring = keyring();
    let document =
        format!("x:\n  id: {}\n  secret: clear\ny:\n  z: far\n", token(&keyring, "AKIAX"));
    let asks = |text: &[u8]| text == b"AKIAX";
    let found = with("a.yaml", document.as_bytes(), |text| open_where(text, &keyring, &asks));
    let found = found.expect("opened");
    let texts: Vec<&[u8]> = found.iter().map(plain).collect();
    assert_eq!(texts, [&b"id"[..], b"AKIAX", b"secret", b"clear"]);
}

#[test]
fn a_text_beyond_the_limit_is_searched_as_it_is_and_reported() {
    let keyring = Keyring::default();
    let mut text = b"k: NEEDLE\n".to_vec();
    text.resize(PARSE_LIMIT, b'x');
    text.push(b'\n');
    let asks = |text: &[u8]| memchr::memmem::find(text, b"NEEDLE").is_some();
    let look = |text: &[u8]| {
        let cells = with("a.yaml", text, |text| open_where(text, &keyring, &asks)).expect("read");
        cells.iter().map(|cell| plain(cell).to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(look(&text), [b"k: NEEDLE".to_vec()]);
    text.extend_from_slice(TOKEN.as_bytes());
    assert_eq!(look(&text), [b"too-large".to_vec(), b"k: NEEDLE".to_vec()]);
    assert!(bears_marker(&text) && !bears_marker(b"k: NEEDLE"));
}
