//! Servers on loopback that a test starts for itself: a free port, a log, and an end when the test
//! ends. They stay in the test's process group, so that a runner that kills a test kills them too.
//! Each kind is a file; every `start` gives `None` on a machine without the program.

mod aws;
mod git;
mod github;
mod proxy;

pub(crate) use aws::{Ministack, Moto};
pub(crate) use git::{GitHttp, Sshd};
pub(crate) use github::Emulate;
pub(crate) use proxy::{Proxy, Rule};

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
    log: PathBuf,
}

impl Server {
    /// Starts what `command` makes for a free port, and waits until it listens. A port can be lost
    /// to somebody else before the server binds it: then another one is taken.
    pub(crate) fn start(stage: &Path, name: &str, command: impl Fn(u16) -> Command) -> Self {
        let mut log = String::new();
        for _ in 0..3 {
            let port = free_port();
            let mut server = Self::spawn(stage, name, port, command(port));
            if server.listens() {
                return server;
            }
            log = fs::read_to_string(&server.log).unwrap_or_default();
        }
        panic!("{name} does not start:\n{log}");
    }

    fn spawn(stage: &Path, name: &str, port: u16, mut command: Command) -> Self {
        let log = stage.join(format!("{name}-{port}.log"));
        let out = File::create(&log).expect("a log");
        let err = out.try_clone().expect("a log");
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} starts: {error}"));
        Self { child, port, log }
    }

    /// Whether it listens before it ends or the patience does.
    fn listens(&mut self) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.child.try_wait().expect("our own child").is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error here means that it has ended by itself.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A port of loopback that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("bound").port()
}
