//! `serve`: the composition root. It creates the clock and the store, and passes them on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use password_auth_core::app::App;
use password_auth_core::mail::{MailSender, Pacing, Site, Transport};
use password_auth_core::sweeper::run_sweeper;
use password_auth_core::tokens::{SigningKeys, load_or_create};
use password_auth_http as http;
use password_auth_http::server::{Limits, Listener, Tls, serve};
use password_auth_model::{Clock as _, SharedClock, SystemClock, Timestamp};
use password_auth_store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::log::{finish_log, start_log};
use super::settings::Arguments;
use super::signals::StopSignals;
use super::{output, process, runtime, store};
use crate::config::Config;
use crate::control::{ControlHandler, ControlSocket};
use crate::metrics::Watched;
use crate::operator::Operator;

/// Why the server ends by itself. Everything that it acknowledged is on disk.
const CANNOT_WRITE: &str = "the store cannot write any more (is the disk full or damaged? see the \
                             log): free space or repair the disk, then start the server again. If it ends again \
                             although there is space, restore a backup into an empty folder, and keep this one";

/// How long to wait for a command that uses the folder.
const COMMANDS: Duration = Duration::from_secs(5);

/// How long a stop waits for the mail that is being sent.
const MAIL_STOP: Duration = Duration::from_secs(5);

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let config = arguments.config()?;
    start_log(&config)?;
    let limits = Limits::within(process::allow_descriptors(Limits::descriptors()));
    if limits.connections < Limits::DEFAULT.connections {
        tracing::warn!(
            connections = limits.connections,
            "the limit of open file descriptors (ulimit -n) is low: it allows only this many \
             connections"
        );
    }
    runtime()?.block_on(serve_until_stopped(config, limits))
}

