//! What happened to accounts.

use async_trait::async_trait;
use password_auth_model::{Event, EventId, UserId};

use super::error::StoreError;

/// Where events are kept.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Keeps an event; of somebody who is gone only that he is ([`Deleted`](password_auth_model::EventKind::Deleted)).
    /// Of more of the account's events than [there is room for](password_auth_model::Class::room) the oldest of the same
    /// class go; where several nodes add at once, with the next one. Does not wait for the disk.
    async fn add_event(&self, event: Event) -> Result<(), StoreError>;

    /// Events, the latest first: of one person or of all, older than the event `before` if that is given; `limit`
    /// of them at most. A read of the kind of [`users`](crate::UserStore::users).
    async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
}
