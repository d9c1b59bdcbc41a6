//! What the scanner says of every style, and of texts that mean it harm.

use super::{Part, ScanError, Style, scan};

/// Route, line, style and raw content of every value.
fn values(text: &str) -> Vec<(String, usize, Style, String)> {
    let scan = scan(text.as_bytes()).expect("the text is YAML");
    let raw = |span: crate::model::Span| text[span.start..span.end].to_owned();
    scan.scalars
        .iter()
        .filter(|scalar| scalar.part == Part::Value)
        .map(|s| (scan.route(s.node).to_string(), s.line, s.style, raw(s.span)))
        .collect()
}

fn lines(text: &str) -> Vec<(String, usize)> {
    values(text).into_iter().map(|(route, line, ..)| (route, line)).collect()
}

#[test]
fn every_style_gives_its_content() {
    let text = "a: plain\nb: 'it''s'\nc: \"x\\\n  y\"\nd: >-  # note\n  one\n  two\ne: |2\n    deep\n\nf:\n  long\n  plain\n";
    let expected = [
        ("a", 1, Style::Plain, "plain"),
        ("b", 2, Style::Single, "it''s"),
        ("c", 3, Style::Double, "x\\\n  y"),
        ("d", 5, Style::Folded, "one\n  two\n"),
        ("e", 8, Style::Literal, "  deep\n\n"),
        ("f", 11, Style::Plain, "long\n  plain"),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(r, l, s, t)| ((*r).to_owned(), *l, *s, (*t).to_owned())).collect();
    assert_eq!(values(text), expected);
}

#[test]
fn the_line_is_that_of_the_entry() {
    let text = "l:\n  - x\n  - # note - here\n    y\n  -\n    z\n  - >\n    folded\n    text\n  - - n1\n    -\n      n2\n  - &a !t-x v\n  - k: 1\n    m:\n      >\n      w\nflow: [p,\n  q, {r: s,\n  t: u}]\nempty:\n? |\n  key\n: value\n";
    let expected = [
        ("l/[0]", 2),
        ("l/[1]", 3),
        ("l/[2]", 5),
        ("l/[3]", 7),
        ("l/[4]/[0]", 10),
        ("l/[4]/[1]", 11),
        ("l/[5]", 13),
        ("l/[6]/k", 14),
        ("l/[6]/m", 15),
        ("flow/[0]", 18),
        ("flow/[1]", 19),
        ("flow/[2]/r", 19),
        ("flow/[2]/t", 20),
        ("empty", 21),
        ("key\\n", 22),
    ];
    let expected: Vec<_> = expected.iter().map(|(r, l)| ((*r).to_owned(), *l)).collect();
    assert_eq!(lines(text), expected);
}

#[test]
fn documents_are_named_only_where_there_are_several() {
    assert_eq!(lines("--- >\n  x\n"), [(String::new(), 1)]);
    let two = lines("---\na: 1\n---\n- b\n");
    assert_eq!(two, [("document[0]/a".to_owned(), 2), ("document[1]/[0]".to_owned(), 4)]);
}

#[test]
fn bom_and_crlf_shift_nothing() {
    let lf = "# c\na: x\nb: >\n  one\n  two\n- \n";
    let lf = &lf[..lf.len() - 3];
    let odd = format!("\u{feff}{}", lf.replace('\n', "\r\n"));
    assert_eq!(lines(lf), lines(&odd));
    let scan = scan(odd.as_bytes()).expect("the text is YAML");
    assert_eq!(scan.comments[0].span.of(odd.as_bytes()), b"# c");
    assert!(scan.comments[0].own_line);
    let folded = scan.scalars.last().expect("two values");
    assert_eq!(folded.span.of(odd.as_bytes()), b"one\r\n  two\r\n");
}

#[test]
fn duplicate_and_odd_keys_are_kept() {
    let found = lines("a: 1\na: 2\n? [x, y]\n: 3\n: 4\n");
    let routes: Vec<_> = found.iter().map(|(route, _)| route.as_str()).collect();
    assert_eq!(routes, ["a", "a", "?/[0]", "?/[1]", "?", ""]);
}

#[test]
fn aliases_are_noted_and_not_followed() {
    let text = "base: &b {x: AKIA}\nuse: *b\nmore:\n  <<: *b\nlist:\n  -\n    *b\n";
    let scan = scan(text.as_bytes()).expect("the text is YAML");
    let seen: Vec<_> = scan
        .aliases
        .iter()
        .map(|a| (scan.route(a.node).to_string(), scan.route(a.target).to_string(), a.line))
        .collect();
    let expect = |route: &str, line| (route.to_owned(), "base".to_owned(), line);
    assert_eq!(seen, [expect("use", 2), expect("more/<<", 4), expect("list/[0]", 6)]);
    assert_eq!(scan.scalars.iter().filter(|s| s.part == Part::Value).count(), 1);
}

#[test]
fn comments_are_found_everywhere() {
    let text = "# one\na: 1 # two\nb: |\n  # text\n# three\nc: [x, # four\n y]\n";
    let scan = scan(text.as_bytes()).expect("the text is YAML");
    let seen: Vec<_> = scan
        .comments
        .iter()
        .map(|c| (String::from_utf8_lossy(c.span.of(text.as_bytes())).into_owned(), c.own_line))
        .collect();
    let expect = |text: &str, own| (text.to_owned(), own);
    assert_eq!(
        seen,
        [
            expect("# one", true),
            expect("# two", false),
            expect("# three", true),
            expect("# four", false)
        ]
    );
}

#[test]
fn hostile_texts_end_quickly() {
    let nested = "[".repeat(20_000);
    let error = scan(nested.as_bytes()).expect_err("too deep");
    assert_eq!(error.message, "collections are nested deeper than the limit");
    let dashes = "- ".repeat(20_000);
    assert!(scan(dashes.as_bytes()).is_err());
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for pair in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"] {
        let (from, to) = pair.split_at(1);
        let items = vec![format!("*{from}"); 9].join(",");
        bomb.push_str(&format!("{to}: &{to} [{items}]\n"));
    }
    assert_eq!(scan(bomb.as_bytes()).expect("a bomb is read, not followed").aliases.len(), 72);
    let many = "# c\n".repeat(20_000) + "a: 1\n";
    assert_eq!(scan(many.as_bytes()).expect("comments are no limit").comments.len(), 20_000);
}

#[test]
fn broken_texts_name_their_line_and_quote_nothing() {
    for (text, line) in [
        (&b"a: 1\nb: \xff\n"[..], 2),
        (b"a: \"x\n", 2),
        (b"a: *nobody\n", 1),
        (b"ok: 1\n\tx: 2\n", 1),
        (b"a: b: hunter2\n", 1),
    ] {
        let ScanError { line: found, message } = scan(text).expect_err("broken");
        assert_eq!(found, line, "{message}");
        assert!(!message.contains("hunter2"));
    }
}

#[test]
fn long_names_around_many_values_are_refused() {
    let mut text = String::new();
    for depth in 0..100 {
        text.push_str(&format!("{}k{depth}{}:\n", " ".repeat(depth), "x".repeat(900)));
    }
    for at in 0..2000 {
        text.push_str(&format!("{}a{at}: 1\n", " ".repeat(100)));
    }
    let error = scan(text.as_bytes()).expect_err("180 MB of routes");
    assert_eq!(error.message, "names around values are too long");
}
