//! Letters that wait to be sent.

use async_trait::async_trait;
use password_auth_model::{QueuedEmail, QueuedEmailId, Timestamp};

use super::error::StoreError;

/// Where letters wait.
#[async_trait]
pub trait EmailQueue: Send + Sync + 'static {
    /// Puts a letter into the queue, unless the person whom it is about is gone.
    async fn enqueue_email(&self, queued_email: QueuedEmail) -> Result<(), StoreError>;

    /// The letter that has been due longest at `now`, for whoever asks first: it is due again at `until`, with one
    /// try more. Does not wait for the disk.
    async fn claim_email(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<QueuedEmail>, StoreError>;

    /// When the next letter is due. A read: it waits for no disk write.
    async fn next_email_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Sets when to try a letter again; no error if it is gone. Does not wait for the disk.
    async fn postpone_email(&self, id: QueuedEmailId, due: Timestamp) -> Result<(), StoreError>;

    /// Removes a letter that was sent, or given up; no error if it is gone.
    async fn remove_email(&self, id: QueuedEmailId) -> Result<(), StoreError>;
}
