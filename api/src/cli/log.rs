//! The log, for all commands that have one.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::sync::{Arc, OnceLock};

use password_auth_store::panics;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, registry};

use super::log_lines::LogLines;
use super::log_text::TextLines;
#[cfg(feature = "otel")]
use super::traces;
use crate::config::{Config, LogFormat, parse_log_filter};

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
    let filter = parse_log_filter(&filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let stderr = io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .and_then(|stderr| LogLines::write_to(File::from(stderr)))
        .map_err(|error| format!("cannot write the log: {error}"))?;
    let lines = Arc::clone(LINES.get_or_init(|| stderr));
    let log = fmt::layer()
        // An internal error would be written to the same descriptor, panic if that fails, and log the panic.
        .log_internal_errors(false)
        .with_writer(move || lines.writer());
    match config.log_format {
        LogFormat::Text if io::stderr().is_terminal() => subscribe(log, filter)?,
        LogFormat::Text => subscribe(log.with_ansi(false).event_format(TextLines), filter)?,
        LogFormat::Json => subscribe(log.json().flatten_event(true), filter)?,
    }
    panics::log();
    Ok(())
}

fn subscribe(log: impl Layer<Registry> + Send + Sync, filter: EnvFilter) -> Result<(), String> {
    #[cfg(feature = "otel")]
    if let Some(traces) = traces::layer()? {
        // What the log leaves out is traced all the same.
        let both = registry().with(log.with_filter(filter)).with(traces);
        both.init();
        return Ok(());
    }
    registry().with(log).with(filter).init();
    Ok(())
}

/// Writes the lines that wait, and sends the spans.
pub(super) fn finish_log() {
    #[cfg(feature = "otel")]
    traces::finish();
    if let Some(lines) = LINES.get() {
        lines.finish();
    }
}
