//! A PostgreSQL database of a test's own, whose clock stands until the test turns it.

use std::sync::Arc;

use password_auth_model::Timestamp;
use password_auth_store::Store;
use password_auth_store::postgres::{DatabaseUrl, PostgresStore};
use password_auth_testing::Cluster;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Databases at once: the server has a limited number of connections, whatever number of cores runs tests.
static PLACES: Semaphore = Semaphore::const_new(4);

pub struct Database {
    pub cluster: &'static Cluster,
    pub url: String,
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

    /// A node's store.
    pub async fn node(&self) -> Arc<dyn Store> {
        let url: DatabaseUrl = self.url.parse().expect("a URL");
        let store = PostgresStore::connect(&url, false).await;
        Arc::new(store.expect("a store"))
    }

    /// Once a node has made the schema.
    pub async fn turn_clock_to(&self, now: Timestamp) {
        let millis = now.as_millis();
        let turn = format!(
            "CREATE TABLE IF NOT EXISTS test_clock (only_row boolean PRIMARY KEY, now bigint);
             INSERT INTO test_clock VALUES (true, {millis})
                 ON CONFLICT (only_row) DO UPDATE SET now = {millis};
             CREATE OR REPLACE FUNCTION clock_ms() RETURNS bigint
                 LANGUAGE sql VOLATILE AS 'SELECT now FROM test_clock';"
        );
        let (_, name) = self.url.rsplit_once('/').expect("a name");
        self.cluster.sql_in(name, &turn).await;
    }
}
