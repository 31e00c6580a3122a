//! Sessions in memory, decoded, each with its user: every request reads a session and its user.
//!
//! A reader must never get what sled would no longer give. So before the writing thread changes sessions, it takes them
//! out of the cache, and while it changes them, and if it has changed any since a reader began, what that reader found
//! is not kept. A user may have many sessions: before the writing thread changes one, it raises a number for that user
//! (and some others), and sessions that were found under a lower number are read again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use password_auth_model::{Session, User};
use quick_cache::unsync::Cache;

use crate::StoreError;

/// Parts with a lock each, so that readers seldom meet. A power of two.
const SHARDS: usize = 16;

/// How many numbers there are for users. A change of a user costs so many others one more read.
const STAMPS: usize = 4096;

/// The key of a record: an id.
type Key = [u8; 16];

/// A session and its user, at the same moment.
pub(super) type Found = (Arc<Session>, Arc<User>);

pub(super) struct SessionCache {
    shards: [Mutex<Shard>; SHARDS],
    /// By the user's id: how many changes have begun or ended, and in the high half how many go on.
    stamps: Box<[AtomicU64]>,
}

struct Shard {
    sessions: Cache<Key, (Found, u64)>,
    /// How many sessions the writing thread is changing.
    changing: usize,
    /// How many changes have begun or ended.
    version: u64,
}

/// In a stamp: one more change goes on.
const GOES_ON: u64 = 1 << 32;

