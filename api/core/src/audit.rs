//! Records events in the store and in the log.

use std::sync::Arc;

use password_auth_model::{Client, Event, EventId, Happening, SessionId, SharedClock, UserId};
use password_auth_store::Store;

/// Records events.
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn Store>,
    clock: SharedClock,
}

/// The context of an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'a> {
    /// The admin who did it, if it was not the user.
    pub by: Option<UserId>,
    /// The session that it is about.
    pub session: Option<SessionId>,
    /// The client, if there was one.
    pub client: Option<&'a Client>,
}

impl Journal {
    /// Records in `store`.
    #[must_use]
    pub const fn new(store: Arc<dyn Store>, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    /// Records an event of the user's account. If that fails, it is logged, and nothing is undone.
    pub async fn record(&self, user: UserId, what: Happening, circumstances: Circumstances<'_>) {
        let now = self.clock.now();
        let Circumstances {
            by,
            session,
            client,
        } = circumstances;
        let event = Event {
            id: EventId::new(now),
            at: now,
            user,
            by,
            what,
            session,
            address: client.map(|client| client.address.to_string()),
            device: client.map(|client| client.device.clone()),
        };
        tracing::info!(
            event.id = %event.id,
            user.id = %user,
            event.by = by.map(tracing::field::display),
            session.id = session.map(tracing::field::display),
            "{}", what.sentence()
        );
        if let Err(error) = self.store.add_event(event).await {
            tracing::warn!(user.id = %user, %error, "an event could not be stored");
        }
    }
}
