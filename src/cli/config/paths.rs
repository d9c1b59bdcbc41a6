//! Globs over the paths of a commit. Which globs apply is left to the settings and the flags.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use crate::error::{Error, Kind, Result};
use crate::model::{RepoPath, visible};

/// One glob: `*` stays inside a folder, `**` does not, and a slash at the end means everything
/// below.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

impl Pattern {
    /// Compiles a glob of the `globset` crate's syntax.
    ///
    /// # Errors
    /// `bad-glob` when it does not compile.
    pub fn new(text: &str) -> Result<Self> {
        let below = text.strip_suffix('/').map(|folder| format!("{folder}/**"));
        let glob = GlobBuilder::new(below.as_deref().unwrap_or(text))
            .literal_separator(true)
            .build()
            .map_err(|source| {
                let why = visible(&source.kind().to_string());
                let shown = visible(text);
                Error::new(Kind::Usage, "bad-glob", format!("`{shown}` is no glob: {why}"))
                    .hint("write it like `hieradata/**` or `**/test/*.yaml`")
            })?;
        Ok(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    /// The glob as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path is meant. Bytes that are not UTF-8 match as U+FFFD.
    #[must_use]
    pub fn matches(&self, path: &RepoPath) -> bool {
        self.matcher.is_match(Path::new(&path.to_text()))
    }
}

/// Which paths are looked into: layers of include and exclude lists, all of which must agree.
#[derive(Debug, Clone, Default)]
pub struct Paths {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl Paths {
    /// Adds a layer: the flags below the settings file. An empty include list includes everything.
    #[must_use]
    pub fn and(mut self, include: Vec<Pattern>, exclude: Vec<Pattern>) -> Self {
        self.layers.push(Layer { include, exclude });
        self
    }

    /// Whether the path is looked into.
    #[must_use]
    pub fn included(&self, path: &RepoPath) -> bool {
        self.layers.iter().all(|layer| {
            let meant = |patterns: &[Pattern]| patterns.iter().any(|each| each.matches(path));
            (layer.include.is_empty() || meant(&layer.include)) && !meant(&layer.exclude)
        })
    }

    /// Every glob that excludes, as it was written: they stand in the pull request.
    pub fn exclusions(&self) -> impl Iterator<Item = &Pattern> {
        self.layers.iter().flat_map(|layer| &layer.exclude)
    }
}

/// Words of a path that name an environment.
const ENVIRONMENTS: [&str; 19] = [
    "ci",
    "demo",
    "dev",
    "development",
    "integration",
    "live",
    "local",
    "nonprod",
    "preprod",
    "preproduction",
    "prod",
    "production",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "test",
    "testing",
    "uat",
];

/// The environment that a path tells by itself, in the word that stands there: a whole component
/// or file stem rules over a word inside one, and the innermost rules among equals.
#[must_use]
pub fn guess_environment(path: &RepoPath) -> Option<&'static str> {
    let text = path.to_text().to_lowercase();
    let known = |word: &str| ENVIRONMENTS.into_iter().find(|name| *name == word);
    let parts: Vec<_> = text.rsplit('/').collect();
    let stems = || {
        parts.iter().enumerate().map(|(depth, part)| match part.split_once('.') {
            Some((stem, _)) if depth == 0 => stem,
            _ => part,
        })
    };
    let words = |part: &'_ str| part.split(|c: char| !c.is_alphanumeric()).find_map(known);
    stems().find_map(known).or_else(|| stems().find_map(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| Pattern::new(text).unwrap()).collect()
    }

    #[test]
    fn globs_mean_what_they_say() {
        let rows = [
            ("hieradata/*", "hieradata/a.yaml", true),
            ("hieradata/*", "hieradata/b/a.yaml", false),
            ("hieradata/**", "hieradata/b/a.yaml", true),
            ("hieradata/", "hieradata/b/a.yaml", true),
            ("hieradata/", "hieradata2/a.yaml", false),
            ("puppet*/hieradata/**", "puppet_aws/hieradata/x.yaml", true),
            ("**/staging*", "a/b/staging_credentials.yaml", true),
            ("**/staging*", "staging.yaml", true),
            ("*.{yaml,yml}", "a.yml", true),
            ("*.yaml", "a/b.yaml", false),
        ];
        for (glob, path, wanted) in rows {
            assert_eq!(
                Pattern::new(glob).unwrap().matches(&RepoPath::new(path)),
                wanted,
                "{glob} {path}"
            );
        }
        let error = Pattern::new("a[\u{1b}").unwrap_err();
        assert_eq!(error.reason(), "bad-glob");
        assert!(error.message().contains("a[\\u{1b}"), "{error}");
    }

    #[test]
    fn layers_narrow_each_other() {
        let paths = Paths::default()
            .and(patterns(&["hieradata/**"]), patterns(&["**/test/**"]))
            .and(Vec::new(), patterns(&["**/old.yaml"]));
        let rows = [
            ("hieradata/a.yaml", true),
            ("hieradata/test/a.yaml", false),
            ("hieradata/old.yaml", false),
            ("other/a.yaml", false),
        ];
        for (path, wanted) in rows {
            assert_eq!(paths.included(&RepoPath::new(path)), wanted, "{path}");
        }
        let shown: Vec<_> = paths.exclusions().map(Pattern::as_str).collect();
        assert_eq!(shown, ["**/test/**", "**/old.yaml"]);
        assert!(Paths::default().included(&RepoPath::new("anything")));
    }

    #[test]
    fn paths_tell_their_environment() {
        let rows = [
            ("apps/staging_credentials.yaml", Some("staging")),
            ("puppet/hieradata/production.yaml", Some("production")),
            ("puppet/hieradata/Integration.eyaml", Some("integration")),
            ("production/test_users.yaml", Some("production")),
            ("staging/production.yaml", Some("production")),
            ("prod-eu/app.yaml", Some("prod")),
            ("preprod/x.yaml", Some("preprod")),
            ("hieradata/common.yaml", None),
            ("products/latest.yaml", None),
            ("contest/x.yaml", None),
            ("staging.d/x.yaml", Some("staging")),
        ];
        for (path, wanted) in rows {
            assert_eq!(guess_environment(&RepoPath::new(path)), wanted, "{path}");
        }
    }
}
