//! Changes of the trees. `apply` makes them.

use sled::IVec;

use super::trees::Tree;

/// A change of one record.
pub(super) enum Change<'a> {
    /// Writes `new` if the value is still `old`. Only another writing thread could have changed it.
    Swap {
        tree: Tree,
        key: &'a [u8],
        old: Option<IVec>,
        new: &'a [u8],
    },
    /// Writes `value`, whatever the value is.
    Put {
        tree: Tree,
        key: &'a [u8],
        value: &'a [u8],
    },
    /// Removes the record.
    Remove { tree: Tree, key: &'a [u8] },
}

impl Change<'_> {
    pub(super) const fn tree(&self) -> Tree {
        match self {
            Self::Swap { tree, .. } | Self::Put { tree, .. } | Self::Remove { tree, .. } => *tree,
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
pub(super) struct Batch(pub(super) Vec<(Tree, IVec, Option<IVec>)>);

impl Batch {
    pub(super) fn put(&mut self, tree: Tree, key: impl Into<IVec>, value: impl Into<IVec>) {
        self.0.push((tree, key.into(), Some(value.into())));
    }

    pub(super) fn remove(&mut self, tree: Tree, key: impl Into<IVec>) {
        self.0.push((tree, key.into(), None));
    }
}
