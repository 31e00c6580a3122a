//! What is measured, as Prometheus reads it: names and help of every metric, and the listener that shows them.
//!
//! The parts of the server own their measures. They are read when somebody asks, so watching costs nothing otherwise.

mod names;
mod process;
mod show;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use password_auth_core::app::App;
use password_auth_http::ProxyTrust;
use password_auth_http::measures::Measures;
use password_auth_http::metrics;
use password_auth_http::server::{Limits, serve};
use password_auth_store::Store;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::process::Process;
use self::show::Show;

/// How many connections the listener has: a few scrapers, not the public.
const CONNECTIONS: usize = 16;

/// How long the store may take to say whether mail waits.
const STORE: Duration = Duration::from_secs(1);

/// Everything that is measured.
#[derive(Clone)]
pub struct Watched {
    /// The use cases.
    pub app: App,
    /// The store.
    pub store: Arc<dyn Store>,
    /// Requests and connections.
    pub http: Arc<Measures>,
    /// The most connections at once.
    pub max_connections: usize,
}

impl Watched {
    /// Everything measured so far.
    pub async fn render(&self) -> String {
        // If the store does not answer, the other metrics say so; this one is left out.
        let overdue = tokio::time::timeout(STORE, self.app.mailer.overdue()).await;
        let scrape = Scrape {
            watched: self.clone(),
            overdue: overdue.ok().and_then(Result::ok),
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(scrape));
        let mut text = String::new();
        // Writing to a string does not fail.
        encode(&mut text, &registry).ok();
        text
    }

    /// Serves `/metrics` until `stop` is true.
    pub async fn serve(self, listener: TcpListener, stop: watch::Receiver<bool>) {
        let watched = Arc::new(self);
        let render = Box::new(move || {
            let watched = Arc::clone(&watched);
            Box::pin(async move { watched.render().await }) as _
        });
        let limits = Limits::of_connections(CONNECTIONS);
        let proxies = ProxyTrust::new(Vec::new());
        serve(listener, metrics::endpoint(render), limits, proxies, stop).await;
    }
}

struct Scrape {
    watched: Watched,
    overdue: Option<Duration>,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrape(…)")
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut show = Show::new(encoder);
        self.requests(&mut show)?;
        self.use_cases(&mut show)?;
        self.store(&mut show)?;
        self.process(&mut show)
    }
}

impl Scrape {
    fn requests(&self, show: &mut Show<'_>) -> fmt::Result {
        let Watched {
            http,
            max_connections,
            ..
        } = &self.watched;
        let counted = || http.requests.counted();
        let by_status = counted().flat_map(|of| {
            of.by_status().map(move |(status, count)| {
                let labels = [
                    ("method", of.method.to_owned()),
                    ("route", of.path.to_owned()),
                ];
                let [method, route] = labels;
                ([method, route, ("status", status.to_string())], count)
            })
        });
        show.counters(names::REQUESTS, by_status)?;
        let times = counted().map(|of| ([("method", of.method), ("route", of.path)], of.times()));
        show.times(names::REQUEST_TIMES, times)?;
        let connections = &http.connections;
        show.gauge(names::CONNECTIONS, connections.now_open() as f64)?;
        show.gauge(names::MAX_CONNECTIONS, *max_connections as f64)?;
        show.counter(names::CONNECTIONS_OPENED, connections.opened())?;
        show.counter(names::CONNECTIONS_REFUSED, connections.refused.total())?;
        show.counter(
            names::FAILED_HANDSHAKES,
            connections.failed_handshakes.total(),
        )
    }

    fn use_cases(&self, show: &mut Show<'_>) -> fmt::Result {
        let App {
            accounts,
            sessions,
            mailer,
            ..
        } = &self.watched.app;
        let load = accounts.hasher().load();
        let pool = accounts.hasher().measures();
        show.gauge(names::HASHING_WORKERS, load.workers as f64)?;
        show.gauge(names::HASHING_RUNNING, load.running as f64)?;
        show.gauge(names::HASHING_WAITING, load.waiting as f64)?;
        show.times(names::HASHING_WAITS, [([("", ""); 0], &pool.waits)])?;
        show.times(names::HASHING_TIMES, [([("", ""); 0], &pool.work)])?;
        show.counter(names::HASHING_REFUSED, pool.refused.total())?;
        let events = |counts: &[(&'static str, u64)]| {
            let labelled = counts
                .iter()
                .map(|(event, count)| ([("event", *event)], *count));
            labelled.collect::<Vec<_>>()
        };
        show.counters(names::SESSIONS, events(&sessions.measures().counts()))?;
        let mail = mailer.measures();
        let refused = accounts
            .refused()
            .into_iter()
            .chain([("mail", mail.refused())]);
        let refused = refused.map(|(limit, count)| ([("limit", limit)], count));
        show.counters(names::THROTTLED, refused)?;
        show.counters(names::MAIL, events(&mail.counts()))?;
        match self.overdue {
            Some(overdue) => show.gauge(names::MAIL_OVERDUE, overdue.as_secs_f64()),
            None => Ok(()),
        }
    }

    fn store(&self, show: &mut Show<'_>) -> fmt::Result {
        let measures = self.watched.store.measures();
        let times = measures.times.iter();
        let times = times.map(|(operation, times)| ([("operation", *operation)], *times));
        show.times(names::STORE_TIMES, times)?;
        match measures.flushed_writes {
            Some(sizes) => show.sizes(names::FLUSHED_WRITES, sizes),
            None => Ok(()),
        }
    }

    fn process(&self, show: &mut Show<'_>) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        show.gauges(names::BUILD, [(version, 1.0)])?;
        let Some(process) = Process::read() else {
            return Ok(());
        };
        show.fractional_counter(names::CPU, process.cpu_seconds)?;
        show.gauge(names::MEMORY, process.resident_bytes)?;
        show.gauge(names::DESCRIPTORS, process.descriptors)
    }
}
