//! The progress of a command: a line that is updated on a terminal. Prints nothing if there is no terminal.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use super::output;

/// The time between two updates.
const REST: Duration = Duration::from_millis(200);

pub(super) struct Progress {
    doing: &'static str,
    started: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    /// `doing` is the start of the line.
    pub(super) fn new(doing: &'static str) -> Self {
        Self {
            doing,
            started: Instant::now(),
            shown: None,
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Reports the number of records so far.
    pub(super) fn at(&mut self, records: u64) {
        if self.terminal && self.shown.is_none_or(|shown| shown.elapsed() >= REST) {
            self.shown = Some(Instant::now());
            let rate = rate(records, self.started.elapsed());
            let doing = self.doing;
            output::redraw(&format!("{doing}: {records} records, {rate} a second"));
        }
    }

    /// Removes the line. Returns how long it took.
    pub(super) fn end(&mut self) -> Duration {
        if self.shown.take().is_some() {
            output::redraw("");
        }
        self.started.elapsed()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn rate(records: u64, took: Duration) -> u64 {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    records.saturating_mul(1000) / millis
}
