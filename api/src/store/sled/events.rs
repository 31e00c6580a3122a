//! The writes about events.

use super::change::Change;
use super::codec::encode;
use super::opened::Tables;
use super::tables::{Table, user_key};
use crate::events::{Event, Happening};
use crate::store::StoreError;

/// Keeps an event, unless the person is gone, and it says anything else.
pub(super) fn add(tables: &Tables, event: &Event) -> Result<(), StoreError> {
    let is_of_nobody = !tables.contains(Table::Users, event.user.as_bytes())?;
    if is_of_nobody && event.what != Happening::Deleted {
        return Ok(());
    }
    // One after the other costs far less than a transaction. A crash in between leaves a place in the index
    // without its event, which readers pass over; an event without its place would be found by nobody.
    let key = user_key(event.user, event.id.as_bytes());
    tables.apply(&[Change::Put {
        table: Table::UserEvents,
        key: &key,
        value: b"",
    }])?;
    tables.apply(&[Change::Put {
        table: Table::Events,
        key: event.id.as_bytes(),
        value: &encode(event)?,
    }])
}