impl SessionCache {
    /// For at most `capacity` sessions.
    pub(super) fn new(capacity: usize) -> Self {
        let shard = || Shard {
            sessions: Cache::new(capacity / SHARDS),
            changing: 0,
            version: 0,
        };
        Self {
            shards: std::array::from_fn(|_| Mutex::new(shard())),
            stamps: (0..STAMPS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The session from memory, or by `read`: session and user as they were at one moment, and the user's
    /// [stamp](Self::stamp) before the user was read.
    pub(super) fn get(
        &self,
        key: &Key,
        read: impl FnOnce() -> Result<Option<(Found, u64)>, StoreError>,
    ) -> Result<Option<Found>, StoreError> {
        let version = {
            let shard = self.shard(key);
            if let Some((found, stamp)) = shard.sessions.get(key)
                && *stamp == self.stamp(found.1.id.as_bytes())
            {
                return Ok(Some(found.clone()));
            }
            shard.version
        };
        let Some((found, stamp)) = read()? else {
            return Ok(None);
        };
        let mut shard = self.shard(key);
        if shard.changing == 0 && shard.version == version && stamp < GOES_ON {
            shard.sessions.insert(*key, (found.clone(), stamp));
        }
        Ok(Some(found))
    }

    /// What changes whenever this user does. A reader asks before it reads the user.
    pub(super) fn stamp(&self, user: &Key) -> u64 {
        self.stamp_of(user).load(Ordering::SeqCst)
    }

    /// The writing thread changes these records for as long as the result lives.
    pub(super) fn changing<'a>(
        &'a self,
        sessions: impl Iterator<Item = &'a [u8]>,
        users: impl Iterator<Item = &'a [u8]>,
    ) -> Changing<'a> {
        let sessions: Vec<Key> = sessions.filter_map(|key| key.try_into().ok()).collect();
        for key in &sessions {
            let mut shard = self.shard(key);
            shard.sessions.remove(key);
            shard.changing += 1;
            shard.version += 1;
        }
        let users: Vec<Key> = users.filter_map(|key| key.try_into().ok()).collect();
        for key in &users {
            self.stamp_of(key).fetch_add(GOES_ON + 1, Ordering::SeqCst);
        }
        Changing {
            cache: self,
            sessions,
            users,
        }
    }

    /// The last bytes of an id are random.
    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[usize::from(key[15]) % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamp_of(&self, user: &Key) -> &AtomicU64 {
        &self.stamps[usize::from(u16::from_be_bytes([user[14], user[15]])) % STAMPS]
    }
}

/// A change that goes on.
#[must_use]
pub(super) struct Changing<'a> {
    cache: &'a SessionCache,
    sessions: Vec<Key>,
    users: Vec<Key>,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        for key in &self.sessions {
            let mut shard = self.cache.shard(key);
            shard.changing -= 1;
            shard.version += 1;
        }
        for key in &self.users {
            let stamp = self.cache.stamp_of(key);
            stamp.fetch_sub(GOES_ON - 1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Key, SessionCache};
    use crate::StoreError;
    use password_auth_model::{
        Generation, PasswordHash, Session, SessionId, Timestamp, Trail, User, UserId, Username,
    };

    const SESSION: &Key = b"0123456789abcdef";
    const USER: &Key = b"fedcba9876543210";

    /// A session and a user who differ from others by this number.
    fn record(number: u32, session: &Key) -> (Session, User) {
        let now = Timestamp::from_millis(0);
        let username = Username::parse("alice").expect("a name");
        let user = User {
            id: UserId::from_bytes(*USER),
            password_version: number,
            ..User::new(username, PasswordHash::none(), now)
        };
        let session = Session {
            id: SessionId::from_bytes(*session),
            user: user.id,
            device: String::new(),
            created: now,
            last_used: now,
            expires: now,
            generation: Generation(number),
            confirmed: false,
            epoch: 0,
            retired: Vec::new(),
            ended: None,
            trail: Trail::default(),
        };
        (session, user)
    }

    /// What a read of the cache gives, and whether it had to ask. `meanwhile` happens while it asks.
    fn get_while(cache: &SessionCache, stored: u32, meanwhile: impl FnOnce()) -> (u32, bool) {
        let mut asked = false;
        let found = cache.get(SESSION, || {
            asked = true;
            let stamp = cache.stamp(USER);
            let (session, user) = record(stored, SESSION);
            meanwhile();
            Ok(Some(((Arc::new(session), Arc::new(user)), stamp)))
        });
        let (session, user) = found.expect("read").expect("there");
        assert_eq!(session.generation.0, user.password_version);
        (user.password_version, asked)
    }

    fn get(cache: &SessionCache, stored: u32) -> (u32, bool) {
        get_while(cache, stored, || {})
    }

    type Change = fn(&SessionCache) -> super::Changing<'_>;

    /// A change of the session, and one of its user.
    const CHANGES: [Change; 2] = [
        |cache| cache.changing([&SESSION[..]].into_iter(), [].into_iter()),
        |cache| cache.changing([].into_iter(), [&USER[..]].into_iter()),
    ];

    #[test]
    fn a_session_is_read_once_until_it_or_its_user_changes() {
        for change in CHANGES {
            let cache = SessionCache::new(64);
            assert_eq!(get(&cache, 1), (1, true));
            assert_eq!(get(&cache, 1), (1, false));
            drop(change(&cache));
            assert_eq!(get(&cache, 2), (2, true));
            assert_eq!(get(&cache, 2), (2, false));
        }
    }

    #[test]
    fn what_is_read_while_it_changes_is_not_kept() {
        for change in CHANGES {
            let cache = SessionCache::new(64);
            let changing = change(&cache);
            assert_eq!(get(&cache, 1), (1, true));
            assert_eq!(get(&cache, 1), (1, true));
            drop(changing);
            assert_eq!(get(&cache, 2), (2, true));
        }
    }

    #[test]
    fn what_was_read_before_a_change_that_overtook_the_reader_is_not_kept() {
        for change in CHANGES {
            let cache = SessionCache::new(64);
            assert_eq!(get_while(&cache, 1, || drop(change(&cache))), (1, true));
            assert_eq!(get(&cache, 2), (2, true));
            // Also if the change goes on when the reader is done.
            drop(change(&cache));
            let mut changing = None;
            let slow = get_while(&cache, 2, || changing = Some(change(&cache)));
            assert_eq!(slow, (2, true));
            drop(changing);
            assert_eq!(get(&cache, 3), (3, true));
        }
    }

    #[test]
    fn two_changes_of_one_user_at_once_are_not_taken_for_none() {
        let cache = SessionCache::new(64);
        assert_eq!(get(&cache, 1), (1, true));
        let users = [&USER[..], &USER[..]].into_iter();
        let changing = cache.changing([].into_iter(), users);
        assert_eq!(get(&cache, 1), (1, true));
        assert_eq!(get(&cache, 1), (1, true));
        drop(changing);
        assert_eq!(get(&cache, 2), (2, true));
        assert_eq!(get(&cache, 2), (2, false));
    }

    #[test]
    fn neither_an_absent_record_nor_a_failure_is_kept_and_the_number_is_bounded() {
        let cache = SessionCache::new(64);
        assert_eq!(cache.get(SESSION, || Ok(None)).expect("read"), None);
        let failed = cache.get(SESSION, || Err(StoreError::Busy));
        assert!(failed.is_err());
        assert_eq!(get(&cache, 1), (1, true));
        for number in 0..10_000_u128 {
            let key = number.to_be_bytes();
            let kept = cache.get(&key, || {
                let (session, user) = record(0, &key);
                Ok(Some(((Arc::new(session), Arc::new(user)), 0)))
            });
            assert!(kept.expect("read").is_some());
        }
        let kept: usize = cache
            .shards
            .iter()
            .map(|shard| shard.lock().expect("a lock").sessions.len())
            .sum();
        assert!(kept <= 64, "{kept}");
    }
}
