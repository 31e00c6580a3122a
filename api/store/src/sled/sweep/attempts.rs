//! Removing counts of tries that are paid off, and networks that are remembered no longer.

use std::sync::{Mutex, PoisonError};

use password_auth_model::Timestamp;
use sled::IVec;

use super::super::SledStore;
use super::super::change::Batch;
use super::super::opened::Tables;
use super::super::trees::{Tree, read_moment, unavailable};
use crate::StoreError;

/// Counts of tries that one step looks at.
const ATTEMPTS: usize = 512;
/// Counts that a sweep looks at, at least.
const LOOK: usize = 8 * ATTEMPTS;
/// A sweep goes on as long as so large a part of what it looks at goes.
const WORTHWHILE: usize = 8;

/// Up to which key the counts of tries were looked at. The front, after a start.
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

/// A count's end moves with every try, and an index would cost each try two more writes: so they are looked at one
/// after the other. Most of a large tree is networks that stay for a month, and to read all of them each time would
/// also take everything else out of the cache: a sweep goes on where the last one stopped, and stops once little
/// goes. Keys are digests, so that any part of the tree is like the whole.
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

/// What a step did.
struct Step {
    removed: usize,
    looked_at: usize,
    /// Where the next one begins; `None` at the end.
    next: Option<IVec>,
}

/// Some counts from `start` on.
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
