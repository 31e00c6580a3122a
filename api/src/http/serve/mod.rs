//! The accept loop.
//!
//! poem's own has no time-out for a request's head, spins when descriptors run out, and sets no
//! TCP_NODELAY; this one is a small loop on hyper with limits, and a graceful stop with a deadline.

mod connection;
mod stream;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use poem::Response;
use poem::endpoint::BoxEndpoint;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// What a connection may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait in the kernel's backlog.
    pub connections: usize,
    /// A request's head, from its first byte.
    pub head: Duration,
    /// Waiting for the first byte of a connection's first request.
    pub first: Duration,
    /// Waiting for the first byte of a later request.
    pub idle: Duration,
    /// Either, while fewer than a quarter of the places are free: whoever asks goes before whoever waits.
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
    pub const DEFAULT: Self = Self {
        connections: 1024,
        head: Duration::from_secs(10),
        first: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        crowded: Duration::from_secs(2),
        stalled: Duration::from_secs(30),
        head_bytes: 16 * 1024,
        stop: Duration::from_secs(10),
    };
}

/// Serves `endpoint` on `listener` until `stop` turns true; then lets what is under way finish.
pub async fn serve(
    listener: TcpListener,
    endpoint: BoxEndpoint<'static, Response>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let endpoint = Arc::new(endpoint);
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, place)) = accepted else {
            break;
        };
        let (endpoint, stop) = (Arc::clone(&endpoint), stop.clone());
        let places = Arc::clone(&places);
        tokio::spawn(async move {
            let crowded = || places.available_permits() < limits.connections / 4;
            connection::run(stream, &endpoint, limits, crowded, stop).await;
            drop(place);
        });
    }
    drop(listener);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(limits.stop, places.acquire_many(all))
        .await
        .is_err()
    {
        let open = limits.connections - places.available_permits();
        tracing::warn!(open, "some connections did not finish in time and were cut");
    }
}

/// The next connection, once there is a place for it. `None` never happens while the loop runs.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let mut pause = Duration::from_millis(5);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                stream.set_nodelay(true).ok();
                return Some((stream, place));
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
