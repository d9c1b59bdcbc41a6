//! Names every place where an access key ID, a secret or an asked-for text stands in opened files.
//! Which secret belongs to which ID is left to `pair`.

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use super::encode::{Around, Needles};
use crate::error::{Error, Kind, Result};
use crate::model::{
    AccessKeyId, Cell, Content, Encoding, KeyIdPattern, Occurrence, Role, Scheme, SourceFile, Span,
};

/// What is searched for.
pub enum Query {
    /// These access key IDs, byte for byte.
    Ids(Vec<AccessKeyId>, AhoCorasick),
    /// Everything that has the shape of an access key ID.
    All(Regex),
    /// Any text or pattern.
    Text(Regex),
}

impl Query {
    /// A search for several access key IDs in one pass.
    ///
    /// # Errors
    /// A defect only.
    pub fn ids(ids: Vec<AccessKeyId>) -> Result<Self> {
        let automaton = AhoCorasick::new(ids.iter().map(AccessKeyId::as_str))
            .map_err(|source| Error::bug(format!("the search for access key IDs: {source}")))?;
        Ok(Self::Ids(ids, automaton))
    }

    /// A search for everything that has the shape of an access key ID.
    ///
    /// # Errors
    /// `bad-pattern` when the pattern does not compile on bytes.
    pub fn all(pattern: &KeyIdPattern) -> Result<Self> {
        // A percent-encoded separator (`%3A`) may stand right before an ID in a URL, and an
        // escape (`\n`, `\u0026`) in JSON.
        let before = r"\b|%[0-9A-Fa-f]{2}|\\[bfnrt]|\\u[0-9A-Fa-f]{4}";
        let source = format!(r"(?-u)(?:{before})({})\b", pattern.source());
        Ok(Self::All(compiled(&source)?))
    }

    /// A search for a text as it is.
    ///
    /// # Errors
    /// `bad-pattern` when the text is empty.
    pub fn text(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new(Kind::Usage, "bad-pattern", "an empty text stands everywhere")
                .hint("give --text at least one character"));
        }
        Ok(Self::Text(compiled(&regex::escape(text))?))
    }

    /// A search for a pattern in the syntax of the `regex` crate.
    ///
    /// # Errors
    /// `bad-pattern` when it does not compile or matches the empty text.
    pub fn regex(pattern: &str) -> Result<Self> {
        let regex = compiled(pattern)?;
        if regex.is_match(b"") {
            return Err(Error::new(
                Kind::Usage,
                "bad-pattern",
                format!("`{}` matches the empty text", crate::model::visible(pattern)),
            ));
        }
        Ok(Self::Text(regex))
    }

    /// Whether the raw bytes of a file hold what is searched for.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Ids(_, automaton) => automaton.is_match(bytes),
            Self::All(regex) => regex.is_match(bytes),
            // A value can be written with escapes or folds: what is text has to be opened.
            Self::Text(regex) => !bytes.contains(&0) || regex.is_match(bytes),
        }
    }

    /// Every place in one text that answers the query.
    pub(super) fn hits(&self, text: &[u8]) -> Vec<(Span, Role, Option<AccessKeyId>)> {
        match self {
            Self::Ids(ids, automaton) => automaton
                .find_iter(text)
                .map(|hit| {
                    let id = ids[hit.pattern().as_usize()].clone();
                    (Span::new(hit.start(), hit.end()), Role::Id, Some(id))
                })
                .collect(),
            Self::All(regex) => regex
                .captures_iter(text)
                .filter_map(|hit| {
                    let found = hit.get(1)?;
                    let id = AccessKeyId::new(String::from_utf8_lossy(found.as_bytes())).ok()?;
                    Some((Span::new(found.start(), found.end()), Role::Id, Some(id)))
                })
                .collect(),
            Self::Text(regex) => regex
                .find_iter(text)
                .map(|hit| (Span::new(hit.start(), hit.end()), Role::Text, None))
                .collect(),
        }
    }
}

fn compiled(source: &str) -> Result<Regex> {
    Regex::new(source).map_err(|error| {
        let shown = crate::model::visible(&error.to_string());
        Error::new(Kind::Usage, "bad-pattern", format!("no regular expression: {shown}"))
    })
}

/// Every place where the query's answer stands in one file, on every level.
#[must_use]
pub fn find(file: &SourceFile, query: &Query) -> Vec<Occurrence> {
    let mut found = Vec::new();
    walk(&file.cells, &mut Vec::new(), &mut |cell, trail, text| {
        for (range, role, id) in query.hits(text) {
            found.push(occurrence(cell, trail, range, Encoding::default(), role, id));
        }
    });
    found
}

