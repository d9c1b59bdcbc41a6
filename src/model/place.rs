//! Where something stands: a path of the repository, a route through its structure, a byte span.

use std::fmt;

use super::visible;

/// A path inside a commit's tree: bytes as git holds them, never a path of this machine.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes the bytes of a tree entry's full name, without a leading slash.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as git holds them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as text; bytes that are not UTF-8 become U+FFFD. For matching and for JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The folder that holds the file; `None` at the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let at = self.0.iter().rposition(|b| *b == b'/')?;
        Some(Self(self.0[..at].to_vec()))
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&visible(&String::from_utf8_lossy(&self.0)))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepoPath({self})")
    }
}

/// Bytes `start..end` of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The span `start..end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The bytes of `text` it covers.
    #[must_use]
    pub fn of<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start..self.end]
    }

    /// Whether `other` lies wholly inside.
    #[must_use]
    pub const fn covers(&self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// One step of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The n-th document of a stream of several, from 0; left out where there is only one.
    Document(usize),
    /// The entry of a mapping.
    Field(String),
    /// The item of a list, from 0.
    Item(usize),
    /// A comment; the line tells which.
    Comment,
    /// The n-th sealed token of one scalar that holds more than that token, from 0.
    Token(usize),
    /// What an opened value holds inside, by the name of the format that read it.
    Inside(&'static str),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(n) => write!(f, "document[{n}]"),
            Self::Field(name) => f.write_str(name),
            Self::Item(n) => write!(f, "[{n}]"),
            Self::Comment => f.write_str("#"),
            Self::Token(n) => write!(f, "token[{n}]"),
            Self::Inside(format) => write!(f, "({format})"),
        }
    }
}

/// The way to a value through every level of a file's structure; empty in flat text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Route(pub Vec<Step>);

impl Route {
    /// The route one step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The steps as text, as the JSON contract shows them.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// The name of the innermost mapping entry, if the route passes one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The route of the mapping or list that holds the innermost mapping entry.
    #[must_use]
    pub fn mapping(&self) -> Option<Self> {
        let at = self.0.iter().rposition(|step| matches!(step, Step::Field(_)))?;
        Some(Self(self.0[..at].to_vec()))
    }
}

impl fmt::Display for Route {
    /// Steps joined by `/`, made visible; a slash inside a name is `~1` and a tilde `~0`
    /// (RFC 6901), so that the text names one route only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            let word = step.to_string().replace('~', "~0").replace('/', "~1");
            f.write_str(&visible(&word))?;
        }
        Ok(())
    }
}

/// One value of one file: what a plan and a report point at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub path: RepoPath,
    /// The line, from 1, where the value's entry begins.
    pub line: usize,
    /// The way to the value.
    pub route: Route,
    /// The bytes of the file that hold the sealed or clear value (of the outermost level).
    pub span: Span,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)?;
        if !self.route.0.is_empty() {
            write!(f, " {}", self.route)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{RepoPath, Route, Step};

    #[test]
    fn a_route_names_its_mapping_and_field() {
        let route = Route(vec![
            Step::Field("app".into()),
            Step::Field("aws_access_key_id".into()),
            Step::Token(1),
        ]);
        assert_eq!(route.field(), Some("aws_access_key_id"));
        assert_eq!(route.mapping(), Some(Route(vec![Step::Field("app".into())])));
        assert_eq!(route.to_string(), "app/aws_access_key_id/token[1]");
    }

    #[test]
    fn a_slash_in_a_name_is_told_from_a_step() {
        assert_eq!(Route(vec![Step::Field("a/b~c".into())]).to_string(), "a~1b~0c");
    }

    #[test]
    fn a_path_shows_its_control_characters() {
        assert_eq!(RepoPath::new(*b"a\x1b[31m.yaml").to_string(), "a\\u{1b}[31m.yaml");
        assert_eq!(RepoPath::new(*b"a/b/c.yaml").parent(), Some(RepoPath::new(*b"a/b")));
    }
}
