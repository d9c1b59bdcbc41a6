//! The kinds of identities, in the order in which they are tried, and where they are looked for.
//! Files are read; environment variables and folders come from the caller.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use zeroize::Zeroizing;

use super::eyaml_config::{self, Named};
use super::pkcs7::{Certificate, Pkcs7};
use super::{Identity, Keyring, Sealed, pem, pkcs7};
use crate::error::{Error, Kind, Result};
use crate::model::{Lock, LockReason, RepoPath, Secret, visible};

/// The largest file that is read as an identity or a configuration, in bytes.
const LARGEST: u64 = 1 << 20;

/// What of the machine and the repository bears on finding identities. The caller fills it: this
/// room reads no environment variable by itself.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The environment variables.
    pub env: std::collections::BTreeMap<String, String>,
    /// The user's home.
    pub home: Option<std::path::PathBuf>,
    /// The working directory.
    pub cwd: Option<std::path::PathBuf>,
    /// The folder of the repository's work tree; `None` for a bare one.
    pub worktree: Option<std::path::PathBuf>,
    /// Folders (inside the work tree, as relative paths) that hold sealed files.
    pub folders: Vec<std::path::PathBuf>,
    /// Files given with `--identity` and `identities`, which must be usable.
    pub identities: Vec<std::path::PathBuf>,
    /// Root of the machine's configuration, `/etc` outside tests; empty for none.
    pub etc: std::path::PathBuf,
    /// Certificates and public keys that stand in the base commit: path and bytes. Those count as
    /// recipients that stand in a folder `keys`, bear `pkcs7` in their names, or are configured;
    /// others (of web servers, for example) do not.
    pub certificates: Vec<(RepoPath, Vec<u8>)>,
}

/// Finds every identity: those given by name, then those that the configurations of eyaml and
/// hiera name, then `keys/*.pem` beside and above the sealed files and the working directory.
///
/// # Errors
/// When an identity that was asked for by name cannot be read.
pub fn discover(surroundings: &Surroundings) -> Result<Keyring> {
    let mut search = Search::new(surroundings);
    for path in &surroundings.identities {
        search.asked_for(path)?;
    }
    for named in eyaml_config::named(surroundings, &mut search.rejected) {
        search.named(&named);
    }
    for path in key_files(surroundings) {
        search.file(&path);
    }
    let identities = search.found.into_iter().map(|found| Box::new(found) as Box<dyn Identity>);
    let mut keyring = Keyring::new(identities.collect());
    keyring.rejected = search.rejected;
    Ok(keyring)
}

pub(super) fn open<'k>(
    keyring: &'k Keyring,
    sealed: Sealed<'_>,
) -> Result<(Secret, &'k dyn Identity), Lock> {
    // What is broken in itself is named as that, whoever looks at it.
    let Sealed::Pkcs7(der) = sealed;
    pkcs7::inspect(der)?;
    let last = keyring.last.load(Ordering::Relaxed);
    let others = (0..keyring.identities.len()).filter(|at| *at != last);
    for at in std::iter::once(last).chain(others) {
        let Some(identity) = keyring.identities.get(at) else { continue };
        if let Some(answer) = identity.open(sealed) {
            keyring.last.store(at, Ordering::Relaxed);
            return answer.map(|secret| (secret, identity.as_ref()));
        }
    }
    Err(closed(keyring))
}

/// Why no identity opened.
fn closed(keyring: &Keyring) -> Lock {
    match (keyring.identities.len(), keyring.rejected.first()) {
        (0, None) => {
            Lock { reason: LockReason::NoIdentity, detail: "no identity was found".to_owned() }
        }
        (0, Some(rejected)) => Lock {
            reason: LockReason::NoIdentity,
            detail: format!("no usable identity was found: {}", rejected.detail),
        },
        (1, _) => Lock {
            reason: LockReason::WrongIdentity,
            detail: "the identity that was found does not open it".to_owned(),
        },
        (count, _) => Lock {
            reason: LockReason::WrongIdentity,
            detail: format!("none of the {count} identities that were found opens it"),
        },
    }
}

/// A search under way.
struct Search<'s> {
    around: &'s Surroundings,
    certificates: Arc<[Certificate]>,
    found: Vec<Pkcs7>,
    rejected: Vec<Lock>,
}

