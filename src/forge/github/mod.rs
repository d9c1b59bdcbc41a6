//! GitHub and GitHub Enterprise: pull requests by the REST API. How a request is sent, paced and
//! tried again is left to `client`, what its failure means to `trouble`.

mod client;
mod trouble;
mod wire;

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use self::client::Client;
use self::trouble::{Doing, Failure, Whereabouts};
use self::wire::{Labels, NewPull, Pull, Reviewers};
use super::remote::Repository;
use super::{Forge, Permission, PullRequest, Request};
use crate::error::{Error, Kind, Result};
use crate::model::Secret;

/// The most that the list API gives at once, and how many such pages are read before the answer
/// is *cannot tell*.
const PAGE: usize = 100;
const PAGES: usize = 10;
/// How often the creation of one pull request is asked for, should the answer be lost.
const ATTEMPTS: u32 = 3;

/// What leads to one repository.
pub(super) struct Settings {
    /// https, or http on loopback.
    pub(super) api: Url,
    pub(super) repository: Repository,
    pub(super) token: Option<Secret>,
    /// The least time between two changes.
    pub(super) pause: Duration,
}

/// One repository on GitHub.
pub(super) struct Github {
    api: Url,
    repository: Repository,
    client: Option<Client>,
}

impl Github {
    pub(super) fn connect(settings: Settings) -> Result<Self> {
        let Settings { api, repository, token, pause } = settings;
        let at = Whereabouts {
            host: api.host_str().unwrap_or_default().to_owned(),
            repository: repository.to_string(),
        };
        let client = token.map(|token| Client::new(&api, token, at, pause)).transpose()?;
        Ok(Self { api, repository, client })
    }

    fn client(&self) -> Result<&Client> {
        self.client.as_ref().ok_or_else(|| {
            let message = format!("no token for `{}`", self.repository);
            Error::new(Kind::Denied, "no-token", message)
                .hint("set GITHUB_TOKEN or GH_TOKEN, or run `gh auth login`")
                .hint("it needs `Contents: write` and `Pull requests: write` (classic: `repo`)")
        })
    }

    fn route(&self, rest: &str) -> String {
        format!("/repos/{}/{}{rest}", self.repository.owner, self.repository.name)
    }

    /// Every pull request from our own `head` to `base`.
    fn list(&self, head: &str, base: &str) -> Result<Vec<Pull>> {
        let client = self.client()?;
        let owned = format!("{}:{head}", self.repository.owner);
        let (route, size) = (self.route("/pulls"), PAGE.to_string());
        let mut found = Vec::new();
        for page in 1..=PAGES {
            let page = page.to_string();
            let query = [
                ("state", "all"),
                ("head", owned.as_str()),
                ("per_page", size.as_str()),
                ("page", page.as_str()),
            ];
            let pulls: Vec<Pull> =
                client.get(&route, &query, Doing::List).map_err(|failure| failure.error)?;
            let last = pulls.len() < PAGE;
            found.extend(pulls.into_iter().filter(|pull| pull.leads(head, base)));
            if last {
                return Ok(found);
            }
        }
        let message = format!("`{}` lists too many pull requests for one branch", self.repository);
        Err(Error::new(Kind::Network, "too-many-pull-requests", message))
    }

    fn newest_open(&self, request: &Request) -> Result<Option<PullRequest>> {
        let open = self.list(&request.head, &request.base)?.into_iter().filter(Pull::is_open);
        open.max_by_key(|pull| pull.number).map(PullRequest::try_from).transpose()
    }

    /// Creates, and when the answer is lost or says that there is one, looks instead of guessing.
    fn create(&self, request: &Request, undone: &mut Vec<String>) -> Result<PullRequest> {
        let client = self.client()?;
        let mut draft = request.draft;
        let mut attempt = 1;
        loop {
            let failure = match self.create_once(client, request, draft) {
                Ok(made) => return Ok(made),
                Err(failure) => failure,
            };
            if failure.ambiguous || is_duplicate(&failure) {
                if let Some(made) = self.newest_open(request)? {
                    return Ok(made);
                }
                if !failure.ambiguous || attempt == ATTEMPTS {
                    return Err(failure.error);
                }
                client.rest(attempt);
                attempt += 1;
            } else if draft && is_about_drafts(&failure) {
                undone.push(format!("it is no draft: {}", failure.error));
                draft = false;
            } else {
                return Err(failure.error);
            }
        }
    }

    fn create_once(
        &self,
        client: &Client,
        request: &Request,
        draft: bool,
    ) -> Result<PullRequest, Failure> {
        let new = NewPull {
            title: &request.title,
            head: &request.head,
            base: &request.base,
            body: &request.body,
            draft,
        };
        let made = client.post(&self.route("/pulls"), &new, Doing::Create)?;
        serde_json::from_value::<Pull>(made)
            .ok()
            .and_then(|pull| PullRequest::try_from(pull).ok())
            .ok_or_else(|| {
                let message = format!("the answer for `{}` shows no pull request", self.repository);
                Failure {
                    status: None,
                    wait: None,
                    ambiguous: true,
                    error: Error::new(Kind::Network, "cut-answer", message),
                }
            })
    }

