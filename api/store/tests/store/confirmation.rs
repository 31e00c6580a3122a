//! Confirming a generation: only the current one, visible at once, and stored when the store is closed.

use password_auth_model::{Decision, REPLAY_WINDOW, Session, SessionId, Trail};

use crate::engine::{Engine, PARTY, read_on};

each_engine! {
    the_current_generation_is_confirmed_and_nothing_else_changes,
    another_generation_than_the_current_one_confirms_nothing,
    a_rotation_takes_the_confirmation_back,
    confirming_an_unknown_session_is_no_error_and_makes_none,
    a_session_is_confirmed_whatever_else_became_of_it,
    a_confirmation_is_there_again_after_the_store_was_closed,
}

async fn found(engine: &Engine, id: SessionId) -> Session {
    engine.session(id).await.expect("a session").0
}

async fn the_current_generation_is_confirmed_and_nothing_else_changes(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let confirmed = Session {
        confirmed: true,
        trail: Trail {
            confirmed_by: Some(PARTY),
            ..session.trail.clone()
        },
        ..session.clone()
    };
    for _ in 0..2 {
        engine.confirm(session.id, 0).await;
        for node in engine.nodes() {
            let found = read_on(&**node, session.id).await;
            assert_eq!(found, Some((confirmed.clone(), alice.clone())));
        }
    }
}

async fn another_generation_than_the_current_one_confirms_nothing(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    let rotated = engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    for generation in [0, 2, u32::MAX] {
        engine.confirm(session.id, generation).await;
        assert_eq!(found(&engine, session.id).await, rotated);
    }
}

async fn a_rotation_takes_the_confirmation_back(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine.confirm(session.id, 0).await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    assert!(!found(&engine, session.id).await.confirmed);
    engine.advance(REPLAY_WINDOW * 2).await;
    engine
        .expect_rotation(session.id, 0, Decision::ReplayInNewEpoch)
        .await;
}

async fn confirming_an_unknown_session_is_no_error_and_makes_none(engine: Engine) {
    let unknown = SessionId::new(engine.now());
    engine.confirm(unknown, 0).await;
    assert_eq!(engine.session(unknown).await, None);
    let (session, _) = engine.signed_in("alice").await;
    engine.end(session.id).await;
    engine.confirm(session.id, 0).await;
    assert_eq!(engine.session(session.id).await, None);
}

async fn a_session_is_confirmed_whatever_else_became_of_it(engine: Engine) {
    let (stolen, _) = engine.signed_in("alice").await;
    engine.expect_rotation(stolen.id, 0, Decision::Rotate).await;
    engine.expect_rotation(stolen.id, 1, Decision::Rotate).await;
    engine.advance(REPLAY_WINDOW * 2).await;
    let (expired, _) = engine.signed_in("bob").await;
    engine.expect_rotation(stolen.id, 0, Decision::Theft).await;
    engine.turn_clock_to(expired.expires).await;
    engine.confirm(stolen.id, 2).await;
    engine.confirm(expired.id, 0).await;
    let stolen = found(&engine, stolen.id).await;
    assert!(stolen.confirmed && stolen.ended.is_some());
    assert!(found(&engine, expired.id).await.confirmed);
}

async fn a_confirmation_is_there_again_after_the_store_was_closed(mut engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.confirm(session.id, 1).await;
    engine.reopen().await;
    engine.advance(REPLAY_WINDOW * 2).await;
    engine.expect_rotation(session.id, 0, Decision::Theft).await;
}
