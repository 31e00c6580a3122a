//! The log, for all commands that have one.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::sync::{Mutex, PoisonError};

use password_auth_store::panics;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// The most lines that wait for the thread that writes them. Whoever logs more waits.
const LINES_WAITING: usize = 16_384;

/// The thread that writes the log.
static THREAD: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// Starts the log. It goes to standard error; standard output only has the line with the address.
///
/// One thread writes it, many lines at once if many wait. Whoever ends the process calls [`finish_log`] first.
pub(super) fn start_log(config: &Config) -> Result<(), String> {
    // sled's messages are for its developers. The store logs its own where they matter.
    let filter = match &*config.log_filter {
        asks if asks.contains("sled") => asks.to_owned(),
        others => format!("{others},sled=off"),
    };
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let stderr = io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| format!("cannot write the log: {error}"))?;
    let (lines, thread) = NonBlockingBuilder::default()
        .lossy(false)
        .buffered_lines_limit(LINES_WAITING)
        .thread_name("log")
        .finish(BufWriter::new(File::from(stderr)));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // An internal error would be written to the same descriptor, panic if that fails, and log the panic.
        .log_internal_errors(false)
        .with_writer(lines);
    match config.log_format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    panics::log();
    *THREAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    Ok(())
}

/// Writes the lines that wait.
pub(super) fn finish_log() {
    drop(THREAD.lock().unwrap_or_else(PoisonError::into_inner).take());
}
