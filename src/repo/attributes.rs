//! Which paths git would pass through a filter, from the `.gitattributes` of a commit
//! (gitattributes(5)). Their blobs are not what people see, so others refuse to write them.

use super::git::{Repository, parse_id};
use crate::error::{Error, Result};
use crate::model::RepoPath;

/// A line beyond this length is ignored, as git does.
const LINE_LIMIT: usize = 2048;
/// A file beyond this size is ignored, as git does.
const FILE_LIMIT: usize = 100 * 1024 * 1024;
/// How deep macros may name each other.
const MACRO_DEPTH: usize = 8;

/// The attributes that change bytes between blob and work tree beyond line ends.
const WATCHED: [&str; 3] = ["filter", "ident", "working-tree-encoding"];

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Set,
    Off,
    Value(String),
}

/// What one line says of attributes: `None` is `!name`, back to unspecified.
type States = Vec<(String, Option<State>)>;

#[derive(Debug)]
struct Rule {
    pattern: Vec<u8>,
    /// Whether the pattern counts from the folder of its file rather than in any folder.
    anchored: bool,
    states: States,
}

#[derive(Debug, Default)]
struct Rules {
    rules: Vec<Rule>,
    macros: Vec<(String, States)>,
}

impl Repository {
    /// The attribute that lets git change the bytes of a path, such as `filter=git-crypt`,
    /// `ident` or `working-tree-encoding=UTF-16`; `None` when the blob is what people see.
    ///
    /// Read from every `.gitattributes` of the commit on the way to the path, and from
    /// `info/attributes` of the clone.
    ///
    /// # Errors
    /// `missing-object`.
    pub fn filter_of(&self, commit: &str, path: &RepoPath) -> Result<Option<String>> {
        let tree = self.tree_of(parse_id(commit)?)?;
        let mut levels = Vec::new();
        let cuts = path.as_bytes().iter().enumerate().filter(|(_, b)| **b == b'/').map(|(n, _)| n);
        for cut in std::iter::once(0).chain(cuts) {
            let folder = &path.as_bytes()[..cut];
            let mut name = folder.to_vec();
            name.extend_from_slice(if cut == 0 { b".gitattributes" } else { b"/.gitattributes" });
            let from = if cut == 0 { 0 } else { cut + 1 };
            if let Some((id, _)) = self.lookup(tree, &RepoPath::new(name))? {
                let text = self.blob(id)?.ok_or_else(|| attributes_missing(path))?;
                levels.push((from, parse(&text, cut == 0)));
            }
        }
        let own = self.location.common_dir.join("info/attributes");
        match std::fs::read(&own) {
            Ok(text) => levels.push((0, parse(&text, true))),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::io("read", &own, &source)),
        }
        Ok(decide(&levels, path.as_bytes()))
    }
}

fn attributes_missing(path: &RepoPath) -> Error {
    Error::new(
        crate::error::Kind::NotFound,
        "missing-object",
        format!("this clone lacks a `.gitattributes` file that may speak of `{path}`"),
    )
    .hint("the clone is partial: fetch more of it with `git fetch`")
}

/// The later rule wins, and the file nearer to the path.
fn decide(levels: &[(usize, Rules)], path: &[u8]) -> Option<String> {
    let macros: Vec<_> = levels.iter().flat_map(|(_, rules)| rules.macros.iter()).collect();
    let mut found: [Option<State>; 3] = [None, None, None];
    for (from, rules) in levels {
        for rule in rules.rules.iter().filter(|rule| rule.matches(&path[*from..])) {
            for (name, state) in &rule.states {
                apply(name, state.as_ref(), &macros, &mut found, 0);
            }
        }
    }
    WATCHED.iter().zip(found).find_map(|(name, state)| match state? {
        State::Off => None,
        State::Set => Some((*name).to_owned()),
        State::Value(value) => Some(format!("{name}={value}")),
    })
}

fn apply(
    name: &str,
    state: Option<&State>,
    macros: &[&(String, States)],
    found: &mut [Option<State>; 3],
    depth: usize,
) {
    if let Some(at) = WATCHED.iter().position(|watched| *watched == name) {
        found[at] = state.cloned();
    }
    if state != Some(&State::Set) || depth >= MACRO_DEPTH {
        return;
    }
    // The built-in `binary` sets none of the watched attributes.
    if let Some((_, states)) = macros.iter().rev().find(|(known, _)| known == name) {
        for (name, state) in states {
            apply(name, state.as_ref(), macros, found, depth + 1);
        }
    }
}

impl Rule {
    fn matches(&self, path: &[u8]) -> bool {
        if self.anchored {
            return wild_match(&self.pattern, path);
        }
        wild_match(&self.pattern, path.rsplit(|b| *b == b'/').next().unwrap_or(path))
    }
}

