//! `serve`: the composition root. It names the concrete clock, and hands it and the store to the rest.

use std::sync::Arc;
use std::time::Duration;

use password_auth_core::app::App;
use password_auth_core::mail::{MailSender, Pacing, Transport};
use password_auth_core::sweeper::run_sweeper;
use password_auth_core::tokens::{SigningKeys, load_or_create};
use password_auth_http as http;
use password_auth_http::server::{Limits, serve};
use password_auth_model::{SharedClock, SystemClock};
use password_auth_store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::log::start_log;
use super::settings::Arguments;
use super::signals::StopSignals;
use super::{output, process, runtime, store};
use crate::config::Config;
use crate::control::{ControlHandler, ControlSocket};
use crate::operator::Operator;

/// Why the server ends by itself. What it acknowledged is on disk.
const CAN_NOT_WRITE: &str = "the store can not write any more (is the disk full, or damaged? the log says more): \
                             make room there or look after it, and start the server again";

/// How long a command that somebody runs while there is no server may have the folder.
const COMMANDS: Duration = Duration::from_secs(5);

/// How long the stop waits for a letter that is being sent.
const COURIER_STOP: Duration = Duration::from_secs(5);

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let config = arguments.config()?;
    start_log(&config)?;
    let limits = Limits::within(process::allow_descriptors(Limits::descriptors()));
    if limits.connections < Limits::DEFAULT.connections {
        tracing::warn!(
            connections = limits.connections,
            "the limit of open descriptors (ulimit -n) leaves room for so many connections only"
        );
    }
    runtime()?.block_on(serve_until_stopped(config, limits))
}

async fn serve_until_stopped(config: Config, limits: Limits) -> Result<(), String> {
    let (stop, stopped) = stop_on_signals()?;
    // Before the store is opened: two servers on one address are told so, whatever their folders.
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("can not listen on {}: {error}", config.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
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
    let sweeper = tokio::spawn(run_sweeper(Arc::clone(&store), clock.clone()));
    let mail_sender = start_mail_sender(&config, &app, Arc::clone(&store), clock, stopped.clone())?;
    let handler = ControlHandler {
        operator: Operator::new(&app, Arc::clone(&store)),
        store: Arc::clone(&store),
        keys,
    };
    let operators = answer_operators(&config, handler, stopped.clone());

    output::say(format_args!("password-auth listening on http://{address}"));
    tracing::info!(%address, dev = config.dev, data_dir = %config.data_dir.display(), "serving");
    let settings = config.http(address);
    let serving = serve(
        listener,
        http::endpoint(&app, &settings),
        limits,
        settings.proxies.clone(),
        stopped,
    );
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
    if outcome.is_err() {
        operators.abort();
    }
    operators.await.ok();
    if let Some(mail_sender) = mail_sender {
        // A letter under way may arrive; one that takes longer is sent again after the next start.
        tokio::time::timeout(COURIER_STOP, mail_sender).await.ok();
    }
    store.close().await;
    tracing::info!("stopped");
    outcome
}

/// Starts to send letters, if there is a way for them.
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
        tracing::info!("no SMTP_HOST: what needs mail, such as forgotten passwords, is refused");
        return Ok(None);
    };
    let pacing = Pacing::DEFAULT;
    let mail_sender = MailSender::new(
        store,
        clock,
        &app.mailer,
        transport,
        url,
        config.links,
        pacing,
    );
    Ok(Some(tokio::spawn(mail_sender.run(stop))))
}

/// The socket by which the other commands reach a running server. Without it all but those works.
fn answer_operators(
    config: &Config,
    handler: ControlHandler,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let socket = store::folder(config).map(ControlSocket::bind);
    tokio::spawn(async move {
        match socket {
            // A database is asked by the commands themselves.
            None => {}
            Some(Ok(socket)) => socket.serve(handler, stop).await,
            Some(Err(error)) => tracing::warn!(
                %error,
                "there is no socket in the data folder: `backup` and `user` work only while the server is stopped"
            ),
        }
    })
}

/// Turns true at the first signal to stop; the second ends the process at once.
fn stop_on_signals() -> Result<(watch::Sender<bool>, watch::Receiver<bool>), String> {
    let (stop, stopped) = watch::channel(false);
    let told = stop.clone();
    let mut signals = StopSignals::listen()?;
    tokio::spawn(async move {
        loop {
            signals.next().await;
            if told.send_replace(true) {
                // What was acknowledged is on disk already.
                std::process::exit(130);
            }
            tracing::info!("stopping: what is under way may finish; once more to stop at once");
        }
    });
    Ok((stop, stopped))
}
