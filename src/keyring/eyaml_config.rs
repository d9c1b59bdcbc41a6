//! Which identities the configurations of hiera-eyaml and hiera name: files and variables, as
//! text. Reading those identities is left to `registry`.

use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::Surroundings;
use crate::model::{Lock, LockReason, visible};

/// One identity as a configuration names it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The configuration that names it, for messages.
    pub(super) by: String,
    /// `pkcs7_private_key`.
    pub(super) private_key: Option<String>,
    /// `pkcs7_public_key`.
    pub(super) public_key: Option<String>,
    /// `pkcs7_private_key_env_var`.
    pub(super) variable: Option<String>,
    /// `pkcs7_b64_private_key_env_var`.
    pub(super) base64_variable: Option<String>,
}

impl Named {
    fn names_something(&self) -> bool {
        self.private_key.is_some() || self.variable.is_some() || self.base64_variable.is_some()
    }

    /// Takes over every option that `options` gives; what it leaves out stays.
    fn merge(&mut self, options: &Mapping, by: &str) {
        for (option, place) in [
            ("pkcs7_private_key", &mut self.private_key),
            ("pkcs7_public_key", &mut self.public_key),
            ("pkcs7_private_key_env_var", &mut self.variable),
            ("pkcs7_b64_private_key_env_var", &mut self.base64_variable),
        ] {
            // Hiera 3 writes its options as Ruby symbols.
            let value = get(options, option).and_then(Value::as_str);
            // An interpolated path depends on the node and names no file here.
            if let Some(value) = value.filter(|value| !value.is_empty() && !value.contains("%{")) {
                *place = Some(value.to_owned());
                by.clone_into(&mut self.by);
            }
        }
    }
}

/// Everything that the configurations name, in the order in which it is tried.
pub(super) fn named(around: &Surroundings, rejected: &mut Vec<Lock>) -> Vec<Named> {
    let mut all = Vec::new();
    let mut merged = Named::default();
    for path in eyaml_files(around) {
        if let Some(config) = load(&path, rejected) {
            merged.merge(&config, &path.display().to_string());
        }
    }
    all.push(merged);
    for path in hiera_files(around) {
        if let Some(config) = load(&path, rejected) {
            all.extend(hiera(&config, &path.display().to_string()));
        }
    }
    all.retain(Named::names_something);
    all
}

/// The configuration files of eyaml; a later one wins, option by option.
fn eyaml_files(around: &Surroundings) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if !around.etc.as_os_str().is_empty() {
        files.push(around.etc.join("eyaml/config.yaml"));
    }
    files.extend(around.home.iter().map(|home| home.join(".eyaml/config.yaml")));
    files.extend(around.worktree.iter().map(|root| root.join(".eyaml/config.yaml")));
    files.extend(around.cwd.iter().map(|cwd| cwd.join(".eyaml/config.yaml")));
    if let Some(named) = around.env.get("EYAML_CONFIG").filter(|path| !path.is_empty()) {
        let base = around.cwd.clone().unwrap_or_default();
        files.push(base.join(named));
    }
    files.dedup();
    files
}

fn hiera_files(around: &Surroundings) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for root in around.worktree.iter().chain(&around.cwd) {
        files.push(root.join("hiera.yaml"));
    }
    if !around.etc.as_os_str().is_empty() {
        files.push(around.etc.join("puppetlabs/puppet/hiera.yaml"));
    }
    files.dedup();
    files
}

/// The options of every level of `hiera.yaml`: version 5 under `defaults` and `hierarchy`,
/// version 3 under `:eyaml:`.
fn hiera(config: &Mapping, by: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut add = |options: Option<&Value>| {
        if let Some(Value::Mapping(options)) = options {
            let mut named = Named::default();
            named.merge(options, by);
            if !found.contains(&named) {
                found.push(named);
            }
        }
    };
    let levels = get(config, "hierarchy").and_then(Value::as_sequence);
    for level in levels.into_iter().flatten().chain(get(config, "defaults")) {
        add(level.as_mapping().and_then(|level| get(level, "options")));
    }
    add(get(config, "eyaml"));
    found
}

/// The entry of this name, also where it is written as a Ruby symbol (`:name`).
fn get<'m>(mapping: &'m Mapping, name: &str) -> Option<&'m Value> {
    mapping.get(name).or_else(|| mapping.get(format!(":{name}").as_str()))
}

/// Reads a configuration; `None` where there is none, with the reason where it is unreadable.
fn load(path: &Path, rejected: &mut Vec<Lock>) -> Option<Mapping> {
    let mut reject = |reason, what: &str| {
        let shown = visible(&path.display().to_string());
        rejected.push(Lock { reason, detail: format!("`{shown}` {what}") });
    };
    let bytes = match super::registry::read_small(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return None,
        Err(what) => {
            reject(LockReason::NoIdentity, &what);
            return None;
        }
    };
    match serde_yaml::from_slice::<Value>(&bytes) {
        Ok(Value::Mapping(config)) => Some(config),
        Ok(Value::Null) => None,
        _ => {
            reject(LockReason::InvalidYaml, "is no YAML mapping, and names no identity");
            None
        }
    }
}
