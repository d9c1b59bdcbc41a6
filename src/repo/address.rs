//! Where a remote is: which addresses are accepted, and how they are shown. Credentials inside an
//! address are taken out of it before anything else sees it. Talking is left to `remote`.

use std::path::Path;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::error::{Error, Result};
use crate::model::{Secret, visible};

/// The address of a remote, without credentials.
#[derive(Debug)]
pub(super) struct Address {
    text: String,
    transport: Transport,
    /// `host` or `host:port` of an http(s) address.
    authority: Option<String>,
    host: Option<String>,
}

/// How git reaches a remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// Over TLS.
    Https,
    /// In clear, on this machine.
    LoopbackHttp,
    /// By the user's ssh.
    Ssh,
    /// A folder.
    File,
}

/// User and password that stood inside an address.
pub(super) struct Embedded {
    /// The user; some hosts take a token here.
    pub(super) user: Secret,
    /// The password or token.
    pub(super) secret: Secret,
}

impl Address {
    /// A folder inside the clone is content of the clone: its hooks would run with a push.
    ///
    /// # Errors
    /// `remote-address`.
    pub(super) fn refuse_inside(&self, root: &Path) -> Result<()> {
        let path = Path::new(self.text.strip_prefix("file://").unwrap_or(&self.text));
        let inside = path.is_absolute()
            && match (path.canonicalize(), root.canonicalize()) {
                (Ok(path), Ok(root)) => path.starts_with(root),
                _ => path.starts_with(root),
            };
        if !inside {
            return Ok(());
        }
        Err(Error::refused(
            "remote-address",
            format!("the remote `{}` lies inside the clone itself", self.shown()),
        )
        .hint("a folder of the repository is no remote of it: name the real one with --remote"))
    }

    /// Reads an address as git does; a relative path counts from `root`.
    pub(super) fn parse(text: &str, root: &Path) -> Result<(Self, Option<Embedded>)> {
        let clean = !text.is_empty()
            && !text.starts_with('-')
            && !text.contains(|c: char| c.is_control())
            && !names_a_helper(text);
        if !clean {
            return Err(refused(text));
        }
        match text.split_once("://") {
            Some((scheme, _)) => Self::with_scheme(text, &scheme.to_ascii_lowercase()),
            None if is_scp_like(text) => {
                let place = text.split_once(':').map_or(text, |(place, _)| place);
                let host = place.rsplit('@').next().unwrap_or(place);
                if host.starts_with('-') || place.starts_with('-') {
                    return Err(refused(text));
                }
                Ok((Self::new(text.to_owned(), Transport::Ssh, None, Some(host)), None))
            }
            None => {
                let path = root.join(text).to_string_lossy().into_owned();
                Ok((Self::new(path, Transport::File, None, None), None))
            }
        }
    }

    fn with_scheme(text: &str, scheme: &str) -> Result<(Self, Option<Embedded>)> {
        if scheme == "file" {
            return Ok((Self::new(text.to_owned(), Transport::File, None, None), None));
        }
        let mut url = Url::parse(text).map_err(|_| refused(text))?;
        let host = url.host_str().filter(|host| !host.is_empty() && !host.starts_with('-'));
        let host = host.ok_or_else(|| refused(text))?.to_owned();
        let transport = match scheme {
            "https" => Transport::Https,
            "http" if is_loopback(&url) => Transport::LoopbackHttp,
            "ssh" | "git+ssh" | "ssh+git" => Transport::Ssh,
            _ => return Err(refused(text)),
        };
        if transport == Transport::Ssh {
            // The user name belongs to the address; a password in it is of no use to ssh.
            url.set_password(None).map_err(|()| refused(text))?;
            return Ok((Self::new(url.into(), transport, None, Some(&host)), None));
        }
        let embedded = take_credentials(&mut url).map_err(|()| refused(text))?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        Ok((Self::new(url.into(), transport, Some(authority), Some(&host)), embedded))
    }

    fn new(
        text: String,
        transport: Transport,
        authority: Option<String>,
        host: Option<&str>,
    ) -> Self {
        let host = host.map(str::to_ascii_lowercase);
        Self { text, transport, authority: authority.map(|a| a.to_ascii_lowercase()), host }
    }

    /// The address as git takes it; holds no password.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The address for people, without a user too where that may be a token.
    pub(super) fn shown(&self) -> String {
        match self.transport {
            Transport::Https | Transport::LoopbackHttp => visible(&without_credentials(&self.text)),
            Transport::Ssh | Transport::File => visible(&self.text),
        }
    }

    /// `host` or `host:port` when passwords may be asked for over http(s).
    pub(super) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The host without its port; `None` for a folder.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The value of `GIT_ALLOW_PROTOCOL`.
    pub(super) const fn protocols(&self) -> &'static str {
        match self.transport {
            Transport::LoopbackHttp => "https:ssh:file:http",
            _ => "https:ssh:file",
        }
    }
}

