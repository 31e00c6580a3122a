//! The accept loop.
//!
//! poem's own has no time-out for a request's head, spins when descriptors run out, and sets no
//! TCP_NODELAY; this one is a small loop on hyper with limits, and a graceful stop with a deadline.

mod connection;
mod slots;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::Response;
use poem::endpoint::BoxEndpoint;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};

pub(super) use self::slots::BodyTime;
use self::slots::{ConnectionSlot, ConnectionSlots};
use super::client::ProxyTrust;
use super::seldom::Seldom;

/// How often is looked whether a connection, or a body, has had its time.
const LOOK: Duration = Duration::from_secs(1);

/// Descriptors of all that is no connection: files, the database, the mail server, the runtime's own.
const OTHER_DESCRIPTORS: u64 = 64;

/// What a connection may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait in the kernel's backlog.
    pub connections: usize,
    /// Of these, one address's (IPv6: one /64's), unless it is a trusted proxy's.
    pub of_one_network: usize,
    /// A request's head, from its first byte.
    pub head: Duration,
    /// Waiting for the first byte of a connection's first request.
    pub first: Duration,
    /// Waiting for the first byte of a later request.
    pub idle: Duration,
    /// A request's body, from the end of its head.
    pub body: Duration,
    /// Each of these, while fewer than a quarter of the places are free: whoever asks goes before whoever lets wait.
    pub crowded: Duration,
    /// A peer that takes nothing of its answer.
    pub stalled: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Once told to stop: what is under way may finish for this long.
    pub stop: Duration,
}

impl Limits {
    /// For production.
    pub const DEFAULT: Self = Self::of_connections(1024);

    /// As [`DEFAULT`](Self::DEFAULT), for so many connections.
    #[must_use]
    pub const fn of_connections(connections: usize) -> Self {
        Self {
            connections,
            of_one_network: connections.div_ceil(4),
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

    /// As many connections as `descriptors` are enough for, and no more than [`DEFAULT`](Self::DEFAULT) has.
    #[must_use]
    pub fn within(descriptors: u64) -> Self {
        const FEWEST: usize = 16;
        let left = usize::try_from(descriptors.saturating_sub(OTHER_DESCRIPTORS));
        let most = Self::DEFAULT.connections;
        Self::of_connections(left.unwrap_or(most).clamp(FEWEST, most))
    }

    /// How many descriptors [`DEFAULT`](Self::DEFAULT) needs.
    #[must_use]
    pub const fn descriptors() -> u64 {
        Self::DEFAULT.connections as u64 + OTHER_DESCRIPTORS
    }

    /// The limit that counts while places run short, or do not.
    fn shortened(&self, limit: Duration, contested: bool) -> Duration {
        if contested {
            limit.min(self.crowded)
        } else {
            limit
        }
    }
}

/// Serves `endpoint` on `listener` until `stop` turns true; then lets what is under way finish. One address has a
/// share of the places at most, unless it is one of the `proxies`.
pub async fn serve(
    listener: TcpListener,
    endpoint: BoxEndpoint<'static, Response>,
    limits: Limits,
    proxies: ProxyTrust,
    mut stop: watch::Receiver<bool>,
) {
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
                    "one address has as many connections as it may: more are refused \
                     (is it a proxy that TRUSTED_PROXIES does not name?)"
                );
            }
            stream::refuse(stream);
            continue;
        };
        let (endpoint, stop) = (Arc::clone(&endpoint), stop.clone());
        let slot: Arc<ConnectionSlot> = Arc::new(slot);
        tokio::spawn(async move { connection::run(stream, &endpoint, limits, slot, stop).await });
    }
    drop(listener);
    let open = slots.all_left(limits.stop).await;
    if open > 0 {
        tracing::warn!(open, "some connections did not finish in time and were cut");
    }
}

/// The next connection, once there is a place for it. `None` never happens while the loop runs.
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
                // Descriptors or memory ran out. No event tells when there are more.
                tracing::warn!(%error, "can not accept connections for now");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// The peer left before it was accepted: nothing to wait for.
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
            assert_eq!(limits.of_one_network, connections / 4);
        }
    }
}
