//! The trees, and reading them outside of transactions.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `users` | user id | `User` |
//! | `usernames` | username key | user id |
//! | `sessions` | session id | `Session` |
//! | `session_expiry` | expiry (ms, big-endian) ++ session id | empty |
//! | `attempts` | key of an account, or of a network of an account | until when it counts (ms, big-endian) |

use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sled::{Db, Tree};

use super::codec::decode;
use super::picture::Frame;
use crate::accounts::UsernameKey;
use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::sessions::Session;
use crate::store::{StoreError, User};

/// A tree, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Users,
    Usernames,
    Sessions,
    SessionExpiry,
    Attempts,
}

impl Table {
    pub(super) const ALL: [Self; 5] = [
        Self::Users,
        Self::Usernames,
        Self::Sessions,
        Self::SessionExpiry,
        Self::Attempts,
    ];
}

pub(super) struct Tables {
    pub(super) db: Db,
    pub(super) users: Tree,
    pub(super) usernames: Tree,
    pub(super) sessions: Tree,
    pub(super) session_expiry: Tree,
    pub(super) attempts: Tree,
    /// The picture that a dump reads, while there is one.
    pub(super) picture: Arc<Frame>,
    /// Held while sled flushes, and while a transaction runs. sled's own lock is fair: a transaction that
    /// waits on it for a flush's end keeps every later reader waiting too, and readers are inline.
    flushing: Mutex<()>,
    /// Held as long as the trees are: the folder is this process's.
    _lock: File,
}

impl Tables {
    pub(super) fn open(db: Db, lock: File) -> sled::Result<Self> {
        Ok(Self {
            users: db.open_tree("users")?,
            usernames: db.open_tree("usernames")?,
            sessions: db.open_tree("sessions")?,
            session_expiry: db.open_tree("session_expiry")?,
            attempts: db.open_tree("attempts")?,
            db,
            picture: Arc::default(),
            flushing: Mutex::new(()),
            _lock: lock,
        })
    }

    pub(super) const fn tree(&self, table: Table) -> &Tree {
        match table {
            Table::Users => &self.users,
            Table::Usernames => &self.usernames,
            Table::Sessions => &self.sessions,
            Table::SessionExpiry => &self.session_expiry,
            Table::Attempts => &self.attempts,
        }
    }

    /// Waits until no flush, or no transaction, is under way.
    pub(super) fn between_flushes(&self) -> MutexGuard<'_, ()> {
        self.flushing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError> {
        let Some(id) = self.usernames.get(name.as_str()).map_err(unavailable)? else {
            return Ok(None);
        };
        let user = self.users.get(id).map_err(unavailable)?;
        user.map(|bytes| decode(&bytes)).transpose()
    }

    pub(super) fn session_and_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Session, User)>, StoreError> {
        loop {
            let Some(bytes) = self.sessions.get(id.as_bytes()).map_err(unavailable)? else {
                return Ok(None);
            };
            let session: Session = decode(&bytes)?;
            let user = self.users.get(session.user.as_bytes());
            let Some(user) = user.map_err(unavailable)? else {
                return Ok(None);
            };
            // Writes may come between the two. A session never becomes again what it was: the same after as
            // before was the same when its user was read.
            if self.sessions.get(id.as_bytes()).map_err(unavailable)? == Some(bytes) {
                return Ok(Some((session, decode(&user)?)));
            }
        }
    }
}

/// The key of `session_expiry`: in the order of expiry.
pub(super) fn expiry_key(expires: Timestamp, id: SessionId) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&expires.as_millis().to_be_bytes());
    key[8..].copy_from_slice(id.as_bytes());
    key
}

/// What the operator is to do about a page that can not be read.
const DAMAGED: &str = "the data file is damaged: look after the disk, restore a backup into an empty folder, and \
                       keep this one for analysis";

pub(super) fn unavailable(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } => StoreError::Corrupt(DAMAGED.to_owned()),
        other => StoreError::Unavailable(other.to_string()),
    }
}
