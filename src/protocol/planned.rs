//! One place where the new pair belongs, as the ledger keeps it: names only, so that it is found
//! again in a commit whose lines have moved.

use serde_json::Value;

use crate::model::{Occurrence, visible};

/// A planned place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planned {
    /// The path as text.
    pub path: String,
    /// The steps of the route, made visible.
    pub route: Vec<String>,
    /// `id` or `secret`.
    pub role: String,
    /// The line at that time.
    pub line: usize,
}

impl Planned {
    /// Reads one entry of the ledger; `None` when it is none.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let route = value.get("route")?.as_array()?;
        Some(Self {
            path: value.get("path")?.as_str()?.to_owned(),
            route: route.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            role: value.get("role")?.as_str()?.to_owned(),
            line: value.get("line").and_then(Value::as_u64).unwrap_or(1) as usize,
        })
    }

    /// The place of something that was found.
    #[must_use]
    pub fn of(one: &Occurrence) -> Self {
        Self {
            path: one.place.path.to_text(),
            route: one.place.route.words().iter().map(|word| visible(word)).collect(),
            role: one.role.word().to_owned(),
            line: one.place.line,
        }
    }

    /// Whether both name the same value, wherever its line is by now.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (&self.path, &self.route, &self.role) == (&other.path, &other.route, &other.role)
    }
}

impl std::fmt::Display for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", visible(&self.path), self.line)?;
        if !self.route.is_empty() {
            write!(f, " {}", visible(&self.route.join("/")))?;
        }
        Ok(())
    }
}
