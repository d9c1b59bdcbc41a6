//! The list of forges, and the rule that chooses among them. Reading the environment is left to
//! the caller.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Forge;
use super::github::{Github, Settings};
use super::local::Local;
use super::remote::{Remote, Repository};
use crate::error::{Error, Kind, Result};
use crate::model::{Secret, visible};

/// The kinds of forge, by the words of `--forge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// GitHub, or an Enterprise server of it.
    Github,
    /// A file beside the pushed branch.
    Local,
}

/// Which forge, and how to reach it.
#[derive(Debug, Default)]
pub struct Choice {
    /// `--forge`; `None` lets the addresses decide.
    pub name: Option<Name>,
    /// The address of the git remote.
    pub remote_url: Option<String>,
    /// `--github-api-url` or `GITHUB_API_URL`.
    pub api_url: Option<String>,
    /// `GITHUB_SERVER_URL`.
    pub server_url: Option<String>,
    /// `--github-repository`: `OWNER/NAME`.
    pub repository: Option<String>,
    /// The token; without one GitHub can be named and not asked.
    pub token: Option<Secret>,
    /// Where `local` writes the request's text.
    pub folder: PathBuf,
    /// The least time between two changes; `None` is a second, or none on loopback.
    pub pause: Option<Duration>,
}

impl Choice {
    /// The forge that the words and addresses name: what `--forge` says; else `github` when the
    /// remote's host is github.com or that of the API or server URL, or when a repository is
    /// named; else `local`. Needs no token, so that one is only looked for where it is used.
    #[must_use]
    pub fn resolve(&self) -> Name {
        if let Some(name) = self.name {
            return name;
        }
        let host = self.remote().and_then(|remote| remote.host);
        let known = host.as_deref().is_some_and(|host| self.is_github(host));
        if self.repository.is_some() || known { Name::Github } else { Name::Local }
    }

    /// The host to which the token belongs, in lower case and with a port that is not the usual
    /// one: of the git remote when it is the forge's own. `None` when the remote is somebody
    /// else's, or a folder.
    #[must_use]
    pub fn token_host(&self) -> Option<String> {
        let Remote { host, port, .. } = self.remote()?;
        let host = host?;
        if self.resolve() != Name::Github || !self.is_github(&host) {
            return None;
        }
        let Some(port) = port else { return Some(host) };
        // Another port of the same host may be another service: the addresses must name it too.
        let named = [self.server_url.as_deref(), self.api_url.as_deref()];
        let mut named = named.into_iter().flatten().map(Remote::read);
        named
            .any(|one| one.host.as_deref() == Some(host.as_str()) && one.port == Some(port))
            .then(|| format!("{host}:{port}"))
    }

    fn remote(&self) -> Option<Remote> {
        self.remote_url.as_deref().map(Remote::read)
    }

    fn is_github(&self, host: &str) -> bool {
        host == "github.com"
            || host_of(self.server_url.as_deref()).is_some_and(|server| server == host)
            || host_of(self.api_url.as_deref()).is_some_and(|api| serves(&api, host))
    }

    fn api(&self) -> Result<Url> {
        if let Some(text) = &self.api_url {
            return endpoint(text);
        }
        let host = self.remote().and_then(|remote| remote.host);
        match (host.as_deref(), self.server_url.as_deref()) {
            (Some("github.com"), _) => endpoint(GITHUB_API),
            (Some(host), Some(server)) if host_of(Some(server)).as_deref() == Some(host) => {
                let server = endpoint(server)?;
                endpoint(&format!("{}/api/v3", server.as_str().trim_end_matches('/')))
            }
            (None, _) => endpoint(GITHUB_API),
            (Some(host), _) => Err(Error::new(
                Kind::Settings,
                "no-api-url",
                format!("the API of `{}` is not known", visible(host)),
            )
            .hint("give --github-api-url or set GITHUB_API_URL, such as https://HOST/api/v3")
            .hint("or use --forge local")),
        }
    }

