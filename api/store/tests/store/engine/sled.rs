//! sled in a folder of its own. It has no clock: it uses the moments that it is handed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use password_auth_model::Timestamp;
use password_auth_store::Store;
use password_auth_store::sled::SledStore;
use tempfile::TempDir;

use super::Ground;

/// sled's threads let go of a folder a moment after its last handle is gone, and tell nobody.
const LET_GO: Duration = Duration::from_secs(20);

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
}

#[async_trait]
impl Ground for Folder {
    async fn open(&self) -> Vec<Arc<dyn Store>> {
        let begun = Instant::now();
        loop {
            match SledStore::open(self.0.path()) {
                Ok(store) => return vec![Arc::new(store)],
                Err(error) => assert!(begun.elapsed() < LET_GO, "{error}"),
            }
            tokio::task::yield_now().await;
        }
    }

    async fn turn_clock_to(&self, _now: Timestamp) {}

    fn waiting(&self) -> Duration {
        Duration::ZERO
    }
}
