use password_auth_model::{
    EmailAddress, Event, EventId, EventKind, Generation, Invite, InviteLifetime, PasswordHash,
    Retired, Role, Session, Timestamp, TokenHash, User, UserId, Username, UsernameKey,
};
use serde::Serialize;

use crate::UserFilter;
use crate::sled::CACHE_BYTES;
use crate::sled::codec::encode;
use crate::sled::deletion;
use crate::sled::open::{OpenError, open, open_again};
use crate::sled::opened::Tables;
use crate::sled::trees::{Tree, timed_key, user_key};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

/// A user in format 1.
#[derive(Serialize)]
struct OldUser {
    id: UserId,
    username: Username,
    username_key: UsernameKey,
    password: PasswordHash,
    is_active: bool,
    created_at: Timestamp,
}

/// A session in formats 1 and 2.
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

fn insert(tables: &Tables, tree: Tree, key: &[u8], value: &[u8]) {
    let before = tables.tree(tree).insert(key, value).expect("written");
    assert!(before.is_none());
}

/// A folder in format 1, with a user who is signed in.
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
        generation: Generation(3),
        confirmed: true,
        epoch: 1,
        retired: vec![Retired {
            generation: Generation(2),
            at: NOW,
            by: None,
        }],
        ..Session::new(user.id, "Firefox".to_owned(), NOW, Timestamp::MAX)
    };
    let (id, key) = (user.id.as_bytes(), user.username_key.as_str().as_bytes());
    insert(&tables, Tree::Usernames, key, id);
    let record = postcard::to_extend(&old, vec![1]).expect("encoded");
    insert(&tables, Tree::Users, id, &record);
    let record = old_session(&session);
    insert(&tables, Tree::Sessions, session.id.as_bytes(), &record);
    let place = timed_key(session.expires, session.id.as_bytes());
    insert(&tables, Tree::SessionExpiry, &place, b"");
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
        assert_eq!(format.as_ref(), [7, UsernameKey::VERSION]);
    }
}

fn insert_event(tables: &Tables, user: &User, what: EventKind, class: &[u8]) -> Vec<u8> {
    let event = Event {
        id: EventId::new(NOW),
        at: NOW,
        user: user.id,
        by: None,
        what,
        session: None,
        address: None,
        device: None,
    };
    let place = user_key(user.id, event.id.as_bytes()).to_vec();
    insert(tables, Tree::UserEvents, &place, class);
    let record = encode(&event).expect("encoded");
    insert(tables, Tree::Events, event.id.as_bytes(), &record);
    place
}

fn class_of(tables: &Tables, place: &[u8]) -> Vec<u8> {
    let class = tables.bytes(Tree::UserEvents, place).expect("read");
    class.expect("its place").to_vec()
}

#[test]
fn a_folder_of_format_2_tells_the_roles_of_people_and_the_classes_of_events() {
    let (folder, user, _) = old_folder();
    let (tables, disk, watermark) = open_again(folder.path());
    let place = insert_event(&tables, &user, EventKind::TokenReused, b"");
    tables.tree(Tree::Roles).clear().expect("cleared");
    set_format(&tables, 2);
    drop((tables, disk, watermark));
    let (tables, _disk, _mark) = open_again(folder.path());
    let filter = UserFilter {
        role: Some(user.role),
        after: None,
    };
    assert_eq!(tables.users(filter, 0, 9).expect("read"), [user]);
    let expected = [EventKind::TokenReused.class().number()];
    assert_eq!(class_of(&tables, &place), expected);
}

#[test]
fn routine_events_of_format_5_have_the_class_of_their_kind() {
    let (folder, user, _) = old_folder();
    let (tables, disk, watermark) = open_again(folder.path());
    let kinds = [
        EventKind::SignedIn,
        EventKind::SignInFailed,
        EventKind::SignedOut,
        EventKind::SignedOutElsewhere,
        EventKind::ProfileChanged,
        EventKind::Exported,
    ];
    let places = kinds.map(|what| insert_event(&tables, &user, what, &[0]));
    set_format(&tables, 5);
    drop((tables, disk, watermark));
    let (tables, _disk, _mark) = open_again(folder.path());
    let classes: Vec<Vec<u8>> = places
        .iter()
        .map(|place| class_of(&tables, place))
        .collect();
    let expected = kinds.map(|what| vec![what.class().number()]);
    assert_eq!(classes, expected);
}

#[test]
fn an_upgrade_that_was_interrupted_begins_again() {
    let (folder, user, session) = old_folder();
    let (tables, disk, watermark) = open_again(folder.path());
    // An older version has ended it since, and does not know the index.
    tables.tree(Tree::Sessions).clear().expect("cleared");
    tables.tree(Tree::SessionExpiry).clear().expect("cleared");
    set_format(&tables, 1);
    drop((tables, disk, watermark));
    let (tables, _disk, _mark) = open_again(folder.path());
    assert!(tables.sessions_of(user.id).expect("read").is_empty());
    assert!(tables.tree(Tree::UserSessions).is_empty());
    assert_eq!(session.user, user.id);
}

