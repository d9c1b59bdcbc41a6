//! The vectors of `fixtures/kit`: each is a text header (`name: value` lines), a blank line and a
//! document, and obeys five laws. No edit gives the same bytes; only planned routes differ; seal
//! then open is the same; CRLF, byte order marks, anchors and comments survive; what is locked
//! stays locked. And what the real `eyaml` reads and writes.
//!
//! Header: `title`, `path`, `identity` (folders of `fixtures/keys`, or `none`), and
//! - `cell: LINE SCHEME open ROUTE PLAINTEXT` or `cell: LINE SCHEME locked ROUTE REASON`, with
//!   route and text in JSON: every sealed and every locked cell in the order of bytes; cells in
//!   clear are named where they matter;
//! - `edit: N PLAINTEXT`: what the N-th named cell, from 0, becomes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use keyroll::format::{self, Source};
use keyroll::keyring::{Keyring, Surroundings, discover};
use keyroll::model::{Cell, Content, Edit, RepoPath, Route, Secret};
use keyroll::yaml;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A cell as the header names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    line: usize,
    scheme: String,
    open: bool,
    route: Vec<String>,
    content: String,
}

struct Vector {
    name: String,
    path: RepoPath,
    keyring: Keyring,
    named: Vec<Named>,
    edits: Vec<(usize, String)>,
    document: Vec<u8>,
}

impl Vector {
    fn read(file: &Path) -> Self {
        let bytes = std::fs::read(file).expect("the vector can be read");
        let end = memchr::memmem::find(&bytes, b"\n\n").expect("a blank line ends the header");
        let header = std::str::from_utf8(&bytes[..end]).expect("the header is text");
        let fields: Vec<(&str, &str)> =
            header.lines().map(|line| line.split_once(": ").expect("`name: value`")).collect();
        let field = |name: &str| fields.iter().find(|(n, _)| *n == name).expect(name).1;
        let all = |name: &'static str| {
            fields.iter().filter(move |(n, _)| *n == name).map(|(_, value)| *value)
        };
        assert!(
            fields
                .iter()
                .all(|(name, _)| { ["title", "path", "identity", "cell", "edit"].contains(name) })
        );
        Self {
            name: field("title").to_owned(),
            path: RepoPath::new(field("path")),
            keyring: keyring(field("identity")),
            named: all("cell").map(named).collect(),
            edits: all("edit")
                .map(|edit| {
                    let (number, text) = edit.split_once(' ').expect("a number and a text");
                    let text = serde_json::from_str(text).expect("the text is JSON");
                    (number.parse().expect("a number"), text)
                })
                .collect(),
            document: bytes[end + 2..].to_vec(),
        }
    }

    fn with<T>(&self, bytes: &[u8], look: impl FnOnce(&Source<'_>) -> T) -> T {
        let route = Route::default();
        look(&Source { path: &self.path, bytes, route: &route, line: 1, depth: 0 })
    }

    fn open(&self, bytes: &[u8]) -> Vec<Cell> {
        self.with(bytes, |text| format::open(text, &self.keyring)).expect(&self.name)
    }

    fn write(&self, edits: &[Edit]) -> Vec<u8> {
        let written = self.with(&self.document, |text| format::write(text, edits, &self.keyring));
        written.expect(&self.name)
    }

    /// The edits of the header, with the index of each edited cell.
    fn edits(&self, cells: &[Cell]) -> Vec<(usize, Edit)> {
        self.edits
            .iter()
            .map(|(number, after)| {
                let wanted = &self.named[*number];
                let at = cells.iter().position(|cell| describe(cell) == *wanted);
                let at = at.unwrap_or_else(|| panic!("{}: no {wanted:?}", self.name));
                (at, edit(&cells[at], after.as_bytes()))
            })
            .collect()
    }
}

fn keyring(names: &str) -> Keyring {
    let mut around = Surroundings::default();
    if names != "none" {
        let file = |name| fixtures().join("keys").join(name).join("private_key.pkcs7.pem");
        around.identities = names.split(' ').map(file).collect();
    }
    discover(&around).expect("the identities are there")
}