impl<'s> Search<'s> {
    fn new(around: &'s Surroundings) -> Self {
        let certificates = around
            .certificates
            .iter()
            .filter(|(path, _)| is_recipient(path))
            .filter_map(|(path, bytes)| {
                let public = pem::public_key(bytes)?;
                Some(Certificate { name: path.to_text(), public })
            })
            .collect();
        Self { around, certificates, found: Vec::new(), rejected: Vec::new() }
    }

    /// A file that the user named: it must hold an identity.
    fn asked_for(&mut self, path: &Path) -> Result<()> {
        let path = self.expand(path);
        let shown = visible(&path.display().to_string());
        let hint = "an identity is the RSA private key in PEM that hiera-eyaml opens values with";
        let bytes = match read_small(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let source = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(Error::io("read the identity", &path, &source).hint(hint));
            }
            Err(what) => {
                let message = format!("the identity `{shown}` {what}");
                return Err(Error::new(Kind::Settings, "unusable-identity", message).hint(hint));
            }
        };
        self.add(self.name(&path), &bytes, self.sibling(&path)).map_err(|what| {
            let message = format!("the identity `{shown}` {what}");
            Error::new(Kind::Settings, "unusable-identity", message).hint(hint)
        })
    }

    /// An identity that a configuration names; a variable that is set wins over a file.
    fn named(&mut self, named: &Named) {
        let own = named.public_key.as_deref().and_then(|path| self.configured(path));
        let plain = named.variable.as_deref().map(|name| (name, false));
        let encoded = named.base64_variable.as_deref().map(|name| (name, true));
        for (name, encoded) in plain.into_iter().chain(encoded) {
            let Some(value) = self.around.env.get(name).filter(|value| !value.is_empty()) else {
                continue;
            };
            let bytes = Zeroizing::new(value.clone().into_bytes());
            let bytes = if encoded { decode(&bytes).unwrap_or(bytes) } else { bytes };
            if let Err(what) = self.add(format!("${name}"), &bytes, own) {
                self.reject(&format!("${name}"), what);
            }
            return;
        }
        let Some(file) = &named.private_key else {
            let name = named.variable.as_deref().or(named.base64_variable.as_deref());
            let what = format!("is named by `{}` and not set", visible(&named.by));
            self.reject(&format!("${}", name.unwrap_or_default()), &what);
            return;
        };
        let path = self.resolve(file);
        match read_small(&path) {
            Ok(Some(bytes)) => {
                let own = own.or_else(|| self.sibling(&path));
                if let Err(what) = self.add(self.name(&path), &bytes, own) {
                    self.reject(&self.name(&path), what);
                }
            }
            Ok(None) => {
                let what = format!("is named by `{}` and does not exist", visible(&named.by));
                self.reject(&self.name(&path), &what);
            }
            Err(what) => self.reject(&self.name(&path), &what),
        }
    }

    /// A file that may hold an identity.
    fn file(&mut self, path: &Path) {
        match read_small(path) {
            Ok(Some(bytes)) if pem::names_private_key(&bytes) => {
                if let Err(what) = self.add(self.name(path), &bytes, self.sibling(path)) {
                    self.reject(&self.name(path), what);
                }
            }
            Ok(_) => {}
            Err(what) => self.reject(&self.name(path), &what),
        }
    }

    /// Takes an identity in; one that is known already only brings its certificate along.
    fn add(
        &mut self,
        name: String,
        bytes: &[u8],
        own: Option<Certificate>,
    ) -> std::result::Result<(), &'static str> {
        let key = pem::private_key(bytes)?;
        let known = self.found.iter().position(|identity| identity.same(&key.public));
        let at = match known {
            Some(at) => at,
            None => {
                self.found.push(Pkcs7::new(name, &key, Arc::clone(&self.certificates))?);
                self.found.len() - 1
            }
        };
        self.found[at].own.extend(own);
        Ok(())
    }

    fn reject(&mut self, name: &str, what: &str) {
        let detail = format!("`{}` {what}", visible(name));
        self.rejected.push(Lock { reason: LockReason::NoIdentity, detail });
    }

    /// The certificate that lies beside a private key: `private` in its name reads `public`.
    fn sibling(&self, private: &Path) -> Option<Certificate> {
        let name = private.file_name()?.to_str()?;
        let public = private.with_file_name(name.replacen("private", "public", 1));
        if public == private {
            return None;
        }
        self.committed(&public)
    }

    /// The certificate that a configuration names; one of the work tree is read from the base
    /// commit only.
    fn configured(&self, path: &str) -> Option<Certificate> {
        let path = self.resolve(path);
        if self.inside(&path).is_some() {
            return self.committed(&path);
        }
        let public = pem::public_key(&read_small(&path).ok()??)?;
        Some(Certificate { name: self.name(&path), public })
    }

    fn committed(&self, path: &Path) -> Option<Certificate> {
        let wanted = self.inside(path)?;
        let (path, bytes) =
            self.around.certificates.iter().find(|(path, _)| path.to_text() == wanted)?;
        Some(Certificate { name: path.to_text(), public: pem::public_key(bytes)? })
    }

    /// The path inside the work tree, with `/` between its parts.
    fn inside(&self, path: &Path) -> Option<String> {
        let root = self.around.worktree.as_ref()?;
        let inside = tidy(path).strip_prefix(tidy(root)).ok()?.to_path_buf();
        let parts: Option<Vec<&str>> = inside.iter().map(std::ffi::OsStr::to_str).collect();
        Some(parts?.join("/"))
    }

    /// The name shown to people: short inside the work tree.
    fn name(&self, path: &Path) -> String {
        self.inside(path).unwrap_or_else(|| tidy(path).display().to_string())
    }

    /// Where eyaml looks for a relative path: in the working directory; else in the work tree.
    fn resolve(&self, path: &str) -> PathBuf {
        let bases = self.around.cwd.iter().chain(&self.around.worktree);
        let places: Vec<PathBuf> = bases.map(|base| base.join(path)).collect();
        let there = places.iter().find(|path| path.is_file());
        there.or_else(|| places.first()).cloned().unwrap_or_else(|| PathBuf::from(path))
    }

    /// A path as a user writes it: `~/` is the home, and relative to the working directory.
    fn expand(&self, path: &Path) -> PathBuf {
        if let (Ok(rest), Some(home)) = (path.strip_prefix("~"), &self.around.home) {
            return home.join(rest);
        }
        self.around.cwd.as_ref().map_or_else(|| path.to_path_buf(), |cwd| cwd.join(path))
    }
}

