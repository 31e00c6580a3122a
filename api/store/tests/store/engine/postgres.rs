//! PostgreSQL: a database that two nodes share. It goes by the database's clock.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use password_auth_model::Timestamp;
use password_auth_store::Store;

use super::Ground;
use crate::database::Database;

#[async_trait]
impl Ground for Database {
    async fn open(&self) -> Vec<Arc<dyn Store>> {
        // As when nodes start together on an empty database.
        let (first, second) = tokio::join!(self.node(), self.node());
        vec![first, second]
    }

    async fn turn_clock_to(&self, now: Timestamp) {
        self.turn_clock_to(now).await;
    }

    fn waiting(&self) -> Duration {
        // A request that waits longer is refused.
        Duration::from_secs(5)
    }
}
