//! Whose the sessions are, in memory: every authenticated request asks that of its session.
//!
//! A reader must never get what sled would no longer give. So before the writing thread changes sessions, it takes them
//! out of the cache, and while it changes them, and if it has changed any since a reader began, what that reader found
//! is not kept. A user may have many sessions: before the writing thread changes one, it raises a number for that user
//! (and some others), and sessions that were found under a lower number are read again. All this happens before the
//! change is made, and so before its answer leaves.
//!
//! Nobody else changes anything. So on the writing thread, what is here and counts is what sled has, and what it has just
//! written it may put here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use password_auth_model::{Identity, Owner};
use quick_cache::Weighter;
use quick_cache::unsync::Cache;

use crate::StoreError;

/// Parts with a lock each, so that readers seldom meet. A power of two.
const SHARDS: usize = 16;

/// How many numbers there are for users. A change of a user costs so many others one more read.
const STAMPS: usize = 4096;

/// The key of a record: an id.
type Key = [u8; 16];

/// An identity, and the [stamp](SessionCache::stamp) of its user before the user was read.
pub(super) type Found = (Identity, u64);

pub(super) struct SessionCache {
    shards: [Mutex<Shard>; SHARDS],
    /// By the user's id: how many changes have begun or ended, and in the high half how many go on.
    stamps: Box<[AtomicU64]>,
}

struct Shard {
    sessions: Cache<Key, Found, Bytes>,
    /// How many sessions the writing thread is changing.
    changing: usize,
    /// How many changes have begun or ended.
    version: u64,
}

/// What an entry takes: itself, its place in two lists, and its share of a table that is never full.
const ENTRY_BYTES: u64 = 128;

/// An allocation, and its counters.
const ELSEWHERE_BYTES: u64 = 32;

/// Weighs entries in bytes.
#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Found> for Bytes {
    fn weight(&self, _: &Key, (identity, _): &Found) -> u64 {
        match identity.username.bytes_elsewhere() {
            0 => ENTRY_BYTES,
            bytes => ENTRY_BYTES + ELSEWHERE_BYTES + bytes as u64,
        }
    }
}

/// When a reader began that reads many sessions.
pub(super) struct Moment {
    versions: [u64; SHARDS],
}

/// In a stamp: one more change goes on.
const GOES_ON: u64 = 1 << 32;

impl SessionCache {
    /// For at most so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let bytes = bytes / SHARDS as u64;
        let shard = || Shard {
            // No room for what was evicted lately: all sessions are as likely to be asked for.
            sessions: Cache::with_weighter(0, bytes, Bytes),
            changing: 0,
            version: 0,
        };
        Self {
            shards: std::array::from_fn(|_| Mutex::new(shard())),
            stamps: (0..STAMPS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The session's identity from memory, or by `read`: session and user as they were at one moment.
    pub(super) fn get(
        &self,
        key: &Key,
        read: impl FnOnce() -> Result<Option<Found>, StoreError>,
    ) -> Result<Option<Identity>, StoreError> {
        let version = {
            let shard = self.shard(key);
            if let Some(identity) = self.known(&shard, key) {
                return Ok(Some(identity.clone()));
            }
            shard.version
        };
        let Some(found) = read()? else {
            return Ok(None);
        };
        let identity = found.0.clone();
        self.shard(key).keep(key, found, version);
        Ok(Some(identity))
    }

    /// Of the session's user, if that is in memory. On the writing thread, it is what sled has: nobody else changes it.
    pub(super) fn owner(&self, key: &Key) -> Option<Owner> {
        self.known(&self.shard(key), key).map(Identity::owner)
    }

    /// Keeps what the writing thread knows of the session. Only call it there, and when it changes nothing.
    pub(super) fn put(&self, key: &Key, identity: Identity) {
        let stamp = self.stamp(identity.user.as_bytes());
        self.shard(key).sessions.insert(*key, (identity, stamp));
    }

    fn known<'a>(&self, shard: &'a Shard, key: &Key) -> Option<&'a Identity> {
        let (identity, stamp) = shard.sessions.get(key)?;
        (*stamp == self.stamp(identity.user.as_bytes())).then_some(identity)
    }

    /// Before many sessions are read.
    pub(super) fn moment(&self) -> Moment {
        let version = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.version
        };
        Moment {
            versions: self.shards.each_ref().map(version),
        }
    }

    /// Keeps what was read after `began`, if there is room. Returns whether there was.
    pub(super) fn add(&self, key: &Key, found: Found, began: &Moment) -> bool {
        let mut shard = self.shard(key);
        let has_room =
            shard.sessions.weight() + Bytes.weight(key, &found) <= shard.sessions.capacity();
        if has_room {
            shard.keep(key, found, began.versions[shard_of(key)]);
        }
        has_room
    }

    /// How many sessions there is room for.
    pub(super) fn capacity(&self) -> usize {
        let one = self.shard(&[0; 16]).sessions.capacity() / ENTRY_BYTES;
        usize::try_from(one)
            .unwrap_or(usize::MAX)
            .saturating_mul(SHARDS)
    }

    /// What changes whenever this user does. A reader asks before it reads the user.
    pub(super) fn stamp(&self, user: &Key) -> u64 {
        self.stamps[stamp_of(user)].load(Ordering::SeqCst)
    }

    /// The stamps of all users, before many of them are read.
    pub(super) fn stamps(&self) -> Stamps {
        let stamps = self.stamps.iter();
        Stamps(stamps.map(|stamp| stamp.load(Ordering::SeqCst)).collect())
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
            self.stamps[stamp_of(key)].fetch_add(GOES_ON + 1, Ordering::SeqCst);
        }
        Changing {
            cache: self,
            sessions,
            users,
        }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[shard_of(key)];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last bytes of an id are random.
