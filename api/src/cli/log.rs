//! The log, for all commands that have one.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::sync::{Arc, OnceLock};

use password_auth_store::panics;
use tracing_subscriber::EnvFilter;

use super::log_lines::LogLines;
use super::log_text::TextLines;
use crate::config::{Config, LogFormat};

/// The lines that wait for the thread that writes them.
static LINES: OnceLock<Arc<LogLines>> = OnceLock::new();

/// The client of PostgreSQL logs what it sends, with names, addresses and hashes.
const NO_STATEMENTS: &str = "tokio_postgres=off";

/// Starts the log. It goes to standard error; standard output only has the line with the address.
///
/// One thread writes it. Whoever ends the process calls [`finish_log`] first.
pub(super) fn start_log(config: &Config) -> Result<(), String> {
    // sled's messages are for its developers. The store logs its own where they matter.
    let filter = match &*config.log_filter {
        asks if asks.contains("sled") => format!("{asks},{NO_STATEMENTS}"),
        others => format!("{others},sled=off,{NO_STATEMENTS}"),
    };
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let stderr = io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .and_then(|stderr| LogLines::write_to(File::from(stderr)))
        .map_err(|error| format!("cannot write the log: {error}"))?;
    let lines = Arc::clone(LINES.get_or_init(|| stderr));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // An internal error would be written to the same descriptor, panic if that fails, and log the panic.
        .log_internal_errors(false)
        .with_writer(move || lines.writer());
    match config.log_format {
        LogFormat::Text if io::stderr().is_terminal() => log.init(),
        LogFormat::Text => log.with_ansi(false).event_format(TextLines).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    panics::log();
    Ok(())
}

/// Writes the lines that wait.
pub(super) fn finish_log() {
    if let Some(lines) = LINES.get() {
        lines.finish();
    }
}