/// The address without what stands before an `@` in its authority, for messages of others.
pub(super) fn without_credentials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || c == '\'' || c == '"')
            .unwrap_or(after.len());
        let authority = &after[..end];
        out.push_str(authority.rsplit('@').next().unwrap_or(authority));
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

/// Takes user and password out. A user alone stays: credential helpers go by it.
fn take_credentials(url: &mut Url) -> std::result::Result<Option<Embedded>, ()> {
    let decode = |text: &str| Secret::new(percent_decode_str(text).collect());
    let Some(secret) = url.password().map(decode) else { return Ok(None) };
    let user = decode(url.username());
    url.set_username("")?;
    url.set_password(None)?;
    Ok(Some(Embedded { user, secret }))
}

/// `ext::…`: git would start a program of that name.
fn names_a_helper(text: &str) -> bool {
    text.split_once("::").is_some_and(|(name, _)| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// `user@host:path`, told from a path as git does: a colon before any slash.
fn is_scp_like(text: &str) -> bool {
    text.find(':').is_some_and(|colon| !text[..colon].contains('/'))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn refused(text: &str) -> Error {
    let shown = visible(&without_credentials(text));
    Error::refused(
        "remote-address",
        format!("the address of the remote is not accepted: `{shown}`"),
    )
    .hint("use https, ssh or a local path; plain http is for this machine only")
}

#[cfg(test)]
mod tests {
    use super::{Address, Transport, without_credentials};
    use std::path::Path;

    fn parse(text: &str) -> Result<Address, String> {
        let parsed = Address::parse(text, Path::new("/root/of"));
        parsed.map(|(address, _)| address).map_err(|error| error.reason().to_owned())
    }

    #[test]
    fn addresses_are_told_apart_as_git_does() {
        for (text, transport, as_given) in [
            ("https://github.com/o/r.git", Transport::Https, "https://github.com/o/r.git"),
            ("http://127.0.0.1:81/r", Transport::LoopbackHttp, "http://127.0.0.1:81/r"),
            ("http://localhost/r", Transport::LoopbackHttp, "http://localhost/r"),
            ("http://[::1]:8/r", Transport::LoopbackHttp, "http://[::1]:8/r"),
            ("git@github.com:o/r.git", Transport::Ssh, "git@github.com:o/r.git"),
            ("ssh://git@h:22/o/r", Transport::Ssh, "ssh://git@h:22/o/r"),
            ("file:///srv/r.git", Transport::File, "file:///srv/r.git"),
            ("/srv/r.git", Transport::File, "/srv/r.git"),
            ("../r.git", Transport::File, "/root/of/../r.git"),
            ("./a:b", Transport::File, "/root/of/./a:b"),
        ] {
            let address = parse(text).unwrap();
            assert_eq!((address.transport, address.as_str()), (transport, as_given), "{text}");
        }
    }

    #[test]
    fn what_could_run_something_or_travel_in_clear_is_refused() {
        for text in [
            "ext::sh -c touch% /tmp/x",
            "fd::17",
            "git://host/r",
            "http://example.com/r",
            "http://127.0.0.1.example.com/r",
            "ftp://host/r",
            "--upload-pack=touch /tmp/x",
            "ssh://-oProxyCommand=x/r",
            "-oProxyCommand=x:r",
            "user@-oProxyCommand=x:r",
            "https://host/\nr",
            "",
        ] {
            assert_eq!(parse(text).expect_err(text), "remote-address", "{text}");
        }
    }

    #[test]
    fn credentials_leave_the_address() {
        let (address, embedded) =
            Address::parse("https://me:p%40ss@Host.example:8443/r", Path::new("/")).unwrap();
        assert_eq!(address.as_str(), "https://host.example:8443/r");
        assert_eq!(address.authority(), Some("host.example:8443"));
        let embedded = embedded.expect("there were some");
        assert_eq!((embedded.user.expose(), embedded.secret.expose()), (&b"me"[..], &b"p@ss"[..]));
        let refused = Address::parse("ftp://me:canary@h/r", Path::new("/")).map(drop);
        assert!(!refused.expect_err("ftp").message().contains("canary"));
    }

    #[test]
    fn a_user_alone_stays_for_credential_helpers_and_is_not_shown() {
        let (address, embedded) =
            Address::parse("https://bob@host.example/r", Path::new("/")).unwrap();
        assert!(embedded.is_none());
        assert_eq!(address.as_str(), "https://bob@host.example/r");
        assert_eq!(address.shown(), "https://host.example/r");
    }

    #[test]
    fn messages_of_others_lose_credentials() {
        assert_eq!(
            without_credentials("fatal: 'https://a:b@h/r' and ssh://git@h2/x@y"),
            "fatal: 'https://h/r' and ssh://h2/x@y"
        );
    }
}