    fn repository(&self, api: &Url) -> Result<Repository> {
        if let Some(text) = &self.repository {
            return Repository::read(text).ok_or_else(|| {
                let shown = visible(text);
                Error::new(
                    Kind::Usage,
                    "bad-repository",
                    format!("`{shown}` is no repository of GitHub"),
                )
                .hint("write it like --github-repository OWNER/NAME")
            });
        }
        let remote = self.remote();
        if let Some(host) = remote.as_ref().and_then(|remote| remote.host.as_deref())
            && let Some(asked) = api.host_str()
            && !serves(asked, host)
            && !is_loopback(api)
        {
            return Err(mismatch(host, asked));
        }
        remote.and_then(|remote| remote.repository()).ok_or_else(|| {
            Error::new(
                Kind::Settings,
                "no-repository",
                "the address of the git remote names no repository of GitHub",
            )
            .hint("give --github-repository OWNER/NAME, or --forge local")
        })
    }
}

const GITHUB_API: &str = "https://api.github.com";

fn mismatch(host: &str, asked: &str) -> Error {
    let (host, asked) = (visible(host), visible(asked));
    Error::new(
        Kind::Settings,
        "forge-mismatch",
        format!("the git remote is on `{host}`, and the API on `{asked}`"),
    )
    .hint("unset GITHUB_API_URL, or name the repository with --github-repository OWNER/NAME")
}

fn host_of(url: Option<&str>) -> Option<String> {
    Remote::read(url?).host
}

