//! The scalars of a YAML text with their routes, lines and byte spans, in every style. Aliases are
//! noted and never followed, so that no text grows by reading it. Decoding limits (size of the
//! file) and what a scalar means are left to the caller.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span as Raw, StructureStyle};
use zeroize::Zeroizing;

use super::Lines;
use super::bytes::{content, first_mark, last_dash};
use crate::model::{Route, Span, Step};

/// How many collections may stand inside one another; the second reader takes 128 at most.
const DEPTH: usize = 120;

/// How many bytes the routes of all scalars of a text may have together, beside [`ROUTES_GROWTH`]
/// for each byte of the text: long names around many values would fill the memory.
const ROUTES: usize = 64 << 20;

/// See [`ROUTES`].
const ROUTES_GROWTH: usize = 16;

/// The name of a route's step through an entry whose key is no scalar.
const COMPLEX: &str = "?";

/// Why a text is no YAML that can be followed; quotes nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanError {
    /// The line, from 1, at which reading stopped.
    pub line: usize,
    /// One clause for a person.
    pub message: &'static str,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without any mark; may run over lines.
    Plain,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
}

/// Whether a scalar names an entry or is a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The key of a mapping's entry; its route is the route of the entry.
    Key,
    /// A value.
    Value,
}

/// The text that a scalar stands for; wiped on drop where decoding made a copy.
#[derive(Debug)]
pub enum Text<'a> {
    /// Written as it reads.
    Raw(&'a str),
    /// Put together from lines or escapes.
    Made(Zeroizing<String>),
}

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Raw(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// A place in the structure; [`Scan::route`] spells it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(u32);

/// One scalar.
#[derive(Debug)]
pub struct Scalar<'a> {
    /// Where it stands in the structure.
    pub node: Node,
    /// Key or value.
    pub part: Part,
    /// The line, from 1, where the entry begins: its key, its list dash, else the node itself.
    pub line: usize,
    /// The bytes of the content: without quotes, header, tag and anchor.
    pub span: Span,
    /// How it is written.
    pub style: Style,
    /// The decoded text; empty for a scalar that is left out.
    pub text: Text<'a>,
    /// Whether an anchor stands before it: its text is then used elsewhere too.
    pub anchored: bool,
    /// Whether a tag stands before it.
    pub tagged: bool,
}

/// One comment, from `#` to before the line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// The bytes.
    pub span: Span,
    /// The line, from 1.
    pub line: usize,
    /// Whether nothing but blanks stands before it on its line.
    pub own_line: bool,
}

/// One alias (`*name`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// Where it stands.
    pub node: Node,
    /// What it stands for.
    pub target: Node,
    /// The line, from 1, where the entry begins.
    pub line: usize,
}

/// Everything that was read of one text.
#[derive(Debug)]
pub struct Scan<'a> {
    /// The scalars in the order of the text.
    pub scalars: Vec<Scalar<'a>>,
    /// The comments in the order of the text.
    pub comments: Vec<Comment>,
    /// The aliases in the order of the text.
    pub aliases: Vec<Alias>,
    /// How many documents there are.
    pub documents: usize,
    /// Parent and step of every node; a document is its own parent.
    nodes: Vec<(u32, Step)>,
}

impl Scan<'_> {
    /// The route of a node; `Step::Document` is left out where there is only one document.
    #[must_use]
    pub fn route(&self, node: Node) -> Route {
        let mut steps = Vec::new();
        let mut at = node.0;
        loop {
            let (parent, step) = &self.nodes[at as usize];
            if *parent == at {
                if self.documents > 1 {
                    steps.push(step.clone());
                }
                break;
            }
            steps.push(step.clone());
            at = *parent;
        }
        steps.reverse();
        Route(steps)
    }

    /// The mapping or list that holds the node; a document for its root.
    #[must_use]
    pub fn parent(&self, node: Node) -> Node {
        Node(self.nodes[node.0 as usize].0)
    }
}

