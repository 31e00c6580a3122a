//! Signals: SIGINT, SIGTERM and SIGQUIT stop a command. SIGHUP stops those that read no settings again.

use std::fs;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Number 1, the lowest bit of the masks in `/proc`.
const HANGUP_BIT: u64 = 1;

/// All of them.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    hangup: Option<Signal>,
}

impl StopSignals {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self, String> {
        let listen =
            |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            quit: listen(SignalKind::quit())?,
            // Respect `nohup`.
            hangup: if hangup_is_ignored() {
                None
            } else {
                Some(listen(SignalKind::hangup())?)
            },
        })
    }

    /// Without SIGHUP, which is returned separately.
    pub(super) fn listen_without_hangup() -> Result<(Self, Signal), String> {
        let mut signals = Self::listen()?;
        let hangup = match signals.hangup.take() {
            Some(hangup) => hangup,
            None => signal(SignalKind::hangup())
                .map_err(|error| format!("cannot listen for signals: {error}"))?,
        };
        Ok((signals, hangup))
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.quit.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether the process was started with SIGHUP ignored.
fn hangup_is_ignored() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        ignored
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .is_some_and(|mask| mask & HANGUP_BIT != 0)
    })
}
