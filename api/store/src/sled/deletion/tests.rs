use futures_util::TryStreamExt as _;
use password_auth_model::{
    EmailAddress, Event, EventId, EventKind, PasswordHash, Timestamp, User, UserId, Username,
};

use super::{Progress, delete, proceed, unfinished};
use crate::sled::change::Batch;
use crate::sled::open::{open, open_again};
use crate::sled::opened::Tables;
use crate::sled::trees::Tree;
use crate::sled::{CACHE_BYTES, SledStore, events, user_entries};
use crate::{Backup as _, CreateUser, DeleteUser, Lifecycle as _, Record};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

/// A user with more events than two steps remove.
fn fill(tables: &Tables) -> UserId {
    let name = Username::parse("Alice").expect("a name");
    let user = User {
        email: Some(EmailAddress::parse("alice@example.org").expect("an address")),
        ..User::new(name, PasswordHash::from_text("hash".to_owned()), NOW)
    };
    let mut batch = Batch::default();
    let created = user_entries::create(&mut batch, tables, &user).expect("created");
    batch.apply(tables).expect("written");
    assert_eq!(created, CreateUser::Created);
    for number in 0..2 * super::STEP + 1 {
        let event = Event {
            id: EventId::new(NOW),
            at: NOW,
            user: user.id,
            by: None,
            // No kind alone has room for so many.
            what: match number / 100 {
                0..=3 => EventKind::SignedIn,
                4 => EventKind::SignInFailed,
                _ => EventKind::ProfileChanged,
            },
            session: None,
            address: None,
            device: None,
        };
        events::add(tables, &event).expect("added");
    }
    user.id
}

fn is_empty(tables: &Tables) -> bool {
    let mut all = Tree::ALL.iter();
    all.all(|tree| tables.tree(*tree).is_empty())
}

#[test]
fn a_deletion_that_a_crash_cut_off_is_finished_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, disk, watermark) = open(folder.path(), CACHE_BYTES).expect("opened");
    let user = fill(&tables);
    let deleted = delete(&tables, user).expect("deleted");
    assert_eq!(deleted, (DeleteUser::Deleted, Progress::More));
    assert!(!is_empty(&tables), "nothing is left to finish");
    assert_eq!(tables.user(user).expect("read"), None);
    tables.db.flush().expect("flushed");
    drop((tables, disk, watermark));
    let (tables, _disk, _mark) = open_again(folder.path());
    assert!(is_empty(&tables));
}

#[test]
fn whoever_asks_again_for_a_deletion_that_was_cut_off_finishes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, _disk, _mark) = open(folder.path(), CACHE_BYTES).expect("opened");
    let user = fill(&tables);
    delete(&tables, user).expect("deleted");
    let again = delete(&tables, user).expect("deleted");
    assert_eq!(again, (DeleteUser::Deleted, Progress::More));
    assert_eq!(unfinished(&tables).expect("read"), Some(user));
    assert_eq!(proceed(&tables, user).expect("removed"), Progress::Done);
    assert_eq!(unfinished(&tables).expect("read"), None);
    assert!(is_empty(&tables));
    let again = delete(&tables, user).expect("deleted");
    assert_eq!(again, (DeleteUser::Unknown, Progress::Done));
}

#[tokio::test]
async fn a_dump_holds_nothing_of_whoever_is_just_being_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SledStore::open(folder.path()).expect("a store");
    let deleted = store.durable(|tables| delete(tables, fill(tables))).await;
    let (_, progress) = deleted.expect("deleted");
    assert_eq!(progress, Progress::More);
    let records = store.dump().await.expect("a dump");
    let records: Vec<Record> = records.try_concat().await.expect("all of it");
    assert_eq!(records, []);
    store.close().await;
}