async fn serve_until_stopped(config: Config, limits: Limits) -> Result<(), String> {
    let (stop, stopped, hangup) = stop_on_signals()?;
    // Before the store is opened, so that a second server on the same address fails with the right message.
    let listener = listen(config.listen).await?;
    let metrics = match config.metrics {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let tls = match config.tls.clone() {
        Some(files) => Some(Arc::new(
            Tls::load(files).map_err(|error| error.to_string())?,
        )),
        None => None,
    };
    tokio::spawn(reload_at(hangup, tls.clone()));
    let store = store::open_within(COMMANDS, &config).await?;
    let keys = match config.signing_key.clone() {
        Some(key) => SigningKeys::new(key, Vec::new()),
        None => load_or_create(&config.data_dir).map_err(|error| error.to_string())?,
    };
    let clock = Arc::new(SystemClock);
    let app = App::new(
        &config.app(address),
        &keys,
        Arc::clone(&store),
        clock.clone(),
    );
    app.token_keys
        .prepare()
        .await
        .map_err(|error| error.to_string())?;
    let now = clock.now();
    let token_keys = tokio::spawn(Arc::clone(&app.token_keys).follow());
    let sweeper = tokio::spawn(run_sweeper(Arc::clone(&store), clock.clone()));
    let mail_sender = start_mail_sender(&config, &app, Arc::clone(&store), clock, stopped.clone())?;
    let handler = ControlHandler {
        operator: Operator::new(&app, Arc::clone(&store)),
        store: Arc::clone(&store),
        keys,
    };
    let operators = answer_operators(&config, handler, stopped.clone());

    let scheme = config.scheme();
    output::say(format_args!(
        "password-auth listening on {scheme}://{address}"
    ));
    tracing::info!(%address, dev = config.dev, data_dir = %config.data_dir.display(), "serving");
    let warming = tokio::spawn(warm(Arc::clone(&store), now));
    let settings = config.http(address);
    if let Some(listener) = metrics {
        let watched = Watched {
            app: app.clone(),
            store: Arc::clone(&store),
            http: Arc::clone(&settings.measures),
            max_connections: limits.connections,
        };
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        tracing::info!(%address, "serving /metrics");
        // It ends with the process: it only reads.
        tokio::spawn(watched.serve(listener, stopped.clone()));
    }
    let serving = serve(
        Listener::new(listener, Arc::clone(&settings.measures)).with_tls(tls),
        http::endpoint(&app, &settings),
        limits,
        settings.proxies.clone(),
        stopped,
    );
    tokio::pin!(serving);
    let outcome = tokio::select! {
        () = &mut serving => Ok(()),
        () = store.failed() => {
            // Waiting clients get a 503 before the process ends.
            stop.send_replace(true);
            serving.await;
            Err(CANNOT_WRITE.to_owned())
        }
    };
    token_keys.abort();
    sweeper.abort();
    warming.abort();
    if outcome.is_err() {
        operators.abort();
    }
    operators.await.ok();
    if let Some(mail_sender) = mail_sender {
        // A mail that takes longer is sent again after the next start.
        tokio::time::timeout(MAIL_STOP, mail_sender).await.ok();
    }
    store.close().await;
    tracing::info!("stopped");
    outcome
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// What it cannot read now, requests read when they need it.
async fn warm(store: Arc<dyn Store>, now: Timestamp) {
    if let Err(error) = store.warm(now).await {
        tracing::warn!(%error, "sessions could not be read in advance");
    }
}

/// Starts to send mail, if delivery is configured.
fn start_mail_sender(
    config: &Config,
    app: &App,
    store: Arc<dyn Store>,
    clock: SharedClock,
    stop: watch::Receiver<bool>,
) -> Result<Option<JoinHandle<()>>, String> {
    let url = &app.public_url;
    let Some(transport) = Transport::new(&config.mail, url).map_err(|error| error.to_string())?
    else {
        tracing::info!(
            "no SMTP_HOST: requests that need mail, such as password resets, are refused"
        );
        return Ok(None);
    };
    let site = Site {
        name: app.site_name.clone(),
        url: url.clone(),
    };
    let pacing = Pacing::DEFAULT;
    let mail_sender = MailSender::new(
        store,
        clock,
        &app.mailer,
        transport,
        site,
        config.links,
        pacing,
    );
    Ok(Some(tokio::spawn(mail_sender.run(stop))))
}

/// Serves the socket through which other commands reach this server. Without it, only these commands do not work.
fn answer_operators(
    config: &Config,
    handler: ControlHandler,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let socket = store::folder(config).map(ControlSocket::bind);
    tokio::spawn(async move {
        match socket {
            // Commands use a database directly.
            None => {}
            Some(Ok(socket)) => socket.serve(handler, stop).await,
            Some(Err(error)) => tracing::warn!(
                %error,
                "cannot create a socket in the data folder: `backup` and `user` only work while the server is stopped"
            ),
        }
    })
}

/// At SIGHUP, reads the certificate again. Without one, SIGHUP does nothing; it never ends the server.
async fn reload_at(mut hangup: Signal, tls: Option<Arc<Tls>>) {
    while hangup.recv().await.is_some() {
        match tls.as_ref().map(|tls| tls.reload()) {
            None => tracing::info!("SIGHUP: there is no certificate to read again"),
            Some(Ok(())) => {
                tracing::info!("SIGHUP: new connections use the certificate as it is now")
            }
            Some(Err(error)) => {
                tracing::error!(%error, "SIGHUP: the certificate stays as it was");
            }
        }
    }
}

/// The receiver becomes true at the first stop signal. The second signal ends the process at once. Also returns SIGHUP.
fn stop_on_signals() -> Result<(watch::Sender<bool>, watch::Receiver<bool>, Signal), String> {
    let (stop, stopped) = watch::channel(false);
    let told = stop.clone();
    let (mut signals, hangup) = StopSignals::listen_without_hangup()?;
    tokio::spawn(async move {
        loop {
            signals.next().await;
            if told.send_replace(true) {
                // Everything that was acknowledged is already on disk.
                finish_log();
                std::process::exit(130);
            }
            tracing::info!(
                "stopping: waiting for requests in progress. Send the signal again to \
                            stop at once"
            );
        }
    });
    Ok((stop, stopped, hangup))
}
