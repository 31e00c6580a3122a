//! Keeping what happened: in the store, and in the log.

use std::sync::Arc;

use password_auth_model::{Client, Event, EventId, EventKind, SessionId, SharedClock, UserId};
use password_auth_store::Store;

/// Keeps events.
#[derive(Clone)]
pub struct AuditLog {
    store: Arc<dyn Store>,
    clock: SharedClock,
}

/// What is noted of an event beside what happened to whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventContext<'a> {
    /// The admin who did it, if it was somebody else than the person.
    pub by: Option<UserId>,
    /// The sign-in that it is about.
    pub session: Option<SessionId>,
    /// Who asked, where there was a client.
    pub client: Option<&'a Client>,
}

impl AuditLog {
    /// A journal in `store`.
    #[must_use]
    pub const fn new(store: Arc<dyn Store>, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    /// Keeps what happened to the user's account. That it could not be kept is logged, and undoes nothing.
    pub async fn record(&self, user: UserId, what: EventKind, context: EventContext<'_>) {
        let now = self.clock.now();
        let EventContext {
            by,
            session,
            client,
        } = context;
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
            tracing::warn!(user.id = %user, %error, "an event was not kept");
        }
    }
}
