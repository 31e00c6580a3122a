//! The log, for all commands that have one.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use password_auth_store::panics;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// The log goes to standard error. Standard output only has the line with the address.
pub(super) fn start_log(config: &Config) -> Result<(), String> {
    // sled's messages are for its developers. The store logs its own where they matter.
    let filter = match &*config.log_filter {
        asks if asks.contains("sled") => asks.to_owned(),
        others => format!("{others},sled=off"),
    };
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    // A separate descriptor: every line is one write, and threads do not wait for each other.
    let stderr = io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| format!("cannot write the log: {error}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // An internal error would be written to the same descriptor, panic if that fails, and log the panic.
        .log_internal_errors(false)
        .with_writer(Arc::new(File::from(stderr)));
    match config.log_format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    panics::log();
    Ok(())
}
