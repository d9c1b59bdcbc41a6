//! Wrong partners: a value that only looks like a secret, and texts with several pairs in them.

use super::{Chosen, Neighbours, Pairing, pair};
use crate::model::{
    AccessKeyId, Cell, Content, KeyIdPattern, Occurrence, Place, RepoPath, Role, Route, Scheme,
    Secret, SourceFile, Span, Step,
};
use crate::rotation::{Query, find};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const OTHER: &str = "AKIAI44QH7DHBEXAMPLE";
const S1: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const S2: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";

/// A file of sealed values: name of the entry (empty for flat text), and what it holds.
fn file(path: &str, values: &[(&str, &str)]) -> SourceFile {
    let cells = values.iter().enumerate().map(|(at, (name, text))| {
        let steps = if name.is_empty() { vec![] } else { vec![Step::Field((*name).into())] };
        let span = Span::new(at * 10, at * 10 + 9);
        let place = Place { path: RepoPath::new(path), line: at + 1, route: Route(steps), span };
        Cell {
            place,
            scheme: Scheme::EyamlPkcs7,
            content: Content::Open(Secret::from((*text).to_owned())),
            opened_by: None,
            inside: Vec::new(),
        }
    });
    let bytes = vec![b'.'; values.len() * 10];
    SourceFile { path: RepoPath::new(path), bytes, cells: cells.collect() }
}

fn paired(files: &[SourceFile], id: &str, chosen: &[Chosen]) -> crate::error::Result<Pairing> {
    let id = AccessKeyId::new(id).expect("an ID");
    let query = Query::ids(vec![id.clone()]).expect("builds");
    let found: Vec<Occurrence> = files.iter().flat_map(|file| find(file, &query)).collect();
    let ids: Vec<&Occurrence> = found.iter().filter(|one| one.role == Role::Id).collect();
    pair(&id, &Neighbours::of(files, &KeyIdPattern::default())?, &ids, chosen)
}

fn secret_of(files: &[SourceFile], id: &str) -> Option<String> {
    let pairing = paired(files, id, &[]).expect("paired");
    pairing.secret.map(|secret| String::from_utf8_lossy(secret.expose()).into_owned())
}

#[test]
fn a_password_of_something_else_is_no_partner() {
    let common = [("app::aws_access_key_id", ID), ("app::db_password", S2)];
    let alone = [file("common.yaml", &common)];
    assert_eq!(secret_of(&alone, ID), None);
    let pairing = paired(&alone, ID, &[]).expect("paired");
    assert_eq!(pairing.ambiguous.len(), 1, "the candidate is named, not taken");
    let files =
        [file("common.yaml", &common), file("live.yaml", &[("app::aws_secret_access_key", S1)])];
    assert_eq!(secret_of(&files, ID).as_deref(), Some(S1));
}

#[test]
fn a_name_that_says_less_is_a_partner_when_it_stands_alone() {
    for (id, secret) in [
        ("s3_access_key", "secret_key"),
        ("access_key_id", "aws_secret"),
        ("s3_access_key", "aws_secret_key"),
    ] {
        let files = [file("common.yaml", &[(id, ID), (secret, S1)])];
        assert_eq!(secret_of(&files, ID).as_deref(), Some(S1), "{id} {secret}");
    }
}

#[test]
fn a_text_that_names_the_secret_first_is_not_read_the_other_way_round() {
    let text = format!("secret={S1}\nid={ID}\nsecret={S2}\nid={OTHER}\n");
    let files = [file("a.yaml", &[("pairs", &text)])];
    assert_ne!(secret_of(&files, ID).as_deref(), Some(S2));
    assert_ne!(secret_of(&files, OTHER).as_deref(), Some(S1));
    let text = format!("id={ID}\nsecret={S1}\nid={OTHER}\nsecret={S2}\n");
    let files = [file("a.yaml", &[("pairs", &text)])];
    assert_eq!(secret_of(&files, ID).as_deref(), Some(S1));
    assert_eq!(secret_of(&files, OTHER).as_deref(), Some(S2));
    let text = format!("secret={S1}\nid={ID}\n");
    let files = [file("a.yaml", &[("pairs", &text)])];
    assert_eq!(secret_of(&files, ID).as_deref(), Some(S1));
}

#[test]
fn a_chosen_route_that_names_several_secrets_is_refused() {
    let values = [("", S2), ("", ID), ("", S1)];
    let files = [file("a.env", &values)];
    let chosen = Chosen::parse("a.env#=a.env#").expect("reads");
    assert_eq!(paired(&files, ID, &[chosen]).expect_err("refused").reason(), "bad-pair");
    let both = format!("{S2} {S1}");
    let files = [file("a.yaml", &[("id", ID), ("two", &both)])];
    let chosen = Chosen::parse("id=two").expect("reads");
    assert_eq!(paired(&files, ID, &[chosen]).expect_err("refused").reason(), "bad-pair");
}

#[test]
fn a_chosen_route_that_names_no_access_key_id_is_refused() {
    let files = [file("a.yaml", &[("key_id", ID), ("key_secret", S2), ("x", S1)])];
    let chosen = Chosen::parse("ky_id=x").expect("reads");
    assert_eq!(paired(&files, ID, &[chosen]).expect_err("refused").reason(), "bad-pair");
}

#[test]
fn a_text_of_many_lines_costs_no_more_than_it_is_long() {
    let mut text = format!("{ID}\n").into_bytes();
    text.extend(std::iter::repeat_n(*b"abc\n", 60_000).flatten());
    let path = RepoPath::new("a.txt");
    let route = Route::default();
    let source =
        crate::format::Source { path: &path, bytes: &text, route: &route, line: 1, depth: 0 };
    let cells = crate::format::open(&source, &crate::keyring::Keyring::default()).expect("opened");
    let files = [SourceFile { path: path.clone(), bytes: text, cells }];
    let begin = std::time::Instant::now();
    assert_eq!(secret_of(&files, ID), None);
    assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
}
