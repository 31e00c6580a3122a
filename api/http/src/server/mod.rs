//! The accept loop.
//!
//! poem's own loop has no time-out for the head of a request, spins when descriptors run out, and does not set
//! TCP_NODELAY. This one is a small loop on hyper with limits, and a graceful stop with a deadline.

mod activity;
mod connection;
mod refusals;
mod slots;
mod stream;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::{Endpoint, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};

use self::activity::Activity;
pub(super) use self::connection::Rest;
use self::connection::{Connection, Ends};
pub(super) use self::slots::BodyTime;
use self::slots::{ConnectionSlot, ConnectionSlots};
pub use self::tls::{Tls, TlsError, TlsFiles};
use super::client::ProxyTrust;
use super::measures::Measures;
use super::seldom::Seldom;

/// How often time limits of connections and bodies are checked.
const LOOK: Duration = Duration::from_secs(1);

/// Descriptors for everything except connections: files, the database, the mail server, the runtime.
const OTHER_DESCRIPTORS: u64 = 64;

/// Limits for connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections at once. More wait in the kernel's backlog.
    pub connections: usize,
    /// The time for the head of a request, from its first byte.
    pub head: Duration,
    /// The time until the first byte of the first request.
    pub first: Duration,
    /// The time until the first byte of a later request.
    pub idle: Duration,
    /// The time for the body of a request, from the end of its head.
    pub body: Duration,
    /// The limit for each of these while less than a quarter of the slots is free: slow clients give way to others.
    pub crowded: Duration,
    /// How long a peer may read nothing of its response.
    pub stalled: Duration,
    /// The most bytes of a request's head.
    pub head_bytes: usize,
    /// The time for requests in progress to finish when the server stops.
    pub stop: Duration,
}

impl Limits {
    /// For production.
    pub const DEFAULT: Self = Self::of_connections(1024);

    /// Like [`DEFAULT`](Self::DEFAULT), with this many connections.
    #[must_use]
    pub const fn of_connections(connections: usize) -> Self {
        Self {
            connections,
            head: Duration::from_secs(10),
            first: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(10),
            crowded: Duration::from_secs(2),
            stalled: Duration::from_secs(30),
            head_bytes: 16 * 1024,
            stop: Duration::from_secs(10),
        }
    }

    /// As many connections as `descriptors` allow, at most the number of [`DEFAULT`](Self::DEFAULT).
    #[must_use]
    pub fn within(descriptors: u64) -> Self {
        const FEWEST: usize = 16;
        let left = usize::try_from(descriptors.saturating_sub(OTHER_DESCRIPTORS));
        let most = Self::DEFAULT.connections;
        Self::of_connections(left.unwrap_or(most).clamp(FEWEST, most))
    }

    /// The number of descriptors that [`DEFAULT`](Self::DEFAULT) needs.
    #[must_use]
    pub const fn descriptors() -> u64 {
        Self::DEFAULT.connections as u64 + OTHER_DESCRIPTORS
    }

    /// The limit, shortened while slots run short.
    fn shortened(&self, limit: Duration, contested: bool) -> Duration {
        if contested {
            limit.min(self.crowded)
        } else {
            limit
        }
    }
}

/// A listener, and what is counted about its connections.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Arc<Tls>>,
    measures: Arc<Measures>,
}

impl Listener {
    /// Counts connections in `measures`.
    #[must_use]
    pub const fn new(tcp: TcpListener, measures: Arc<Measures>) -> Self {
        Self {
            tcp,
            tls: None,
            measures,
        }
    }

    /// Speaks TLS, if there is a certificate.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Arc<Tls>>) -> Self {
        self.tls = tls;
        self
    }
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self::new(tcp, Arc::default())
    }
}

/// Serves `endpoint` on `listener` until `stop` is true, then lets requests in progress finish. One address has at most
/// a share of the slots, unless it is one of the `proxies`.
pub async fn serve(
    listener: impl Into<Listener>,
    endpoint: impl Endpoint<Output = Response> + 'static,
    limits: Limits,
    proxies: ProxyTrust,
    mut stop: watch::Receiver<bool>,
) {
    let Listener {
        tcp: listener,
        tls,
        measures,
    } = listener.into();
    let endpoint = Arc::new(endpoint);
    let slots = ConnectionSlots::new(limits, proxies);
    let full = Seldom::default();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, peer, permit)) = accepted else {
            break;
        };
        let Some(slot) = slots.give(permit, peer.ip()) else {
            if full.is_due() {
                tracing::warn!(
                    client.address = %peer.ip(),
                    "one address has reached its limit of connections: more are refused (is it a \
                     proxy that is missing in TRUSTED_PROXIES?)"
                );
            }
            measures.connections.refused.add_one();
            // Within TLS, a refusal would cost a handshake.
            if tls.is_none() {
                refusals::refuse(stream);
            }
            continue;
        };
        let (endpoint, stop) = (Arc::clone(&endpoint), stop.clone());
        let slot: Arc<ConnectionSlot> = Arc::new(slot);
        let (measures, tls) = (Arc::clone(&measures), tls.clone());
        tokio::spawn(async move {
            let _open = measures.connections.open();
            let Ok(local) = stream.local_addr() else {
                return;
            };
            let connection = Connection {
                endpoint: &endpoint,
                limits,
                slot,
                activity: Arc::new(Activity::new()),
                stop,
            };
            match tls {
                None => {
                    connection
                        .run(stream, Ends::of(local, peer, Scheme::HTTP))
                        .await
                }
                Some(tls) => match connection.shake_hands(&tls, stream).await {
                    Some(stream) => {
                        connection
                            .run(stream, Ends::of(local, peer, Scheme::HTTPS))
                            .await;
                    }
                    None => measures.connections.failed_handshakes.add_one(),
                },
            }
        });
    }
    drop(listener);
    let open = slots.all_left(limits.stop).await;
    if open > 0 {
        tracing::warn!(
            open,
            "some connections did not finish in time and were closed"
        );
    }
}

/// The next connection, once there is a slot for it. Never `None` while the loop runs.
async fn accept(
    listener: &TcpListener,
    slots: &ConnectionSlots,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = slots.free().await?;
    let mut pause = Duration::from_millis(5);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                stream.set_nodelay(true).ok();
                return Some((stream, peer, permit));
            }
            Err(error) if is_the_peer_s(&error) => {}
            Err(error) => {
                // Descriptors or memory ran out. There is no event for when there are more.
                tracing::warn!(%error, "cannot accept connections for now");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// The peer disconnected before it was accepted: there is no need to pause.
fn is_the_peer_s(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn the_places_follow_the_descriptors() {
        for (descriptors, connections) in [
            (Limits::descriptors(), 1024),
            (1 << 20, 1024),
            (u64::MAX, 1024),
            (1024, 960),
            (256, 192),
            (10, 16),
        ] {
            let limits = Limits::within(descriptors);
            assert_eq!(limits.connections, connections, "{descriptors}");
        }
    }
}
