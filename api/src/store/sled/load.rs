//! Filling an empty store with a dump's records. Too many for one transaction: while it is under way, a mark
//! stands in place of the format, so that a folder with half of them is not served (see `open`).

use futures_util::StreamExt as _;

use super::SledStore;
use super::codec::encode;
use super::open;
use super::tables::{Table, Tables, expiry_key, unavailable};
use super::transactions::moment;
use crate::store::{LoadError, Loaded, Record, Records, StoreError};

/// Records that one step removes.
const STEP: usize = 4096;

pub(super) async fn load(store: &SledStore, records: Records) -> Result<Loaded, LoadError> {
    if !store.durable(begin).await? {
        return Err(LoadError::NotEmpty);
    }
    match fill(store, records).await {
        Ok(loaded) => {
            store.durable(open::set_format).await?;
            Ok(loaded)
        }
        Err(error) => {
            // If it can not be emptied, the mark stays, and says so at the next start.
            if let Err(undo) = empty(store).await {
                tracing::warn!(%undo, "what was loaded could not be removed again");
            }
            Err(error)
        }
    }
}

/// Sets the mark, if nothing is there.
fn begin(tables: &Tables) -> Result<bool, StoreError> {
    if Table::ALL
        .iter()
        .any(|table| !tables.tree(*table).is_empty())
    {
        return Ok(false);
    }
    open::set_restoring(tables)?;
    Ok(true)
}

async fn fill(store: &SledStore, mut records: Records) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    while let Some(batch) = records.next().await {
        let batch = batch.map_err(LoadError::Records)?;
        batch.iter().for_each(|record| loaded.count(record));
        // Each batch is flushed: what waits for a flush stays in memory.
        store
            .durable(move |tables| Ok(batch.iter().try_for_each(|record| add(tables, record))))
            .await??;
    }
    Ok(loaded)
}

fn add(tables: &Tables, record: &Record) -> Result<(), LoadError> {
    match record {
        Record::User(user) => {
            let id = user.id.as_bytes();
            let name = user.username_key.as_str();
            let namesake = insert(tables, Table::Usernames, name.as_bytes(), id)?;
            let same = insert(tables, Table::Users, id, &encode(user)?)?;
            alone(!namesake && !same, || {
                format!("user {} is there twice", user.id)
            })
        }
        Record::Session(session) => {
            let user = tables.users.contains_key(session.user.as_bytes());
            alone(user.map_err(unavailable)?, || {
                format!("session {} belongs to nobody", session.id)
            })?;
            let id = session.id.as_bytes();
            let same = insert(tables, Table::Sessions, id, &encode(session)?)?;
            let place = expiry_key(session.expires, session.id);
            insert(tables, Table::SessionExpiry, &place, b"")?;
            alone(!same, || format!("session {} is there twice", session.id))
        }
        Record::Attempt { key, until } => {
            let same = insert(tables, Table::Attempts, key, &moment(*until))?;
            alone(!same, || "a count of tries is there twice".to_owned())
        }
    }
}

/// Whether something stood there. Past `Tables::apply`: nobody takes a picture of half a store.
fn insert(tables: &Tables, table: Table, key: &[u8], value: &[u8]) -> Result<bool, StoreError> {
    let before = tables.tree(table).insert(key, value);
    before.map(|before| before.is_some()).map_err(unavailable)
}

fn alone(fits: bool, sentence: impl FnOnce() -> String) -> Result<(), LoadError> {
    if fits {
        Ok(())
    } else {
        Err(LoadError::Contradiction(sentence()))
    }
}

/// Removes everything, and then the mark.
async fn empty(store: &SledStore) -> Result<(), StoreError> {
    for table in Table::ALL {
        let step = move |tables: &Tables| {
            let tree = tables.tree(table);
            let mut removed = 0;
            for key in tree.iter().keys().take(STEP) {
                tree.remove(key.map_err(unavailable)?)
                    .map_err(unavailable)?;
                removed += 1;
            }
            Ok(removed)
        };
        while store.durable(step).await? > 0 {}
    }
    store.durable(open::set_format).await
}
