//! A snapshot of the records at one moment, taken while they go on changing: sled's iterators are none.
//!
//! Everything changes on the writing thread and in one place (see `apply`). From the moment of the snapshot
//! on, whatever a change replaces is kept first, unless the snapshot's reader has passed it already. The
//! reader takes a step at a time, on the same thread between two writes: what stands in the trees, and in
//! place of what has changed what was kept.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sled::IVec;

use super::change::Change;
use super::trees::{Tree, Trees, unavailable};
use crate::StoreError;

/// Bytes of what was replaced that may be kept for a reader; past it he is told that he is too slow.
const MAX_KEPT: usize = 256 << 20;

/// What an entry takes beside its value: two positions' worth of key, a pointer and a length, and its share
/// of the map's nodes.
const ENTRY_BYTES: usize = 128;

/// What one step may take. Writes wait for it.
pub(super) const STEP: Step = Step {
    time: Duration::from_millis(1),
    records: 1024,
};

#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) time: Duration,
    pub(super) records: usize,
}

/// The tables that a snapshot shows, in its order; the others follow from these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Users,
    Sessions,
    Attempts,
    Tokens,
    Events,
    QueuedEmails,
}

impl Section {
    const fn of(tree: Tree) -> Option<Self> {
        match tree {
            Tree::Users => Some(Self::Users),
            Tree::Sessions => Some(Self::Sessions),
            Tree::Attempts => Some(Self::Attempts),
            Tree::Tokens => Some(Self::Tokens),
            Tree::Events => Some(Self::Events),
            Tree::QueuedEmails => Some(Self::QueuedEmails),
            Tree::Usernames
            | Tree::VerifiedEmails
            | Tree::Emails
            | Tree::EmailPasswords
            | Tree::ActiveAdmins
            | Tree::Roles
            // What a long deletion has not removed yet, events alone, is shown; events go by themselves.
            | Tree::Deletions
            | Tree::SessionExpiry
            | Tree::UserSessions
            | Tree::UserTokens
            | Tree::UserEvents
            | Tree::QueuedEmailsDue => None,
        }
    }

    const fn tree(self) -> Tree {
        match self {
            Self::Users => Tree::Users,
            Self::Sessions => Tree::Sessions,
            Self::Attempts => Tree::Attempts,
            Self::Tokens => Tree::Tokens,
            Self::Events => Tree::Events,
            Self::QueuedEmails => Tree::QueuedEmails,
        }
    }

    const fn next(self) -> Option<Self> {
        match self {
            Self::Users => Some(Self::Sessions),
            Self::Sessions => Some(Self::Attempts),
            Self::Attempts => Some(Self::Tokens),
            Self::Tokens => Some(Self::Events),
            Self::Events => Some(Self::QueuedEmails),
            Self::QueuedEmails => None,
        }
    }

    /// The length of all keys in it.
    const fn key_bytes(self) -> usize {
        match self {
            Self::Tokens => 32,
            Self::Users | Self::Sessions | Self::Attempts | Self::Events | Self::QueuedEmails => 16,
        }
    }
}

/// A key of any section; behind a shorter one stand zeros.
type Key = [u8; 32];

/// A place in the snapshot's order.
type Position = (Section, Key);

/// What a step has read.
pub(super) struct Chunk {
    pub(super) records: Vec<(Section, Box<[u8]>, IVec)>,
    /// Nothing comes after it.
    pub(super) last: bool,
}

/// Room for one snapshot.
#[derive(Default)]
pub(super) struct SnapshotSlot(Mutex<Option<Snapshot>>);

/// Whoever reads the snapshot holds it; when it goes, so does the snapshot.
pub(super) struct Reader(Arc<SnapshotSlot>);

impl Reader {
    pub(super) const fn new(slot: Arc<SnapshotSlot>) -> Self {
        Self(slot)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut slot = self.0.lock();
        if slot.as_ref().is_some_and(Snapshot::is_abandoned) {
            let snapshot = slot.take();
            drop(slot);
            drop(snapshot);
        }
    }
}

impl SnapshotSlot {
    fn lock(&self) -> MutexGuard<'_, Option<Snapshot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the snapshot: of now, on the writing thread.
    pub(super) fn take(&self, reader: Weak<Reader>) -> Result<(), StoreError> {
        let mut slot = self.lock();
        if slot.as_ref().is_some_and(|old| !old.is_abandoned()) {
            return Err(StoreError::Busy);
        }
        *slot = Some(Snapshot::new(reader, MAX_KEPT));
        Ok(())
    }

    /// To call before each change.
    pub(super) fn keep(&self, trees: &Trees, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let mut slot = self.lock();
        match &mut *slot {
            None => Ok(()),
            // Its reader went while it was being taken.
            Some(snapshot) if snapshot.is_abandoned() => {
                *slot = None;
                Ok(())
            }
            Some(snapshot) => changes
                .iter()
                .try_for_each(|change| snapshot.keep(trees, change.tree(), change.key())),
        }
    }

