//! Removing what has expired, in steps small enough that nobody waits for one.

use super::SledStore;
use super::tables::unavailable;
use super::transactions::{read_moment, remove_expired, remove_paid_off};
use crate::clock::Timestamp;
use crate::sessions::KEPT_AFTER_EXPIRY;
use crate::store::StoreError;

/// Records that one transaction removes.
const STEP: usize = 64;

pub(super) async fn sweep(store: &SledStore, now: Timestamp) -> Result<usize, StoreError> {
    let sessions = sweep_sessions(store, now.minus(KEPT_AFTER_EXPIRY)).await?;
    Ok(sessions + sweep_attempts(store, now).await?)
}

/// Walks the index from the front, up to sessions that expired at `before`. The iterator is no snapshot:
/// each transaction looks again.
async fn sweep_sessions(store: &SledStore, before: Timestamp) -> Result<usize, StoreError> {
    let end = before
        .plus(std::time::Duration::from_millis(1))
        .as_millis()
        .to_be_bytes();
    let mut removed = 0;
    loop {
        let keys = store
            .tables
            .session_expiry
            .range(..&end[..])
            .keys()
            .take(STEP)
            .map(|key| key.map_err(unavailable))
            .collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<[u8; 24]> = keys
            .iter()
            .filter_map(|key| key.as_ref().try_into().ok())
            .collect();
        if keys.is_empty() {
            return Ok(removed);
        }
        removed += keys.len();
        store
            .relaxed(move |tables| remove_expired(tables, &keys, before))
            .await?;
    }
}

/// Walks the whole tree, since a count's end moves with every try; an index would cost each try two more
/// writes. Only accounts that somebody tried in the last minutes are in it.
async fn sweep_attempts(store: &SledStore, now: Timestamp) -> Result<usize, StoreError> {
    let mut removed = 0;
    let mut step = Vec::with_capacity(STEP);
    for entry in &store.tables.attempts {
        let (key, value) = entry.map_err(unavailable)?;
        if read_moment(&value).is_none_or(|moment| moment <= now) {
            step.push(key);
        }
        if step.len() == STEP {
            removed += remove_step(store, std::mem::take(&mut step), now).await?;
        }
    }
    if !step.is_empty() {
        removed += remove_step(store, step, now).await?;
    }
    Ok(removed)
}

async fn remove_step(
    store: &SledStore,
    keys: Vec<sled::IVec>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    store
        .relaxed(move |tables| remove_paid_off(tables, &keys, now))
        .await
}
