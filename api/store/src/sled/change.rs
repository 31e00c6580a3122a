//! Changes of the trees. `apply` makes them.

use sled::IVec;

use super::tables::Table;

/// A change of one record.
pub(super) enum Change<'a> {
    /// Writes `new` if the value is still `old`. Only another writing thread could have changed it.
    Swap {
        table: Table,
        key: &'a [u8],
        old: Option<IVec>,
        new: &'a [u8],
    },
    /// Writes `value`, whatever the value is.
    Put {
        table: Table,
        key: &'a [u8],
        value: &'a [u8],
    },
    /// Removes the record.
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

    /// The value after the change.
    pub(super) const fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Swap { new, .. } => Some(new),
            Self::Put { value, .. } => Some(value),
            Self::Remove { .. } => None,
        }
    }
}

/// A list of changes. For the same key, the last change counts.
#[derive(Default)]
pub(super) struct Batch(pub(super) Vec<(Table, IVec, Option<IVec>)>);

impl Batch {
    pub(super) fn put(&mut self, table: Table, key: impl Into<IVec>, value: impl Into<IVec>) {
        self.0.push((table, key.into(), Some(value.into())));
    }

    pub(super) fn remove(&mut self, table: Table, key: impl Into<IVec>) {
        self.0.push((table, key.into(), None));
    }
}
