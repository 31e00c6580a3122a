//! Signing out removes a session. A session that ended by a theft stays, so that its owner is told.

use password_auth_model::{Decision, End, REPLAY_WINDOW, SessionId};

use crate::engine::{Engine, read_on};

each_engine! {
    a_session_that_was_signed_out_is_gone_on_every_node,
    signing_out_again_and_of_the_unknown_is_no_error,
    signing_out_ends_no_other_session,
    an_expired_session_can_be_signed_out,
    a_session_ended_by_a_theft_is_not_signed_out,
    a_sign_out_is_there_again_after_the_store_was_closed,
}

async fn a_session_that_was_signed_out_is_gone_on_every_node(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.end(session.id).await;
    for node in engine.nodes() {
        let found = read_on(&**node, session.id).await;
        assert_eq!(found, None);
    }
    for presented in [0, 1, 2] {
        assert_eq!(engine.rotate(session.id, presented).await, None);
    }
    assert_eq!(engine.session(session.id).await, None);
}

async fn signing_out_again_and_of_the_unknown_is_no_error(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    for _ in 0..3 {
        engine.end(session.id).await;
    }
    engine.end(SessionId::new(engine.now())).await;
    let next = engine.session_of(&alice);
    assert!(engine.keep(&next).await);
}

async fn signing_out_ends_no_other_session(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let other = engine.session_of(&alice);
    assert!(engine.keep(&other).await);
    engine.end(session.id).await;
    assert_eq!(engine.session(other.id).await, Some((other, alice)));
}

async fn an_expired_session_can_be_signed_out(engine: Engine) {
    let (expired, alice) = engine.signed_in("alice").await;
    engine.turn_clock_to(expired.expires).await;
    let found = engine.session(expired.id).await;
    assert_eq!(found, Some((expired.clone(), alice)));
    engine.end(expired.id).await;
    assert_eq!(engine.session(expired.id).await, None);
}

async fn a_session_ended_by_a_theft_is_not_signed_out(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.confirm(session.id, 1).await;
    engine.advance(REPLAY_WINDOW * 2).await;
    let ended = engine.expect_rotation(session.id, 0, Decision::Theft).await;
    for _ in 0..2 {
        engine.end(session.id).await;
        let found = engine.session(session.id).await;
        assert_eq!(found, Some((ended.clone(), alice.clone())));
    }
    engine
        .expect_rotation(session.id, 1, Decision::Over(End::Theft))
        .await;
}

async fn a_sign_out_is_there_again_after_the_store_was_closed(mut engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine.end(session.id).await;
    engine.reopen().await;
    assert_eq!(engine.session(session.id).await, None);
    assert_eq!(engine.rotate(session.id, 0).await, None);
}
