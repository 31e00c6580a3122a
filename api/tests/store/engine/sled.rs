//! sled in a folder of its own. It has no clock: it uses the moments that it is handed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use password_auth::clock::Timestamp;
use password_auth::store::Store;
use password_auth::store::sled::SledStore;
use tempfile::TempDir;

use super::Ground;

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
}

#[async_trait]
impl Ground for Folder {
    async fn open(&self) -> Vec<Arc<dyn Store>> {
        vec![Arc::new(SledStore::open(self.0.path()).expect("a store"))]
    }

    async fn turn_clock_to(&self, _now: Timestamp) {}

    fn waiting(&self) -> Duration {
        Duration::ZERO
    }
}
