//! What reaches the demo while it runs: lines that are typed, and the signals to end. With them
//! caught, everything that was made is removed on the way out.

use std::io::BufRead as _;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::signal::unix::{SignalKind, signal};

/// One thing heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line of standard input.
    Line(String),
    /// Standard input is closed.
    Closed,
    /// Ctrl-C, or a request to end.
    Ended,
}

/// The listener; its threads end with the process.
pub(super) struct Ears {
    heard: Receiver<Heard>,
    say: Sender<Heard>,
}

impl Ears {
    /// Listens for signals from now on.
    pub(super) fn open() -> Self {
        let (say, heard) = channel();
        let tell = say.clone();
        std::thread::spawn(move || signals(&tell));
        Self { heard, say }
    }

    /// Listens to standard input, too.
    pub(super) fn listen(&self) {
        let tell = self.say.clone();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                if tell.send(Heard::Line(line)).is_err() {
                    return;
                }
            }
            // Nobody listens any more when this fails, which is as well.
            let _ = tell.send(Heard::Closed);
        });
    }

    /// Waits for the next one.
    pub(super) fn next(&self) -> Heard {
        self.heard.recv().unwrap_or(Heard::Ended)
    }

    /// Whether it is time to end.
    pub(super) fn is_over(&self) -> bool {
        self.heard.try_iter().any(|heard| heard == Heard::Ended)
    }
}

fn signals(tell: &Sender<Heard>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // Without a runtime a signal ends the process as it always does.
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        let caught = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        let (Ok(mut interrupt), Ok(mut terminate)) = caught else { return };
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if tell.send(Heard::Ended).is_err() {
                return;
            }
        }
    });
}