/// Every place where the secret of `id` stands in one file, on every level, in every spelling.
#[must_use]
pub fn find_secret(file: &SourceFile, id: &AccessKeyId, needles: &Needles) -> Vec<Occurrence> {
    let mut found = Vec::new();
    walk(&file.cells, &mut Vec::new(), &mut |cell, trail, text| {
        let around = around(file, cell, trail);
        for (range, encoding) in needles.find_within(text, &around) {
            let mut one = occurrence(cell, trail, range, encoding, Role::Secret, Some(id.clone()));
            one.paired = true;
            found.push(one);
        }
    });
    found
}

/// How far back a scalar is looked at for the URL that a token of it belongs to.
const LOOK_BACK: usize = 16 << 10;

/// What stands in clear around a token: the file before it without other tokens, the byte behind.
fn around(file: &SourceFile, cell: &Cell, trail: &[Span]) -> Around {
    let [span] = trail else { return Around::default() };
    if cell.scheme == Scheme::Plain {
        return Around::default();
    }
    let from = span.start.saturating_sub(LOOK_BACK);
    let mut rest = file.bytes.get(from..span.start).unwrap_or_default();
    let mut before = Vec::new();
    while let Some(start) = memchr::memmem::find(rest, b"ENC[") {
        before.extend_from_slice(&rest[..start]);
        let end = memchr::memchr(b']', &rest[start..]).map_or(rest.len(), |at| start + at + 1);
        rest = &rest[end..];
    }
    before.extend_from_slice(rest);
    Around { before, behind: file.bytes.get(span.end).copied() }
}

/// What [`walk`] calls: the cell, the spans that lead to it, its plaintext.
pub(super) type Visit<'v, 'c> = dyn FnMut(&'c Cell, &[Span], &'c [u8]) + 'v;

/// Visits every open cell from the outermost level inward, with the spans that lead to it.
pub(super) fn walk<'c>(cells: &'c [Cell], trail: &mut Vec<Span>, visit: &mut Visit<'_, 'c>) {
    for cell in cells {
        trail.push(cell.place.span);
        if let Content::Open(text) = &cell.content {
            visit(cell, trail, text.expose());
        }
        walk(&cell.inside, trail, visit);
        trail.pop();
    }
}

fn occurrence(
    cell: &Cell,
    trail: &[Span],
    range: Span,
    encoding: Encoding,
    role: Role,
    id: Option<AccessKeyId>,
) -> Occurrence {
    let mut place = cell.place.clone();
    place.span = trail.first().copied().unwrap_or(place.span);
    place.line = line_of(cell, range);
    Occurrence {
        place,
        trail: trail.to_vec(),
        range,
        encoding,
        role,
        id,
        scheme: cell.scheme.clone(),
        opened_by: cell.opened_by.clone(),
        paired: false,
        environment: None,
    }
}

/// A cell of flat text in clear may span lines; everything else is named by its entry's line.
fn line_of(cell: &Cell, range: Span) -> usize {
    let flat = cell.scheme == Scheme::Plain && cell.place.route.0.is_empty();
    match &cell.content {
        Content::Open(text) if flat => {
            cell.place.line + memchr::memchr_iter(b'\n', &text.expose()[..range.start]).count()
        }
        _ => cell.place.line,
    }
}

#[cfg(test)]
mod tests {
    use super::Query;
    use crate::model::KeyIdPattern;

    #[test]
    fn an_id_behind_an_escape_is_one_of_all() {
        let query = Query::all(&KeyIdPattern::default()).expect("compiles");
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            r#"{"t":"x\nAKIAIOSFODNN7EXAMPLE\n"}"#,
            r#"{"t":"a=b\u0026AKIAIOSFODNN7EXAMPLE"}"#,
            "https://h/?k%3DAKIAIOSFODNN7EXAMPLE",
        ] {
            let hits = query.hits(text.as_bytes());
            let ids: Vec<&str> =
                hits.iter().filter_map(|(_, _, id)| Some(id.as_ref()?.as_str())).collect();
            assert_eq!(ids, ["AKIAIOSFODNN7EXAMPLE"], "{text}");
        }
        assert!(query.hits(b"xAKIAIOSFODNN7EXAMPLE").is_empty());
    }
}
