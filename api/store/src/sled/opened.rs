//! What an open folder holds: its trees, the snapshot that is being read, the lock.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sled::{Db, IVec};

use super::cache::SessionCache;
use super::codec::{Stored, decode};
use super::snapshot::SnapshotSlot;
use super::trees::{Tree, Trees, unavailable};
use crate::StoreError;

pub(super) struct Tables {
    pub(super) db: Db,
    pub(super) trees: Trees,
    /// The snapshot that a dump reads, if there is one.
    pub(super) snapshot: Arc<SnapshotSlot>,
    /// For [`identity`](Self::identity), and whose session the writing thread changes. What else reads does so seldom.
    pub(super) sessions: SessionCache,
    /// Held while sled flushes and while a transaction runs. Sled's own lock is fair: if a transaction waits on it for
    /// a flush, all later readers wait too, and readers run inline.
    flushing: Mutex<()>,
    /// Held as long as the trees: the folder belongs to this process.
    _lock: FolderLock,
}

/// The lock of the data folder: as long as it lives, the folder belongs to this process.
pub(super) struct FolderLock(pub(super) File);

impl Drop for FolderLock {
    /// Not left to the closing of the file: a program that is just being started has it open, too, until it runs.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Tables {
    /// With at most this many bytes of sessions in memory.
    pub(super) fn open(db: Db, lock: FolderLock, sessions: u64) -> sled::Result<Self> {
        Ok(Self {
            trees: Trees::open(&db)?,
            db,
            sessions: SessionCache::new(sessions),
            snapshot: Arc::default(),
            flushing: Mutex::new(()),
            _lock: lock,
        })
    }

    pub(super) fn tree(&self, tree: Tree) -> &sled::Tree {
        self.trees.of(tree)
    }

    /// Waits until no flush or transaction is running.
    pub(super) fn between_flushes(&self) -> MutexGuard<'_, ()> {
        self.flushing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bytes(&self, tree: Tree, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.tree(tree).get(key).map_err(unavailable)
    }

    pub(super) fn contains(&self, tree: Tree, key: &[u8]) -> Result<bool, StoreError> {
        self.tree(tree).contains_key(key).map_err(unavailable)
    }

    /// A record.
    pub(super) fn record<T: Stored>(
        &self,
        tree: Tree,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        Ok(self.look_up(tree, key)?.map(|(_, record)| record))
    }

    /// A record, and its bytes for a [`Swap`](super::change::Change::Swap).
    pub(super) fn look_up<T: Stored>(
        &self,
        tree: Tree,
        key: &[u8],
    ) -> Result<Option<(IVec, T)>, StoreError> {
        let bytes = self.bytes(tree, key)?;
        bytes
            .map(|bytes| decode(&bytes).map(|record| (bytes, record)))
            .transpose()
    }

    /// What follows `prefix` in the keys of an index, in order.
    pub(super) fn suffixes<const N: usize>(
        &self,
        tree: Tree,
        prefix: &[u8],
    ) -> impl DoubleEndedIterator<Item = Result<[u8; N], StoreError>> + use<N> {
        let length = prefix.len();
        let keys = self.tree(tree).scan_prefix(prefix).keys();
        keys.filter_map(move |key| match key {
            Ok(key) => <[u8; N]>::try_from(&key[length..]).ok().map(Ok),
            Err(error) => Some(Err(unavailable(error))),
        })
    }
}
