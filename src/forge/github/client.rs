//! One connection to GitHub's REST API: the runtime, the pace of changes, waiting and trying
//! again. Which requests are sent is left to the module above.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::{HeaderValue, USER_AGENT};
use hyper_util::client::legacy::{Client as Http, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use octocrab::service::middleware::auth_header::AuthHeaderLayer;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use super::trouble::{Doing, Failure, Whereabouts, failure};
use crate::error::{Error, Kind, Result};
use crate::model::Secret;

const AGENT: &str = concat!("keyroll/", env!("CARGO_PKG_VERSION"));
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);
/// The longest that the forge may make us wait at once.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one request is sent at most.
const ATTEMPTS: u32 = 3;

/// A connection. Its debug text is never asked for: the token is inside.
pub(super) struct Client {
    runtime: Runtime,
    crab: Octocrab,
    token: Secret,
    at: Whereabouts,
    pause: Duration,
    last_change: Mutex<Option<Instant>>,
}

/// The parts of a request's answer that a caller may see: any 2xx counts.
type Answer<T> = std::result::Result<T, Failure>;

impl Client {
    /// Builds the client; nothing is sent.
    ///
    /// # Errors
    /// `bad-token` when the token cannot stand in a header; `no-certificates` when the machine has
    /// no root certificates.
    pub(super) fn new(
        api: &url::Url,
        token: Secret,
        at: Whereabouts,
        pause: Duration,
    ) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|source| Error::bug(format!("no runtime for the forge: {source}")))?;
        let crab = {
            // octocrab starts a task when it is built.
            let _inside = runtime.enter();
            connection(api, &token)?
        };
        Ok(Self { runtime, crab, token, at, pause, last_change: Mutex::new(None) })
    }

    /// Reads. Tried again after a lost answer, because reading changes nothing.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        route: &str,
        query: &[(&str, &str)],
        doing: Doing,
    ) -> Answer<T> {
        // An empty list would leave a bare question mark behind the route.
        let query = (!query.is_empty()).then_some(query);
        let mut attempt = 1;
        loop {
            let answer = self.patiently(doing, || self.crab.get(route, query));
            match answer {
                Err(failure) if failure.ambiguous && attempt < ATTEMPTS => {
                    self.rest(attempt);
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Changes something: one at a time, and not faster than the pace. A lost answer comes back as
    /// ambiguous, for the caller knows how to look whether it was done.
    pub(super) fn post<B: Serialize + Sync>(
        &self,
        route: &str,
        body: &B,
        doing: Doing,
    ) -> Answer<serde_json::Value> {
        let mut last = self.last_change.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = *last {
            std::thread::sleep(self.pause.saturating_sub(earlier.elapsed()));
        }
        let answer = self.patiently(doing, || self.crab.post(route, Some(body)));
        *last = Some(Instant::now());
        answer
    }

    /// Waits before an attempt that follows a lost answer.
    pub(super) fn rest(&self, attempt: u32) {
        std::thread::sleep(self.pause * attempt);
    }

    /// Sends, and sends again when the forge asks for a short wait. A throttled request was not
    /// carried out, therefore this holds for changes too.
    fn patiently<T, F>(&self, doing: Doing, send: impl Fn() -> F) -> Answer<T>
    where
        F: Future<Output = octocrab::Result<T>>,
    {
        let mut attempt = 1;
        loop {
            let failure = match self.once(doing, send()) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match failure.wait {
                Some(wait) if wait <= PATIENCE && attempt < ATTEMPTS => {
                    tracing::info!(seconds = wait.as_secs(), "the forge asks to wait");
                    std::thread::sleep(wait);
                    attempt += 1;
                }
                _ => return Err(failure),
            }
        }
    }

    fn once<T>(&self, doing: Doing, call: impl Future<Output = octocrab::Result<T>>) -> Answer<T> {
        let answer = self.runtime.block_on(async { tokio::time::timeout(ANSWER, call).await });
        match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(failure(error, doing, &self.at, |said| self.hide(said))),
            Err(_) => Err(Failure::late(&self.at.host)),
        }
    }

    /// What a server said, without the token, should it send that back.
    fn hide(&self, said: &str) -> String {
        match std::str::from_utf8(self.token.expose()) {
            Ok(token) if !token.is_empty() => said.replace(token, "…"),
            _ => said.to_owned(),
        }
    }
}

fn connection(api: &url::Url, token: &Secret) -> Result<Octocrab> {
    let mut bearer = zeroize::Zeroizing::new(b"Bearer ".to_vec());
    bearer.extend_from_slice(token.expose());
    let graphic = token.expose().iter().all(u8::is_ascii_graphic);
    let bearer = HeaderValue::from_bytes(&bearer).ok().filter(|_| graphic && !token.is_empty());
    let Some(mut bearer) = bearer else {
        let message = "the forge's token is empty or holds a space or a line break";
        return Err(Error::new(Kind::Denied, "bad-token", message)
            .hint("set GITHUB_TOKEN or GH_TOKEN to the token alone"));
    };
    bearer.set_sensitive(true);
    let base: http::Uri = api
        .as_str()
        .parse()
        .map_err(|_| Error::new(Kind::Settings, "bad-endpoint", "the URL of the API is no URI"))?;
    if api.scheme() == "http" { Ok(plain(base, bearer)) } else { secure(base, token) }
}

/// Loopback needs no certificates, and there may be none: a machine without a certificate store
/// still runs against stand-ins.
fn plain(base: http::Uri, bearer: HeaderValue) -> Octocrab {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    let agent = Arc::new(vec![(USER_AGENT, HeaderValue::from_static(AGENT))]);
    let built = OctocrabBuilder::new_empty()
        .with_service(Http::builder(TokioExecutor::new()).build(connector))
        .with_layer(&ExtraHeadersLayer::new(agent))
        .with_layer(&BaseUriLayer::new(base.clone()))
        .with_layer(&AuthHeaderLayer::new(Some(bearer), base.clone(), base))
        .with_auth(AuthState::None)
        .build();
    match built {
        Ok(crab) => crab,
        Err(never) => match never {},
    }
}

fn secure(base: http::Uri, token: &Secret) -> Result<Octocrab> {
    // Refused only when one is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let token = String::from_utf8_lossy(token.expose()).into_owned();
    OctocrabBuilder::new()
        .base_uri(base.clone())
        .and_then(|builder| builder.upload_uri(base))
        .and_then(|builder| {
            builder
                .add_header(USER_AGENT, AGENT.to_owned())
                .set_connect_timeout(Some(CONNECT))
                .set_read_timeout(Some(ANSWER))
                .personal_token(token)
                .build()
        })
        .map_err(|_| {
            let message = "no root certificates were found, so the forge cannot be trusted";
            Error::new(Kind::Settings, "no-certificates", message)
                .hint("install the package `ca-certificates`, or set SSL_CERT_FILE")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_cannot_be_a_header_is_refused_and_not_shown() {
        let api = url::Url::parse("http://127.0.0.1:1").unwrap();
        for token in ["ghp_canary\n", "ghp canary", "", "ghp_canäry"] {
            let at = Whereabouts { host: "127.0.0.1".into(), repository: "a/b".into() };
            let made = Client::new(&api, Secret::from(token.to_owned()), at, Duration::ZERO);
            let error = made.err().unwrap();
            assert_eq!(error.reason(), "bad-token", "{token:?}");
            assert!(!format!("{error:?}").contains("ghp"), "{error:?}");
        }
    }
}