    /// The next part of the snapshot.
    pub(super) fn next(&self, trees: &Trees, step: Step) -> Result<Chunk, StoreError> {
        let gone = || StoreError::BrokeOff("the dump was given up".to_owned());
        self.lock().as_mut().ok_or_else(gone)?.next(trees, step)
    }
}

struct Snapshot {
    reader: Weak<Reader>,
    /// Up to here, inclusive, it has been read.
    read: Option<Position>,
    /// What stood where something has changed since, not read yet; `None` where nothing stood.
    kept: BTreeMap<Position, Option<Box<[u8]>>>,
    kept_bytes: usize,
    max_kept: usize,
}

impl Snapshot {
    const fn new(reader: Weak<Reader>, max_kept: usize) -> Self {
        Self {
            reader,
            read: None,
            kept: BTreeMap::new(),
            kept_bytes: 0,
            max_kept,
        }
    }

    fn is_abandoned(&self) -> bool {
        self.reader.strong_count() == 0
    }

    /// Whether the reader was too slow, and nothing is kept any more.
    const fn is_given_up(&self) -> bool {
        self.kept_bytes > self.max_kept
    }

    fn keep(&mut self, trees: &Trees, tree: Tree, key: &[u8]) -> Result<(), StoreError> {
        let Some(section) = Section::of(tree) else {
            return Ok(());
        };
        let position = (section, padded(section, key)?);
        if self.is_given_up() || self.read >= Some(position) || self.kept.contains_key(&position) {
            return Ok(());
        }
        let before = trees.of(tree).get(key).map_err(unavailable)?;
        // A copy: sled's own may hold on to more than the value.
        let before = before.map(|value| Box::<[u8]>::from(&*value));
        self.kept_bytes += size(before.as_deref());
        self.kept.insert(position, before);
        if self.is_given_up() {
            self.kept.clear();
        }
        Ok(())
    }

    fn next(&mut self, trees: &Trees, step: Step) -> Result<Chunk, StoreError> {
        if self.is_given_up() {
            return Err(StoreError::BrokeOff(format!(
                "the dump was read too slowly: {} MiB of changes have come meanwhile, and more are not kept for it",
                self.max_kept >> 20
            )));
        }
        let (started, mut looked_at, mut records) = (Instant::now(), 0, Vec::new());
        let mut section = self.read.map_or(Section::Users, |(section, _)| section);
        loop {
            let from = self.read.filter(|(read, _)| *read == section);
            let from = from.map_or(Bound::Unbounded, |(_, key)| {
                Bound::Excluded(trimmed(section, key))
            });
            let mut current = trees
                .of(section.tree())
                .range((from, Bound::Unbounded))
                .peekable();
            while let Some((key, value)) = self.step(section, &mut current)? {
                self.read = Some((section, key));
                if let Some(value) = value {
                    records.push((section, trimmed(section, key), value));
                }
                looked_at += 1;
                if looked_at >= step.records || started.elapsed() >= step.time {
                    let last = false;
                    return Ok(Chunk { records, last });
                }
            }
            // The whole section, whatever is added to it now.
            self.read = Some((section, [u8::MAX; 32]));
            match section.next() {
                Some(next) => section = next,
                None => {
                    let last = true;
                    return Ok(Chunk { records, last });
                }
            }
        }
    }

    /// The lesser of what comes next in the tree and what was kept; at one place, what was kept.
    fn step(
        &mut self,
        section: Section,
        current: &mut Peekable<sled::Iter>,
    ) -> Result<Option<(Key, Option<IVec>)>, StoreError> {
        let in_tree = match current.peek() {
            Some(Ok((key, _))) => Some(padded(section, key)?),
            Some(Err(error)) => return Err(unavailable(error.clone())),
            None => None,
        };
        let kept = self.kept.first_entry();
        let kept = kept.filter(|entry| {
            let (kept_in, key) = *entry.key();
            kept_in == section && in_tree.is_none_or(|in_tree| key <= in_tree)
        });
        if let Some(kept) = kept {
            let ((_, key), value) = kept.remove_entry();
            self.kept_bytes -= size(value.as_deref());
            if in_tree == Some(key) {
                current.next();
            }
            return Ok(Some((key, value.map(IVec::from))));
        }
        let next = current.next().transpose().map_err(unavailable)?;
        Ok(in_tree.zip(next.map(|(_, value)| Some(value))))
    }
}

fn size(kept: Option<&[u8]>) -> usize {
    ENTRY_BYTES + kept.map_or(0, <[u8]>::len)
}

fn padded(section: Section, key: &[u8]) -> Result<Key, StoreError> {
    if key.len() != section.key_bytes() {
        return Err(StoreError::Corrupt("a key of another length".to_owned()));
    }
    let mut padded = Key::default();
    padded[..key.len()].copy_from_slice(key);
    Ok(padded)
}

fn trimmed(section: Section, key: Key) -> Box<[u8]> {
    key[..section.key_bytes()].into()
}

#[cfg(test)]
mod tests;
