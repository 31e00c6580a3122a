//! Removing what has expired, in steps small enough that nobody waits long for one. Each step looks and
//! removes on the writing thread, so that nothing changes in between.

use sled::IVec;

use super::SledStore;
use super::change::Change;
use super::tables::{Table, Tables, unavailable};
use super::transactions::{read_moment, remove_sessions};
use crate::clock::Timestamp;
use crate::sessions::KEPT_AFTER_EXPIRY;
use crate::store::StoreError;

/// Sessions that one step removes.
const SESSIONS: usize = 64;
/// Counts of tries that one step looks at.
const ATTEMPTS: usize = 512;

pub(super) async fn sweep(store: &SledStore, now: Timestamp) -> Result<usize, StoreError> {
    let mut removed = 0;
    // `minus` stops at the epoch, and nothing expired before it.
    while now.since(Timestamp::from_millis(0)) >= KEPT_AFTER_EXPIRY {
        let before = now.minus(KEPT_AFTER_EXPIRY);
        let step = store
            .relaxed(move |tables| sweep_sessions(tables, before))
            .await?;
        removed += step;
        if step == 0 {
            break;
        }
    }
    // The whole tree, since a count's end moves with every try; an index would cost each try two more
    // writes.
    let mut from = Some(IVec::default());
    while let Some(start) = from {
        let (step, next) = store
            .relaxed(move |tables| sweep_attempts(tables, &start, now))
            .await?;
        removed += step;
        from = next;
    }
    Ok(removed)
}

/// The front of the index, up to sessions that expired at `before`; how many went.
fn sweep_sessions(tables: &Tables, before: Timestamp) -> Result<usize, StoreError> {
    let end = (before.as_millis() + 1).to_be_bytes();
    let mut keys = Vec::with_capacity(SESSIONS);
    for key in tables
        .session_expiry
        .range(..&end[..])
        .keys()
        .take(SESSIONS)
    {
        let key = key.map_err(unavailable)?;
        let key = key.as_ref().try_into();
        keys.push(key.map_err(|_| StoreError::Corrupt("a key of session_expiry".to_owned()))?);
    }
    if !keys.is_empty() {
        remove_sessions(tables, &keys)?;
    }
    Ok(keys.len())
}

/// Some counts from `start` on: how many went, and where the next step begins.
fn sweep_attempts(
    tables: &Tables,
    start: &IVec,
    now: Timestamp,
) -> Result<(usize, Option<IVec>), StoreError> {
    let mut removed = 0;
    for (looked_at, entry) in tables
        .attempts
        .range::<&[u8], _>(start.as_ref()..)
        .enumerate()
    {
        let (key, value) = entry.map_err(unavailable)?;
        if looked_at == ATTEMPTS {
            return Ok((removed, Some(key)));
        }
        if read_moment(&value).is_none_or(|moment| moment <= now) {
            let (table, key) = (Table::Attempts, key.as_ref());
            tables.apply(&[Change::Remove { table, key }])?;
            removed += 1;
        }
    }
    Ok((removed, None))
}
