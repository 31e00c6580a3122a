//! The one way by which anything in the trees changes, so that a snapshot of an earlier moment can be kept
//! (see `snapshot`). One record changes by itself; several change in one transaction.
//!
//! Everything that writes runs on the one writing thread (see `writer`), so that what it has read stays
//! true until it is here. A transaction rolls sled's write buffer twice, which takes longer than everything
//! else together, and keeps every reader waiting meanwhile; a change of one record does neither. A
//! transaction's closure may run more than once and holds a lock of the whole process: it does nothing but
//! apply, and reaches the trees only through its own handles, since `tree.get()` inside deadlocks.

use std::convert::Infallible;

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};

use super::change::{Batch, Change};
use super::opened::Tables;
use super::trees::{Tree, unavailable};
use crate::StoreError;

impl Batch {
    /// As [`Trees::apply`].
    pub(super) fn apply(&self, tables: &Tables) -> Result<(), StoreError> {
        let changes = self.0.iter().map(|(tree, key, value)| {
            let tree = *tree;
            match value {
                Some(value) => Change::Put { tree, key, value },
                None => Change::Remove { tree, key },
            }
        });
        tables.apply(&changes.collect::<Vec<_>>())
    }
}

impl Tables {
    /// Makes all of the changes, or none. On the writing thread only.
    pub(super) fn apply(&self, changes: &[Change<'_>]) -> Result<(), StoreError> {
        self.snapshot.keep(&self.trees, changes)?;
        match changes {
            [] => Ok(()),
            [one] => self.apply_one(one),
            several => self.apply_together(several),
        }
    }

    fn apply_one(&self, change: &Change<'_>) -> Result<(), StoreError> {
        let tree = self.tree(change.tree());
        match change {
            Change::Swap { key, old, new, .. } => tree
                .compare_and_swap(key, old.as_ref(), Some(*new))
                .map_err(unavailable)?
                .map_err(|_| StoreError::Busy),
            Change::Put { key, value, .. } => {
                tree.insert(key, *value).map(|_| ()).map_err(unavailable)
            }
            Change::Remove { key, .. } => tree.remove(key).map(|_| ()).map_err(unavailable),
        }
    }

    fn apply_together(&self, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let mut changed: Vec<Tree> = changes.iter().map(Change::tree).collect();
        changed.sort_unstable();
        changed.dedup();
        let trees: Vec<&sled::Tree> = changed.iter().map(|tree| self.tree(*tree)).collect();
        let _gate = self.between_flushes();
        let applied = trees.as_slice().transaction(|views| {
            for change in changes {
                let Ok(at) = changed.binary_search(&change.tree()) else {
                    continue;
                };
                match change.value() {
                    Some(value) => views[at].insert(change.key(), value)?,
                    None => views[at].remove(change.key())?,
                };
            }
            Ok::<(), ConflictableTransactionError<Infallible>>(())
        });
        applied.map_err(|error| match error {
            TransactionError::Storage(error) => unavailable(error),
            TransactionError::Abort(never) => match never {},
        })
    }
}
