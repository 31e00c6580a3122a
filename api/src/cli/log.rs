//! The log, for every command that has one.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use password_auth_store::panics;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// The log goes to standard error: standard output has the one line with the address.
pub(super) fn start_log(config: &Config) -> Result<(), String> {
    // sled's words are for its developers; where they matter the store says so in its own.
    let filter = match &*config.log_filter {
        asks if asks.contains("sled") => asks.to_owned(),
        others => format!("{others},sled=off"),
    };
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    // A descriptor of its own: every line is one write, and no thread waits for another's.
    let stderr = io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| format!("cannot write the log: {error}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would say so on the same descriptor, panic when that fails, and log the panic.
        .log_internal_errors(false)
        .with_writer(Arc::new(File::from(stderr)));
    match config.log_format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    panics::log();
    Ok(())
}
