//! Records events in the store and in the log.

use std::sync::Arc;

use password_auth_model::{Client, Event, EventId, EventKind, SessionId, SharedClock, UserId};
use password_auth_store::Store;

use crate::tracing_context;

/// Records events.
#[derive(Clone)]
pub(crate) struct AuditLog {
    store: Arc<dyn Store>,
    clock: SharedClock,
}

/// The context of an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventContext<'a> {
    /// The admin who did it, if it was not the user.
    pub by: Option<UserId>,
    /// The session that it is about.
    pub session: Option<SessionId>,
    /// The client, if there was one.
    pub client: Option<&'a Client>,
}

impl<'a> EventContext<'a> {
    /// The user did it, by this client.
    #[must_use]
    pub(crate) fn by_client(client: &'a Client) -> Self {
        Self {
            client: Some(client),
            ..Self::default()
        }
    }

    /// The same, and it is about this session.
    #[must_use]
    pub(crate) fn in_session(session: SessionId, client: &'a Client) -> Self {
        Self {
            session: Some(session),
            ..Self::by_client(client)
        }
    }
}

impl AuditLog {
    /// Records in `store`.
    #[must_use]
    pub(crate) const fn new(store: Arc<dyn Store>, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    /// Records an event of the user's account. If that fails, it is logged, and nothing is undone.
    pub(crate) async fn record(&self, user: UserId, what: EventKind, context: EventContext<'_>) {
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
            during = tracing_context::request().map(tracing::field::display),
            "{}", what.sentence()
        );
        if let Err(error) = self.store.add_event(event).await {
            tracing::warn!(user.id = %user, %error, "an event could not be stored");
        }
    }
}
