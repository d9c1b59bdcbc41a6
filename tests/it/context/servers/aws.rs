//! Stand-ins for IAM and STS. moto is right on the quota of two access keys, on key IDs and on
//! last-used dates; ministack, with checks on, is right on what an Inactive key may still do.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::Server;
use crate::context::aws::Signed;
use crate::context::http::{Reply, request};
use crate::context::{Context, needs, save};

/// moto. Signatures are not checked; dates follow its own clock.
pub(crate) struct Moto {
    server: Server,
    clock: Option<PathBuf>,
}

impl Moto {
    /// A fresh account at the present time.
    pub(crate) fn start(context: &Context) -> Option<Self> {
        let program = needs("moto_server")?;
        let server = Server::start(context.stage(), "moto", |port| {
            let mut command = Command::new(&program);
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            command
        });
        Some(Self { server, clock: None })
    }

    /// A fresh account whose clock is shifted, such as `-120d`, until [`Moto::set_clock`] moves it.
    pub(crate) fn start_at(context: &Context, shift: &str) -> Option<Self> {
        let program = needs("moto_server")?;
        needs("faketime")?;
        let library = fs::read_dir("/usr/lib").expect("a system").flatten();
        let library = library.map(|dir| dir.path().join("faketime/libfaketimeMT.so.1"));
        let library = library.into_iter().find(|file| file.is_file()).expect("of faketime");
        let clock = context.stage().join("moto-clock");
        save(&clock, shift);
        let server = Server::start(context.stage(), "moto", |port| {
            let mut command = Command::new(&program);
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            command.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &clock);
            command.env("FAKETIME_NO_CACHE", "1");
            command
        });
        Some(Self { server, clock: Some(clock) })
    }

    /// Moves the clock of [`Moto::start_at`].
    pub(crate) fn set_clock(&self, shift: &str) {
        save(self.clock.as_ref().expect("started with a clock"), shift);
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    /// The value for `--aws-endpoint`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Makes a user with one access key; gives the key's ID and secret.
    pub(crate) fn user(&self, name: &str) -> (String, String) {
        self.iam("CreateUser", &[("UserName", name)]).is(200);
        self.access_key(name)
    }

    /// Makes one more access key; gives its ID and secret.
    pub(crate) fn access_key(&self, user: &str) -> (String, String) {
        let reply = self.iam("CreateAccessKey", &[("UserName", user)]).is(200);
        let part = |name| reply.element(name).expect("a part of the answer").to_owned();
        (part("AccessKeyId"), part("SecretAccessKey"))
    }

    /// One call to IAM.
    pub(crate) fn iam(&self, action: &str, words: &[(&str, &str)]) -> Reply {
        self.call("iam", "AKIAIOSFODNN7EXAMPLE", action, words)
    }

    /// Uses an access key once: moto notes the date, `sts` and the region.
    pub(crate) fn use_key(&self, id: &str) {
        self.call("sts", id, "GetCallerIdentity", &[]).is(200);
    }

    fn call(&self, service: &str, id: &str, action: &str, words: &[(&str, &str)]) -> Reply {
        let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
        let mut form = format!("Action={action}&Version={version}");
        for (name, value) in words {
            let value =
                percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            form.push_str(&format!("&{name}={value}"));
        }
        // The scope tells moto which service is meant; the signature is not looked at.
        let scope = format!("{id}/20260101/us-east-1/{service}/aws4_request");
        let signed =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let headers =
            [("Authorization", &*signed), ("Content-Type", "application/x-www-form-urlencoded")];
        request(self.port(), "POST /", &headers, &form).expect("moto answers")
    }
}

/// ministack with signatures and statuses checked. Its key IDs are no base32 and decode to no
/// account; it knows no quota and no last-used dates.
pub(crate) struct Ministack {
    server: Server,
}

impl Ministack {
    /// A fresh account.
    pub(crate) fn start(context: &Context) -> Option<Self> {
        let program = needs("ministack")?;
        let server = Server::start(context.stage(), "ministack", |port| {
            let mut command = Command::new(&program);
            command.current_dir(context.stage()).env("BIND_HOST", "127.0.0.1").env("AUTH", "true");
            command.env("GATEWAY_PORT", port.to_string());
            command
        });
        Some(Self { server })
    }

    /// The value for `--aws-endpoint`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    /// Clients that sign with this pair.
    pub(crate) fn signed_by(&self, id: &str, secret: &str) -> Signed {
        Signed::by(&self.endpoint(), id, secret)
    }

    /// Clients of the account's root user.
    pub(crate) fn root(&self) -> Signed {
        self.signed_by("test", "test")
    }
}
