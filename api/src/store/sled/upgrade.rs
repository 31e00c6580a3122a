//! A folder of an older format, brought to today's.

use std::fs::File;
use std::io;

use super::codec::decode;
use super::opened::Tables;
use super::tables::{Table, role_key, unavailable, user_key};
use crate::events::Event;
use crate::sessions::Session;
use crate::store::{StoreError, User};

/// All of it is on disk when this ends: the format is raised then, and until then the next start begins again.
pub(super) fn from(format: u8, tables: &Tables, disk: &File) -> Result<(), StoreError> {
    if format < 2 {
        index_sessions(tables)?;
    }
    if format < 3 {
        index_roles(tables)?;
        class_events(tables)?;
    }
    sync(tables, disk)
}

/// Format 1 had names, passwords and sessions, and no index of a person's sessions. Users stand as they are, since what
/// they have not said of themselves is in no index.
fn index_sessions(tables: &Tables) -> Result<(), StoreError> {
    let index = tables.tree(Table::UserSessions);
    index.clear().map_err(unavailable)?;
    for session in tables.tree(Table::Sessions).iter().values() {
        let session: Session = decode(&session.map_err(unavailable)?)?;
        let place = user_key(session.user, session.id.as_bytes());
        index.insert(place, b"").map_err(unavailable)?;
    }
    Ok(())
}

/// Until format 3 everybody was looked at for those of one role.
fn index_roles(tables: &Tables) -> Result<(), StoreError> {
    let index = tables.tree(Table::Roles);
    index.clear().map_err(unavailable)?;
    for user in tables.tree(Table::Users).iter().values() {
        let user: User = decode(&user.map_err(unavailable)?)?;
        let place = role_key(user.role, user.id);
        index.insert(place, b"").map_err(unavailable)?;
    }
    Ok(())
}

/// Until format 3 the index of a person's events did not say which class each is of.
fn class_events(tables: &Tables) -> Result<(), StoreError> {
    let index = tables.tree(Table::UserEvents);
    for event in tables.tree(Table::Events).iter().values() {
        let event: Event = decode(&event.map_err(unavailable)?)?;
        let place = user_key(event.user, event.id.as_bytes());
        let class = [event.what.class().number()];
        index.insert(place, &class).map_err(unavailable)?;
    }
    Ok(())
}

/// Waits until what was written is on disk.
pub(super) fn sync(tables: &Tables, disk: &File) -> Result<(), StoreError> {
    tables.db.flush().map_err(unavailable)?;
    let synced: io::Result<()> = disk.sync_data();
    synced.map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests;
