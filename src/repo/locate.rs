//! Finds a repository on disk: its folders, its object stores and its references, read as plain
//! files. Nothing of the repository's configuration is obeyed here: a partial clone, a foreign
//! owner or an unknown extension does not stop reading. Objects are left to `git`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::model::{Timestamp, visible};

/// How many levels of borrowed object stores are followed, as git does.
const ALTERNATES_DEPTH: usize = 5;
/// The longest chain of symbolic references, as git has it.
const SYMREF_DEPTH: usize = 5;

/// The folders of one repository.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    /// `.git` of the clone, or of the linked work tree.
    pub(crate) git_dir: PathBuf,
    /// What linked work trees share; equals `git_dir` elsewhere.
    pub(crate) common_dir: PathBuf,
    /// The folder with the checked out files; `None` for a bare repository.
    pub(crate) worktree: Option<PathBuf>,
    /// The object stores: its own first, then the borrowed ones.
    pub(crate) object_dirs: Vec<PathBuf>,
    /// Whether objects may be missing by agreement with the remote.
    pub(crate) partial: bool,
}

impl Location {
    /// Finds the repository that holds `path`, looking upwards.
    pub(crate) fn find(path: &Path) -> Result<Self> {
        let start = fs::canonicalize(path).map_err(|source| Error::io("open", path, &source))?;
        let found = start.ancestors().find_map(candidate);
        let (git_dir, worktree) = found.ok_or_else(|| not_a_repository(path))?;
        let common_dir = match read_small(&git_dir.join("commondir"))? {
            Some(text) => canonical(&git_dir.join(text.trim_end()))?,
            None => git_dir.clone(),
        };
        refuse_unknown_storage(&common_dir)?;
        let mut object_dirs = vec![common_dir.join("objects")];
        follow_alternates(&mut object_dirs);
        let partial = is_partial(&common_dir);
        Ok(Self { git_dir, common_dir, worktree, object_dirs, partial })
    }

    /// The text of the `shallow` file, if history is cut.
    pub(crate) fn shallow(&self) -> Result<Option<String>> {
        read_small(&self.common_dir.join("shallow"))
    }

    /// When anything was last fetched here; `None` when it never was, or nobody wrote it down.
    pub(crate) fn fetched_at(&self) -> Option<Timestamp> {
        [&self.git_dir, &self.common_dir]
            .iter()
            .filter_map(|dir| fs::metadata(dir.join("FETCH_HEAD")).ok()?.modified().ok())
            .max()
            .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_secs()).ok())
            .map(Timestamp)
    }

    /// Where a reference leads: its final name and its object. `None` when it does not exist;
    /// a symbolic reference to a missing one gives the name and no object.
    pub(crate) fn resolve(&self, name: &str) -> Result<Option<(String, Option<String>)>> {
        let mut name = name.to_owned();
        for depth in 0..=SYMREF_DEPTH {
            let Some(text) = self.lookup(&name)? else {
                return Ok((depth > 0).then_some((name, None)));
            };
            match text.strip_prefix("ref:") {
                Some(next) => next.trim().clone_into(&mut name),
                None => return Ok(Some((name, Some(text)))),
            }
            if !is_ref_name(&name) {
                return Err(damaged(&self.git_dir.join("HEAD")));
            }
        }
        Err(damaged(&self.git_dir.join(name)))
    }

    /// Every reference with its object, symbolic ones left out.
    pub(crate) fn references(&self) -> Result<Vec<(String, String)>> {
        let mut found = self.packed()?;
        let mut pending = vec![self.common_dir.join("refs")];
        while let Some(dir) = pending.pop() {
            let Ok(entries) = fs::read_dir(&dir) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    pending.push(path);
                } else if let Some(pair) = self.loose(&path) {
                    found.retain(|(name, _)| *name != pair.0);
                    found.push(pair);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    fn loose(&self, path: &Path) -> Option<(String, String)> {
        let name = path.strip_prefix(&self.common_dir).ok()?.to_str()?.to_owned();
        let text = fs::read_to_string(path).ok()?.trim().to_owned();
        (is_ref_name(&name) && is_object_name(&text)).then_some((name, text))
    }

    fn lookup(&self, name: &str) -> Result<Option<String>> {
        // HEAD, bisect and worktree references belong to one work tree; the rest is shared.
        let dir = if name.starts_with("refs/") { &self.common_dir } else { &self.git_dir };
        let path = dir.join(name);
        if let Some(text) = read_small(&path)? {
            let text = text.trim().to_owned();
            let fits = text.starts_with("ref:") || is_object_name(&text);
            return if fits { Ok(Some(text)) } else { Err(damaged(&path)) };
        }
        Ok(self.packed()?.into_iter().find(|(packed, _)| packed == name).map(|(_, id)| id))
    }

    fn packed(&self) -> Result<Vec<(String, String)>> {
        let path = self.common_dir.join("packed-refs");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::io("read", &path, &source)),
        };
        let text = String::from_utf8_lossy(&bytes);
        let pairs = text.lines().filter(|line| !line.starts_with(['#', '^']));
        Ok(pairs
            .filter_map(|line| line.split_once(' '))
            .filter(|(id, name)| is_object_name(id) && is_ref_name(name))
            .map(|(id, name)| (name.to_owned(), id.to_owned()))
            .collect())
    }
}

