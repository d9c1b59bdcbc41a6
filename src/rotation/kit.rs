//! What the tests of this room build their files of: texts whose sealed values open with an identity
//! of the kit, and texts in clear.

use std::path::Path;

use crate::format::{self, Source};
use crate::keyring::{Keyring, Surroundings, discover};
use crate::model::{
    AccessKeyId, AccessKeyPair, Cell, Content, Edit, KeyIdPattern, Occurrence, RepoPath, Route,
    Scheme, Secret, SourceFile,
};

use super::{Chosen, Neighbours, Pairing, Query, find, pair};

pub(super) const OLD: &str = "AKIAIOSFODNN7EXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(super) const OTHER: &str = "AKIAI44QH7DHBEXAMPLE";
pub(super) const OTHER_SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";
pub(super) const NEW: &str = "AKIAJQT5JHHFVO6KZOLQ";
pub(super) const NEW_SECRET: &str = "Ab+dEfGhIjKlMnOpQrStUvWxYz0123456789/+AB";

const TOKEN: &str = include_str!("../../fixtures/keys/staging/sealed.txt");

/// The identity of the kit's staging environment, or any other of its folders.
pub(super) fn keyring(name: &str) -> Keyring {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys").join(name);
    let identities = vec![folder.join("private_key.pkcs7.pem")];
    discover(&Surroundings { identities, ..Surroundings::default() }).expect("an identity")
}

/// The cells of a text.
pub(super) fn cells(path: &RepoPath, bytes: &[u8], keyring: &Keyring) -> Vec<Cell> {
    let route = Route::default();
    let text = Source { path, bytes, route: &route, line: 1, depth: 0 };
    format::open(&text, keyring).expect("opened")
}

/// A token that the staging identity opens to `plain`.
pub(super) fn seal(plain: &str) -> String {
    let (path, keyring) = (RepoPath::new("x.yaml"), keyring("staging"));
    let text = format!("a: {}\n", TOKEN.trim_end());
    let cells = cells(&path, text.as_bytes(), &keyring);
    let sealed = cells.iter().find(|cell| cell.scheme != Scheme::Plain).expect("a token");
    let Content::Open(before) = &sealed.content else { panic!("the token opens") };
    let after = Secret::from(plain.to_owned());
    let edit = Edit { span: sealed.place.span, before: before.duplicate(), after };
    let route = Route::default();
    let source = Source { path: &path, bytes: text.as_bytes(), route: &route, line: 1, depth: 0 };
    let bytes = format::write(&source, &[edit], &keyring).expect("sealed");
    String::from_utf8(bytes).expect("text")["a: ".len()..].trim_end().to_owned()
}

/// A text in which each `«…»` becomes a token of what stands inside.
pub(super) fn sealed(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('«') {
        let (plain, tail) = tail.split_once('»').expect("a closed mark");
        out.push_str(head);
        out.push_str(&seal(plain));
        rest = tail;
    }
    out + rest
}

/// A file, opened with the staging identity.
pub(super) fn file(path: &str, text: &str) -> SourceFile {
    opened(path, sealed(text).into_bytes(), &keyring("staging"))
}

/// A file as it is, opened.
pub(super) fn opened(path: &str, bytes: Vec<u8>, keyring: &Keyring) -> SourceFile {
    let path = RepoPath::new(path);
    let cells = cells(&path, &bytes, keyring);
    SourceFile { path, bytes, cells }
}

pub(super) fn id(text: &str) -> AccessKeyId {
    AccessKeyId::new(text).expect("an ID")
}

pub(super) fn new_pair() -> AccessKeyPair {
    AccessKeyPair::new(id(NEW), Secret::from(NEW_SECRET.to_owned())).expect("a pair")
}

/// Every place of the old ID in the files.
pub(super) fn places(files: &[SourceFile]) -> Vec<Occurrence> {
    let query = Query::ids(vec![id(OLD)]).expect("a query");
    files.iter().flat_map(|file| find(file, &query)).collect()
}

/// What pairing says of the old ID.
pub(super) fn paired(files: &[SourceFile], chosen: &[&str]) -> crate::Result<Pairing> {
    let chosen: Vec<Chosen> =
        chosen.iter().map(|text| Chosen::parse(text)).collect::<Result<_, _>>()?;
    let found = places(files);
    let found: Vec<&Occurrence> = found.iter().collect();
    let around = Neighbours::of(files, &KeyIdPattern::default())?;
    pair(&id(OLD), &around, &found, &chosen)
}
