//! A stand-in for GitHub's API. It keeps pull requests, labels and reviewers as GitHub does. It
//! does not refuse a second pull request, a missing head branch or a bad token, and it serves no
//! git: those are for replayed answers and for a bare repository.

use std::process::Command;

use super::Server;
use crate::context::http::{Reply, request};
use crate::context::{Context, needs, save};

const SEED: &str = "\
tokens:
  tok_alice:
    login: alice
    scopes: [repo, user]
github:
  users:
    - login: alice
    - login: bob
  repos:
    - owner: alice
      name: secrets
      private: true
      auto_init: true
";

/// emulate, with the users alice and bob and the private repository `alice/secrets`.
pub(crate) struct Emulate {
    server: Server,
}

impl Emulate {
    /// The token of alice.
    pub(crate) const TOKEN: &str = "tok_alice";
    /// The repository, as `--github-repository` takes it.
    pub(crate) const REPOSITORY: &str = "alice/secrets";

    /// A fresh forge, whose repository has one commit of its own on `main`.
    pub(crate) fn start(context: &Context) -> Option<Self> {
        let node = needs("node")?;
        let program = needs("index.js")?;
        let seed = context.stage().join("github.yaml");
        save(&seed, SEED);
        let server = Server::start(context.stage(), "emulate", |port| {
            let mut command = Command::new(&node);
            command.arg(&program).args(["start", "-s", "github", "-p", &port.to_string()]);
            command.arg("--seed").arg(&seed);
            command
        });
        Some(Self { server })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    /// The value for `--github-api-url`.
    pub(crate) fn api(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// One call as alice, such as `GET /pulls` under the repository.
    pub(crate) fn call(&self, method: &str, path: &str, body: &serde_json::Value) -> Reply {
        let line = format!("{method} /repos/{}{path}", Self::REPOSITORY);
        let token = format!("Bearer {}", Self::TOKEN);
        let headers = [("Authorization", &*token), ("Content-Type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request(self.port(), &line, &headers, &body).expect("emulate answers")
    }

    /// Tells the forge of a branch that was pushed to the bare repository, with a commit of its
    /// own: the forge knows no other.
    pub(crate) fn announce(&self, branch: &str) {
        let none = serde_json::Value::Null;
        let sha = |reply: Reply, at: &str| reply.json().pointer(at).cloned().expect("a sha");
        let main = sha(self.call("GET", "/git/ref/heads/main", &none).is(200), "/object/sha");
        let path = format!("/git/commits/{}", main.as_str().expect("text"));
        let tree = sha(self.call("GET", &path, &none).is(200), "/tree/sha");
        let commit = serde_json::json!({"message": branch, "tree": tree, "parents": [main]});
        let commit = sha(self.call("POST", "/git/commits", &commit).is(201), "/sha");
        let body = serde_json::json!({"ref": format!("refs/heads/{branch}"), "sha": commit});
        self.call("POST", "/git/refs", &body).is(201);
    }

    /// Every pull request of a head branch, in any state.
    pub(crate) fn pulls(&self, branch: &str) -> Vec<serde_json::Value> {
        let path = format!("/pulls?state=all&head=alice:{}", branch.replace('/', "%2F"));
        let reply = self.call("GET", &path, &serde_json::Value::Null).is(200);
        reply.json().as_array().expect("a list").clone()
    }

    /// Merges a pull request, as a reviewer would.
    pub(crate) fn merge(&self, number: u64) {
        self.call("PUT", &format!("/pulls/{number}/merge"), &serde_json::json!({})).is(200);
    }
}
