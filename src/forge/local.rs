//! The forge of a repository that has none: the request's text becomes a file, and a person
//! carries it on. The branch is pushed by others.

use std::io::Write as _;
use std::path::PathBuf;

use super::{Forge, Permission, PullRequest, Request, State};
use crate::error::{Error, Result};

/// The longest file name that common file systems take is 255 bytes.
const NAME: usize = 180;

/// A folder for the texts of requests.
#[derive(Debug)]
pub(super) struct Local {
    folder: PathBuf,
}

impl Local {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn file(&self, head: &str) -> PathBuf {
        self.folder.join(format!("keyroll-request-{}.md", escaped(head)))
    }

    fn pull_request(&self, head: &str) -> PullRequest {
        PullRequest { url: None, file: Some(self.file(head)), number: 0, state: State::Open }
    }
}

impl Forge for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn preflight(&self) -> Result<Permission> {
        match std::fs::metadata(&self.folder) {
            Ok(found) if !found.is_dir() => {
                let source = std::io::Error::from(std::io::ErrorKind::NotADirectory);
                Err(Error::io("write the request into", &self.folder, &source))
            }
            Ok(_) => Ok(Permission::Granted),
            // It will be made when the request is written.
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(Permission::Unknown),
            Err(source) => Err(Error::io("look at", &self.folder, &source)),
        }
    }

    fn find(&self, head: &str, _base: &str) -> Result<Option<PullRequest>> {
        let file = self.file(head);
        match file.try_exists() {
            Ok(true) => Ok(Some(self.pull_request(head))),
            Ok(false) => Ok(None),
            Err(source) => Err(Error::io("look at", &file, &source)),
        }
    }

    fn open(&self, request: &Request) -> Result<(PullRequest, Vec<String>)> {
        let file = self.file(&request.head);
        std::fs::create_dir_all(&self.folder)
            .map_err(|source| Error::io("make the folder", &self.folder, &source))?;
        let failed = |source: &std::io::Error| Error::io("write the request", &file, source);
        // A temporary file of this kind is born with mode 0600.
        let mut draft =
            tempfile::NamedTempFile::new_in(&self.folder).map_err(|source| failed(&source))?;
        draft.write_all(text(request).as_bytes()).map_err(|source| failed(&source))?;
        draft.as_file().sync_all().map_err(|source| failed(&source))?;
        draft.persist(&file).map_err(|source| failed(&source.error))?;
        Ok((self.pull_request(&request.head), Vec::new()))
    }

    fn compare_url(&self, _head: &str, _base: &str) -> Option<String> {
        None
    }
}

fn text(request: &Request) -> String {
    let mut out = format!(
        "# {}\n\nMerge {} into {}{}\n",
        request.title,
        super::markdown::code(&request.head),
        super::markdown::code(&request.base),
        if request.draft { " (a draft)" } else { "" },
    );
    for (what, names) in [
        ("Labels", &request.labels),
        ("Reviewers", &request.reviewers),
        ("Teams", &request.team_reviewers),
    ] {
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(|name| super::markdown::code(name)).collect();
            out.push_str(&format!("\n{what}: {}\n", names.join(", ")));
        }
    }
    out.push('\n');
    out + &request.body
}

/// The branch as one file name: bytes outside `[A-Za-z0-9._-]` as `=XX`; a long one ends in a
/// digest instead of its rest.
fn escaped(branch: &str) -> String {
    let mut out = String::new();
    for byte in branch.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("={byte:02X}"));
        }
    }
    if out.len() > NAME {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, branch.as_bytes());
        out.truncate(NAME);
        out.push('~');
        for byte in &digest.as_ref()[..8] {
            out.push_str(&format!("{byte:02x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            head: "keyroll/rotate/a/AKIAIOSFODNN7EXAMPLE".into(),
            base: "main".into(),
            title: "Rotate".into(),
            body: "The body\n".into(),
            labels: vec!["rotation".into()],
            ..Request::default()
        }
    }

    #[test]
    fn writes_the_request_for_its_owner_only_and_finds_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let forge = Local::new(folder.path().join("state"));
        let request = request();
        assert_eq!(forge.find(&request.head, "main").unwrap(), None);
        let (made, undone) = forge.open(&request).unwrap();
        assert!(undone.is_empty());
        assert_eq!((made.url.clone(), made.number), (None, 0));
        let file = made.file.clone().unwrap();
        assert_eq!(
            file.file_name().unwrap().to_str().unwrap(),
            "keyroll-request-keyroll=2Frotate=2Fa=2FAKIAIOSFODNN7EXAMPLE.md"
        );
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            "# Rotate\n\nMerge `keyroll/rotate/a/AKIAIOSFODNN7EXAMPLE` into `main`\n\n\
             Labels: `rotation`\n\nThe body\n"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(forge.find(&request.head, "main").unwrap(), Some(made.clone()));
        assert_eq!(forge.open(&request).unwrap().0, made, "written again, the same answer");
        assert_eq!(std::fs::read_dir(folder.path().join("state")).unwrap().count(), 1);
    }

    #[test]
    fn names_the_file_that_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        std::fs::File::create(&blocked).unwrap();
        let forge = Local::new(blocked.clone());
        let error = forge.preflight().unwrap_err();
        assert!(error.message().contains(blocked.to_str().unwrap()), "{error}");
        let error = forge.open(&request()).unwrap_err();
        assert!(error.message().contains(blocked.to_str().unwrap()), "{error}");
    }

    #[test]
    fn file_names_are_legal_and_differ_where_branches_differ() {
        let long = "é".repeat(200);
        let names: Vec<_> = ["a/b", "a=2Fb", "a b", "../x", &long, &format!("{long}x")]
            .iter()
            .map(|branch| escaped(branch))
            .collect();
        for (at, name) in names.iter().enumerate() {
            assert!(name.len() < 220 && !name.contains('/'), "{name}");
            assert!(!names[..at].contains(name), "{name} twice");
        }
    }
}