/// Whether the API on `api` is that of the git host: the same, or `api.` before it.
fn serves(api: &str, host: &str) -> bool {
    api == host || api.strip_prefix("api.").is_some_and(|rest| rest == host)
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An address to which a token may be sent: https, or http on loopback, and nothing but host,
/// port and path.
fn endpoint(text: &str) -> Result<Url> {
    let wrong = |reason, message: &str| {
        // The address may hold a password: it is not quoted.
        Error::new(Kind::Settings, reason, format!("the URL of the GitHub API {message}"))
            .hint("write it like https://api.github.com or https://HOST/api/v3")
    };
    let url = Url::parse(text).map_err(|_| wrong("bad-endpoint", "is no URL"))?;
    if url.host().is_none() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("bad-endpoint", "is not a scheme, a host and a path"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("bad-endpoint", "holds a user name or a password")
            .hint("the token comes from GITHUB_TOKEN, GH_TOKEN or `gh auth token`"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(wrong("insecure-endpoint", "is not https")
            .hint("plain http is accepted for loopback only")),
    }
}

/// Connects; nothing is sent yet.
///
/// # Errors
/// `bad-endpoint`, `insecure-endpoint`, `no-api-url`, `no-repository`, `bad-repository`,
/// `forge-mismatch` and `bad-token`, when the settings do not fit.
pub fn connect(choice: &Choice) -> Result<Box<dyn Forge>> {
    match choice.resolve() {
        Name::Local => Ok(Box::new(Local::new(choice.folder.clone()))),
        Name::Github => {
            let api = choice.api()?;
            let repository = choice.repository(&api)?;
            let usual = if is_loopback(&api) { Duration::ZERO } else { Duration::from_secs(1) };
            Ok(Box::new(Github::connect(Settings {
                repository,
                pause: choice.pause.unwrap_or(usual),
                token: choice.token.as_ref().map(Secret::duplicate),
                api,
            })?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(remote: &str, api: &str, server: &str, repository: &str) -> Choice {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Choice {
            remote_url: given(remote),
            api_url: given(api),
            server_url: given(server),
            repository: given(repository),
            ..Choice::default()
        }
    }

    #[test]
    fn the_address_chooses_the_forge() {
        let rows = [
            ("git@github.com:a/b.git", "", "", "", Name::Github),
            ("https://git.example.com/a/b", "", "", "", Name::Local),
            ("https://git.example.com/a/b", "https://git.example.com/api/v3", "", "", Name::Github),
            ("https://corp.ghe.com/a/b", "https://api.corp.ghe.com", "", "", Name::Github),
            ("https://git.example.com/a/b", "", "https://git.example.com", "", Name::Github),
            (
                "https://git.example.com/a/b",
                "https://api.github.com",
                "https://github.com",
                "",
                Name::Local,
            ),
            ("/srv/b.git", "", "", "", Name::Local),
            ("/srv/b.git", "", "", "a/b", Name::Github),
            ("https://notgithub.com/a/b", "", "", "", Name::Local),
            ("https://github.com.example.com/a/b", "", "", "", Name::Local),
            ("", "", "", "", Name::Local),
        ];
        for (remote, api, server, repository, wanted) in rows {
            let mut asked = choice(remote, api, server, repository);
            assert_eq!(asked.resolve(), wanted, "{remote} {api} {server} {repository}");
            asked.name = Some(Name::Local);
            assert_eq!(asked.resolve(), Name::Local, "--forge rules");
        }
    }

    /// API and repository, or the reason why there is none.
    fn addresses(words: [&str; 4]) -> std::result::Result<[String; 2], &'static str> {
        let [remote, api, server, repository] = words;
        let mut asked = choice(remote, api, server, repository);
        asked.name = Some(Name::Github);
        let api = asked.api().map_err(|error| error.reason())?;
        let repository = asked.repository(&api).map_err(|error| error.reason())?;
        Ok([api.to_string(), repository.to_string()])
    }

    #[test]
    fn the_repository_and_the_api_follow_from_the_addresses() {
        let enterprise = "https://g.example/api/v3/";
        let rows = [
            (["git@github.com:a/b.git", "", "", ""], ["https://api.github.com/", "a/b"]),
            (
                ["https://g.example/a/b", "", "https://g.example", ""],
                ["https://g.example/api/v3", "a/b"],
            ),
            (["https://g.example/a/b", enterprise, "", ""], [enterprise, "a/b"]),
            (["/srv/b.git", "http://127.0.0.1:4000", "", "x/y"], ["http://127.0.0.1:4000/", "x/y"]),
            (["git@github.com:a/b", "http://[::1]:4000", "", ""], ["http://[::1]:4000/", "a/b"]),
        ];
        for (words, wanted) in rows {
            assert_eq!(addresses(words), Ok(wanted.map(str::to_owned)), "{words:?}");
        }
    }

    #[test]
    fn no_token_goes_where_it_should_not() {
        let ours = "https://github.com/a/b";
        let rows = [
            (["git@github.com:a/b", "https://g.example/api/v3", "", ""], "forge-mismatch"),
            (["https://g.example/a/b", "https://api.github.com", "", ""], "forge-mismatch"),
            (["https://g.example/a/b", "", "", ""], "no-api-url"),
            (["https://github.com/a", "", "", ""], "no-repository"),
            ([ours, "", "", "a/../b"], "bad-repository"),
            ([ours, "http://api.github.com", "", ""], "insecure-endpoint"),
            ([ours, "http://localhost.example.com", "", ""], "insecure-endpoint"),
            ([ours, "ftp://api.github.com", "", ""], "insecure-endpoint"),
            ([ours, "https://u:p@api.github.com", "", ""], "bad-endpoint"),
            ([ours, "https://api.github.com/?x=1", "", ""], "bad-endpoint"),
            ([ours, "api.github.com", "", ""], "bad-endpoint"),
        ];
        for (words, reason) in rows {
            assert_eq!(addresses(words), Err(reason), "{words:?}");
        }
    }

    #[test]
    fn the_token_belongs_to_the_forges_own_host_only() {
        let rows = [
            ("https://github.com/a/b", "", "", Some("github.com")),
            ("https://git.example.com/a/b", "", "a/b", None),
            (
                "https://git.example.com/a/b",
                "https://git.example.com/api/v3",
                "",
                Some("git.example.com"),
            ),
            (
                "https://git.example.com:8443/a/b",
                "https://git.example.com:8443/api/v3",
                "",
                Some("git.example.com:8443"),
            ),
            ("https://git.example.com:9000/a/b", "https://git.example.com/api/v3", "", None),
            ("https://github.com:8443/a/b", "", "", None),
            ("/srv/b.git", "", "a/b", None),
        ];
        for (remote, api, repository, wanted) in rows {
            let asked = choice(remote, api, "", repository);
            assert_eq!(asked.token_host().as_deref(), wanted, "{remote}");
        }
    }

    #[test]
    fn no_printing_shows_the_token() {
        let choice =
            Choice { token: Some(Secret::from("ghp_canary".to_owned())), ..Choice::default() };
        assert!(!format!("{choice:?}").contains("canary"));
    }
}