fn named(text: &str) -> Named {
    let mut words = text.splitn(4, ' ');
    let mut word = || words.next().expect("line, scheme, state, route and text");
    let (line, scheme, state, rest) = (word(), word(), word(), word());
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
    let route = values.next().expect("a route").expect("the route is JSON");
    let content = values.next().expect("a text").expect("the text is JSON");
    Named {
        line: line.parse().expect("a line number"),
        scheme: scheme.to_owned(),
        open: state == "open",
        route: serde_json::from_value(route).expect("a list of words"),
        content: content.as_str().expect("a string").to_owned(),
    }
}

fn describe(cell: &Cell) -> Named {
    let (open, content) = match &cell.content {
        Content::Open(plain) => (true, String::from_utf8_lossy(plain.expose()).into_owned()),
        Content::Locked(lock) => (false, lock.reason.word().to_owned()),
    };
    Named {
        line: cell.place.line,
        scheme: cell.scheme.to_string(),
        open,
        route: cell.place.route.words(),
        content,
    }
}

fn edit(cell: &Cell, after: &[u8]) -> Edit {
    let Content::Open(before) = &cell.content else { panic!("only an open cell is edited") };
    let after = Secret::new(after.to_vec());
    Edit { span: cell.place.span, before: before.duplicate(), after }
}

/// Every byte of the text outside the given cells.
fn around(bytes: &[u8], cells: &[&Cell]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    for cell in cells {
        out.extend_from_slice(&bytes[at..cell.place.span.start]);
        out.push(0);
        at = cell.place.span.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

fn vectors() -> Vec<Vector> {
    let mut files: Vec<PathBuf> = Vec::new();
    for format in std::fs::read_dir(fixtures().join("kit")).expect("the kit is there") {
        let format = format.expect("a folder").path();
        files.extend(std::fs::read_dir(format).expect("a folder").map(|f| f.expect("f").path()));
    }
    files.sort();
    assert!(files.len() >= 20, "the kit is there as a whole");
    files.iter().map(|file| Vector::read(file)).collect()
}

#[test]
fn every_cell_is_found_where_the_header_says() {
    for vector in vectors() {
        let cells = vector.open(&vector.document);
        let found: Vec<Named> = cells.iter().map(describe).collect();
        let in_clear = |cell: &&Named| cell.scheme == "plain" && cell.open;
        let sealed: Vec<&Named> = found.iter().filter(|cell| !in_clear(cell)).collect();
        let expected: Vec<&Named> = vector.named.iter().filter(|cell| !in_clear(cell)).collect();
        assert_eq!(sealed, expected, "{}", vector.name);
        for cell in vector.named.iter().filter(in_clear) {
            assert!(found.contains(cell), "{}: {cell:?} not in {found:?}", vector.name);
        }
        for pair in cells.windows(2) {
            assert!(pair[0].place.span.end <= pair[1].place.span.start, "{}", vector.name);
        }
    }
}

#[test]
fn law_1_no_edit_gives_the_same_bytes() {
    for vector in vectors() {
        assert_eq!(vector.write(&[]), vector.document, "{}", vector.name);
        let cells = vector.open(&vector.document);
        let open = cells.iter().filter_map(|cell| match &cell.content {
            Content::Open(plain) => Some(edit(cell, plain.expose())),
            Content::Locked(_) => None,
        });
        assert_eq!(vector.write(&open.collect::<Vec<_>>()), vector.document, "{}", vector.name);
    }
}

#[test]
fn law_2_and_5_only_planned_routes_differ_and_locked_stays_locked() {
    for vector in vectors() {
        let before = vector.open(&vector.document);
        let (planned, edits): (Vec<usize>, Vec<Edit>) = vector.edits(&before).into_iter().unzip();
        let written = vector.write(&edits);
        let after = vector.open(&written);
        assert_eq!(before.len(), after.len(), "{}", vector.name);
        for (at, (was, is)) in before.iter().zip(&after).enumerate() {
            let number = planned.iter().position(|planned| *planned == at);
            let mut expected = describe(was);
            if let Some(number) = number {
                expected.content.clone_from(&vector.edits[number].1);
            } else {
                let same = was.place.span.of(&vector.document) == is.place.span.of(&written);
                assert!(same, "{}: {:?}", vector.name, expected.route);
            }
            // A value may have become longer or shorter by lines.
            expected.line = is.place.line;
            assert_eq!(describe(is), expected, "{}", vector.name);
        }
        let routes: Vec<Route> = planned.iter().map(|at| before[*at].place.route.clone()).collect();
        if let Ok(unplanned) = yaml::unplanned(&vector.document, &written, &routes) {
            assert_eq!(unplanned, [], "{}", vector.name);
        }
    }
}

#[test]
fn law_3_what_is_sealed_opens_to_the_same() {
    for vector in vectors() {
        let before = vector.open(&vector.document);
        for length in [0, 1, 15, 16, 17, 40, 1000] {
            let text: Vec<u8> = (0..length).map(|n| b"0123456789abcdef\n\xff'\""[n % 20]).collect();
            for (at, cell) in before.iter().enumerate() {
                let sealed = cell.scheme.to_string() != "plain";
                if !sealed || matches!(cell.content, Content::Locked(_)) {
                    continue;
                }
                let written = vector.write(&[edit(cell, &text)]);
                let after = vector.open(&written);
                let Content::Open(plain) = &after[at].content else { panic!("{}", vector.name) };
                assert_eq!(plain.expose(), text, "{}", vector.name);
                let whole = around(&vector.document, &[cell]);
                assert_eq!(around(&written, &[&after[at]]), whole, "{}", vector.name);
            }
        }
    }
}

#[test]
fn law_4_line_ends_marks_anchors_and_comments_survive() {
    for vector in vectors() {
        let before = vector.open(&vector.document);
        let (_, edits): (Vec<usize>, Vec<Edit>) = vector.edits(&before).into_iter().unzip();
        let written = vector.write(&edits);
        let facts = |bytes: &[u8]| {
            let crlf = memchr::memmem::find_iter(bytes, b"\r\n").count();
            let lf = bytes.iter().filter(|byte| **byte == b'\n').count();
            (bytes.starts_with(b"\xef\xbb\xbf"), crlf > 0, crlf == lf, bytes.ends_with(b"\n"))
        };
        assert_eq!(facts(&written), facts(&vector.document), "{}", vector.name);
        let (Ok(was), Ok(is)) = (yaml::scan(&vector.document), yaml::scan(&written)) else {
            continue;
        };
        let anchors = |scan: &yaml::Scan<'_>| {
            scan.scalars.iter().filter(|scalar| scalar.anchored).count() + scan.aliases.len()
        };
        assert_eq!(anchors(&is), anchors(&was), "{}", vector.name);
        let tokens = |text: &[u8]| memchr::memmem::find(text, b"ENC[").is_some();
        let comments = |scan: &yaml::Scan<'_>, bytes: &[u8]| -> BTreeSet<Vec<u8>> {
            let all = scan.comments.iter().map(|comment| comment.span.of(bytes).to_vec());
            all.filter(|text| !tokens(text) && text.contains(&b' ')).collect()
        };
        let (was, is) = (comments(&was, &vector.document), comments(&is, &written));
        let inside = |text: &&Vec<u8>| text.len() > 50 || text.ends_with(b"]");
        let lost: Vec<_> = was.difference(&is).filter(|text| !inside(text)).collect();
        assert!(lost.is_empty(), "{}", vector.name);
    }
}