/// Every `keys/*.pem` beside and above the sealed files and the working directory, nearest first.
fn key_files(around: &Surroundings) -> Vec<PathBuf> {
    let mut starts: Vec<PathBuf> = Vec::new();
    if let Some(root) = &around.worktree {
        starts.extend(around.folders.iter().map(|folder| root.join(folder)));
        starts.push(root.clone());
    }
    starts.extend(around.cwd.clone());
    let mut seen = std::collections::BTreeSet::new();
    let mut files = Vec::new();
    for start in &starts {
        for folder in tidy(start).ancestors() {
            if !seen.insert(folder.to_path_buf()) {
                break;
            }
            files.extend(pem_files(&folder.join("keys")));
        }
    }
    files
}

fn pem_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "pem"))
        .filter(|path| path.is_file())
        .collect();
    files.sort_by_key(|path| {
        let usual = path.file_name().is_some_and(|name| name == "private_key.pkcs7.pem");
        (!usual, path.clone())
    });
    files
}

/// Whether a public key at this path says who the recipient of sealed values is.
fn is_recipient(path: &RepoPath) -> bool {
    let folder = path.parent();
    let in_keys = folder.is_some_and(|folder| folder.file_name() == b"keys");
    in_keys || memchr::memmem::find(path.file_name(), b"pkcs7").is_some()
}

/// Removes `.` and resolves `..` by name, without asking the disk.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect());
    base64::engine::general_purpose::STANDARD.decode(&text[..]).ok().map(Zeroizing::new)
}

/// A regular file of at most 1 MiB; `None` where there is none.
pub(super) fn read_small(path: &Path) -> std::result::Result<Option<Zeroizing<Vec<u8>>>, String> {
    let could_not = |source: std::io::Error| format!("could not be read: {source}");
    match std::fs::metadata(path) {
        Ok(facts) if !facts.is_file() => return Err("is no regular file".to_owned()),
        Ok(facts) if facts.len() > LARGEST => return Err("is larger than 1 MiB".to_owned()),
        Ok(_) => {}
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(could_not(source)),
    }
    let file = std::fs::File::open(path).map_err(could_not)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
    file.take(LARGEST).read_to_end(&mut bytes).map_err(could_not)?;
    Ok(Some(bytes))
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
