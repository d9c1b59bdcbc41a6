//! Git servers over the remotes of a context: HTTP with a token, SSH with a key. A remote is also
//! reachable by its path, which needs no server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Server;
use crate::context::{Context, needs, save};

/// `git http-backend` behind lighttpd: Basic auth with the user `x-access-token`, as GitHub has it.
pub(crate) struct GitHttp {
    server: Server,
}

impl GitHttp {
    /// The token that is let in.
    pub(crate) const TOKEN: &str = "ghs_EXAMPLEtoken";

    /// Serves every remote of the context, those made later too.
    pub(crate) fn start(context: &Context) -> Option<Self> {
        let program = needs("lighttpd")?;
        let stage = context.stage();
        let remotes = stage.join("remotes");
        fs::create_dir_all(&remotes).expect("a folder for remotes");
        let users = stage.join("lighttpd-users");
        save(&users, format!("x-access-token:{}\n", Self::TOKEN));
        let backend = context.git(stage, &["--exec-path"]);
        let settings = |port| {
            format!(
                r#"server.modules = ("mod_auth", "mod_authn_file", "mod_setenv", "mod_alias", "mod_cgi")
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{remotes}"
auth.backend = "plain"
auth.backend.plain.userfile = "{users}"
auth.require = ("/" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
alias.url = ("/" => "{backend}/git-http-backend/")
cgi.assign = ("" => "")
setenv.set-environment = ("GIT_PROJECT_ROOT" => "{remotes}", "GIT_HTTP_EXPORT_ALL" => "1", "HOME" => "{home}")
"#,
                remotes = remotes.display(),
                users = users.display(),
                home = stage.display(),
            )
        };
        let server = Server::start(stage, "lighttpd", |port| {
            let file = stage.join(format!("lighttpd-{port}.conf"));
            save(&file, settings(port));
            let mut command = Command::new(&program);
            command.arg("-D").arg("-f").arg(file);
            command
        });
        Some(Self { server })
    }

    /// The address of a remote, without a token.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.server.port)
    }

    /// The address of a remote with a token in it.
    pub(crate) fn url_with(&self, token: &str, name: &str) -> String {
        format!("http://x-access-token:{token}@127.0.0.1:{}/{name}", self.server.port)
    }
}

/// sshd with one host key and one ed25519 key that it lets in, for the user who runs the tests.
pub(crate) struct Sshd {
    server: Server,
    user: String,
    remotes: PathBuf,
    settings: PathBuf,
}

impl Sshd {
    /// Serves the remotes of the context.
    pub(crate) fn start(context: &Context) -> Option<Self> {
        let (program, keygen, _ssh) = (needs("sshd")?, needs("ssh-keygen")?, needs("ssh")?);
        let stage = context.stage();
        for name in ["host", "alice"] {
            let mut command = Command::new(&keygen);
            command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(stage.join(name));
            assert!(command.status().expect("ssh-keygen starts").success());
        }
        // Where sshd, as root, puts its unprivileged half; Debian makes it at boot only.
        if rustix::process::getuid().is_root() {
            fs::create_dir_all("/run/sshd").expect("root may");
        }
        let server = Server::start(stage, "sshd", |port| {
            let file = stage.join(format!("sshd-{port}.conf"));
            save(&file, server_settings(stage, port));
            let mut command = Command::new(&program);
            command.arg("-D").arg("-e").arg("-f").arg(file);
            command
        });
        let settings = stage.join("ssh.conf");
        save(&settings, client_settings(stage, &stage.join("known_hosts")));
        let host = fs::read_to_string(stage.join("host.pub")).expect("a host key");
        save(&stage.join("known_hosts"), format!("[127.0.0.1]:{} {host}", server.port));
        save(&stage.join("stranger.conf"), client_settings(stage, &stage.join("known_nobody")));
        let user = Command::new("id").arg("-un").output().expect("id starts").stdout;
        let user = String::from_utf8_lossy(&user).trim().to_owned();
        Some(Self { server, user, remotes: stage.join("remotes"), settings })
    }

    /// The address of a remote.
    pub(crate) fn url(&self, name: &str) -> String {
        let (user, port, remotes) = (&self.user, self.server.port, self.remotes.display());
        format!("ssh://{user}@127.0.0.1:{port}{remotes}/{name}")
    }

    /// The value for `GIT_SSH_COMMAND` or the user's `core.sshCommand`: key and host key are known.
    pub(crate) fn command(&self) -> String {
        format!("ssh -F {}", self.settings.display())
    }

    /// The same on a machine that has never seen the host key.
    pub(crate) fn stranger(&self) -> String {
        format!("ssh -F {}", self.settings.with_file_name("stranger.conf").display())
    }
}

fn server_settings(stage: &Path, port: u16) -> String {
    let stage = stage.display();
    format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {stage}/host\nPidFile none\n\
         AuthorizedKeysFile {stage}/alice.pub\nStrictModes no\nUsePAM no\n"
    )
}

fn client_settings(stage: &Path, known: &Path) -> String {
    format!(
        "BatchMode yes\nIdentityFile {}/alice\nIdentitiesOnly yes\nStrictHostKeyChecking yes\n\
         UserKnownHostsFile {}\nGlobalKnownHostsFile /dev/null\n",
        stage.display(),
        known.display()
    )
}
