//! The progress of a search on stderr, when that is a terminal.

use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::protocol::Progress;

/// A bar over files, with the number of opened values.
pub(super) struct Bar {
    bar: ProgressBar,
    opened: AtomicUsize,
}

impl Bar {
    /// A bar, or silence.
    #[must_use]
    pub(super) fn new(visible: bool) -> Self {
        let bar = if visible { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} files, {msg} [{elapsed}]");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { bar, opened: AtomicUsize::new(0) }
    }

    /// Clears the line.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn files(&self, read: usize, of: usize) {
        if read.is_multiple_of(64) {
            self.bar.set_length(of as u64);
            self.bar.set_position(read as u64);
        }
    }

    fn opened(&self, more: usize) {
        let all = self.opened.fetch_add(more, Ordering::Relaxed) + more;
        self.bar.set_message(format!("{all} values opened"));
    }
}