#[test]
fn a_folder_of_a_newer_format_is_refused() {
    let (folder, ..) = old_folder();
    let (tables, disk, watermark) = open_again(folder.path());
    set_format(&tables, 8);
    drop((tables, disk, watermark));
    let refused = loop {
        match open(folder.path(), CACHE_BYTES) {
            // Like in `open_again`.
            Err(OpenError::Io { .. }) => std::thread::yield_now(),
            opened => break opened.err(),
        }
    };
    let is_refused = matches!(refused, Some(OpenError::OtherFormat { .. }));
    assert!(is_refused, "{refused:?}");
}

/// A user as format 2 kept them: addresses under NFKC and lower case.
fn insert_user_of_format_2(tables: &Tables, name: &str, email: &str, is_verified: bool) -> User {
    use unicode_normalization::UnicodeNormalization as _;

    let user = User {
        email: Some(EmailAddress::from_store(email.to_owned())),
        is_verified,
        ..User::new(
            Username::parse(name).expect("a name"),
            PasswordHash::none(),
            NOW,
        )
    };
    let (id, name) = (user.id.as_bytes(), user.username_key.as_str().as_bytes());
    let old_key = email.nfkc().collect::<String>().to_lowercase();
    let place = [old_key.as_bytes(), &[0], id].concat();
    insert(tables, Tree::Usernames, name, id);
    let record = encode(&user).expect("encoded");
    insert(tables, Tree::Users, id, &record);
    insert(tables, Tree::Emails, &place, b"");
    if is_verified {
        insert(tables, Tree::VerifiedEmails, old_key.as_bytes(), id);
    }
    user
}

#[test]
fn addresses_of_format_2_are_compared_as_today_and_of_two_that_are_one_the_first_stays_verified() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tables, disk, watermark) = open(folder.path(), CACHE_BYTES).expect("opened");
    let mut users: Vec<User> = [
        ("first", "alice@bücher.example", true),
        ("second", "alice@xn--bcher-kva.example", true),
        ("nikos", "nikos@κοσμος.example", true),
        ("stranger", "Nikos@κοσμοϲ.example", false),
        ("carol", "Carol@example.org", true),
    ]
    .into_iter()
    .map(|(name, email, verified)| insert_user_of_format_2(&tables, name, email, verified))
    .collect();
    set_format(&tables, 2);
    drop((tables, disk, watermark));
    // The user with the lower id came first.
    if users[1].id < users[0].id {
        users.swap(0, 1);
    }
    users[1].is_verified = false;
    for _ in 0..2 {
        let (tables, _disk, _mark) = open_again(folder.path());
        for user in &users {
            assert_eq!(tables.user(user.id).expect("read").as_ref(), Some(user));
        }
        for (typed, owner) in [
            ("ALICE@bücher.example", &users[0]),
            ("alice@xn--bcher-kva.example", &users[0]),
            ("nikos@κοσμος.example", &users[2]),
            ("nikos@κοσμοϲ.example", &users[3]),
            ("carol@example.org", &users[4]),
        ] {
            let key = EmailAddress::parse(typed).expect("an address").key();
            let found = tables.users_by_email(&key).expect("read");
            assert_eq!(found.as_slice(), std::slice::from_ref(owner), "{typed}");
        }
        let places = tables.tree(Tree::Emails).len();
        let verified = tables.tree(Tree::VerifiedEmails).len();
        assert_eq!(
            (places, verified),
            (5, 3),
            "nothing of the old keys is left"
        );
    }
}

#[test]
fn an_invitation_of_format_6_counts_as_the_operators_and_is_found_by_its_address() {
    let (folder, user, _) = old_folder();
    let (tables, disk, watermark) = open_again(folder.path());
    let address = EmailAddress::parse("alice@example.org").expect("an address");
    let made = Invite::new(
        Some(address.clone()),
        Role::Guest,
        None,
        NOW,
        InviteLifetime::DEFAULT,
    );
    let (token, invite) = made.expect("randomness");
    let old = (
        (invite.id, &invite.hashes, &invite.email, invite.role),
        (invite.created, invite.expires),
    );
    let record = postcard::to_extend(&old, vec![1]).expect("encoded");
    insert(&tables, Tree::Invites, invite.id.as_bytes(), &record);
    let hash = TokenHash::of(token.expose());
    insert(
        &tables,
        Tree::InviteTokens,
        hash.as_bytes(),
        invite.id.as_bytes(),
    );
    // Somebody who has verified the address, so that its invitations go with them.
    let owner = User {
        email: Some(address),
        is_verified: true,
        ..user
    };
    insert_owner(&tables, &owner);
    set_format(&tables, 6);
    drop((tables, disk, watermark));
    let (tables, _disk, _mark) = open_again(folder.path());
    let read: Option<Invite> = tables
        .record(Tree::Invites, invite.id.as_bytes())
        .expect("read");
    assert_eq!(read, Some(invite));
    assert_eq!(tables.tree(Tree::InvitesTo).len(), 1);
    deletion::delete(&tables, owner.id).expect("deleted");
    for tree in [Tree::Invites, Tree::InviteTokens, Tree::InvitesTo] {
        assert!(tables.tree(tree).is_empty());
    }
}

fn insert_owner(tables: &Tables, owner: &User) {
    for entry in crate::sled::user_entries::entries(owner).expect("encoded") {
        let tree = tables.tree(entry.tree);
        tree.insert(entry.key, entry.value).expect("written");
    }
}
