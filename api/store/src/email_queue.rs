//! Mails that wait to be sent.

use async_trait::async_trait;
use password_auth_model::{QueuedEmail, QueuedEmailId, Timestamp};

use super::error::StoreError;

/// Where mails wait.
#[async_trait]
pub trait EmailQueue: Send + Sync + 'static {
    /// Adds a mail to the queue, unless the user that it is about does not exist.
    async fn enqueue_email(&self, queued_email: QueuedEmail) -> Result<(), StoreError>;

    /// Claims the mail that has been due longest at `now`, for one caller: it is due again at `until`, and its number
    /// of tries is raised. Does not wait for the disk.
    async fn claim_email(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<QueuedEmail>, StoreError>;

    /// When the next mail is due. A read: it does not wait for the disk.
    async fn next_email_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Sets when to try a mail again. Not an error if it is gone. Does not wait for the disk.
    async fn postpone_email(&self, id: QueuedEmailId, due: Timestamp) -> Result<(), StoreError>;

    /// Removes a mail that was sent or dropped. Not an error if it is gone.
    async fn remove_email(&self, id: QueuedEmailId) -> Result<(), StoreError>;
}
