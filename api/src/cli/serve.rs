//! `serve`: the composition root. It names the concrete engine and clock, and hands them to the rest.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::panic;
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
use crate::store::Store;
use crate::store::postgres::PostgresStore;
use crate::store::sled::SledStore;
use crate::tokens::{SigningKeys, load_or_create};

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
    let stop = stop_on_signals()?;
    // Before the store is opened: two servers on one address are told so, whatever their folders.
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("can not listen on {}: {error}", config.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let store = open_store(&config).await?;
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
    let serving = serve(listener, http::endpoint(&app), Limits::DEFAULT, stop);
    let outcome = tokio::select! {
        () = serving => Ok(()),
        () = store.failed() => Err("the store can not write any more (is the disk full?); start the server again once it can".to_owned()),
    };
    sweeper.abort();
    store.close().await;
    tracing::info!("stopped");
    outcome
}

pub(super) async fn open_store(config: &Config) -> Result<Arc<dyn Store>, String> {
    Ok(match &config.database {
        Some(url) => Arc::new(
            PostgresStore::connect(url, config.require_standby)
                .await
                .map_err(|error| error.to_string())?,
        ),
        None => Arc::new(SledStore::open(&config.data_dir).map_err(|error| error.to_string())?),
    })
}

/// Turns true at the first SIGINT or SIGTERM; the second ends the process at once.
fn stop_on_signals() -> Result<watch::Receiver<bool>, String> {
    let (stop, stopped) = watch::channel(false);
    let listen = |kind| signal(kind).map_err(|error| format!("can not listen to signals: {error}"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if stop.send_replace(true) {
                // What was acknowledged is on disk already.
                std::process::exit(130);
            }
            tracing::info!("stopping: what is under way may finish; once more to stop at once");
        }
    });
    Ok(stopped)
}

/// The log goes to standard error: standard output has the one line with the address.
fn start_log(config: &Config) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(&config.log_filter).map_err(|error| format!("RUST_LOG: {error}"))?;
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
    // A panic's message may quote what a client sent.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
    Ok(())
}
