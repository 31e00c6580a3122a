//! Whether an engine works, and its end.

use async_trait::async_trait;
use password_auth_model::Timestamp;

use super::error::StoreError;

/// The engine itself.
#[async_trait]
pub trait Lifecycle: Send + Sync + 'static {
    /// Whether the engine answers. A read: it waits for no disk write.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Removes, in small steps, what is over at `now`: sessions that expired
    /// [`KEPT_AFTER_EXPIRY`](password_auth_model::KEPT_AFTER_EXPIRY) ago or earlier, counts of tries that are
    /// paid off, networks that are remembered no longer, one-time tokens that expired, and events older than
    /// [`EVENTS_KEPT`](password_auth_model::EVENTS_KEPT). Says how many records went. What somebody is using
    /// at this moment may stay until the next time, and so may some counts, where most of many are to stay. Does not
    /// wait for the disk.
    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Ready once the engine can write no more, for example because the disk is full. Whoever runs the
    /// server ends it then, so that its supervisor starts it anew.
    async fn failed(&self);

    /// Writes everything down. Later calls fail as [unavailable](StoreError::Unavailable), reads too; a
    /// second close does nothing. Files are let go of when the store is dropped.
    async fn close(&self);
}
