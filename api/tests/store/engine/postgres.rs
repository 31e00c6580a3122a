//! A PostgreSQL database of its own, which two nodes share. It goes by the database's clock, which stands here.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use password_auth::clock::Timestamp;
use password_auth::store::Store;
use password_auth::store::postgres::{DatabaseUrl, PostgresStore};
use password_auth_testing::Cluster;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Ground;

/// Databases at once: the server has a limited number of connections, whatever number of cores runs tests.
static PLACES: Semaphore = Semaphore::const_new(4);

pub struct Database {
    cluster: &'static Cluster,
    url: String,
    _place: SemaphorePermit<'static>,
}

impl Database {
    pub async fn new() -> Self {
        let place = PLACES.acquire().await.expect("never closed");
        let cluster = Cluster::shared().await;
        Self {
            cluster,
            url: cluster.create_database().await,
            _place: place,
        }
    }

    async fn sql(&self, statements: &str) {
        let (_, name) = self.url.rsplit_once('/').expect("a name");
        self.cluster.sql_in(name, statements).await;
    }

    async fn node(&self) -> Arc<dyn Store> {
        let url: DatabaseUrl = self.url.parse().expect("a URL");
        let store = PostgresStore::connect(&url, false).await;
        Arc::new(store.expect("a store"))
    }
}

#[async_trait]
impl Ground for Database {
    async fn open(&self) -> Vec<Arc<dyn Store>> {
        // As when nodes start together on an empty database.
        let (first, second) = tokio::join!(self.node(), self.node());
        vec![first, second]
    }

    async fn turn_clock_to(&self, now: Timestamp) {
        let millis = now.as_millis();
        self.sql(&format!(
            "CREATE TABLE IF NOT EXISTS test_clock (only_row boolean PRIMARY KEY, now bigint);
             INSERT INTO test_clock VALUES (true, {millis})
                 ON CONFLICT (only_row) DO UPDATE SET now = {millis};
             CREATE OR REPLACE FUNCTION clock_ms() RETURNS bigint
                 LANGUAGE sql VOLATILE AS 'SELECT now FROM test_clock';"
        ))
        .await;
    }

    fn waiting(&self) -> Duration {
        // A request that waits longer is refused.
        Duration::from_secs(5)
    }
}
