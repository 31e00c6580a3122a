//! A snapshot of the records at one moment, while they go on changing. Sled's iterators do not provide this.
//!
//! Everything changes on the writing thread and in one place (see `apply`). From the moment of the snapshot on, a
//! change first saves the old value, unless the reader of the snapshot has already passed it. The reader reads step by
//! step, on the same thread between two writes: the value in the tree, or the saved value if there is one.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use sled::IVec;

use super::change::Change;
use super::trees::{Tree, Trees, unavailable};
use crate::StoreError;

/// The most bytes of old values that are saved for a reader. A dump that is read too slowly is cancelled at this limit.
const MAX_KEPT: usize = 256 << 20;

/// The size of a saved entry without its value: two positions, a pointer and a length, and its share of the map's
/// nodes.
const ENTRY_BYTES: usize = 128;

/// The limits of one step. Writes wait for it.
pub(super) const STEP: Step = Step {
    time: Duration::from_millis(1),
    records: 1024,
};

#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) time: Duration,
    pub(super) records: usize,
}

/// The tables in a snapshot, in its order. The others can be computed from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Users,
    Sessions,
    Attempts,
    Tokens,
    Events,
    QueuedEmails,
    Factors,
    TokenKeys,
    Invites,
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
            Tree::Factors => Some(Self::Factors),
            Tree::TokenKeys => Some(Self::TokenKeys),
            Tree::Invites => Some(Self::Invites),
            Tree::Usernames
            | Tree::VerifiedEmails
            | Tree::Emails
            | Tree::EmailPasswords
            | Tree::ActiveAdmins
            | Tree::Roles
            // A deletion that is not finished may leave events in the snapshot. They expire.
            | Tree::Deletions
            | Tree::SessionExpiry
            | Tree::UserSessions
            | Tree::UserTokens
            | Tree::UserEvents
            | Tree::QueuedEmailsDue
            | Tree::FactorExpiry
            | Tree::InviteTokens
            | Tree::InvitesTo
            | Tree::InvitesBy => None,
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
            Self::Factors => Tree::Factors,
            Self::TokenKeys => Tree::TokenKeys,
            Self::Invites => Tree::Invites,
        }
    }

    const fn next(self) -> Option<Self> {
        match self {
            Self::Users => Some(Self::Sessions),
            Self::Sessions => Some(Self::Attempts),
            Self::Attempts => Some(Self::Tokens),
            Self::Tokens => Some(Self::Events),
            Self::Events => Some(Self::QueuedEmails),
            Self::QueuedEmails => Some(Self::Factors),
            Self::Factors => Some(Self::TokenKeys),
            Self::TokenKeys => Some(Self::Invites),
            Self::Invites => None,
        }
    }

    /// The length of its keys.
    const fn key_bytes(self) -> usize {
        match self {
            Self::Tokens => 32,
            Self::Users
            | Self::Sessions
            | Self::Attempts
            | Self::Events
            | Self::QueuedEmails
            | Self::Factors
            | Self::TokenKeys
            | Self::Invites => 16,
        }
    }
}

/// A key of any section. Shorter keys are padded with zeros.
type Key = [u8; 32];

/// A position in the order of the snapshot.
type Position = (Section, Key);

/// The result of one step.
pub(super) struct Chunk {
    pub(super) records: Vec<(Section, Box<[u8]>, IVec)>,
    /// Whether this is the last part.
    pub(super) last: bool,
}

/// Holds the current snapshot, if there is one.
#[derive(Default)]
pub(super) struct SnapshotSlot(Mutex<Option<Snapshot>>);

/// The handle of the reader. The snapshot ends when it is dropped.
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

    /// Takes the snapshot, on the writing thread.
    pub(super) fn take(&self, reader: Weak<Reader>) -> Result<(), StoreError> {
        let mut slot = self.lock();
        if slot.as_ref().is_some_and(|old| !old.is_abandoned()) {
            return Err(StoreError::Busy);
        }
        *slot = Some(Snapshot::new(reader, MAX_KEPT));
        Ok(())
    }

    /// Saves the old value. Call it before each change.
    pub(super) fn keep(&self, trees: &Trees, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let mut slot = self.lock();
        match &mut *slot {
            None => Ok(()),
            // The reader has gone.
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
        let gone = || StoreError::BrokeOff("the backup was cancelled".to_owned());
        self.lock().as_mut().ok_or_else(gone)?.next(trees, step)
    }
}

struct Snapshot {
    reader: Weak<Reader>,
    /// The last position that was read.
    read: Option<Position>,
    /// The old values at changed positions that are not read yet. `None` if there was no value.
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

    /// Whether the snapshot was cancelled because the reader was too slow.
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
        // A copy: sled's own buffer may keep more than the value in memory.
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
                "the backup was read too slowly and is cancelled: {} MiB of changes came in the meantime",
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
            // The section is finished, whatever is added to it later.
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

    /// The next value from the tree or from the saved values, whichever comes first. At the same position, the saved
    /// value.
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