fn parse(text: &[u8], macros_allowed: bool) -> Rules {
    let mut rules = Rules::default();
    if text.len() > FILE_LIMIT {
        return rules;
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for line in text.split(|b| *b == b'\n').filter(|line| line.len() < LINE_LIMIT) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(rest) = line.strip_prefix(b"[attr]") {
            let words = String::from_utf8_lossy(rest).into_owned();
            if let Some((name, rest)) = words.trim().split_once(char::is_whitespace)
                && macros_allowed
            {
                rules.macros.push((name.to_owned(), states(rest)));
            }
            continue;
        }
        let (pattern, rest) = pattern_of(line);
        // A negative pattern is an error for git; a folder's pattern speaks of no file.
        if pattern.is_empty() || pattern.starts_with(b"!") || pattern.ends_with(b"/") {
            continue;
        }
        let anchored = pattern.contains(&b'/');
        let pattern = pattern.strip_prefix(b"/").unwrap_or(&pattern).to_vec();
        let states = states(&String::from_utf8_lossy(rest));
        rules.rules.push(Rule { pattern, anchored, states });
    }
    rules
}

/// The pattern of a line, which may be quoted as in C, and the rest.
fn pattern_of(line: &[u8]) -> (Vec<u8>, &[u8]) {
    if let Some(body) = line.strip_prefix(b"\"")
        && let Some((pattern, used)) = unquote(body)
    {
        return (pattern, &body[used..]);
    }
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    (line[..end].to_vec(), &line[end..])
}