fn shard_of(key: &Key) -> usize {
    usize::from(key[15]) % SHARDS
}

fn stamp_of(user: &Key) -> usize {
    usize::from(u16::from_be_bytes([user[14], user[15]])) % STAMPS
}

impl Shard {
    /// Keeps what a reader found that began at `version`.
    fn keep(&mut self, key: &Key, found: Found, version: u64) {
        if self.changing == 0 && self.version == version && found.1 < GOES_ON {
            self.sessions.insert(*key, found);
        }
    }
}

/// [Stamps](SessionCache::stamp) of all users, at one moment.
pub(super) struct Stamps(Box<[u64]>);

impl Stamps {
    pub(super) fn of(&self, user: &Key) -> u64 {
        self.0[stamp_of(user)]
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
            let stamp = &self.cache.stamps[stamp_of(key)];
            stamp.fetch_sub(GOES_ON - 1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ENTRY_BYTES, Key, SessionCache};
    use crate::StoreError;
    use password_auth_model::{
        Identity, Owner, PasswordHash, Session, SessionId, Timestamp, User, UserId, Username,
    };

    const SESSION: &Key = b"0123456789abcdef";
    const USER: &Key = b"fedcba9876543210";

    /// Room for 64 sessions.
    const ROOM: u64 = 64 * ENTRY_BYTES;

    /// An identity that differs from others by its user's name.
    fn identity(name: &str) -> Identity {
        let now = Timestamp::from_millis(0);
        let username = Username::from_store(name.to_owned());
        let user = User {
            id: UserId::from_bytes(*USER),
            ..User::new(username, PasswordHash::none(), now)
        };
        let session = Session {
            id: SessionId::from_bytes(*SESSION),
            ..Session::new(user.id, String::new(), now, now)
        };
        Identity::of(&session, Owner::from(&user))
    }

    /// What a read of the cache gives, and whether it had to ask. `meanwhile` happens while it asks.
    fn get_while(cache: &SessionCache, stored: u32, meanwhile: impl FnOnce()) -> (u32, bool) {
        let mut asked = false;
        let found = cache.get(SESSION, || {
            asked = true;
            let stamp = cache.stamp(USER);
            let stored = identity(&stored.to_string());
            meanwhile();
            Ok(Some((stored, stamp)))
        });
        let found = found.expect("read").expect("there");
        (found.username.as_str().parse().expect("a number"), asked)
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
            let cache = SessionCache::new(ROOM);
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
            let cache = SessionCache::new(ROOM);
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
            let cache = SessionCache::new(ROOM);
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
        let cache = SessionCache::new(ROOM);
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
    fn neither_an_absent_record_nor_a_failure_is_kept() {
        let cache = SessionCache::new(ROOM);
        assert_eq!(cache.get(SESSION, || Ok(None)).expect("read"), None);
        let failed = cache.get(SESSION, || Err(StoreError::Busy));
        assert!(failed.is_err());
        assert_eq!(get(&cache, 1), (1, true));
    }

    #[test]
    fn its_bytes_are_bounded_whatever_the_names_are() {
        for name in ["alice", &"ü".repeat(64)] {
            let cache = SessionCache::new(ROOM);
            for number in 0..10_000_u128 {
                let kept = cache.get(&number.to_be_bytes(), || Ok(Some((identity(name), 0))));
                assert!(kept.expect("read").is_some());
            }
            let weights = cache.shards.iter().map(|shard| {
                let shard = shard.lock().expect("a lock");
                assert!(shard.sessions.weight() >= shard.sessions.len() as u64 * ENTRY_BYTES);
                shard.sessions.weight()
            });
            let taken: u64 = weights.sum();
            assert!(taken <= ROOM && taken > ROOM / 2, "{taken}");
        }
    }

    #[test]
    fn who_reads_many_sessions_keeps_none_that_changed_since_and_evicts_none() {
        for change in CHANGES {
            let cache = SessionCache::new(ROOM);
            let (stamps, began) = (cache.stamps(), cache.moment());
            drop(change(&cache));
            assert!(cache.add(SESSION, (identity("1"), stamps.of(USER)), &began));
            assert_eq!(get(&cache, 2), (2, true));
            let cache = SessionCache::new(ROOM);
            let changing = change(&cache);
            let (stamps, began) = (cache.stamps(), cache.moment());
            assert!(cache.add(SESSION, (identity("1"), stamps.of(USER)), &began));
            drop(changing);
            assert_eq!(get(&cache, 2), (2, true));
        }
        let cache = SessionCache::new(ROOM);
        let (stamps, began) = (cache.stamps(), cache.moment());
        assert_eq!(get(&cache, 1), (1, true));
        let mut room = 0;
        for number in 0..10_000_u128 {
            let found = (identity("1"), stamps.of(USER));
            room += usize::from(cache.add(&number.to_be_bytes(), found, &began));
        }
        assert!(room > 32 && room < 64, "{room}");
        assert_eq!(get(&cache, 1), (1, false));
        assert_eq!(cache.capacity(), 64);
    }
}