/// Reads a YAML text.
///
/// Duplicate keys, byte order marks, CRLF and several documents are read; a text with an alias
/// that names no anchor, or nested deeper than 120 collections, is an error.
///
/// # Errors
/// [`ScanError`] when the text is no UTF-8 or no YAML.
pub fn scan(bytes: &[u8]) -> Result<Scan<'_>, ScanError> {
    let lines = Lines::new(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| ScanError {
        line: lines.of(error.valid_up_to()),
        message: "the bytes are no UTF-8",
    })?;
    let options = granit_parser::options! {
        max_buffered_comment_events: usize::MAX,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    let mut walk = Walk::new(bytes, lines);
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, raw) = event.map_err(|error| ScanError {
            line: error.marker().line().max(1),
            message: clause(error.kind()),
        })?;
        walk.take(event, &raw)?;
    }
    walk.scan.comments.sort_by_key(|comment| comment.span);
    Ok(walk.scan)
}

/// Says what is wrong in words of our own: the parser's may quote the text.
const fn clause(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::RecursionLimitExceeded => "collections are nested deeper than the limit",
        ErrorKind::UnknownAnchor => "an alias names no anchor",
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => "a tab is used for indentation",
        ErrorKind::UnclosedQuotedScalar => "a quoted text is not closed",
        ErrorKind::UnclosedFlowCollection { .. } => "a bracket is not closed",
        ErrorKind::UndeclaredTagHandle => "a tag uses a handle that is not declared",
        _ => "the text is no valid YAML there",
    }
}

/// A collection that is open.
enum Frame {
    /// A mapping; the entry whose value is awaited, with the line of its key.
    Mapping { node: u32, awaited: Option<(u32, usize)> },
    /// A list; the next item's number.
    List { node: u32, next: usize, style: StructureStyle },
}

/// What the next node is to its parent.
struct Slot {
    node: u32,
    part: Part,
    line: usize,
}