    /// Labels and reviewers: what fails here is told, and undoes nothing.
    fn decorate(&self, number: u64, request: &Request, undone: &mut Vec<String>) -> Result<()> {
        let client = self.client()?;
        let mut note = |what: String, failure: Failure| {
            undone.push(format!("{what}: {}", failure.error));
        };
        if !request.labels.is_empty() {
            let route = self.route(&format!("/issues/{number}/labels"));
            let labels = Labels { labels: &request.labels };
            if let Err(failure) = client.post(&route, &labels, Doing::Label) {
                note(format!("no label {}", named(&request.labels)), failure);
            }
        }
        let route = self.route(&format!("/pulls/{number}/requested_reviewers"));
        // One request each, so that one unknown name does not keep the others from being asked.
        for reviewer in request.reviewers.chunks(1) {
            let asked = Reviewers { reviewers: reviewer, team_reviewers: &[] };
            if let Err(failure) = client.post(&route, &asked, Doing::Review) {
                note(format!("not asked {}", named(reviewer)), failure);
            }
        }
        for team in request.team_reviewers.chunks(1) {
            let asked = Reviewers { reviewers: &[], team_reviewers: team };
            if let Err(failure) = client.post(&route, &asked, Doing::Review) {
                note(format!("not asked team {}", named(team)), failure);
            }
        }
        Ok(())
    }
}

fn named(names: &[String]) -> String {
    let names: Vec<_> =
        names.iter().map(|name| format!("`{}`", crate::model::visible(name))).collect();
    names.join(", ")
}

fn is_duplicate(failure: &Failure) -> bool {
    failure.status == Some(422) && failure.error.message().contains("already exists")
}

fn is_about_drafts(failure: &Failure) -> bool {
    failure.status == Some(422) && failure.error.message().to_lowercase().contains("draft")
}

impl Forge for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn preflight(&self) -> Result<Permission> {
        let client = self.client()?;
        let found: wire::Repository =
            client.get(&self.route(""), &[], Doing::Look).map_err(|failure| failure.error)?;
        if found.archived {
            let message = format!("`{}` is archived: nothing can be pushed", self.repository);
            return Err(Error::refused("archived-repository", message));
        }
        match found.permissions.and_then(|permissions| permissions.push) {
            Some(true) => Ok(Permission::Granted),
            Some(false) => {
                let message = format!("the token's owner may not push to `{}`", self.repository);
                Err(Error::new(Kind::Denied, "missing-permission", message)
                    .hint("ask for write access: `Contents: write`, `Pull requests: write`")
                    .hint("a classic token needs the scope `repo`"))
            }
            None => Ok(Permission::Unknown),
        }
    }

    fn find(&self, head: &str, base: &str) -> Result<Option<PullRequest>> {
        let found = self.list(head, base)?.into_iter();
        found
            .max_by_key(|pull| (pull.is_open(), pull.number))
            .map(PullRequest::try_from)
            .transpose()
    }

    fn open(&self, request: &Request) -> Result<(PullRequest, Vec<String>)> {
        if let Some(standing) = self.newest_open(request)? {
            return Ok((standing, Vec::new()));
        }
        let mut undone = Vec::new();
        let made = self.create(request, &mut undone)?;
        self.decorate(made.number, request, &mut undone)?;
        Ok((made, undone))
    }

    fn compare_url(&self, head: &str, base: &str) -> Option<String> {
        let mut page = self.api.clone();
        if let Some(host) = self.api.host_str().and_then(|host| host.strip_prefix("api.")) {
            page.set_host(Some(host)).ok()?;
        }
        let path = page.path().trim_end_matches('/');
        let path = path.strip_suffix("/api/v3").unwrap_or(path).to_owned();
        page.set_path(&path);
        let name = |text| utf8_percent_encode(text, NAME).to_string();
        let page = page.as_str().trim_end_matches('/');
        let Repository { owner, name: repository } = &self.repository;
        let (base, head) = (name(base), name(head));
        Some(format!("{page}/{owner}/{repository}/compare/{base}...{head}?expand=1"))
    }
}

/// What of a branch name is escaped in a page's path.
const NAME: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compare_page_stands_on_the_host_for_people() {
        let rows = [
            (
                "https://api.github.com/",
                "https://github.com/a/b/compare/main...keyroll/x=2E?expand=1",
            ),
            (
                "https://g.example/api/v3/",
                "https://g.example/a/b/compare/main...keyroll/x=2E?expand=1",
            ),
            (
                "https://api.corp.ghe.com",
                "https://corp.ghe.com/a/b/compare/main...keyroll/x=2E?expand=1",
            ),
            (
                "http://127.0.0.1:4000",
                "http://127.0.0.1:4000/a/b/compare/main...keyroll/x=2E?expand=1",
            ),
        ];
        for (api, wanted) in rows {
            let forge = Github::connect(Settings {
                api: Url::parse(api).unwrap(),
                repository: Repository::read("a/b").unwrap(),
                token: None,
                pause: Duration::ZERO,
            })
            .unwrap();
            let wanted = wanted.replace('=', "%3D");
            let wanted = wanted.replace("expand%3D1", "expand=1");
            assert_eq!(forge.compare_url("keyroll/x=2E", "main"), Some(wanted));
            assert_eq!(forge.preflight().unwrap_err().reason(), "no-token");
        }
    }
}
