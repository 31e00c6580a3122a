//! Whether an engine works, and its end.

use async_trait::async_trait;
use password_auth_model::Timestamp;
use password_auth_model::measure::Histogram;

use super::error::StoreError;

/// How long the engine takes. Measured by the engine itself, on this node.
pub struct Measures<'a> {
    /// By kind of operation, in microseconds.
    pub times: Vec<(&'static str, &'a Histogram)>,
    /// How many writes each flush acknowledged, for an engine that gathers them.
    pub flushed_writes: Option<&'a Histogram>,
}

/// The engine itself.
#[async_trait]
pub trait Lifecycle: Send + Sync + 'static {
    /// Whether the engine answers. A read: it waits for no disk write.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Removes, in small steps, what has expired at `now`: sessions that expired at least
    /// [`KEPT_AFTER_EXPIRY`](password_auth_model::KEPT_AFTER_EXPIRY) ago, attempt counters and remembered networks that
    /// have run out, expired one-time tokens, what [`Factors`](password_auth_model::Factors) remember for some minutes, and events older than [`EVENTS_KEPT`](password_auth_model::EVENTS_KEPT).
    /// Returns how many records were removed. A record that is in use may stay until the next sweep, and so may some
    /// counters among many that stay. Does not wait for the disk.
    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Reads what requests will ask for into memory, for an engine that has it there. Takes as long as that takes, next to
    /// everything else, and ends soon after the engine is closed.
    async fn warm(&self, now: Timestamp) -> Result<(), StoreError> {
        let _ = now;
        Ok(())
    }

    /// Completes once the engine can no longer write, for example because the disk is full. The server then ends, so
    /// that its supervisor starts it again.
    async fn failed(&self);

    /// What the engine has measured so far.
    fn measures(&self) -> Measures<'_>;

    /// Writes everything to disk. Later calls, also reads, fail as [unavailable](StoreError::Unavailable). A second
    /// close does nothing. The files are released when the store is dropped.
    async fn close(&self);
}
