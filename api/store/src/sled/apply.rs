//! The one way by which anything in the trees changes, so that a picture of an earlier moment can be kept
//! (see `picture`). One record changes by itself; several change in one transaction.
//!
//! Everything that writes runs on the one writing thread (see `writer`), so that what it has read stays
//! true until it is here. A transaction rolls sled's write buffer twice, which takes longer than everything
//! else together, and keeps every reader waiting meanwhile; a change of one record does neither. A
//! transaction's closure may run more than once and holds a lock of the whole process: it does nothing but
//! apply, and reaches the trees only through its own handles, since `tree.get()` inside deadlocks.

use std::convert::Infallible;

use sled::Tree;
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};

use super::change::{Batch, Change};
use super::opened::Tables;
use super::tables::{Table, unavailable};
use crate::StoreError;

impl Batch {
    /// As [`Tables::apply`].
    pub(super) fn apply(&self, tables: &Tables) -> Result<(), StoreError> {
        let changes = self.0.iter().map(|(table, key, value)| {
            let table = *table;
            match value {
                Some(value) => Change::Put { table, key, value },
                None => Change::Remove { table, key },
            }
        });
        tables.apply(&changes.collect::<Vec<_>>())
    }
}

impl Tables {
    /// Makes all of the changes, or none. On the writing thread only.
    pub(super) fn apply(&self, changes: &[Change<'_>]) -> Result<(), StoreError> {
        self.picture.keep(&self.trees, changes)?;
        match changes {
            [] => Ok(()),
            [one] => self.apply_one(one),
            several => self.apply_together(several),
        }
    }

    fn apply_one(&self, change: &Change<'_>) -> Result<(), StoreError> {
        let tree = self.tree(change.table());
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
        let mut tables: Vec<Table> = changes.iter().map(Change::table).collect();
        tables.sort_unstable();
        tables.dedup();
        let trees: Vec<&Tree> = tables.iter().map(|table| self.tree(*table)).collect();
        let _gate = self.between_flushes();
        let applied = trees.as_slice().transaction(|views| {
            for change in changes {
                let Ok(at) = tables.binary_search(&change.table()) else {
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
