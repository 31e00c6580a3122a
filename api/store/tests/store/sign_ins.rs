//! A user's sessions: how many, which, and ending them.

use std::time::Duration;

use password_auth_model::{Decision, MAX_SESSIONS, REPLAY_WINDOW, SessionId};

use crate::engine::Engine;
use crate::person::{now_of, sessions_of};

each_engine! {
    a_sign_in_notes_when_it_was,
    a_person_s_sessions_are_listed_in_the_order_in_which_they_began,
    of_one_session_too_many_the_oldest_goes,
    a_session_is_ended_by_whose_it_is_and_by_nobody_else,
    all_sessions_but_one_are_ended,
    a_session_that_was_ended_for_a_theft_stays_and_is_not_counted,
}

async fn a_sign_in_notes_when_it_was(engine: Engine) {
    let alice = engine.register("alice").await;
    for _ in 0..2 {
        engine.advance(Duration::from_secs(60)).await;
        assert!(engine.keep(&engine.session_of(&alice)).await);
        let now = now_of(&engine, alice.id).await.expect("alice");
        assert_eq!(now.last_login, Some(engine.now()));
    }
}

async fn a_person_s_sessions_are_listed_in_the_order_in_which_they_began(engine: Engine) {
    let alice = engine.register("alice").await;
    engine.signed_in("bob").await;
    let mut sessions = Vec::new();
    for _ in 0..5 {
        engine.advance(Duration::from_millis(1)).await;
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        sessions.push(session);
    }
    assert_eq!(sessions_of(&engine, &alice).await, sessions);
    let rotated = engine
        .expect_rotation(sessions[2].id, 0, Decision::Rotate)
        .await;
    sessions[2] = rotated;
    engine.end(sessions[4].id).await;
    sessions.truncate(4);
    assert_eq!(sessions_of(&engine, &alice).await, sessions);
    engine.turn_clock_to(sessions[3].expires).await;
    assert_eq!(sessions_of(&engine, &alice).await, sessions);
    let nobody = engine.user("nobody");
    assert_eq!(sessions_of(&engine, &nobody).await, []);
}

async fn of_one_session_too_many_the_oldest_goes(engine: Engine) {
    let (other, _) = engine.signed_in("bob").await;
    let alice = engine.register("alice").await;
    let mut sessions = Vec::new();
    for _ in 0..MAX_SESSIONS + 2 {
        engine.advance(Duration::from_millis(1)).await;
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        sessions.push(session);
    }
    assert_eq!(sessions_of(&engine, &alice).await, sessions[2..]);
    for gone in &sessions[..2] {
        assert_eq!(engine.session(gone.id).await, None);
    }
    assert!(engine.session(other.id).await.is_some());
}

async fn a_session_is_ended_by_whose_it_is_and_by_nobody_else(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let bob = engine.register("bob").await;
    let store = engine.store();
    for (user, id, expected) in [
        (&bob, session.id, false),
        (&alice, SessionId::new(engine.now()), false),
        (&alice, session.id, true),
        (&alice, session.id, false),
    ] {
        let ended = store.end_session_of(user.id, id).await;
        assert_eq!(ended.expect("an answer"), expected);
    }
    assert_eq!(engine.session(session.id).await, None);
    assert_eq!(sessions_of(&engine, &alice).await, []);
}

async fn all_sessions_but_one_are_ended(engine: Engine) {
    let alice = engine.register("alice").await;
    let (other, _) = engine.signed_in("bob").await;
    let sessions: Vec<_> = (0..4).map(|_| engine.session_of(&alice)).collect();
    for session in &sessions {
        assert!(engine.keep(session).await);
    }
    let store = engine.store();
    for (keep, expected) in [
        (Some(sessions[0].id), 3),
        (Some(sessions[0].id), 0),
        // Somebody else's keeps none of hers.
        (Some(other.id), 1),
        (None, 0),
    ] {
        let ended = store.end_sessions_of(alice.id, keep).await;
        assert_eq!(ended.expect("an answer"), expected);
    }
    assert!(engine.session(other.id).await.is_some());
}

async fn a_session_that_was_ended_for_a_theft_stays_and_is_not_counted(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let id = session.id;
    engine.expect_rotation(id, 0, Decision::Rotate).await;
    engine.confirm(id, 1).await;
    engine.pass_at_least(REPLAY_WINDOW * 2).await;
    let ended = engine.expect_rotation(id, 0, Decision::Theft).await;
    let store = engine.store();
    assert!(!store.end_session_of(alice.id, id).await.expect("an answer"));
    let all = store.end_sessions_of(alice.id, None).await;
    assert_eq!(all.expect("an answer"), 0);
    assert_eq!(sessions_of(&engine, &alice).await, [ended]);
}
