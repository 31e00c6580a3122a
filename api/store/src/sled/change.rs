//! Changes of what stands in the trees, one or several; how they are made is `apply`'s.

use sled::IVec;

use super::trees::Tree;

/// A change of one record.
pub(super) enum Change<'a> {
    /// Writes `new` if `old` still stands there, which nothing but another writing thread could change.
    Swap {
        tree: Tree,
        key: &'a [u8],
        old: Option<IVec>,
        new: &'a [u8],
    },
    /// Writes `value`, whatever stands there.
    Put {
        tree: Tree,
        key: &'a [u8],
        value: &'a [u8],
    },
    /// Removes what stands there.
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

    /// What stands there afterwards.
    pub(super) const fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Swap { new, .. } => Some(new),
            Self::Put { value, .. } => Some(value),
            Self::Remove { .. } => None,
        }
    }
}

/// Changes that are gathered one after the other; at one place, the last one holds.
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