fn unquote(body: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        match *body.get(at)? {
            b'"' => return Some((out, at + 1)),
            b'\\' => {
                let next = *body.get(at + 1)?;
                at += 2;
                out.push(match next {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'0'..=b'3' => {
                        let digits = std::str::from_utf8(body.get(at - 1..at + 2)?).ok()?;
                        at += 2;
                        u8::from_str_radix(digits, 8).ok()?
                    }
                    other => other,
                });
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

fn states(text: &str) -> States {
    let words = text.split_ascii_whitespace();
    words
        .map(|word| match (word.strip_prefix('-'), word.strip_prefix('!'), word.split_once('=')) {
            (Some(name), _, _) => (name.to_owned(), Some(State::Off)),
            (_, Some(name), _) => (name.to_owned(), None),
            (_, _, Some((name, value))) => (name.to_owned(), Some(State::Value(value.to_owned()))),
            _ => (word.to_owned(), Some(State::Set)),
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    /// `?`: one byte that is no slash.
    One,
    /// `*`: bytes that are no slash.
    Run,
    /// `**`: any bytes.
    Deep,
    /// `**/`: nothing, or any folders.
    Folders,
    /// `[…]`: whether it is negated, and the ranges.
    Class(bool, Vec<(u8, u8)>),
}

/// Matches as git's wildmatch with path names. Time is pattern times text, whatever is in them.
fn wild_match(pattern: &[u8], text: &[u8]) -> bool {
    let pieces = pieces(pattern);
    // reach[n]: the pieces so far match the first n bytes.
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for piece in &pieces {
        let mut next = vec![false; text.len() + 1];
        for n in 0..=text.len() {
            let before = n.checked_sub(1).map(|at| (text[at], reach[at], next[at]));
            next[n] = match (piece, before) {
                (Piece::Run, Some((byte, _, grown))) => reach[n] || (grown && byte != b'/'),
                (Piece::Deep, Some((_, _, grown))) => reach[n] || grown,
                (Piece::Run | Piece::Deep, None) => reach[n],
                (Piece::Folders, _) => {
                    reach[n] || (n > 0 && text[n - 1] == b'/' && reach[..n].contains(&true))
                }
                (Piece::Byte(want), Some((byte, fits, _))) => fits && byte == *want,
                (Piece::One, Some((byte, fits, _))) => fits && byte != b'/',
                (Piece::Class(not, ranges), Some((byte, fits, _))) => {
                    let inside = ranges.iter().any(|(low, high)| (*low..=*high).contains(&byte));
                    fits && byte != b'/' && inside != *not
                }
                (_, None) => false,
            };
        }
        reach = next;
    }
    reach[text.len()]
}

fn pieces(pattern: &[u8]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        let rest = &pattern[at..];
        let after_slash = at == 0 || pattern[at - 1] == b'/';
        let (piece, used) = match rest {
            [b'*', b'*', b'/', ..] if after_slash => (Piece::Folders, 3),
            [b'*', b'*'] if after_slash => (Piece::Deep, 2),
            [b'*', ..] => (Piece::Run, 1),
            [b'?', ..] => (Piece::One, 1),
            [b'\\', byte, ..] => (Piece::Byte(*byte), 2),
            [b'[', ..] => class(rest).unwrap_or((Piece::Byte(b'['), 1)),
            [byte, ..] => (Piece::Byte(*byte), 1),
            [] => break,
        };
        out.push(piece);
        at += used;
    }
    out
}

fn class(rest: &[u8]) -> Option<(Piece, usize)> {
    let not = matches!(rest.get(1), Some(b'!' | b'^'));
    let start = if not { 2 } else { 1 };
    let mut at = start;
    let mut ranges = Vec::new();
    loop {
        let byte = *rest.get(at)?;
        if byte == b']' && at > start {
            return Some((Piece::Class(not, ranges), at + 1));
        }
        if byte == b'[' && rest.get(at + 1) == Some(&b':') {
            let end = at + 2 + rest[at + 2..].windows(2).position(|two| two == b":]")?;
            ranges.extend(posix(&rest[at + 2..end])?);
            at = end + 2;
            continue;
        }
        let (low, used) = if byte == b'\\' { (*rest.get(at + 1)?, 2) } else { (byte, 1) };
        at += used;
        if rest.get(at) == Some(&b'-') && rest.get(at + 1).is_some_and(|b| *b != b']') {
            ranges.push((low, *rest.get(at + 1)?));
            at += 2;
        } else {
            ranges.push((low, low));
        }
    }
}

fn posix(name: &[u8]) -> Option<Vec<(u8, u8)>> {
    Some(match name {
        b"alpha" => vec![(b'a', b'z'), (b'A', b'Z')],
        b"digit" => vec![(b'0', b'9')],
        b"alnum" => vec![(b'a', b'z'), (b'A', b'Z'), (b'0', b'9')],
        b"lower" => vec![(b'a', b'z')],
        b"upper" => vec![(b'A', b'Z')],
        b"xdigit" => vec![(b'0', b'9'), (b'a', b'f'), (b'A', b'F')],
        b"space" => vec![(b' ', b' '), (b'\t', b'\r')],
        b"punct" => vec![(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{decide, parse, wild_match};

    fn filter(files: &[(usize, &str)], path: &str) -> Option<String> {
        let levels: Vec<_> =
            files.iter().map(|(from, text)| (*from, parse(text.as_bytes(), *from == 0))).collect();
        decide(&levels, path.as_bytes())
    }

    #[test]
    fn patterns_match_as_git_matches_them() {
        for (pattern, text, want) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a/b.yaml", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "axb", false),
            ("**/b", "x/y/b", true),
            ("**/b", "xb", false),
            ("a/**", "a/x/y", true),
            ("a/**", "a", false),
            ("a**b", "a/b", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]]x", "]x", true),
            ("[[:digit:]]", "7", true),
            ("[a", "[a", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*", "", true),
        ] {
            assert_eq!(wild_match(pattern.as_bytes(), text.as_bytes()), want, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_made_to_backtrack_ends() {
        let pattern = "*a".repeat(500);
        assert!(!wild_match(pattern.as_bytes(), &[b'a'; 499]));
    }

    #[test]
    fn the_last_and_the_nearest_rule_win() {
        let root = "* filter=outer\n*.txt !filter\n/only filter=anchored\n";
        assert_eq!(filter(&[(0, root)], "x/a.yaml").as_deref(), Some("filter=outer"));
        assert_eq!(filter(&[(0, root)], "x/a.txt"), None);
        assert_eq!(filter(&[(0, "/only filter=a")], "x/only"), None);
        let near = [(0, root), (2, "a.yaml -filter")];
        assert_eq!(filter(&near, "x/a.yaml"), None);
        assert_eq!(filter(&[(0, "secret/ filter=x")], "secret/a"), None);
        assert_eq!(filter(&[(0, "secret/** filter=x")], "secret/a/b").as_deref(), Some("filter=x"));
    }

    #[test]
    fn macros_quotes_and_the_other_watched_attributes_count() {
        let text = "[attr]sealed filter=git-crypt diff=git-crypt\n\"a b\\056yaml\" sealed\n*.c ident\n*.u working-tree-encoding=UTF-16\n*.p binary\n";
        assert_eq!(filter(&[(0, text)], "a b.yaml").as_deref(), Some("filter=git-crypt"));
        assert_eq!(filter(&[(0, text)], "x.c").as_deref(), Some("ident"));
        assert_eq!(filter(&[(0, text)], "x.u").as_deref(), Some("working-tree-encoding=UTF-16"));
        assert_eq!(filter(&[(0, text)], "x.p"), None);
        // A macro that names itself must not loop.
        assert_eq!(filter(&[(0, "[attr]m m filter=x\n* m")], "a").as_deref(), Some("filter=x"));
    }
}
