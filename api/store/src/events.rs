//! What happened to accounts.

use async_trait::async_trait;
use password_auth_model::{Event, EventId, UserId};

use super::error::StoreError;

/// Where events are kept.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Adds an event. For a user who does not exist, only [`Deleted`](password_auth_model::EventKind::Deleted) is
    /// added. If the account has more events of the same class than [the limit](password_auth_model::Class::room), the oldest
    /// are removed; if several nodes add at once, with the next event. Does not wait for the disk.
    async fn add_event(&self, event: Event) -> Result<(), StoreError>;

    /// Events, the latest first: of one user or of all, older than the event `before` if it is given, at most `limit`.
    /// A long read, like [`users`](crate::UserStore::users).
    async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
}
