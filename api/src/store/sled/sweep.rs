//! Removing what has expired, in steps small enough that nobody waits long for one. Each step looks and
//! removes on the writing thread, so that nothing changes in between.

use std::sync::{Mutex, PoisonError};

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
/// Counts that a sweep looks at, at least.
const LOOK: usize = 8 * ATTEMPTS;
/// A sweep goes on as long as so large a part of what it looks at goes.
const WORTHWHILE: usize = 8;

/// Up to which key the counts of tries were looked at. The front, after a start.
#[derive(Default)]
pub(super) struct SweptTo(Mutex<IVec>);

impl SweptTo {
    fn get(&self) -> IVec {
        let key = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        key.clone()
    }

    fn set(&self, key: IVec) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

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
    Ok(removed + sweep_all_attempts(store, now).await?)
}

/// A count's end moves with every try, and an index would cost each try two more writes: so they are looked at one
/// after the other. Most of a large tree is networks that stay for a month, and to read all of them each time would
/// also take everything else out of the cache: a sweep goes on where the last one stopped, and stops once little
/// goes. Keys are digests, so that any part of the tree is like the whole.
async fn sweep_all_attempts(store: &SledStore, now: Timestamp) -> Result<usize, StoreError> {
    let begun = store.swept_to.get();
    let mut from = begun.clone();
    let (mut removed, mut looked_at, mut from_the_front) = (0, 0, begun.is_empty());
    loop {
        let start = from.clone();
        let step = store
            .relaxed(move |tables| sweep_attempts(tables, &start, now))
            .await?;
        removed += step.removed;
        looked_at += step.looked_at;
        let all = match &step.next {
            None => std::mem::replace(&mut from_the_front, true),
            Some(next) => from_the_front && *next >= begun && !begun.is_empty(),
        };
        from = step.next.unwrap_or_default();
        store.swept_to.set(from.clone());
        let little = step.removed * WORTHWHILE < step.looked_at;
        if all || (looked_at >= LOOK && little) {
            return Ok(removed);
        }
    }
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

/// What a step did.
struct Step {
    removed: usize,
    looked_at: usize,
    /// Where the next one begins; `None` at the end.
    next: Option<IVec>,
}

/// Some counts from `start` on.
fn sweep_attempts(tables: &Tables, start: &IVec, now: Timestamp) -> Result<Step, StoreError> {
    let (mut removed, mut looked_at) = (0, 0);
    for entry in tables.attempts.range::<&[u8], _>(start.as_ref()..) {
        let (key, value) = entry.map_err(unavailable)?;
        if looked_at == ATTEMPTS {
            return Ok(Step {
                removed,
                looked_at,
                next: Some(key),
            });
        }
        looked_at += 1;
        if read_moment(&value).is_none_or(|moment| moment <= now) {
            let (table, key) = (Table::Attempts, key.as_ref());
            tables.apply(&[Change::Remove { table, key }])?;
            removed += 1;
        }
    }
    Ok(Step {
        removed,
        looked_at,
        next: None,
    })
}
