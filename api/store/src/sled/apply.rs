//! All changes of the trees go through here, so that snapshots can save old values (see `picture`). A single record is
//! changed directly, several in one transaction.
//!
//! All writes run on the one writing thread (see `writer`), so that what they have read stays true. A transaction
//! flushes sled's write buffer twice, which takes longer than everything else together, and all readers wait meanwhile;
//! a change of a single record does neither. The closure of a transaction may run several times and holds a lock of the
//! whole process. So it only applies the changes, and only uses its own handles of the trees: `tree.get()` inside it
//! deadlocks.

use std::convert::Infallible;

use sled::Tree;
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};

use super::change::{Batch, Change};
use super::opened::Tables;
use super::tables::{Table, unavailable};
use crate::StoreError;

impl Batch {
    /// Like [`Tables::apply`].
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
    /// Makes all changes or none. Only call it on the writing thread.
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
