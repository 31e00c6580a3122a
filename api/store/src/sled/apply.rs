//! All changes of the trees go through here, so that snapshots can save old values (see `snapshot`). A single record is
//! changed directly, several in one transaction.
//!
//! All writes run on the one writing thread (see `writer`), so that what they have read stays true. A transaction
//! flushes sled's write buffer twice, which takes longer than everything else together, and all readers wait meanwhile;
//! a change of a single record does neither. The closure of a transaction may run several times and holds a lock of the
//! whole process. So it only applies the changes, and only uses its own handles of the trees: `tree.get()` inside it
//! deadlocks.

use std::convert::Infallible;

use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional as _};

use super::change::{Batch, Change};
use super::opened::Tables;
use super::trees::{Tree, unavailable};
use crate::StoreError;

impl Batch {
    /// Like [`Tables::apply`].
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
    /// Makes all changes or none. Only call it on the writing thread.
    pub(super) fn apply(&self, changes: &[Change<'_>]) -> Result<(), StoreError> {
        self.snapshot.keep(&self.trees, changes)?;
        let keys_in = |tree| {
            let changes = changes.iter().filter(move |change| change.tree() == tree);
            changes.map(Change::key)
        };
        let _changing = self
            .sessions
            .changing(keys_in(Tree::Sessions), keys_in(Tree::Users));
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
