//! Reads the address of a git remote: its host and, where the path has that form, owner and name.
//! Pure. What is done with them is left to `registry`.

use url::Url;

/// What an address tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remote {
    /// In lower case; `None` for a folder of this machine.
    pub(super) host: Option<String>,
    /// A port that the scheme does not imply.
    pub(super) port: Option<u16>,
    path: String,
}

impl Remote {
    /// Reads a URL, the short form of ssh (`git@host:owner/name.git`), or a folder.
    pub(super) fn read(address: &str) -> Self {
        if address.contains("://") {
            return match Url::parse(address) {
                Ok(url) => Self {
                    host: url.host_str().map(canonical).filter(|host| !host.is_empty()),
                    port: url.port(),
                    path: url.path().to_owned(),
                },
                Err(_) => Self { host: None, port: None, path: String::new() },
            };
        }
        // git's own rule: a colon before the first slash makes it an address of ssh.
        match address.split_once(':') {
            Some((before, path)) if !before.contains('/') && before.len() > 1 => {
                let host = before.rsplit('@').next().unwrap_or(before);
                Self { host: Some(canonical(host)), port: None, path: path.to_owned() }
            }
            _ => Self { host: None, port: None, path: address.to_owned() },
        }
    }

    /// Owner and name, where the path is exactly that.
    pub(super) fn repository(&self) -> Option<Repository> {
        self.host.as_ref()?;
        let path = self.path.trim_matches('/');
        Repository::read(path.strip_suffix(".git").unwrap_or(path))
    }
}

fn canonical(host: &str) -> String {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    match host.as_str() {
        // GitHub's ssh on port 443, and the host that only redirects.
        "ssh.github.com" | "www.github.com" => "github.com".to_owned(),
        _ => host,
    }
}

/// `OWNER/NAME`, of characters that need no escaping in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    pub(super) owner: String,
    pub(super) name: String,
}

impl Repository {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let fits = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        (fits(owner) && fits(name)).then(|| Self { owner: owner.to_owned(), name: name.to_owned() })
    }
}

impl std::fmt::Display for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_of_address() {
        let rows = [
            ("https://github.com/alice/secrets.git", Some("github.com"), Some("alice/secrets")),
            (
                "https://x-access-token@GitHub.com/alice/secrets/",
                Some("github.com"),
                Some("alice/secrets"),
            ),
            ("git@github.com:alice/secrets.git", Some("github.com"), Some("alice/secrets")),
            ("github.com:alice/secrets", Some("github.com"), Some("alice/secrets")),
            (
                "ssh://git@ssh.github.com:443/alice/secrets.git",
                Some("github.com"),
                Some("alice/secrets"),
            ),
            ("https://git.example.com:8443/a/b.c.git", Some("git.example.com"), Some("a/b.c")),
            ("http://[::1]:8080/a/b", Some("::1"), Some("a/b")),
            ("http://127.0.0.1:9000/secrets.git", Some("127.0.0.1"), None),
            ("https://gitlab.com/group/sub/name.git", Some("gitlab.com"), None),
            ("https://github.com/alice/..", Some("github.com"), None),
            ("https://github.com/al%2Fice/x", Some("github.com"), None),
            ("file:///srv/alice/secrets.git", None, None),
            ("/srv/alice/secrets.git", None, None),
            ("../secrets", None, None),
            ("./odd:name/x", None, None),
            ("C:\\repos\\secrets", None, None),
            ("", None, None),
        ];
        for (address, host, repository) in rows {
            let read = Remote::read(address);
            assert_eq!(read.host.as_deref(), host, "{address}");
            let shown = read.repository().map(|repository| repository.to_string());
            assert_eq!(shown.as_deref(), repository, "{address}");
        }
    }
}