/// Whether `text` is a full object name (SHA-1).
pub(crate) fn is_object_name(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether `name` may be looked up as a file: below `refs/` or one word in capitals, and without
/// a way out of the folder.
fn is_ref_name(name: &str) -> bool {
    let shaped = name.starts_with("refs/")
        || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    shaped && inside && !name.contains(['\0', '\n', '\\', ':', '?', '*', '[', ' ', '~', '^'])
}

fn candidate(folder: &Path) -> Option<(PathBuf, Option<PathBuf>)> {
    let dot_git = folder.join(".git");
    if is_git_dir(&dot_git) {
        return Some((fs::canonicalize(&dot_git).ok()?, Some(folder.to_owned())));
    }
    if let Ok(Some(text)) = read_small(&dot_git)
        && let Some(target) = text.strip_prefix("gitdir:")
    {
        let target = folder.join(target.trim());
        if is_git_dir(&target) {
            return Some((fs::canonicalize(&target).ok()?, Some(folder.to_owned())));
        }
    }
    if is_git_dir(folder) {
        return Some((folder.to_owned(), None));
    }
    None
}

fn is_git_dir(path: &Path) -> bool {
    path.join("HEAD").is_file()
        && (path.join("commondir").is_file()
            || (path.join("objects").is_dir() && path.join("refs").is_dir()))
}

fn follow_alternates(object_dirs: &mut Vec<PathBuf>) {
    let mut level: Vec<PathBuf> = object_dirs.clone();
    for _ in 0..ALTERNATES_DEPTH {
        let mut next = Vec::new();
        for dir in &level {
            let Ok(Some(text)) = read_small(&dir.join("info/alternates")) else { continue };
            for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                if let Ok(path) = fs::canonicalize(dir.join(line))
                    && path.is_dir()
                    && !object_dirs.contains(&path)
                {
                    object_dirs.push(path.clone());
                    next.push(path);
                }
            }
        }
        level = next;
    }
}

/// A partial clone marks the packs that came from its remote.
fn is_partial(common_dir: &Path) -> bool {
    let Ok(packs) = fs::read_dir(common_dir.join("objects/pack")) else { return false };
    packs.flatten().any(|entry| entry.path().extension().is_some_and(|end| end == "promisor"))
}

fn refuse_unknown_storage(common_dir: &Path) -> Result<()> {
    let config = read_small(&common_dir.join("config"))?.unwrap_or_default().to_ascii_lowercase();
    let sha256 = config.lines().any(|line| {
        let line = line.trim();
        line.starts_with("objectformat") && line.contains("sha256")
    });
    let what = if sha256 {
        "SHA-256 object names"
    } else if common_dir.join("reftable").is_dir() {
        "reference tables (reftable)"
    } else {
        return Ok(());
    };
    let shown = visible(&common_dir.to_string_lossy());
    Err(Error::new(
        Kind::Io,
        "unsupported-repository",
        format!("the repository `{shown}` uses {what}, which keyroll cannot read"),
    )
    .hint("give a clone made with git's default formats"))
}

fn not_a_repository(path: &Path) -> Error {
    let shown = visible(&path.to_string_lossy());
    Error::new(
        Kind::NotFound,
        "not-a-repository",
        format!("`{shown}` is no git repository, nor is any folder above it"),
    )
    .hint("give the path of a clone, or run keyroll inside one")
}

fn damaged(path: &Path) -> Error {
    let shown = visible(&path.to_string_lossy());
    Error::new(
        Kind::Io,
        "damaged-repository",
        format!("`{shown}` does not hold what git writes there"),
    )
    .hint("`git fsck` tells more")
}

fn canonical(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).map_err(|source| Error::io("open", path, &source))
}

/// The text of a small file; `None` when there is no such file.
fn read_small(path: &Path) -> Result<Option<String>> {
    match fs::metadata(path) {
        Ok(data) if data.is_file() && data.len() < 64 * 1024 * 1024 => {}
        Ok(_) => return Ok(None),
        Err(source) if is_absent(source.kind()) => return Ok(None),
        Err(source) => return Err(Error::io("read", path, &source)),
    }
    let bytes = fs::read(path).map_err(|source| Error::io("read", path, &source))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

const fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename)
}

#[cfg(test)]
mod tests {
    use super::is_ref_name;

    #[test]
    fn a_reference_name_cannot_leave_the_repository() {
        for good in ["HEAD", "FETCH_HEAD", "refs/heads/main", "refs/remotes/origin/HEAD"] {
            assert!(is_ref_name(good), "{good}");
        }
        for bad in ["refs/../../etc/passwd", "/etc/passwd", "main", "", "config", "refs/a\nb"] {
            assert!(!is_ref_name(bad), "{bad}");
        }
    }
}
