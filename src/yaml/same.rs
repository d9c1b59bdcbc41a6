//! The second, independent reader: another parser says what differs between two YAML texts.
//! Entries are kept as a list (duplicate keys are legal in the texts that Puppet reads), scalars
//! are compared as text and with their tags. Comments are not seen. What was planned is left to
//! the caller.

use std::cell::Cell;
use std::fmt;

use serde::Deserialize as _;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess as _, Visitor,
};
use zeroize::Zeroizing;

use crate::model::{Route, Step};

/// Which of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The text as it was.
    Before,
    /// The text with the edits.
    After,
}

/// The second reader could not read a text; quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// The text that it could not read.
    pub side: Side,
    /// The line, from 1, where it stopped, if it told one.
    pub line: Option<usize>,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => "the text before the change",
            Side::After => "the text after the change",
        };
        write!(f, "the second YAML reader could not read {side}")?;
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

/// The routes at which the two texts differ, in order; empty when they hold the same.
///
/// Aliases are followed, so that a changed anchor differs wherever it is used;
/// [`unplanned`] knows them apart.
///
/// # Errors
/// [`Unreadable`] when a text cannot be read: it is never taken for equal.
pub fn differences(before: &[u8], after: &[u8]) -> Result<Vec<Route>, Unreadable> {
    let old = read(before, Side::Before)?;
    let new = read(after, Side::After)?;
    if old.len() != new.len() {
        return Ok(vec![Route::default()]);
    }
    let mut found = Vec::new();
    for (number, (was, is)) in old.iter().zip(&new).enumerate() {
        let mut route = Vec::new();
        if old.len() > 1 {
            route.push(Step::Document(number));
        }
        compare(was, is, &mut route, &mut found);
    }
    // An entry whose key and value differ is one difference.
    found.dedup();
    Ok(found)
}

/// The differences that no planned route explains, neither directly nor through an alias of a
/// planned value. Steps inside a scalar (tokens, nested formats) do not count.
///
/// # Errors
/// [`Unreadable`] when a text cannot be read.
pub fn unplanned(before: &[u8], after: &[u8], planned: &[Route]) -> Result<Vec<Route>, Unreadable> {
    // A comment is no value: nothing that this reader sees may differ because of it.
    let values = planned.iter().filter(|route| !route.0.contains(&Step::Comment));
    let planned: Vec<Route> = values.map(scalar_route).collect();
    let mut found = differences(before, after)?;
    found.retain(|route| !planned.contains(route));
    if found.is_empty() {
        return Ok(found);
    }
    let aliases = aliases(before, Side::Before)?;
    if aliases == self::aliases(after, Side::After)? {
        found.retain(|route| !through_alias(route, &aliases, &planned));
    }
    Ok(found)
}

/// Where aliases stand, and what they stand for.
fn aliases(bytes: &[u8], side: Side) -> Result<Vec<(Route, Route)>, Unreadable> {
    let scan = super::scan(bytes).map_err(|error| Unreadable { side, line: Some(error.line) })?;
    Ok(scan.aliases.iter().map(|a| (scan.route(a.node), scan.route(a.target))).collect())
}

/// How many aliases may lead to one another before a difference counts as unexplained.
const HOPS: usize = 8;

/// Whether following aliases leads from `route` to a planned value.
fn through_alias(route: &Route, aliases: &[(Route, Route)], planned: &[Route]) -> bool {
    let mut route = route.clone();
    for _ in 0..HOPS {
        let hop = aliases
            .iter()
            .filter(|(alias, _)| route.0.starts_with(&alias.0))
            .max_by_key(|(alias, _)| alias.0.len());
        let Some((alias, target)) = hop else { return false };
        let rest = &route.0[alias.0.len()..];
        route = Route(target.0.iter().chain(rest).cloned().collect());
        if planned.contains(&route) {
            return true;
        }
    }
    false
}

/// The route up to the scalar, without what lies inside it.
fn scalar_route(route: &Route) -> Route {
    let inner = |step: &Step| matches!(step, Step::Token(_) | Step::Inside(_) | Step::Comment);
    Route(route.0.iter().take_while(|step| !inner(step)).cloned().collect())
}

/// How many values a text may hold for each of its bytes once aliases are followed; the parser's
/// own limit lets a text grow with the square of its size.
const GROWTH: usize = 4;

/// How many values even the smallest text may hold.
const SMALL: usize = 10_000;

