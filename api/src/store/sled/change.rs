//! The one way by which anything in the trees changes, so that a picture of an earlier moment can be kept
//! (see `picture`). One record changes by itself; several change in one transaction.
//!
//! Everything that writes runs on the one writing thread (see `writer`), so that what it has read stays
//! true until it is here. A transaction rolls sled's write buffer twice, which takes longer than everything
//! else together, and keeps every reader waiting meanwhile; a change of one record does neither. A
//! transaction's closure may run more than once and holds a lock of the whole process: it does nothing but
//! apply, and reaches the trees only through its own handles, since `tree.get()` inside deadlocks.

use std::convert::Infallible;

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};
use sled::{IVec, Tree};

use super::tables::{Table, Tables, unavailable};
use crate::store::StoreError;

/// A change of one record.
pub(super) enum Change<'a> {
    /// Writes `new` if `old` still stands there, which nothing but another writing thread could change.
    Swap {
        table: Table,
        key: &'a [u8],
        old: Option<IVec>,
        new: &'a [u8],
    },
    /// Writes `value`, whatever stands there.
    Put {
        table: Table,
        key: &'a [u8],
        value: &'a [u8],
    },
    /// Removes what stands there.
    Remove { table: Table, key: &'a [u8] },
}

impl Change<'_> {
    pub(super) const fn table(&self) -> Table {
        match self {
            Self::Swap { table, .. } | Self::Put { table, .. } | Self::Remove { table, .. } => {
                *table
            }
        }
    }

    pub(super) const fn key(&self) -> &[u8] {
        match self {
            Self::Swap { key, .. } | Self::Put { key, .. } | Self::Remove { key, .. } => key,
        }
    }

    /// What stands there afterwards.
    const fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Swap { new, .. } => Some(new),
            Self::Put { value, .. } => Some(value),
            Self::Remove { .. } => None,
        }
    }
}

/// Changes that are gathered one after the other; at one place, the last one holds.
#[derive(Default)]
pub(super) struct Batch(Vec<(Table, IVec, Option<IVec>)>);

impl Batch {
    pub(super) fn put(&mut self, table: Table, key: impl Into<IVec>, value: impl Into<IVec>) {
        self.0.push((table, key.into(), Some(value.into())));
    }

    pub(super) fn remove(&mut self, table: Table, key: impl Into<IVec>) {
        self.0.push((table, key.into(), None));
    }

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
        self.picture.keep(self, changes)?;
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
