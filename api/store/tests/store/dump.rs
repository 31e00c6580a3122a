//! Dumps from one store and loads into another, of any engine.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use password_auth_model::{
    Decision, EmailKind, EventKind, OneTimeToken, Purpose, QueuedEmail, QueuedEmailId,
    REPLAY_WINDOW, Role, TokenKeyAction, User,
};
use password_auth_store::{CreateUser, LoadError, Loaded, Record, StoreError};

use crate::engine::{Engine, attempt};
use crate::factors::enrolled;
use crate::person::{
    add_token, added, address, confirm, event, happened, mail, now_of, sessions_of, token,
    with_email,
};
use crate::{invites, token_keys};

each_engine! {
    everything_that_is_kept_is_dumped_in_order_and_loads_into_every_engine,
    an_empty_store_is_dumped_and_loaded_too,
    a_dump_shows_one_moment_while_writes_go_on,
    a_second_dump_is_refused_until_the_first_is_over,
    a_store_in_which_something_is_loads_nothing,
    records_that_contradict_each_other_or_break_off_leave_nothing_behind,
}

pub async fn dump(engine: &Engine) -> Vec<Record> {
    let records = engine.store().dump().await.expect("a dump");
    let batches: Vec<Vec<Record>> = records.try_collect().await.expect("all of it");
    batches.concat()
}

pub async fn load(engine: &Engine, records: Vec<Record>) -> Result<Loaded, LoadError> {
    let batches: Vec<_> = records.chunks(2).map(|batch| Ok(batch.to_vec())).collect();
    engine.store().load(Box::pin(stream::iter(batches))).await
}

/// By what records are ordered.
fn place(record: &Record) -> (u8, [u8; 32]) {
    match record {
        Record::User(user) => (0, padded(user.id.as_bytes())),
        Record::Session(session) => (1, padded(session.id.as_bytes())),
        Record::Attempt { key, .. } => (2, padded(key)),
        Record::OneTimeToken(token) => (3, *token.hash.as_bytes()),
        Record::Event(event) => (4, padded(event.id.as_bytes())),
        Record::QueuedEmail(mail) => (5, padded(mail.id.as_bytes())),
        Record::Factors(factors) => (6, padded(factors.user.as_bytes())),
        Record::TokenKey(key) => (7, padded(&key.salt)),
        Record::Invite(invite) => (8, padded(invite.id.as_bytes())),
    }
}

fn padded(id: &[u8; 16]) -> [u8; 32] {
    let mut padded = [0; 32];
    padded[..16].copy_from_slice(id);
    padded
}

