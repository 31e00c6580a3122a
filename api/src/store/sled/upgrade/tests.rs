use serde::Serialize;

use crate::accounts::{Username, UsernameKey};
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::passwords::PasswordHash;
use crate::sessions::{Generation, Retired, Session, Trail};
use crate::store::User;
use crate::store::sled::CACHE_BYTES;
use crate::store::sled::open::{OpenError, open, open_again};
use crate::store::sled::opened::Tables;
use crate::store::sled::tables::{Table, timed_key};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

/// A user as format 1 had him.
#[derive(Serialize)]
struct OldUser {
    id: UserId,
    username: Username,
    username_key: UsernameKey,
    password: PasswordHash,
    is_active: bool,
    created_at: Timestamp,
}

/// As formats 1 and 2 had them.
fn old_session(session: &Session) -> Vec<u8> {
    let retired = session.retired.iter().map(|r| (r.generation, r.at));
    let old = (
        (session.id, session.user, &session.device),
        (session.created, session.last_used, session.expires),
        (session.generation, session.confirmed, session.epoch),
        (retired.collect::<Vec<_>>(), session.ended),
    );
    postcard::to_extend(&old, vec![1]).expect("encoded")
}

fn insert(tables: &Tables, table: Table, key: &[u8], value: &[u8]) {
    let before = tables.tree(table).insert(key, value).expect("written");
    assert!(before.is_none());
}

/// A folder as format 1 left it, with somebody in it who is signed in.
fn old_folder() -> (tempfile::TempDir, User, Session) {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, _disk, _mark) = open(folder.path(), CACHE_BYTES).expect("opened");
    let name = Username::parse("Alice").expect("a name");
    let user = User::new(name, PasswordHash::from_text("hash".to_owned()), NOW);
    let old = OldUser {
        id: user.id,
        username: user.username.clone(),
        username_key: user.username_key.clone(),
        password: user.password.clone(),
        is_active: true,
        created_at: NOW,
    };
    let session = Session {
        id: SessionId::new(NOW),
        user: user.id,
        device: "Firefox".to_owned(),
        created: NOW,
        last_used: NOW,
        expires: Timestamp::MAX,
        generation: Generation(3),
        confirmed: true,
        epoch: 1,
        retired: vec![Retired {
            generation: Generation(2),
            at: NOW,
            by: None,
        }],
        ended: None,
        trail: Trail::default(),
    };
    let (id, key) = (user.id.as_bytes(), user.username_key.as_str().as_bytes());
    insert(&tables, Table::Usernames, key, id);
    let record = postcard::to_extend(&old, vec![1]).expect("encoded");
    insert(&tables, Table::Users, id, &record);
    let record = old_session(&session);
    insert(&tables, Table::Sessions, session.id.as_bytes(), &record);
    let place = timed_key(session.expires, session.id.as_bytes());
    insert(&tables, Table::SessionExpiry, &place, b"");
    set_format(&tables, 1);
    (folder, user, session)
}

fn set_format(tables: &Tables, format: u8) {
    let format = [format, UsernameKey::VERSION];
    tables.db.insert("format", &format).expect("written");
    tables.db.flush().expect("flushed");
}

#[test]
fn a_folder_of_format_1_opens_and_people_and_their_sessions_are_found() {
    let (folder, user, session) = old_folder();
    for _ in 0..2 {
        let (tables, _disk, _mark) = open_again(folder.path());
        let found = tables.user(user.id).expect("read");
        assert_eq!(found.as_ref(), Some(&user));
        let found = tables.user_by_name(&user.username_key).expect("read");
        assert_eq!(found.as_ref(), Some(&user));
        let found = tables.sessions_of(user.id).expect("read");
        assert_eq!(found.as_slice(), std::slice::from_ref(&session));
        let format = tables.db.get("format").expect("read").expect("a format");
        assert_eq!(format.as_ref(), [3, UsernameKey::VERSION]);
    }
}

#[test]
fn an_upgrade_that_was_interrupted_begins_again() {
    let (folder, user, session) = old_folder();
    let (tables, disk, mark) = open_again(folder.path());
    // An older version has ended it since, and knows no index of it.
    tables.tree(Table::Sessions).clear().expect("cleared");
    tables.tree(Table::SessionExpiry).clear().expect("cleared");
    set_format(&tables, 1);
    drop((tables, disk, mark));
    let (tables, _disk, _mark) = open_again(folder.path());
    assert!(tables.sessions_of(user.id).expect("read").is_empty());
    assert!(tables.tree(Table::UserSessions).is_empty());
    assert_eq!(session.user, user.id);
}

#[test]
fn a_folder_of_a_newer_format_is_refused() {
    let (folder, ..) = old_folder();
    let (tables, disk, mark) = open_again(folder.path());
    set_format(&tables, 4);
    drop((tables, disk, mark));
    let refused = loop {
        match open(folder.path(), CACHE_BYTES) {
            // As in `open_again`.
            Err(OpenError::Io { .. }) => std::thread::yield_now(),
            opened => break opened.err(),
        }
    };
    let is_refused = matches!(refused, Some(OpenError::OtherFormat { .. }));
    assert!(is_refused, "{refused:?}");
}