/// Runs the real eyaml; `None` where it is not installed, which is a failure in CI.
fn eyaml(arguments: &[&str], key: &str) -> Option<String> {
    let keys = fixtures().join("keys").join(key);
    let option = |name: &str, file: &str| format!("--pkcs7-{name}={}", keys.join(file).display());
    let output = Command::new("eyaml")
        .args(arguments)
        .arg(option("private-key", "private_key.pkcs7.pem"))
        .arg(option("public-key", "public_key.pkcs7.pem"))
        .output();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).expect("eyaml prints text"))
        }
        Err(_) => {
            skip("eyaml");
            None
        }
    }
}

/// A missing program is a failure in CI, and a printed reason elsewhere.
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a test asks the machine")]
fn skip(program: &str) {
    assert!(std::env::var_os("CI").is_none(), "{program} is needed where CI is set");
    eprintln!("skipped: {program} is not installed");
}

/// A text of our own with the values of a key pair, as the real eyaml writes it.
fn written_by_eyaml(id: &str, secret: &str) -> Option<String> {
    let line = eyaml(&["encrypt", "-o", "string", "-l", "id", "-s", id], "staging")?;
    let block = eyaml(&["encrypt", "-o", "block", "-l", "secret", "-s", secret], "staging")?;
    Some(format!("---\n{}\n{}\nplain: x # kept\n", line.trim_end(), block.trim_end()))
}

