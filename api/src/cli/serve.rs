//! `serve`: the composition root. It names the concrete engine and clock, and hands them to the rest.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::settings::Arguments;
use crate::clock::SystemClock;
use crate::config::{Config, LogFormat};
use crate::http::serve::{Limits, serve};
use crate::http::{self, App};
use crate::jobs::run_sweeper;
use crate::panics;
use crate::store::Store;
use crate::store::sled::SledStore;
use crate::tokens::{SigningKeys, load_or_create};

/// Why the server ends by itself. What it acknowledged is on disk.
const CAN_NOT_WRITE: &str = "the store can not write any more (is the disk full, or damaged? the log says more): \
                             make room there or look after it, and start the server again";

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let config = arguments.config()?;
    start_log(&config)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can not be started: {error}"))?
        .block_on(serve_until_stopped(config))
}

async fn serve_until_stopped(config: Config) -> Result<(), String> {
    let (stop, stopped) = stop_on_signals()?;
    // Before the store is opened: two servers on one address are told so, whatever their folders.
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("can not listen on {}: {error}", config.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let store: Arc<dyn Store> =
        Arc::new(SledStore::open(&config.data_dir).map_err(|error| error.to_string())?);
    let keys = match config.signing_key.clone() {
        Some(key) => SigningKeys::new(key, Vec::new()),
        None => load_or_create(&config.data_dir).map_err(|error| error.to_string())?,
    };
    let clock = Arc::new(SystemClock);
    let app = App::new(&config, address, &keys, Arc::clone(&store), clock.clone());
    let sweeper = tokio::spawn(run_sweeper(Arc::clone(&store), clock));

    // Whoever does not read it does not need it.
    writeln!(io::stdout(), "password-auth listening on http://{address}").ok();
    tracing::info!(%address, dev = config.dev, data_dir = %config.data_dir.display(), "serving");
    let serving = serve(listener, http::endpoint(&app), Limits::DEFAULT, stopped);
    tokio::pin!(serving);
    let outcome = tokio::select! {
        () = &mut serving => Ok(()),
        () = store.failed() => {
            // Those who wait are told, each with a 503, before the process ends.
            stop.send_replace(true);
            serving.await;
            Err(CAN_NOT_WRITE.to_owned())
        }
    };
    sweeper.abort();
    store.close().await;
    tracing::info!("stopped");
    outcome
}

/// Turns true at the first SIGINT or SIGTERM; the second ends the process at once.
fn stop_on_signals() -> Result<(watch::Sender<bool>, watch::Receiver<bool>), String> {
    let (stop, stopped) = watch::channel(false);
    let told = stop.clone();
    let listen = |kind| signal(kind).map_err(|error| format!("can not listen to signals: {error}"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if told.send_replace(true) {
                // What was acknowledged is on disk already.
                std::process::exit(130);
            }
            tracing::info!("stopping: what is under way may finish; once more to stop at once");
        }
    });
    Ok((stop, stopped))
}

/// The log goes to standard error: standard output has the one line with the address.
fn start_log(config: &Config) -> Result<(), String> {
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
        .map_err(|error| format!("the log can not be written: {error}"))?;
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
