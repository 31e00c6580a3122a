//! Removes attempt counters and remembered networks that have run out.

use std::sync::{Mutex, PoisonError};

use password_auth_model::Timestamp;
use sled::IVec;

use super::super::SledStore;
use super::super::change::Batch;
use super::super::opened::Tables;
use super::super::trees::{Tree, read_moment, unavailable};
use crate::StoreError;

/// Attempt counters that one step reads.
const ATTEMPTS: usize = 512;
/// Attempt counters that a sweep reads, at least.
const LOOK: usize = 8 * ATTEMPTS;
/// A sweep goes on as long as it removes at least this fraction of what it reads.
const WORTHWHILE: usize = 8;

/// The key at which the next sweep begins. After a start, the first key.
#[derive(Default)]
pub(in crate::sled) struct SweptTo(Mutex<IVec>);

impl SweptTo {
    fn get(&self) -> IVec {
        let key = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        key.clone()
    }

    fn set(&self, key: IVec) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

/// There is no index by expiry: it would cost two more writes per attempt, since each attempt moves the expiry. So the
/// tree is read key by key. A large tree consists mostly of networks, which stay for a month; reading all of it each
/// time would displace everything else in the cache. So a sweep begins where the last one stopped, and stops once it
/// removes little. Keys are digests, so every part of the tree is like the whole.
pub(super) async fn sweep_all(store: &SledStore, now: Timestamp) -> Result<usize, StoreError> {
    let begun = store.swept_to.get();
    let mut from = begun.clone();
    let (mut removed, mut looked_at, mut from_the_front) = (0, 0, begun.is_empty());
    loop {
        let start = from.clone();
        let step = store
            .relaxed(move |tables| sweep_some(tables, &start, now))
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

/// The result of a step.
struct Step {
    removed: usize,
    looked_at: usize,
    /// Where the next step begins. `None` at the end.
    next: Option<IVec>,
}

/// Sweeps some counters from `start` on.
fn sweep_some(tables: &Tables, start: &IVec, now: Timestamp) -> Result<Step, StoreError> {
    let (mut removed, mut looked_at) = (0, 0);
    for entry in tables
        .tree(Tree::Attempts)
        .range::<&[u8], _>(start.as_ref()..)
    {
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
            let mut batch = Batch::default();
            batch.remove(Tree::Attempts, &key);
            batch.apply(tables)?;
            removed += 1;
        }
    }
    Ok(Step {
        removed,
        looked_at,
        next: None,
    })
}
