use std::sync::atomic::AtomicBool;
use std::time::Duration;

use password_auth_model::measure::Histogram;
use password_auth_model::{
    End, Identity, Owner, PasswordHash, Role, Session, SessionId, Timestamp, User, UserId, Username,
};

use super::{CHUNK, warm};
use crate::StoreError;
use crate::sled::CACHE_BYTES;
use crate::sled::change::Batch;
use crate::sled::open::open;
use crate::sled::opened::Tables;
use crate::sled::{sessions, user_entries};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

static OPEN: AtomicBool = AtomicBool::new(false);

fn put_user(tables: &Tables, before: Option<&User>, after: &User) {
    let mut batch = Batch::default();
    user_entries::replace(&mut batch, before, Some(after)).expect("entries");
    batch.apply(tables).expect("written");
}

fn put_session(tables: &Tables, session: &Session) {
    let mut batch = Batch::default();
    for (tree, key, value) in sessions::entries(session).expect("entries") {
        batch.put(tree, key, value);
    }
    batch.apply(tables).expect("written");
}

/// Users with one session each.
fn fill(tables: &Tables, count: usize) -> Vec<(User, Session)> {
    let one = |number: usize| {
        let name = Username::parse(&format!("user {number}")).expect("a name");
        // Ids in the order of time.
        let at = NOW.plus(Duration::from_millis(number as u64));
        let user = User::new(name, PasswordHash::none(), at);
        let session = Session {
            id: SessionId::new(at),
            ..Session::new(
                user.id,
                String::new(),
                NOW,
                NOW.plus(Duration::from_secs(60)),
            )
        };
        put_user(tables, None, &user);
        put_session(tables, &session);
        (user, session)
    };
    (0..count).map(one).collect()
}

/// What is in memory.
fn remembered(tables: &Tables, id: SessionId) -> Option<Identity> {
    let found = tables.sessions.get(id.as_bytes(), || Ok(None));
    found.expect("nothing is read")
}

fn tables(cache_bytes: u64) -> (tempfile::TempDir, Tables) {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, ..) = open(folder.path(), cache_bytes).expect("opened");
    (folder, tables)
}

#[test]
fn live_sessions_are_in_memory_before_anybody_asks() {
    let (_folder, tables) = tables(CACHE_BYTES);
    let all = fill(&tables, 2 * CHUNK + 1);
    let (_, mut ended) = all[0].clone();
    ended.ended = Some(End::Theft);
    put_session(&tables, &ended);
    let (_, mut expired) = all[1].clone();
    expired.expires = NOW;
    put_session(&tables, &expired);
    let (_, mut of_nobody) = all[2].clone();
    of_nobody.user = UserId::from_bytes([7; 16]);
    put_session(&tables, &of_nobody);
    warm(&tables, NOW, &OPEN).expect("read");
    for (user, session) in &all[3..] {
        let identity = Identity::of(session, Owner::from(user));
        assert_eq!(remembered(&tables, session.id), Some(identity));
    }
    for (_, session) in &all[..3] {
        assert_eq!(remembered(&tables, session.id), None);
    }
}

#[test]
fn the_newest_are_read_if_there_is_no_room_for_all_and_none_when_the_store_is_closed() {
    let (_folder, tables) = tables(64 << 10);
    let all = fill(&tables, 600);
    warm(&tables, NOW, &AtomicBool::new(true)).expect("read");
    let in_memory = |all: &[(User, Session)]| {
        let found = all
            .iter()
            .filter(|(_, session)| remembered(&tables, session.id).is_some());
        found.count()
    };
    assert!(in_memory(&all) <= CHUNK);
    warm(&tables, NOW, &OPEN).expect("read");
    assert!(in_memory(&all) < 450, "{}", in_memory(&all));
    assert!(in_memory(&all[300..]) > 150, "{}", in_memory(&all[300..]));
    assert!(in_memory(&all[..100]) == 0, "{}", in_memory(&all[..100]));
}

/// Changes users and sessions while they are read in advance, and by others.
#[test]
fn what_changes_meanwhile_is_not_remembered_as_it_was() {
    let (_folder, tables) = tables(CACHE_BYTES);
    let mut all = fill(&tables, 4 * CHUNK);
    let ids: Vec<SessionId> = all.iter().map(|(_, session)| session.id).collect();
    let (done, times) = (AtomicBool::new(false), &Histogram::of_times());
    std::thread::scope(|scope| {
        let (tables, done) = (&tables, &done);
        let readers = [
            scope.spawn(move || {
                while !done.load(std::sync::atomic::Ordering::Acquire) {
                    warm(tables, NOW, &OPEN)?;
                }
                Ok::<_, StoreError>(())
            }),
            scope.spawn(move || {
                while !done.load(std::sync::atomic::Ordering::Acquire) {
                    for id in &ids {
                        tables.identity(*id, times)?;
                        tables.identity_and_user(*id, times)?;
                    }
                }
                Ok(())
            }),
        ];
        for round in 1..6_u32 {
            for (number, (user, session)) in all.iter_mut().enumerate() {
                if number % 2 == 0 {
                    session.epoch = round;
                    put_session(tables, session);
                } else {
                    let before = user.clone();
                    user.role = if round % 2 == 0 {
                        Role::Guest
                    } else {
                        Role::Admin
                    };
                    put_user(tables, Some(&before), user);
                }
                // At once, while the others read.
                let identity = tables.identity(session.id, times).expect("read");
                assert_eq!(identity, Some(Identity::of(&*session, Owner::from(&*user))));
            }
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        for reader in readers {
            reader.join().expect("it ran").expect("read");
        }
    });
    for (user, session) in &all {
        let identity = Identity::of(session, Owner::from(user));
        let found = tables.identity_and_user(session.id, times).expect("read");
        assert_eq!(found, Some((identity.clone(), user.clone())));
        assert_eq!(
            tables.identity(session.id, times).expect("read"),
            Some(identity)
        );
    }
}
