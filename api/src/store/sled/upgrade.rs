//! A folder of an older format, brought to today's.

use std::fs::File;
use std::io;

use super::codec::decode;
use super::open;
use super::tables::{Table, Tables, unavailable, user_key};
use crate::sessions::Session;
use crate::store::StoreError;

/// From format 1, which had names, passwords and sessions: the index of a person's sessions. Users stand as they
/// are, since what they have not said of themselves is in no index. From format 2: nothing, but that older versions
/// cannot read the records of this one. The format is raised once all that is on disk; until then the next start begins
/// again.
pub(super) fn from_format(format: u8, tables: &Tables, disk: &File) -> Result<(), StoreError> {
    if format < 2 {
        index_sessions(tables)?;
    }
    sync(tables, disk)?;
    open::set_format(tables)?;
    sync(tables, disk)?;
    tracing::info!(
        "the data folder was brought up to date; an older version can not use it any more"
    );
    Ok(())
}

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

fn sync(tables: &Tables, disk: &File) -> Result<(), StoreError> {
    tables.db.flush().map_err(unavailable)?;
    let synced: io::Result<()> = disk.sync_data();
    synced.map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests;
