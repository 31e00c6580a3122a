//! Sweeping removes what is over, all of it, and nothing a millisecond before its time.

use std::time::Duration;

use password_auth_model::{
    Decision, End, KEPT_AFTER_EXPIRY, REPLAY_WINDOW, Session, Timestamp, Verdict,
};

use crate::engine::{Engine, attempt};

each_engine! {
    an_expired_session_is_kept_a_month_and_then_goes,
    a_session_ended_by_a_theft_is_kept_as_long_and_then_goes,
    a_session_that_lives_or_is_on_record_stays,
    a_session_that_was_signed_out_is_not_counted,
    counts_go_when_they_are_paid_off_and_networks_when_they_are_forgotten,
    any_number_of_records_goes_in_one_sweep,
    an_empty_store_is_swept_in_vain,
    nothing_expired_a_month_before_the_epoch,
    what_was_swept_is_gone_after_the_store_was_closed,
}

const MILLISECOND: Duration = Duration::from_millis(1);

async fn an_expired_session_is_kept_a_month_and_then_goes(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let gone = session.expires.plus(KEPT_AFTER_EXPIRY);
    engine.turn_clock_to(gone.minus(MILLISECOND)).await;
    assert_eq!(engine.sweep().await, 0);
    engine
        .expect_rotation(session.id, 0, Decision::Expired)
        .await;
    engine.turn_clock_to(gone).await;
    assert_eq!(engine.sweep().await, 1);
    assert_eq!(engine.session(session.id).await, None);
    assert_eq!(engine.rotate(session.id, 0).await, None);
    assert_eq!(engine.sweep().await, 0);
    assert_eq!(engine.user_named("alice").await, Some(alice), "people stay");
}

async fn a_session_ended_by_a_theft_is_kept_as_long_and_then_goes(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.confirm(session.id, 1).await;
    engine.advance(REPLAY_WINDOW * 2).await;
    engine.expect_rotation(session.id, 0, Decision::Theft).await;
    let gone = session.expires.plus(KEPT_AFTER_EXPIRY);
    engine.turn_clock_to(gone.minus(MILLISECOND)).await;
    assert_eq!(engine.sweep().await, 0);
    let over = Decision::Over(End::Theft);
    engine.expect_rotation(session.id, 1, over).await;
    engine.turn_clock_to(gone).await;
    assert_eq!(engine.sweep().await, 1);
    assert_eq!(engine.rotate(session.id, 1).await, None);
}

async fn a_session_that_lives_or_is_on_record_stays(engine: Engine) {
    let (first, alice) = engine.signed_in("alice").await;
    engine.turn_clock_to(first.expires).await;
    let (second, bob) = engine.signed_in("bob").await;
    engine.advance(KEPT_AFTER_EXPIRY).await;
    assert_eq!(engine.sweep().await, 1);
    assert_eq!(engine.session(first.id).await, None);
    assert_eq!(engine.session(second.id).await, Some((second, bob)));
    assert_eq!(engine.user_named("alice").await, Some(alice));
}

async fn a_session_that_was_signed_out_is_not_counted(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.end(session.id).await;
    engine
        .turn_clock_to(session.expires.plus(KEPT_AFTER_EXPIRY))
        .await;
    assert_eq!(engine.sweep().await, 0);
}

async fn counts_go_when_they_are_paid_off_and_networks_when_they_are_forgotten(engine: Engine) {
    let rate = "5/minute".parse().expect("a rate");
    let (alice, bob) = (attempt("alice", "192.0.2.1"), attempt("bob", "192.0.2.1"));
    assert_eq!(engine.attempt(alice, rate).await, Verdict::Allowed);
    let theoretical_arrival = engine.now().plus(Duration::from_secs(12));
    engine
        .remember(bob, theoretical_arrival.plus(MILLISECOND))
        .await;
    engine
        .turn_clock_to(theoretical_arrival.minus(MILLISECOND))
        .await;
    assert_eq!(engine.sweep().await, 0);
    engine.turn_clock_to(theoretical_arrival).await;
    assert_eq!(engine.sweep().await, 1);
    engine.advance(MILLISECOND).await;
    assert_eq!(engine.sweep().await, 1);
    assert_eq!(engine.sweep().await, 0);
}

async fn any_number_of_records_goes_in_one_sweep(engine: Engine) {
    let (sessions, tries) = (150, 600);
    for n in 0..sessions {
        let user = engine.register(&format!("user {n}")).await;
        let session = Session {
            expires: engine.now().plus(Duration::from_secs(n)),
            ..engine.session_of(&user)
        };
        assert!(engine.keep(&session).await);
    }
    for n in 0..tries {
        let attempt = attempt(&format!("user {n}"), "192.0.2.1");
        engine
            .remember(attempt, engine.now().plus(MILLISECOND))
            .await;
    }
    let (kept, alice) = engine.signed_in("alice").await;
    engine
        .advance(KEPT_AFTER_EXPIRY + Duration::from_secs(sessions))
        .await;
    let all = usize::try_from(sessions).expect("few") + tries;
    assert_eq!(engine.sweep().await, all);
    assert_eq!(engine.session(kept.id).await, Some((kept, alice)));
    assert_eq!(engine.sweep().await, 0);
}

async fn an_empty_store_is_swept_in_vain(engine: Engine) {
    assert_eq!(engine.sweep().await, 0);
}

async fn nothing_expired_a_month_before_the_epoch(engine: Engine) {
    let alice = engine.register("alice").await;
    let epoch = Timestamp::from_millis(0);
    let session = Session {
        expires: epoch,
        ..engine.session_of(&alice)
    };
    assert!(engine.keep(&session).await);
    let gone = epoch.plus(KEPT_AFTER_EXPIRY);
    for now in [epoch, gone.minus(MILLISECOND)] {
        engine.turn_clock_to(now).await;
        assert_eq!(engine.sweep().await, 0, "{now:?}");
    }
    engine.turn_clock_to(gone).await;
    assert_eq!(engine.sweep().await, 1);
}

async fn what_was_swept_is_gone_after_the_store_was_closed(mut engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .turn_clock_to(session.expires.plus(KEPT_AFTER_EXPIRY))
        .await;
    assert_eq!(engine.sweep().await, 1);
    engine.reopen().await;
    assert_eq!(engine.session(session.id).await, None);
    assert_eq!(engine.sweep().await, 0);
}
