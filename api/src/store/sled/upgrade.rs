//! A folder of an older format, brought to today's.

use std::fs::File;
use std::io;

use super::codec::decode;
use super::opened::Tables;
use super::tables::{Table, unavailable, user_key};
use crate::sessions::Session;
use crate::store::StoreError;

/// From format 1, which had names, passwords and sessions: the index of a person's sessions. Users stand as they
/// are, since what they have not said of themselves is in no index. All of it is on disk when this
/// ends: the format is raised then, and until then the next start begins again.
pub(super) fn from_format_1(tables: &Tables, disk: &File) -> Result<(), StoreError> {
    let index = tables.tree(Table::UserSessions);
    index.clear().map_err(unavailable)?;
    for session in tables.tree(Table::Sessions).iter().values() {
        let session: Session = decode(&session.map_err(unavailable)?)?;
        let place = user_key(session.user, session.id.as_bytes());
        index.insert(place, b"").map_err(unavailable)?;
    }
    sync(tables, disk)
}

/// Waits until what was written is on disk.
pub(super) fn sync(tables: &Tables, disk: &File) -> Result<(), StoreError> {
    tables.db.flush().map_err(unavailable)?;
    let synced: io::Result<()> = disk.sync_data();
    synced.map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests;
