//! Which cells stand in clear, and how text is replaced where it stands.

use super::{Plain, Wanted, hunks, open_where};
use crate::format::{Format as _, Source};
use crate::keyring::Keyring;
use crate::model::{Cell, Content, Edit, LockReason, RepoPath, Route, Secret, Span};

fn with<T>(path: &str, bytes: &[u8], look: impl FnOnce(&Source<'_>) -> T) -> T {
    let path = RepoPath::new(path);
    let route = Route::default();
    look(&Source { path: &path, bytes, route: &route, line: 1, depth: 0 })
}

fn cells(path: &str, bytes: &[u8], wanted: &Wanted<'_>) -> Vec<(usize, String, String)> {
    with(path, bytes, |text| open_where(text, wanted)).iter().map(shown).collect()
}

fn shown(cell: &Cell) -> (usize, String, String) {
    let text = match &cell.content {
        Content::Open(plain) => String::from_utf8_lossy(plain.expose()).into_owned(),
        Content::Locked(lock) => format!("locked: {}", lock.reason.word()),
    };
    (cell.place.line, cell.place.route.to_string(), text)
}

fn row(line: usize, route: &str, text: &str) -> (usize, String, String) {
    (line, route.to_owned(), text.to_owned())
}

const ALL: Wanted<'_> = Wanted { taken: &[], of_interest: &[], asks: &|_| true };

#[test]
fn yaml_gives_keys_values_and_comments() {
    let text = b"# note\nid: \"AK\\x49A\"\nlong: >\n  a\n  b\nempty:\n";
    assert_eq!(
        cells("a.yml", text, &ALL),
        [
            row(1, "#", "# note"),
            row(2, "id", "id"),
            row(2, "id", "AKIA"),
            row(3, "long", "long"),
            row(3, "long", "a b\n"),
            row(6, "empty", "empty"),
        ]
    );
}

#[test]
fn other_texts_give_lines() {
    let expected = [row(1, "", "a: 1"), row(3, "", "b = 2")];
    assert_eq!(cells("a.conf", b"a: 1\r\n\r\nb = 2", &ALL), expected);
    let broken = cells("a.yaml", b"a: [1\n", &ALL);
    assert_eq!(broken[0].2, "locked: invalid-yaml");
    assert_eq!(broken[1], row(1, "", "a: [1"));
    assert_eq!(cells("a.json", b"{\"a\": [1\n", &ALL).len(), 1, "JSON was not promised to be YAML");
    let binary = b"\x00\x01AKIAIOSFODNN7EXAMPLE\x00short\x00";
    assert_eq!(cells("a.bin", binary, &ALL), [row(1, "", "AKIAIOSFODNN7EXAMPLE")]);
    assert_eq!(cells("a.yaml", b"\xff\xfe\n", &ALL)[0].2, "locked: invalid-yaml");
}

#[test]
fn what_others_took_is_left_out() {
    let text = b"u: x://TOKEN:TOKEN@h\n# TOKEN y\n";
    let taken = [Span::new(7, 12), Span::new(13, 18), Span::new(23, 28)];
    let wanted = Wanted { taken: &taken, of_interest: &[], asks: &|_| true };
    let all = cells("a.yaml", text, &wanted);
    let texts: Vec<&str> = all.iter().map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(texts, ["u", "x://", ":", "@h", "# ", " y"]);
}

#[test]
fn only_the_neighbourhood_of_what_is_asked_for_is_returned() {
    let text = b"a:\n  id: HIT\n  secret: s\nb:\n  id: no\n# one\n\n# two HIT\n# three\n";
    let asks = |text: &[u8]| memchr::memmem::find(text, b"HIT").is_some();
    let wanted = Wanted { taken: &[], of_interest: &[], asks: &asks };
    let found = cells("a.yaml", text, &wanted);
    let texts: Vec<&str> = found.iter().map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(texts, ["id", "HIT", "secret", "s", "# two HIT", "# three"]);
    let none = Wanted { taken: &[], of_interest: &[], asks: &|_| false };
    assert_eq!(cells("a.yaml", text, &none), []);
    assert_eq!(cells("a.txt", text, &none), []);
    assert_eq!(cells("a.txt", text, &wanted).len(), 8, "a flat text is one neighbourhood");
    let at = memchr::memmem::find(text, b"no\n").expect("it is there");
    let sealed = [Span::new(at, at + 2)];
    let beside = Wanted { taken: &sealed, of_interest: &sealed, asks: &|_| false };
    assert_eq!(cells("a.yaml", text, &beside), [row(5, "b/id", "id")]);
}

#[test]
fn an_invalid_file_is_locked_even_where_nothing_is_asked_for() {
    let none = Wanted { taken: &[], of_interest: &[], asks: &|_| false };
    let found = with("a.yaml", b"a: [1\n", |text| open_where(text, &none));
    let [cell] = &found[..] else { panic!("one cell") };
    assert!(
        matches!(&cell.content, Content::Locked(lock) if lock.reason == LockReason::InvalidYaml)
    );
    assert_eq!(cell.place.span, Span::new(0, 0), "it takes no bytes from others");
}

/// Replaces the text of the first cell that holds `before`.
fn written(document: &str, before: &str, after: &str) -> Result<String, &'static str> {
    with("a.yaml", document.as_bytes(), |text| {
        let cells = open_where(text, &ALL);
        let found = cells.iter().find_map(|cell| match &cell.content {
            Content::Open(plain) => {
                let plain = String::from_utf8(plain.expose().to_vec()).expect("text");
                plain.contains(before).then_some((cell.place.span, plain))
            }
            Content::Locked(_) => None,
        });
        let (span, plain) = found.expect("some cell holds it");
        let after = Secret::from(plain.replace(before, after));
        let edit = Edit { span, before: Secret::from(plain), after };
        let bytes = Plain.write(text, &[edit], &Keyring::default());
        bytes.map(|b| String::from_utf8(b).expect("text")).map_err(|error| error.reason())
    })
}

#[test]
fn text_is_replaced_where_it_stands_literally() {
    for document in [
        "k: OLD\n",
        "k: 'it''s OLD'\n",
        "k: \"a\\tOLD\\n\"\n",
        "k: |\n  a\n  id = OLD\n  b = OLD\n",
        "k: >\n  a\n  OLD, x\n",
        "k: [a, OLD]\n",
        "OLD: v\n",
        "a: b # OLD\n",
        "k: a\n  OLD\n  b\n",
    ] {
        for new in ["NEW", "LONGER/NEW"] {
            let expected = document.replace("OLD", new);
            let one = document.matches("OLD").count() == 1;
            if one || new.len() == 3 {
                assert_eq!(written(document, "OLD", new), Ok(expected), "{document:?}");
            }
        }
    }
    assert_eq!(written("k: \"a OL\\x44\"\n", "OLD", "NEW"), Err("written-with-escapes"));
    assert_eq!(written("k: \"a OL\\\n  D\"\n", "OLD", "NEW"), Err("written-with-escapes"));
}

#[test]
fn hunks_take_the_right_one_of_equal_words() {
    let raw = b"  OLD\n  OLD\n  OLD\n";
    let found = hunks(raw, b"OLD\nOLD\nOLD\n", b"OLD\nNEW\nOLD\n").expect("literal");
    assert_eq!(found, [(Span::new(8, 11), b"NEW".to_vec())]);
    assert_eq!(hunks(b"x", b"x", b"x"), Some(vec![]));
    assert_eq!(hunks(b"a\\n", b"a\n", b"a\nmore"), None, "an insertion has no place of its own");
}
