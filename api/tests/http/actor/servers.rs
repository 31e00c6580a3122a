//! The servers that there are at the moment.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use crate::support::TestClient;

/// Asked in turn, by all actors together: so one session's rotations meet them all.
#[derive(Clone, Default)]
pub struct Servers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    servers: Mutex<Vec<Server>>,
    turn: AtomicUsize,
}

/// One server.
#[derive(Clone)]
pub struct Server {
    pub client: TestClient,
    /// About to be killed.
    doomed: Arc<AtomicBool>,
    /// Gets a permit for each answer 503.
    unavailable: Arc<Semaphore>,
}

impl Servers {
    pub fn add(&self, server: Server) {
        self.0.servers.lock().expect("no panic").push(server);
    }

    /// It is gone, and asked no more.
    pub fn remove(&self, server: &Server) {
        let mut servers = self.0.servers.lock().expect("no panic");
        servers.retain(|other| !Arc::ptr_eq(&other.doomed, &server.doomed));
    }

    /// The one server that there is now.
    pub fn replace(&self, server: Server) {
        *self.0.servers.lock().expect("no panic") = vec![server];
    }

    pub(super) fn next(&self) -> Server {
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let servers = self.0.servers.lock().expect("no panic");
        servers[turn % servers.len()].clone()
    }
}

impl Server {
    pub fn new(client: TestClient) -> Self {
        Self {
            client,
            doomed: Arc::default(),
            unavailable: Arc::new(Semaphore::new(0)),
        }
    }

    /// From now on it may go at any moment; until then it goes on being asked.
    pub fn doom(&self) {
        self.doomed.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_doomed(&self) -> bool {
        self.doomed.load(Ordering::SeqCst)
    }

    pub(super) fn note_unavailable(&self) {
        self.unavailable.add_permits(1);
    }

    /// How often it has answered 503 since [`forget_unavailable`](Self::forget_unavailable).
    pub fn unavailable(&self) -> usize {
        self.unavailable.available_permits()
    }

    pub fn forget_unavailable(&self) {
        self.unavailable.forget_permits(usize::MAX >> 4);
    }

    /// Waits until it has answered 503 so often.
    pub async fn until_unavailable(&self, times: u32) {
        let permits = self.unavailable.acquire_many(times).await;
        drop(permits.expect("it stays open"));
    }
}