async fn everything_that_is_kept_is_dumped_in_order_and_loads_into_every_engine(engine: Engine) {
    let (mut expected, rate) = (Vec::new(), "5/minute".parse().expect("a rate"));
    for (name, email, what) in [
        ("alice", "alice@example.org", EventKind::SignedIn),
        (
            "Ünï 😀",
            "用户@例子.广告",
            EventKind::RoleChanged(Role::Guest),
        ),
        ("carol", "carol@example.org", EventKind::TokenReused),
        ("dave", "dave@example.org", EventKind::Deactivated),
    ] {
        let role = if name == "alice" {
            Role::Admin
        } else {
            Role::User
        };
        let user = User {
            role,
            ..with_email(&engine, name, email)
        };
        let user = added(&engine, user).await;
        let session = engine.session_of(&user);
        assert!(engine.keep(&session).await);
        let id = session.id;
        engine.expect_rotation(id, 0, Decision::Rotate).await;
        match name {
            "alice" => {
                let token = token(&engine, &user, Purpose::VerifyEmail(address(email)));
                assert!(add_token(&engine, &token).await);
                confirm(&engine, &token.hash).await;
                let purpose = Purpose::ConfirmedEmail(address(email));
                expected.push(Record::OneTimeToken(OneTimeToken { purpose, ..token }));
            }
            "carol" => {
                expected.push(Record::Factors(enrolled(&engine, &user).await));
                engine.confirm(id, 1).await;
                engine.pass_at_least(REPLAY_WINDOW * 2).await;
                engine.expect_rotation(id, 0, Decision::Theft).await;
            }
            "dave" => {
                expected.push(Record::Factors(enrolled(&engine, &user).await));
                engine.allow(&user, false).await.expect("dave");
            }
            _ => {}
        }
        let (is_active, sessions) = (name != "dave", sessions_of(&engine, &user).await);
        assert_eq!(sessions.len(), usize::from(is_active));
        expected.extend(sessions.into_iter().map(Record::Session));
        expected.extend(now_of(&engine, user.id).await.map(Record::User));
        for purpose in [
            Purpose::ResetPassword,
            Purpose::VerifyEmail,
            Purpose::ChangeEmail,
        ] {
            let token = token(&engine, &user, purpose(address(email)));
            if add_token(&engine, &token).await {
                expected.push(Record::OneTimeToken(token));
            }
        }
        expected.push(Record::Event(happened(&engine, &user, what).await));
        for about in [Some(&user), None] {
            expected.push(Record::QueuedEmail(mail(&engine, email, about).await));
        }
        let (counted, home) = (attempt(name, "192.0.2.1"), attempt(name, "192.0.2.2"));
        engine.attempt(counted, rate).await;
        engine.remember(home, engine.now()).await;
        let share = std::time::Duration::from_secs(12);
        for (key, until) in [
            (*counted.account(), engine.now().plus(share)),
            (*home.network(), engine.now()),
        ] {
            expected.push(Record::Attempt { key, until });
        }
    }
    for number in [1, 2] {
        let keys = token_keys::change(&engine, number, TokenKeyAction::Rotate(REPLAY_WINDOW));
        let keys = keys.await.expect("rotated");
        expected.retain(|record| !matches!(record, Record::TokenKey(_)));
        expected.extend(keys.into_iter().map(Record::TokenKey));
    }
    let alice = engine.user_named("alice").await.expect("alice");
    let mut tokens = Vec::new();
    for by in [None, Some(alice.id)] {
        let (token, invite) = invites::added_by(&engine, Some("bob@example.org"), by).await;
        expected.push(Record::Invite(invite));
        tokens.push(token);
    }
    expected.sort_by_key(place);
    assert_eq!(dump(&engine).await, expected);

    for other in [Engine::sled().await, Engine::postgres().await] {
        let loaded = load(&other, expected.clone()).await.expect("loaded");
        let all = Loaded {
            users: 4,
            sessions: 3,
            attempts: 8,
            one_time_tokens: 10,
            events: 4,
            mails: 8,
            factors: 2,
            token_keys: 2,
            invites: 2,
        };
        assert_eq!(loaded, all);
        assert_eq!(dump(&other).await, expected);
        // And it works like any other.
        other.turn_clock_to(engine.now()).await;
        assert!(other.name_is_taken("ALICE").await);
        for token in &tokens {
            let invite = other.store().invite(token, other.now()).await;
            assert!(invite.expect("an answer").is_some());
        }
        let theirs = other.store().invites(Some(alice.id), None, 9).await;
        assert_eq!(theirs.expect("an answer").len(), 1);
        let alice = other.user_named("alice").await.expect("alice");
        let again = other.store().create_user(other.user("alice")).await;
        assert_eq!(again.expect("an answer"), CreateUser::NameTaken);
        let of_alice = |record: &Record| match record {
            Record::Session(session) => (session.user == alice.id).then_some(session.id),
            _ => None,
        };
        let session = expected.iter().find_map(of_alice).expect("her session");
        other.expect_rotation(session, 1, Decision::Rotate).await;
        assert!(other.sweep().await > 0);
    }
}

async fn an_empty_store_is_dumped_and_loaded_too(mut engine: Engine) {
    assert_eq!(dump(&engine).await, []);
    let loaded = load(&engine, Vec::new()).await.expect("loaded");
    assert_eq!(loaded, Loaded::default());
    engine.reopen().await;
    engine.signed_in("alice").await;
}

/// Each user signs in before the next one comes: a moment shows no gap.
async fn a_dump_shows_one_moment_while_writes_go_on(engine: Engine) {
    let engine = Arc::new(engine);
    let (before, people) = (20, 60);
    for n in 0..before {
        engine.signed_in(&format!("user {n}")).await;
    }
    let records = engine.store().dump().await.expect("a dump");
    let writing = Arc::clone(&engine);
    let writer = tokio::spawn(async move {
        for n in before..people {
            writing.signed_in(&format!("user {n}")).await;
        }
    });
    let batches: Vec<Vec<Record>> = records.try_collect().await.expect("all of it");
    writer.await.expect("they signed in");
    let records = batches.concat();
    let users: Vec<_> = records.iter().filter_map(user_name).collect();
    for n in 0..users.len() {
        assert!(users.contains(&format!("user {n}").as_str()), "{users:?}");
    }
    assert!(users.len() >= before, "{users:?}");
    let sessions = records.len() - users.len();
    // The last one may just be signing in.
    assert!([users.len(), users.len() - 1].contains(&sessions));
    assert!(sessions >= before);
}

