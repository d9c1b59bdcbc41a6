//! Answers git's questions for a user and a password on one host, without the password ever
//! standing in arguments or in an environment: git starts our own program as its askpass, which
//! asks this process over a socket in a private folder.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::model::Secret;

/// The variable whose presence tells the program that it was started as git's askpass; its value
/// is the socket's path.
pub const SOCKET_VARIABLE: &str = "KEYROLL_ASKPASS_SOCKET";

const PROMPT_LIMIT: u64 = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// What is answered, and to whom.
pub(super) struct Credential {
    /// `host` or `host:port`, in lower case; nobody else gets an answer.
    pub(super) authority: String,
    /// The user name; some hosts take a token here.
    pub(super) user: Secret,
    /// The password or token.
    pub(super) secret: Secret,
}

/// A running answerer; it ends when dropped.
pub(super) struct Server {
    socket: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Starts to answer on a socket at `socket`, whose folder must be private.
pub(super) fn serve(socket: &Path, credential: Arc<Credential>) -> Result<Server> {
    let fail = |source| Error::io("listen on", socket, &source);
    let listener = UnixListener::bind(socket).map_err(fail)?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600)).map_err(fail)?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming() {
            if stopped.load(Ordering::SeqCst) {
                break;
            }
            if let Ok(stream) = stream {
                // A client that goes away has no answer to miss.
                drop(reply(stream, &credential));
            }
        }
    });
    Ok(Server { socket: socket.to_owned(), stop, thread: Some(thread) })
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread out of its wait.
        let woken = UnixStream::connect(&self.socket).is_ok();
        drop(std::fs::remove_file(&self.socket));
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            drop(thread.join());
        }
    }
}

fn reply(mut stream: UnixStream, credential: &Credential) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut prompt = String::new();
    (&mut stream).take(PROMPT_LIMIT).read_to_string(&mut prompt)?;
    match question(&prompt, &credential.authority) {
        Some(Question::User) => stream.write_all(credential.user.expose()),
        Some(Question::Password) => stream.write_all(credential.secret.expose()),
        None => Ok(()),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Question {
    User,
    Password,
}

/// Reads `Username for 'https://host': ` and `Password for 'https://user@host': `; `None` when
/// it asks for anything else or for another host.
fn question(prompt: &str, authority: &str) -> Option<Question> {
    let (what, rest) = prompt.split_once(" for '")?;
    let (_, rest) =
        rest.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http"))?;
    // A user name comes from the address, also from one that a server redirects to: a slash, a quote
    // or a second `@` in it must not pass for the end of the host.
    let url = rest.strip_suffix("': ")?;
    let place = url.split('/').next()?;
    let odd = url.contains(['\'', '\\']) || url.matches('@').count() > 1;
    if odd || url[place.len()..].contains('@') {
        return None;
    }
    let asked = place.rsplit('@').next()?;
    if asked.to_ascii_lowercase() != authority {
        return None;
    }
    match what {
        "Username" => Some(Question::User),
        "Password" => Some(Question::Password),
        _ => None,
    }
}

/// What the program does when git started it as its askpass: passes the question on and prints
/// the answer. Returns the exit code; 1 means that there is no answer.
#[must_use]
pub fn answer_main(socket: &Path, prompt: &str) -> u8 {
    let answer = ask(socket, prompt).unwrap_or_default();
    if answer.is_empty() {
        return 1;
    }
    let mut out = std::io::stdout().lock();
    let written =
        out.write_all(&answer).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    u8::from(written.is_err())
}

fn ask(socket: &Path, prompt: &str) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(prompt.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    // Room for every token there is, so that no half-filled buffer is left behind unwiped.
    let mut answer = Zeroizing::new(Vec::with_capacity(16 * 1024));
    stream.take(16 * 1024).read_to_end(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::{Credential, Question, ask, question, serve};
    use crate::model::Secret;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;

    #[test]
    fn only_the_expected_host_is_answered() {
        for (prompt, want) in [
            ("Username for 'https://github.com': ", Some(Question::User)),
            ("Password for 'https://x-access-token@github.com': ", Some(Question::Password)),
            ("Password for 'https://u@GitHub.com/o/r.git': ", Some(Question::Password)),
            ("Password for 'https://github.com.evil.com': ", None),
            ("Password for 'https://github.com@evil.com': ", None),
            ("Password for 'https://evil.com/@github.com': ", None),
            ("Password for 'https://github.com/@evil.com': ", None),
            ("Password for 'https://github.com'@evil.com': ", None),
            ("Password for 'https://a@github.com@evil.com': ", None),
            ("Password for 'https://github.com:8443': ", None),
            ("Password for 'ftp://github.com': ", None),
            ("Enter passphrase for '/home/u/.ssh/id': ", None),
            ("Password:", None),
        ] {
            assert_eq!(question(prompt, "github.com"), want, "{prompt}");
        }
    }

    #[test]
    fn the_server_answers_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let credential = Arc::new(Credential {
            authority: "h:1".into(),
            user: Secret::from("x-access-token".to_owned()),
            secret: Secret::from("t0ken".to_owned()),
        });
        let server = serve(&socket, credential).unwrap();
        assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(&*ask(&socket, "Username for 'http://h:1': ").unwrap(), b"x-access-token");
        assert_eq!(&*ask(&socket, "Password for 'http://u@h:1': ").unwrap(), b"t0ken");
        assert!(ask(&socket, "Password for 'http://u@other': ").unwrap().is_empty());
        drop(server);
        assert!(ask(&socket, "Password for 'http://u@h:1': ").is_err());
    }
}
