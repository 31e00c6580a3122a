//! Something that happened.

use password_auth_model::{Event, EventId, EventKind, SessionId, Timestamp, UserId};
use password_auth_store::Record;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct EventLine {
    id: EventId,
    at: Timestamp,
    user: UserId,
    by: Option<UserId>,
    /// By the names that an engine may keep too, and which never change (see the tests).
    what: EventKind,
    session: Option<SessionId>,
    address: Option<String>,
    device: Option<String>,
}

impl From<Event> for EventLine {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            at: event.at,
            user: event.user,
            by: event.by,
            what: event.what,
            session: event.session,
            address: event.address,
            device: event.device,
        }
    }
}

impl From<EventLine> for Record {
    fn from(line: EventLine) -> Self {
        Self::Event(Event {
            id: line.id,
            at: line.at,
            user: line.user,
            by: line.by,
            what: line.what,
            session: line.session,
            address: line.address,
            device: line.device,
        })
    }
}
