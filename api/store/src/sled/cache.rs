//! Decoded records in memory: a session and a user are read by every request.
//!
//! A reader must never get what sled would no longer give. So the writing thread takes the records that it is about to
//! change out of the cache first, and while it changes them, and if it has changed any since a reader began, what that
//! reader found is not kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::unsync::Cache;

use crate::StoreError;

/// Parts with a lock each, so that readers seldom meet. A power of two.
const SHARDS: usize = 16;

/// The key of a record: an id.
type Key = [u8; 16];

pub(super) struct RecordCache<T> {
    shards: [Mutex<Shard<T>>; SHARDS],
}

struct Shard<T> {
    records: Cache<Key, Arc<T>>,
    /// How many records the writing thread is changing.
    changing: usize,
    /// How many changes have begun or ended.
    version: u64,
}

impl<T> RecordCache<T> {
    /// For at most `capacity` records.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| {
                Mutex::new(Shard {
                    records: Cache::new(capacity / SHARDS),
                    changing: 0,
                    version: 0,
                })
            }),
        }
    }

    /// The record, from memory or by `read`.
    pub(super) fn get(
        &self,
        key: &Key,
        read: impl FnOnce() -> Result<Option<T>, StoreError>,
    ) -> Result<Option<Arc<T>>, StoreError> {
        let version = {
            let shard = self.shard(key);
            if let Some(record) = shard.records.get(key) {
                return Ok(Some(Arc::clone(record)));
            }
            shard.version
        };
        let Some(record) = read()?.map(Arc::new) else {
            return Ok(None);
        };
        let mut shard = self.shard(key);
        if shard.changing == 0 && shard.version == version {
            shard.records.insert(*key, Arc::clone(&record));
        }
        Ok(Some(record))
    }

    /// The writing thread changes these records for as long as the result lives.
    pub(super) fn changing<'a>(&'a self, keys: impl Iterator<Item = &'a [u8]>) -> Changing<'a, T> {
        let keys: Vec<Key> = keys.filter_map(|key| key.try_into().ok()).collect();
        for key in &keys {
            let mut shard = self.shard(key);
            shard.records.remove(key);
            shard.changing += 1;
            shard.version += 1;
        }
        Changing { cache: self, keys }
    }

    /// The last bytes of an id are random.
    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard<T>> {
        let shard = &self.shards[usize::from(key[15]) % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that goes on.
#[must_use]
pub(super) struct Changing<'a, T> {
    cache: &'a RecordCache<T>,
    keys: Vec<Key>,
}

impl<T> Drop for Changing<'_, T> {
    fn drop(&mut self) {
        for key in &self.keys {
            let mut shard = self.cache.shard(key);
            shard.changing -= 1;
            shard.version += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RecordCache;
    use crate::StoreError;

    const KEY: &[u8; 16] = b"0123456789abcdef";

    /// What a read of the cache gives, and whether it had to ask.
    fn get(cache: &RecordCache<u32>, stored: u32) -> (u32, bool) {
        let mut asked = false;
        let found = cache.get(KEY, || {
            asked = true;
            Ok(Some(stored))
        });
        (*found.expect("read").expect("there"), asked)
    }

    #[test]
    fn a_record_is_read_once_until_it_changes() {
        let cache = RecordCache::new(64);
        assert_eq!(get(&cache, 1), (1, true));
        assert_eq!(get(&cache, 1), (1, false));
        drop(cache.changing([&KEY[..]].into_iter()));
        assert_eq!(get(&cache, 2), (2, true));
        assert_eq!(get(&cache, 2), (2, false));
    }

    #[test]
    fn what_is_read_while_it_changes_is_not_kept() {
        let cache = RecordCache::new(64);
        let changing = cache.changing([&KEY[..]].into_iter());
        assert_eq!(get(&cache, 1), (1, true));
        drop(changing);
        assert_eq!(get(&cache, 2), (2, true));
    }

    #[test]
    fn what_was_read_before_a_change_that_overtook_the_reader_is_not_kept() {
        let cache = RecordCache::new(64);
        let slow = cache.get(KEY, || {
            drop(cache.changing([&KEY[..]].into_iter()));
            Ok(Some(1))
        });
        assert_eq!(slow.expect("read").as_deref(), Some(&1));
        assert_eq!(get(&cache, 2), (2, true));
        // Also if the change goes on when the reader is done.
        drop(cache.changing([&KEY[..]].into_iter()));
        let mut changing = None;
        let slow = cache.get(KEY, || {
            changing = Some(cache.changing([&KEY[..]].into_iter()));
            Ok(Some(2))
        });
        assert_eq!(slow.expect("read").as_deref(), Some(&2));
        drop(changing);
        assert_eq!(get(&cache, 3), (3, true));
    }

    #[test]
    fn neither_an_absent_record_nor_a_failure_is_kept_and_the_number_is_bounded() {
        let cache = RecordCache::new(64);
        assert_eq!(cache.get(KEY, || Ok(None)).expect("read"), None);
        let failed = cache.get(KEY, || Err(StoreError::Busy));
        assert!(failed.is_err());
        assert_eq!(get(&cache, 1), (1, true));
        for number in 0..10_000_u128 {
            let kept = cache.get(&number.to_be_bytes(), || Ok(Some(0)));
            assert!(kept.expect("read").is_some());
        }
        let kept: usize = cache
            .shards
            .iter()
            .map(|shard| shard.lock().expect("a lock").records.len())
            .sum();
        assert!(kept <= 64, "{kept}");
    }
}
