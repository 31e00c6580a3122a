//! Two conflicting calls at the same time: one of them comes first.

use password_auth_model::{Decision, End, FullName, Generation, Owner, REPLAY_WINDOW, Role};
use password_auth_store::{NewSession, UserChange};
use tokio::task::JoinSet;

use crate::at_once::{MANY, ROUNDS, at_once, everywhere, two_at_once};
use crate::engine::{Engine, PARTY, allow};

each_engine! {
    a_sign_out_is_not_undone_by_a_rotation_at_the_same_time,
    a_disabled_user_is_not_let_in_by_a_sign_in_at_the_same_time,
    a_disabled_user_s_sessions_do_not_rotate_afterwards,
    a_late_confirmation_confirms_no_successor,
    a_theft_and_a_sign_out_at_once_leave_no_session_that_counts,
    a_session_and_its_user_are_read_of_one_moment,
}

async fn a_sign_out_is_not_undone_by_a_rotation_at_the_same_time(engine: Engine) {
    let alice = engine.register("alice").await;
    for _ in 0..ROUNDS {
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        let (id, now) = (session.id, engine.now());
        let (rotated, ended) = two_at_once(
            &engine,
            move |store| async move { store.rotate_session(id, Generation(0), PARTY, now).await },
            move |store| async move { store.end_session(id).await },
        )
        .await;
        let decision = rotated
            .expect("an answer")
            .map(|rotation| rotation.decision);
        assert!(matches!(decision, None | Some(Decision::Rotate)));
        ended.expect("an answer");
        assert_eq!(everywhere(&engine, id).await, None);
        assert_eq!(engine.rotate(id, 1).await, None);
    }
}

async fn a_disabled_user_is_not_let_in_by_a_sign_in_at_the_same_time(engine: Engine) {
    for round in 0..ROUNDS {
        let alice = engine.register(&format!("alice {round}")).await;
        let session = engine.session_of(&alice);
        let asked = session.clone();
        let (kept, allowed) = two_at_once(
            &engine,
            move |store| async move { store.create_session(asked, 0).await },
            move |store| async move { allow(&*store, alice.id, false).await },
        )
        .await;
        assert_eq!(allowed, Some(()));
        let kept = kept.expect("an answer");
        assert!(matches!(kept, NewSession::Added | NewSession::NoUser));
        assert_eq!(everywhere(&engine, session.id).await, None);
        assert_eq!(engine.rotate(session.id, 0).await, None);
    }
}

/// Looks for every session of a user who was just disabled, while all of them were about to rotate.
async fn a_disabled_user_s_sessions_do_not_rotate_afterwards(engine: Engine) {
    for round in 0..5 {
        let alice = engine.register(&format!("alice {round}")).await;
        let sessions: Vec<_> = (0..MANY).map(|_| engine.session_of(&alice)).collect();
        let kept = at_once(&engine, MANY, |n, store| {
            let session = sessions[n].clone();
            async move { store.create_session(session, 0).await.expect("an answer") }
        });
        assert!(kept.await.iter().all(|kept| *kept == NewSession::Added));
        let (user, now) = (alice.id, engine.now());
        let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
        let (disabling, looking_at) = (engine.store(), ids.clone());
        let disabled = tokio::spawn(async move {
            assert_eq!(allow(&*disabling, user, false).await, Some(()));
            let looks = looking_at.into_iter().map(|id| disabling.identity(id));
            futures_util::future::join_all(looks).await
        });
        let rotated = at_once(&engine, MANY, |n, store| {
            let id = ids[n];
            async move { store.rotate_session(id, Generation(0), PARTY, now).await }
        });
        let rotated = rotated.await;
        for (n, seen) in disabled.await.expect("it ran").into_iter().enumerate() {
            assert_eq!(seen.expect("an answer"), None);
            assert_eq!(everywhere(&engine, ids[n]).await, None, "it rotated later");
            assert_eq!(engine.rotate(ids[n], 0).await, None);
        }
        // Whoever came first did rotate; the others heard that the user is disabled.
        for rotation in rotated
            .into_iter()
            .filter_map(|rotated| rotated.expect("an answer"))
        {
            assert_eq!(rotation.decision, Decision::Rotate);
            assert_eq!(rotation.owner, Owner::from(&alice));
        }
    }
}

async fn a_late_confirmation_confirms_no_successor(engine: Engine) {
    let alice = engine.register("alice").await;
    for _ in 0..ROUNDS {
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        let (id, now) = (session.id, engine.now());
        let (rotated, confirmed) = two_at_once(
            &engine,
            move |store| async move { store.rotate_session(id, Generation(0), PARTY, now).await },
            move |store| async move { store.note_use(id, Generation(0), Some(PARTY)).await },
        )
        .await;
        confirmed.expect("an answer");
        let rotation = rotated.expect("an answer").expect("a rotation");
        assert_eq!(rotation.decision, Decision::Rotate);
        let (after, _) = everywhere(&engine, id).await.expect("a session");
        assert_eq!(after, rotation.session);
        assert!(!after.confirmed);
    }
}

async fn a_theft_and_a_sign_out_at_once_leave_no_session_that_counts(engine: Engine) {
    let alice = engine.register("alice").await;
    for _ in 0..ROUNDS {
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        let id = session.id;
        engine.expect_rotation(id, 0, Decision::Rotate).await;
        engine.confirm(id, 1).await;
        engine.advance(REPLAY_WINDOW * 2).await;
        let now = engine.now();
        let (rotated, ended) = two_at_once(
            &engine,
            move |store| async move { store.rotate_session(id, Generation(0), PARTY, now).await },
            move |store| async move { store.end_session(id).await },
        )
        .await;
        ended.expect("an answer");
        let found = everywhere(&engine, id).await;
        match rotated.expect("an answer") {
            Some(rotation) => {
                assert_eq!(rotation.decision, Decision::Theft);
                let (found, _) = found.expect("its owner is told");
                assert_eq!(found.ended, Some(End::Theft));
            }
            None => assert_eq!(found, None),
        }
    }
}

/// Whoever sees what the person is called sees also what happened to the session before.
async fn a_session_and_its_user_are_read_of_one_moment(engine: Engine) {
    for round in 0..ROUNDS {
        let (session, alice) = engine.signed_in(&format!("alice {round}")).await;
        let (id, user) = (session.id, alice.id);
        let mut readers = JoinSet::new();
        for _ in 0..4 {
            let store = engine.store();
            readers.spawn(async move {
                loop {
                    let found = store.session(id).await.expect("an answer");
                    let (session, user) = found.expect("a session");
                    let is_called = user.full_name.is_some();
                    assert!(!is_called || session.confirmed, "two moments");
                    let found = store.identity_and_user(id).await.expect("an answer");
                    let (identity, user) = found.expect("a session");
                    let is_new = identity.may_change_after_use(Generation(0));
                    let is_called = user.full_name.is_some();
                    assert!(!is_called || !is_new, "two moments");
                    let found = store.identity(id).await.expect("an answer");
                    let identity = found.expect("a session");
                    let is_new = identity.may_change_after_use(Generation(0));
                    let is_admin = identity.role == Role::Admin;
                    assert!(!is_admin || !is_new, "two moments");
                    if is_called {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
        let store = engine.store();
        let confirmed = store.note_use(id, Generation(0), Some(PARTY)).await;
        confirmed.expect("an answer");
        let change = UserChange {
            full_name: Some(FullName::parse("Alice Liddell").expect("a name")),
            role: Some(Role::Admin),
            ..UserChange::default()
        };
        store.change_user(user, change).await.expect("an answer");
        readers.join_all().await;
    }
}