struct Walk<'a> {
    bytes: &'a [u8],
    lines: Lines,
    scan: Scan<'a>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, u32>,
    /// The bytes of every node's route.
    lengths: Vec<usize>,
    /// How many bytes of routes may still come.
    routes: usize,
    /// Offset behind what has been read, comments aside.
    floor: usize,
    root: u32,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], lines: Lines) -> Self {
        let scan = Scan {
            scalars: Vec::new(),
            comments: Vec::new(),
            aliases: Vec::new(),
            documents: 0,
            nodes: Vec::new(),
        };
        Self {
            bytes,
            lines,
            scan,
            frames: Vec::new(),
            anchors: HashMap::new(),
            lengths: Vec::new(),
            routes: bytes.len().saturating_mul(ROUTES_GROWTH).saturating_add(ROUTES),
            floor: 0,
            root: 0,
        }
    }

    fn take(&mut self, event: Event<'a>, raw: &Raw) -> Result<(), ScanError> {
        let range = raw.byte_range().unwrap_or(0..0);
        let span = Span::new(range.start, range.end);
        match event {
            Event::Comment(..) => {
                self.comment(span);
                return Ok(());
            }
            Event::DocumentStart(..) => {
                self.root = self.add(u32::MAX, Step::Document(self.scan.documents))?;
                self.scan.documents += 1;
            }
            Event::Scalar(text, style, anchor, tag) => {
                let text = match text {
                    std::borrow::Cow::Borrowed(text) => Text::Raw(text),
                    std::borrow::Cow::Owned(text) => Text::Made(Zeroizing::new(text)),
                };
                self.scalar(text, style, span, (anchor, tag.is_some()))?;
            }
            Event::Alias(id) => self.alias(id, span)?,
            Event::MappingStart(_, anchor, _) => {
                let slot = self.slot(COMPLEX, span)?;
                self.anchor(anchor, slot.node);
                self.frames.push(Frame::Mapping { node: slot.node, awaited: None });
            }
            Event::SequenceStart(style, anchor, _) => {
                let slot = self.slot(COMPLEX, span)?;
                self.anchor(anchor, slot.node);
                self.frames.push(Frame::List { node: slot.node, next: 0, style });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.frames.pop();
            }
            _ => {}
        }
        self.floor = self.floor.max(span.end);
        Ok(())
    }

    fn add(&mut self, parent: u32, step: Step) -> Result<u32, ScanError> {
        let too_many = ScanError { line: 1, message: "there are too many values" };
        let node = u32::try_from(self.scan.nodes.len()).map_err(|_| too_many)?;
        let above = self.lengths.get(parent as usize).copied().unwrap_or_default();
        let own = if let Step::Field(name) = &step { name.len() } else { 0 };
        self.lengths.push(above + own);
        let parent = if parent == u32::MAX { node } else { parent };
        self.scan.nodes.push((parent, step));
        Ok(node)
    }

    fn anchor(&mut self, anchor: usize, node: u32) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
    }

    /// Gives the node that begins at `span` its place under the open collection; `name` is the
    /// step that it makes if it turns out to be a key.
    fn slot(&mut self, name: &str, span: Span) -> Result<Slot, ScanError> {
        let line = self.entry_line(span);
        let (parent, step) = match self.frames.last_mut() {
            None => return Ok(Slot { node: self.root, part: Part::Value, line }),
            Some(Frame::Mapping { awaited, .. }) if awaited.is_some() => {
                let (node, line) = awaited.take().expect("just looked at");
                return Ok(Slot { node, part: Part::Value, line });
            }
            Some(Frame::Mapping { node, .. }) => (*node, Step::Field(name.to_owned())),
            Some(Frame::List { node, next, .. }) => {
                *next += 1;
                (*node, Step::Item(*next - 1))
            }
        };
        let node = self.add(parent, step)?;
        if let Some(Frame::Mapping { awaited, .. }) = self.frames.last_mut() {
            *awaited = Some((node, line));
            return Ok(Slot { node, part: Part::Key, line });
        }
        Ok(Slot { node, part: Part::Value, line })
    }

    fn scalar(
        &mut self,
        text: Text<'a>,
        style: ScalarStyle,
        span: Span,
        (anchor, tagged): (usize, bool),
    ) -> Result<(), ScanError> {
        let left_out = style == ScalarStyle::Plain && span.start == span.end;
        let text = if left_out { Text::Raw("") } else { text };
        let slot = self.slot(text.as_str(), span)?;
        self.anchor(anchor, slot.node);
        let too_long = ScanError { line: slot.line, message: "names around values are too long" };
        let length = self.lengths[slot.node as usize];
        self.routes = self.routes.checked_sub(length).ok_or(too_long)?;
        let (style, span) = content(self.bytes, style, span);
        self.scan.scalars.push(Scalar {
            node: Node(slot.node),
            part: slot.part,
            line: slot.line,
            span,
            style,
            text,
            anchored: anchor != 0,
            tagged,
        });
        Ok(())
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), ScanError> {
        let name = String::from_utf8_lossy(span.of(self.bytes)).into_owned();
        let slot = self.slot(&name, span)?;
        if let Some(target) = self.anchors.get(&id) {
            self.scan.aliases.push(Alias {
                node: Node(slot.node),
                target: Node(*target),
                line: slot.line,
            });
        }
        Ok(())
    }

    fn comment(&mut self, span: Span) {
        let begin = self.lines.begin(span.start);
        let before = &self.bytes[begin..span.start];
        let own_line = before.iter().all(|b| matches!(b, b' ' | b'\t' | 0xef | 0xbb | 0xbf));
        self.scan.comments.push(Comment { span, line: self.lines.of(span.start), own_line });
    }

    /// The line where an entry begins whose key or item has its content at `span`.
    ///
    /// Properties, a block scalar's header, and for a list item the dash stand before the content,
    /// possibly lines before, in the gap behind what was read last.
    fn entry_line(&self, span: Span) -> usize {
        let gap = Span::new(self.floor.min(span.start), span.start);
        let dashed =
            matches!(self.frames.last(), Some(Frame::List { style: StructureStyle::Block, .. }));
        let at = if dashed { last_dash(self.bytes, gap) } else { None };
        let at = at.or_else(|| first_mark(self.bytes, gap)).unwrap_or(span.start);
        self.lines.of(at)
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