fn user_name(record: &Record) -> Option<&str> {
    match record {
        Record::User(user) => Some(user.username.as_str()),
        _ => None,
    }
}

async fn a_second_dump_is_refused_until_the_first_is_over(engine: Engine) {
    // More than an engine reads ahead of whoever takes the stream.
    let until = engine.now();
    let counts = (0_u128..10_000).map(|n| Record::Attempt {
        key: n.to_be_bytes(),
        until,
    });
    let counts = Ok(counts.collect::<Vec<_>>());
    let loaded = engine.store().load(Box::pin(stream::iter([counts]))).await;
    assert_eq!(loaded.expect("loaded").sum(), 10_000);
    let first = engine.store().dump().await.expect("a dump");
    for node in engine.nodes() {
        let second = node.dump().await.err();
        assert!(matches!(second, Some(StoreError::Busy)), "{second:?}");
    }
    drop(first);
    // The database hears of it when the connection ends, which nothing tells us.
    loop {
        match engine.store().dump().await {
            Err(StoreError::Busy) => tokio::task::yield_now().await,
            second => {
                let mut second = second.expect("a dump");
                let batch = second.next().await.expect("a batch").expect("records");
                assert!(!batch.is_empty());
                break;
            }
        }
    }
}

async fn a_store_in_which_something_is_loads_nothing(engine: Engine) {
    let bob = engine.user("bob");
    let remembered = attempt("alice", "192.0.2.1");
    engine.remember(remembered, engine.now()).await;
    let before = dump(&engine).await;
    let refused = load(&engine, vec![Record::User(bob)]).await;
    assert!(matches!(refused, Err(LoadError::NotEmpty)), "{refused:?}");
    assert_eq!(dump(&engine).await, before);
    engine.signed_in("bob").await;
}

async fn records_that_contradict_each_other_or_break_off_leave_nothing_behind(mut engine: Engine) {
    let (alice, namesake) = (engine.user("alice"), engine.user("ALICE"));
    let session = engine.session_of(&alice);
    let of_nobody = engine.session_of(&engine.user("nobody"));
    let count = Record::Attempt {
        key: [7; 16],
        until: engine.now(),
    };
    let verified = |name: &str| {
        Record::User(User {
            is_verified: true,
            ..with_email(&engine, name, "alice@example.org")
        })
    };
    let token_of = |user: &User| {
        let purpose = Purpose::ResetPassword(address("alice@example.org"));
        Record::OneTimeToken(token(&engine, user, purpose))
    };
    let mail_about = |user: &User| {
        Record::QueuedEmail(QueuedEmail {
            id: QueuedEmailId::new(engine.now()),
            created: engine.now(),
            due: engine.now(),
            tries: 0,
            to: address("alice@example.org"),
            user: Some(user.id),
            kind: EmailKind::PasswordChanged,
        })
    };
    let nobody = engine.user("nobody");
    let (token, mail) = (token_of(&alice), mail_about(&alice));
    let event = Record::Event(event(&engine, &nobody, EventKind::Deleted));
    let (token_of_nobody, mail_about_nobody) = (token_of(&nobody), mail_about(&nobody));
    let (alice, session) = (Record::User(alice), Record::Session(session));
    for contradiction in [
        vec![alice.clone(), Record::User(namesake)],
        vec![alice.clone(), alice.clone()],
        vec![alice.clone(), Record::Session(of_nobody)],
        vec![alice.clone(), session.clone(), session.clone()],
        vec![alice.clone(), count.clone(), count.clone()],
        vec![verified("carol"), verified("dave")],
        vec![alice.clone(), token_of_nobody],
        vec![alice.clone(), token.clone(), token.clone()],
        vec![alice.clone(), event.clone(), event.clone()],
        vec![alice.clone(), mail_about_nobody],
        vec![alice.clone(), mail.clone(), mail.clone()],
    ] {
        let refused = load(&engine, contradiction.clone()).await;
        assert!(
            matches!(refused, Err(LoadError::Contradiction(_))),
            "{refused:?} of {contradiction:?}"
        );
        assert_eq!(dump(&engine).await, []);
    }
    let broken = [
        Ok(vec![alice.clone()]),
        Err(StoreError::Corrupt("it broke off".to_owned())),
    ];
    let refused = engine.store().load(Box::pin(stream::iter(broken))).await;
    assert!(matches!(refused, Err(LoadError::Records(_))), "{refused:?}");
    engine.reopen().await;
    assert_eq!(engine.user_named("alice").await, None);
    let whole = vec![alice, session, count, token, event, mail];
    let whole = load(&engine, whole).await;
    assert_eq!(whole.expect("loaded").sum(), 6);
}
