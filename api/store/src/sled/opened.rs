//! What is held while a folder is open: its trees, the snapshot that is being read, the lock.

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sled::{Db, IVec};

use super::codec::{Stored, decode};
use super::snapshot::SnapshotSlot;
use super::trees::{Tree, Trees, unavailable};
use crate::StoreError;

pub(super) struct Tables {
    pub(super) db: Db,
    pub(super) trees: Trees,
    /// The snapshot that a dump reads, while there is one.
    pub(super) snapshot: Arc<SnapshotSlot>,
    /// Held while sled flushes, and while a transaction runs. sled's own lock is fair: a transaction that
    /// waits on it for a flush's end keeps every later reader waiting too, and readers are inline.
    flushing: Mutex<()>,
    /// Held as long as the trees are: the folder is this process's.
    _lock: File,
}

impl Tables {
    pub(super) fn open(db: Db, lock: File) -> sled::Result<Self> {
        Ok(Self {
            trees: Trees::open(&db)?,
            db,
            snapshot: Arc::default(),
            flushing: Mutex::new(()),
            _lock: lock,
        })
    }

    pub(super) fn tree(&self, tree: Tree) -> &sled::Tree {
        self.trees.of(tree)
    }

    /// Waits until no flush, or no transaction, is under way.
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

    /// A record, also as the bytes that a [`Swap`](super::change::Change::Swap) wants to find again.
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

    /// What stands behind `prefix` in the keys of an index, in their order.
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