#[test]
fn what_eyaml_writes_is_read_and_what_is_written_eyaml_reads() {
    let (id, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let (new_id, new_secret) = ("AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY");
    let Some(document) = written_by_eyaml(id, secret) else { return };
    let vector = Vector {
        name: "eyaml".to_owned(),
        path: RepoPath::new("hieradata/common.eyaml"),
        keyring: keyring("staging"),
        named: Vec::new(),
        edits: Vec::new(),
        document: document.into_bytes(),
    };
    let cells = vector.open(&vector.document);
    let sealed: Vec<&Cell> =
        cells.iter().filter(|cell| cell.scheme.to_string() == "eyaml-pkcs7").collect();
    let [first, second] = sealed[..] else { panic!("two tokens: {cells:?}") };
    assert_eq!(describe(first).content, id);
    assert_eq!(describe(second).content, secret);

    let written =
        vector.write(&[edit(first, new_id.as_bytes()), edit(second, new_secret.as_bytes())]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("common.eyaml");
    std::fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .open(&file)
        .and_then(|mut file| std::io::Write::write_all(&mut file, &written))
        .expect("written");
    let file = file.to_str().expect("a plain path");
    let Some(decrypted) = eyaml(&["decrypt", "-e", file], "staging") else { return };
    assert!(decrypted.contains(new_id) && decrypted.contains(new_secret), "{decrypted}");
    assert!(!decrypted.contains(id) && !decrypted.contains(secret), "{decrypted}");
    assert_eq!(around(&written, &[]).len(), vector.document.len(), "the same shape and width");
    let lines =
        |text: &[u8]| text.split(|byte| *byte == b'\n').map(<[u8]>::len).collect::<Vec<_>>();
    assert_eq!(lines(&written), lines(&vector.document));
}

#[test]
fn openssl_reads_what_is_written() {
    let vector = Vector::read(&fixtures().join("kit/eyaml/plain.txt"));
    let cells = vector.open(&vector.document);
    let (at, edit) = vector.edits(&cells).remove(0);
    let written = vector.write(&[edit]);
    let token = vector.open(&written)[at].place.span.of(&written).to_vec();
    let text = String::from_utf8(token).expect("a token is text");
    let body = text.trim_start_matches("ENC[PKCS7,").trim_end_matches(']');
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("sealed.pem");
    let pem = format!("-----BEGIN PKCS7-----\n{}\n-----END PKCS7-----\n", wrapped(body));
    std::fs::File::create_new(&file)
        .and_then(|mut file| std::io::Write::write_all(&mut file, pem.as_bytes()))
        .expect("written");
    let identity = fixtures().join("keys/staging/private_key.pkcs7.pem");
    for command in ["smime", "cms"] {
        let mut openssl = Command::new("openssl");
        openssl.args([command, "-decrypt", "-inform", "PEM", "-in"]).arg(&file);
        openssl.arg("-inkey").arg(&identity);
        let Ok(output) = openssl.output() else {
            skip("openssl");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, vector.edits[0].1.as_bytes(), "{command}");
    }
}

fn wrapped(text: &str) -> String {
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).expect("base64")).collect();
    lines.join("\n")
}

/// Numbers that look random and are the same in every run (xorshift, Marsaglia 2003).
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % below.max(1)
    }
}

#[test]
fn damaged_texts_are_answered_and_left_as_they_were() {
    let mut number = numbers(0x2545_f491_4f6c_dd1d);
    let odd: [&[u8]; 12] =
        [b"\n", b"\r\n", b"\t", b"ENC[", b"]", b"\"", b"'", b"\\", b"- ", b"#", b"\xff", b"\0"];
    for mut vector in vectors() {
        // Without identities nothing costs an RSA operation.
        vector.keyring = Keyring::default();
        let original = vector.document.clone();
        for _ in 0..60 {
            let mut text = original.clone();
            for _ in 0..=number(3) {
                let at = number(text.len());
                let end = (at + number(8)).min(text.len());
                text.splice(at..end, odd[number(odd.len())].iter().copied());
            }
            vector.document = text;
            let cells = vector.open(&vector.document);
            for pair in cells.windows(2) {
                assert!(pair[0].place.span.end <= pair[1].place.span.start, "{}", vector.name);
            }
            assert!(cells.iter().all(|cell| cell.place.span.end <= vector.document.len()));
            assert_eq!(vector.write(&[]), vector.document, "{}", vector.name);
        }
    }
}
