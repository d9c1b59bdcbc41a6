//! A proxy before a stand-in, which counts requests and breaks answers by rules. The rules are
//! carried out by `proxy.py` inside mitmdump. Signatures stay valid: the host header is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::Server;
use crate::context::{Context, needs, save};

/// What happens to requests whose `METHOD path body` fits a regex.
#[derive(Clone)]
pub(crate) struct Rule(Value);

impl Rule {
    fn new(on: &str, does: &str) -> Self {
        Self(json!({"on": on, "do": does, "after": 0, "times": 1}))
    }

    /// The server never sees the request; the client gets this answer.
    pub(crate) fn answer(on: &str, status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: Vec<_> = headers.iter().map(|(name, value)| json!([name, value])).collect();
        let mut rule = Self::new(on, "answer");
        rule.0["status"] = json!(status);
        rule.0["headers"] = json!(headers);
        rule.0["body"] = json!(body);
        rule
    }

    /// AWS's answer to too many requests.
    pub(crate) fn throttle(on: &str) -> Self {
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
                    <Message>Rate exceeded</Message></Error></ErrorResponse>";
        Self::answer(on, 400, &[("Content-Type", "text/xml")], body)
    }

    /// The server carries the request out; its answer is lost.
    pub(crate) fn lose(on: &str) -> Self {
        Self::new(on, "lose")
    }

    /// The server carries the request out; the client gets the first `bytes` of the body as if they
    /// were all.
    pub(crate) fn shorten(on: &str, bytes: usize) -> Self {
        let mut rule = Self::new(on, "shorten");
        rule.0["bytes"] = json!(bytes);
        rule
    }

    /// The connection is closed before the server sees the request.
    pub(crate) fn refuse(on: &str) -> Self {
        Self::new(on, "refuse")
    }

    /// The request reaches the server so many seconds late.
    pub(crate) fn delay(on: &str, seconds: f64) -> Self {
        let mut rule = Self::new(on, "delay");
        rule.0["seconds"] = json!(seconds);
        rule
    }

    /// Lets the first `count` fitting requests pass.
    pub(crate) fn after(mut self, count: u32) -> Self {
        self.0["after"] = json!(count);
        self
    }

    /// Holds for `count` fitting requests instead of one.
    pub(crate) fn times(mut self, count: u32) -> Self {
        self.0["times"] = json!(count);
        self
    }
}

/// mitmdump before one server.
pub(crate) struct Proxy {
    server: Server,
    log: PathBuf,
}

impl Proxy {
    /// Stands before the server on `port`. Of the rules that fit a request, the first holds.
    pub(crate) fn start(context: &Context, port: u16, rules: &[Rule]) -> Option<Self> {
        let program = needs("mitmdump")?;
        let log = context.stage().join(format!("requests-{port}"));
        let file = context.stage().join(format!("rules-{port}.json"));
        save(&log, "");
        save(&file, json!(rules.iter().map(|rule| &rule.0).collect::<Vec<_>>()).to_string());
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/context/servers/proxy.py");
        let server = Server::start(context.stage(), "mitmdump", |own| {
            let mut command = Command::new(&program);
            command.arg("-q").args(["--mode", &format!("reverse:http://127.0.0.1:{port}")]);
            command.args(["--listen-host", "127.0.0.1", "-p", &own.to_string()]);
            command.args(["--set", "keep_host_header=true"]);
            command.args(["--set", &format!("confdir={}", context.stage().display())]);
            command.arg("-s").arg(&script);
            command.env("PROXY_LOG", &log).env("PROXY_RULES", &file);
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command
        });
        Some(Self { server, log })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    /// The value for `--aws-endpoint` or `--github-api-url`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Every request so far, those that a rule kept from the server too: `METHOD path` and, for
    /// AWS, the action.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).expect("the log of the proxy");
        log.lines().map(str::to_owned).collect()
    }

    /// How many requests there were whose line holds `word`.
    pub(crate) fn count(&self, word: &str) -> usize {
        self.requests().iter().filter(|line| line.contains(word)).count()
    }
}