/// A document as the second reader sees it.
#[derive(PartialEq, Eq)]
enum Tree {
    Empty,
    Scalar(Zeroizing<String>),
    List(Vec<Self>),
    Mapping(Vec<(Self, Self)>),
    Tagged(String, Box<Self>),
}

/// Reads every document twice: once for its shape, since only asking for whatever is there tells
/// lists from scalars; then for the text of each scalar, since whatever is there may be a number,
/// and `1e3` is not `1000`.
fn read(bytes: &[u8], side: Side) -> Result<Vec<Tree>, Unreadable> {
    let unreadable = |error: &serde_yaml::Error| Unreadable {
        side,
        line: error.location().map(|location| location.line()),
    };
    let budget = Cell::new(bytes.len().saturating_mul(GROWTH).saturating_add(SMALL));
    let mut trees = Vec::new();
    for document in serde_yaml::Deserializer::from_slice(bytes) {
        let shape = Shape(&budget).deserialize(document);
        trees.push(shape.map_err(|error| unreadable(&error))?);
    }
    for (tree, document) in trees.iter_mut().zip(serde_yaml::Deserializer::from_slice(bytes)) {
        Fill(tree).deserialize(document).map_err(|error| unreadable(&error))?;
    }
    Ok(trees)
}

fn compare(old: &Tree, new: &Tree, route: &mut Vec<Step>, found: &mut Vec<Route>) {
    match (old, new) {
        (Tree::List(old), Tree::List(new)) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                route.push(Step::Item(at));
                compare(old, new, route, found);
                route.pop();
            }
        }
        (Tree::Mapping(old), Tree::Mapping(new)) if old.len() == new.len() => {
            for ((name, old), (new_name, new)) in old.iter().zip(new) {
                route.push(Step::Field(field(name)));
                compare(name, new_name, route, found);
                compare(old, new, route, found);
                route.pop();
            }
        }
        (Tree::Tagged(old_tag, old), Tree::Tagged(new_tag, new)) if old_tag == new_tag => {
            compare(old, new, route, found);
        }
        (old, new) if old == new => {}
        _ => found.push(Route(route.clone())),
    }
}

/// The name of an entry in a route, as the scanner gives it.
fn field(name: &Tree) -> String {
    match name {
        Tree::Scalar(text) => text.to_string(),
        Tree::Tagged(_, inner) => field(inner),
        Tree::Empty => String::new(),
        Tree::List(_) | Tree::Mapping(_) => "?".to_owned(),
    }
}

/// Reads the shape of a document; scalars stay empty. Holds how many values may still come.
#[derive(Clone, Copy)]
struct Shape<'b>(&'b Cell<usize>);

impl<'de> DeserializeSeed<'de> for Shape<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.ok_or_else(|| D::Error::custom("aliases make the text too large"))?);
        deserializer.deserialize_any(self)
    }
}

/// Answers that some scalar stands there.
macro_rules! scalars {
    ($($name:ident: $kind:ty),*) => {
        $(fn $name<E: serde::de::Error>(self, _: $kind) -> Result<Tree, E> {
            Ok(Tree::Scalar(Zeroizing::default()))
        })*
    };
}

impl<'de> Visitor<'de> for Shape<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64,
        visit_u128: u128, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: serde::de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Zeroizing::default()))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Empty)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key_seed(self)? {
            entries.push((name, map.next_value_seed(self)?));
        }
        Ok(Tree::Mapping(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Tree, A::Error> {
        let (tag, content) = tagged.variant::<String>()?;
        Ok(Tree::Tagged(tag, Box::new(content.newtype_variant_seed(self)?)))
    }
}

/// Puts the text of every scalar into a shape that was read from the same document.
struct Fill<'t>(&'t mut Tree);

