//! Ctrl-C is safe at every moment, because every step is durable before the next; this only says
//! what to type next before the process ends.

use std::path::{Path, PathBuf};

use super::say;
use crate::protocol::Intent;
use crate::repo::Journal;

/// The exit code of a program that was interrupted: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Waits for Ctrl-C (or SIGTERM) beside the work.
pub(super) fn watch(state: PathBuf) {
    // Without the watcher the signal ends the process just as well, only without the hint.
    drop(std::thread::Builder::new().name("interrupt".to_owned()).spawn(move || wait(&state)));
}

#[expect(clippy::exit, reason = "an interrupted process ends here, wherever the work is")]
fn wait(state: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let Ok(runtime) = runtime else { return };
    let interrupted = runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).ok()?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => done.ok(),
            done = terminate.recv() => done,
        }
    });
    if interrupted.is_some() {
        say::note(&farewell(state));
        std::process::exit(INTERRUPTED);
    }
}

/// What the journal says of rotations under way.
fn farewell(state: &Path) -> String {
    let open = if state.is_dir() {
        Journal::open(state).and_then(|one| Intent::all(&one))
    } else {
        Ok(Vec::new())
    };
    match open {
        Ok(all) if all.is_empty() => "interrupted; nothing was left behind".to_owned(),
        Ok(all) => {
            let mut text = "interrupted; nothing is lost".to_owned();
            for one in all {
                text.push_str(&format!(
                    "\nhint: after step `{}`: `keyroll resume {}` goes on, `keyroll abort {}` undoes it",
                    one.step, one.old, one.old
                ));
            }
            text
        }
        Err(error) => format!("interrupted\nhint: the journal cannot be read: {error}"),
    }
}