impl<'de> DeserializeSeed<'de> for Fill<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            Tree::Empty => IgnoredAny::deserialize(deserializer).map(|_| ()),
            Tree::Scalar(_) => deserializer.deserialize_str(self),
            Tree::List(_) => deserializer.deserialize_seq(self),
            Tree::Mapping(_) => deserializer.deserialize_map(self),
            Tree::Tagged(_, inner) => Fill(inner).deserialize(deserializer),
        }
    }
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shape that was read before")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        *self.0 = Tree::Scalar(Zeroizing::new(text.to_owned()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if let Tree::List(items) = self.0 {
            for item in items {
                list.next_element_seed(Fill(item))?;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if let Tree::Mapping(entries) = self.0 {
            for (name, value) in entries {
                if map.next_key_seed(Fill(name))?.is_some() {
                    map.next_value_seed(Fill(value))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, differences, unplanned};
    use crate::model::{Route, Step};

    fn differing(before: &str, after: &str) -> Vec<String> {
        let found = differences(before.as_bytes(), after.as_bytes()).expect("both are readable");
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_kind_of_change_is_seen_at_its_route() {
        for (before, after, routes) in [
            ("a: 1\nb: 2\n", "a: 1\nb: 2\n", &[][..]),
            ("a: 1\nb: 2\n", "a: 1\nb: 3\n", &["b"]),
            ("a: 1e3\n", "a: 1000\n", &["a"]),
            ("a: 0x10\n", "a: 16\n", &["a"]),
            ("a: ~\n", "a:\n", &["a"]),
            ("a: x\na: y\n", "a: x\na: z\n", &["a"]),
            ("l: [x, {k: v}]\n", "l: [x, {k: w}]\n", &["l/[1]/k"]),
            ("l: [x]\n", "l: [x, y]\n", &["l"]),
            ("a: !t x\n", "a: !u x\n", &["a"]),
            ("a: !t {b: x}\n", "a: !t {b: y}\n", &["a/b"]),
            ("a: x\n---\nb: y\n", "a: x\n---\nb: z\n", &["document[1]/b"]),
            ("a: x\n", "a: x\n---\nb: z\n", &[""]),
            ("k: v\n", "l: v\n", &["k"]),
            ("a: >\n  x\n  y\n", "a: x y\n", &["a"]),
            ("a: \"x\\\n  y\"\n", "a: xy\n", &[]),
            ("\u{feff}a: x\r\n", "a: x\n", &[]),
            ("? [x]\n: v\n", "? [y]\n: v\n", &["?/[0]"]),
            ("? [x]\n: v\n", "? [x]\n: w\n", &["?"]),
            ("k: v\n", "l: w\n", &["k"]),
        ] {
            assert_eq!(differing(before, after), routes, "{before:?} and {after:?}");
        }
    }

    #[test]
    fn a_use_of_a_planned_anchor_is_planned() {
        let before = "a: &k old\nb: *k\nc:\n  y: *k\nd: &e {x: *k}\nf: *e\n";
        let after = before.replace("old", "new");
        let planned = [Route(vec![Step::Field("a".into()), Step::Token(0)])];
        assert_eq!(differing(before, &after), ["a", "b", "c/y", "d/x", "f/x"]);
        assert_eq!(unplanned(before.as_bytes(), after.as_bytes(), &planned), Ok(vec![]));
        let other = after.replace("y: *k", "y: other");
        let found = unplanned(before.as_bytes(), other.as_bytes(), &planned).expect("readable");
        assert_eq!(found.len(), 4, "an alias went: nothing is explained by aliases any more");
        let other = after.replace("f: *e", "f: x");
        let found = unplanned(before.as_bytes(), other.as_bytes(), &planned).expect("readable");
        assert!(found.contains(&Route(vec![Step::Field("f".into())])));
    }

    #[test]
    fn a_planned_comment_explains_no_value() {
        let (before, after) = ("a: x\n# old\n", "a: x\nb: y\n# new\n");
        let planned = [Route(vec![Step::Comment])];
        let found = unplanned(before.as_bytes(), after.as_bytes(), &planned);
        assert_eq!(found, Ok(vec![Route::default()]));
    }

    #[test]
    fn what_cannot_be_read_is_not_equal() {
        let good = b"a: 1\n";
        for bad in [&b"a: \"x\n"[..], b"a: \xff\n", b"a: *nobody\n"] {
            assert_eq!(differences(bad, bad).expect_err("broken").side, Side::Before);
            assert_eq!(differences(good, bad).expect_err("broken").side, Side::After);
        }
        let nested = "[".repeat(20_000);
        assert!(differences(nested.as_bytes(), nested.as_bytes()).is_err());
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for pair in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"] {
            let (from, to) = pair.split_at(1);
            let items = vec![format!("*{from}"); 9].join(",");
            bomb.push_str(&format!("{to}: &{to} [{items}]\n"));
        }
        assert!(differences(bomb.as_bytes(), bomb.as_bytes()).is_err());
        let wide = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(5000), "*a,".repeat(5000));
        assert!(differences(wide.as_bytes(), wide.as_bytes()).is_err());
    }
}
