//! The table of refresh-token rotation, row by row, as a store answers it: the decision, the session
//! after it, and the same on record for every node.

use std::time::Duration;

use password_auth_model::{
    Decision, End, Generation, Identity, MAX_RETIRED, Owner, Party, REPLAY_WINDOW, Role, Session,
    SessionId, User,
};
use password_auth_store::{ChangePassword, UserChange};

use crate::engine::{Engine, LIFETIME, PARTY, hash};

each_engine! {
    the_current_token_rotates_confirmed_or_not,
    a_token_superseded_inside_the_window_is_answered_with_the_current_one,
    the_window_is_open_on_both_sides_since_clocks_are_set_back,
    the_predecessor_of_an_unconfirmed_token_is_answered_late_in_a_new_epoch,
    the_predecessor_of_a_confirmed_token_outside_the_window_is_a_theft,
    an_older_token_outside_the_window_is_a_theft_also_if_the_current_one_is_unconfirmed,
    a_session_ended_by_a_theft_says_so_to_every_token,
    a_token_newer_than_the_store_is_adopted,
    the_last_generation_of_all_still_rotates,
    eight_superseded_generations_are_remembered_and_no_ninth,
    an_expired_session_says_so_and_does_not_change,
    the_last_millisecond_of_a_session_still_counts,
    a_session_that_is_not_there_does_not_rotate,
    a_rotation_answers_with_the_user_as_they_are_now,
    whoever_asks_after_a_rotation_or_a_use_sees_it,
    a_rotation_moves_no_other_record,
    a_rotation_is_there_again_after_the_store_was_closed,
    a_theft_is_there_again_after_the_store_was_closed,
    a_replay_from_elsewhere_is_noted_and_its_repetition_is_a_theft,
    two_answers_to_one_token_that_are_both_used_make_a_repetition_of_the_next,
    a_token_from_before_the_password_was_changed_is_void,
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// Well inside the window.
const INSIDE: Duration = Duration::from_secs(20);

async fn the_current_token_rotates_confirmed_or_not(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    for generation in 0..20 {
        if generation % 2 == 1 {
            engine.confirm(session.id, generation).await;
        }
        engine.advance(Duration::from_secs(7)).await;
        let after = engine
            .expect_rotation(session.id, generation, Decision::Rotate)
            .await;
        assert_eq!(after.generation, Generation(generation + 1));
        assert!(engine.may_be_arrival(after.last_used));
        assert!(!after.confirmed);
    }
}

async fn a_token_superseded_inside_the_window_is_answered_with_the_current_one(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    for generation in 0..3 {
        engine
            .expect_rotation(session.id, generation, Decision::Rotate)
            .await;
    }
    engine.confirm(session.id, 3).await;
    engine.pass_at_most(REPLAY_WINDOW).await;
    for presented in [0, 2, 1, 0] {
        let after = engine
            .expect_rotation(session.id, presented, Decision::Replay)
            .await;
        assert_eq!(after.generation, Generation(3));
    }
}

async fn the_window_is_open_on_both_sides_since_clocks_are_set_back(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.confirm(session.id, 1).await;
    engine.set_back(INSIDE).await;
    engine
        .expect_rotation(session.id, 0, Decision::Replay)
        .await;
    engine.set_back(REPLAY_WINDOW).await;
    engine.expect_rotation(session.id, 0, Decision::Theft).await;
}

/// A session at generation 1 whose generation 0 left the window.
async fn superseded_outside_the_window(engine: &Engine) -> SessionId {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.pass_at_least(REPLAY_WINDOW + MILLISECOND).await;
    session.id
}

async fn the_predecessor_of_an_unconfirmed_token_is_answered_late_in_a_new_epoch(engine: Engine) {
    let id = superseded_outside_the_window(&engine).await;
    for epoch in 1..4 {
        let after = engine
            .expect_rotation(id, 0, Decision::ReplayInNewEpoch)
            .await;
        assert_eq!((after.generation, after.epoch), (Generation(1), epoch));
        engine.advance(Duration::from_secs(86_400)).await;
    }
    let after = engine.expect_rotation(id, 1, Decision::Rotate).await;
    assert_eq!(after.epoch, 3);
}

async fn the_predecessor_of_a_confirmed_token_outside_the_window_is_a_theft(engine: Engine) {
    let id = superseded_outside_the_window(&engine).await;
    engine.confirm(id, 1).await;
    let after = engine.expect_rotation(id, 0, Decision::Theft).await;
    assert_eq!(after.ended, Some(End::Theft));
}

async fn an_older_token_outside_the_window_is_a_theft_also_if_the_current_one_is_unconfirmed(
    engine: Engine,
) {
    let id = superseded_outside_the_window(&engine).await;
    engine.expect_rotation(id, 1, Decision::Rotate).await;
    engine.expect_rotation(id, 0, Decision::Theft).await;
}

async fn a_session_ended_by_a_theft_says_so_to_every_token(engine: Engine) {
    let id = superseded_outside_the_window(&engine).await;
    engine.confirm(id, 1).await;
    engine.expect_rotation(id, 0, Decision::Theft).await;
    for presented in [0, 1, 2, u32::MAX] {
        engine
            .expect_rotation(id, presented, Decision::Over(End::Theft))
            .await;
    }
    engine.advance(LIFETIME).await;
    engine
        .expect_rotation(id, 1, Decision::Over(End::Theft))
        .await;
}

async fn a_token_newer_than_the_store_is_adopted(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    let after = engine.expect_rotation(session.id, 7, Decision::Adopt).await;
    assert_eq!(after.generation, Generation(8));
    engine
        .expect_rotation(session.id, 7, Decision::Replay)
        .await;
    engine
        .expect_rotation(session.id, 8, Decision::Rotate)
        .await;
}

async fn the_last_generation_of_all_still_rotates(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    let half = i32::MAX.unsigned_abs();
    engine
        .expect_rotation(session.id, half, Decision::Adopt)
        .await;
    engine
        .expect_rotation(session.id, half + 1, Decision::Rotate)
        .await;
    engine
        .expect_rotation(session.id, u32::MAX, Decision::Adopt)
        .await;
    for _ in 0..3 {
        let after = engine
            .expect_rotation(session.id, u32::MAX, Decision::Rotate)
            .await;
        assert_eq!(after.generation, Generation(u32::MAX));
    }
    engine.confirm(session.id, u32::MAX).await;
    let (confirmed, _) = engine.session(session.id).await.expect("a session");
    assert!(confirmed.confirmed);
}

async fn eight_superseded_generations_are_remembered_and_no_ninth(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    let rotations = u32::try_from(MAX_RETIRED).expect("few") + 1;
    for generation in 0..rotations {
        engine
            .expect_rotation(session.id, generation, Decision::Rotate)
            .await;
    }
    for presented in 1..rotations {
        let after = engine
            .expect_rotation(session.id, presented, Decision::Replay)
            .await;
        assert_eq!(after.retired.len(), MAX_RETIRED);
    }
    engine.expect_rotation(session.id, 0, Decision::Theft).await;
}

async fn an_expired_session_says_so_and_does_not_change(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine
        .pass_at_least(session.expires.since(engine.now()))
        .await;
    for presented in [0, 1, 2] {
        engine
            .expect_rotation(session.id, presented, Decision::Expired)
            .await;
        engine.advance(Duration::from_secs(86_400)).await;
    }
}

async fn the_last_millisecond_of_a_session_still_counts(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .turn_clock_to(session.expires.minus(MILLISECOND))
        .await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
}

async fn a_session_that_is_not_there_does_not_rotate(engine: Engine) {
    engine.signed_in("alice").await;
    let unknown = SessionId::new(engine.now());
    for presented in [0, 1, u32::MAX] {
        assert_eq!(engine.rotate(unknown, presented).await, None);
    }
    assert_eq!(engine.session(unknown).await, None);
}

async fn a_rotation_answers_with_the_user_as_they_are_now(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    for (generation, role) in [Role::Guest, Role::User, Role::Guest]
        .into_iter()
        .enumerate()
    {
        let store = engine.store();
        // So that an engine that remembers whom it has read could answer from memory.
        assert!(
            store
                .identity(session.id)
                .await
                .expect("an answer")
                .is_some()
        );
        let change = UserChange {
            role: Some(role),
            ..UserChange::default()
        };
        store
            .change_user(alice.id, change)
            .await
            .expect("an answer");
        let presented = u32::try_from(generation).expect("a few");
        let rotation = engine.rotate(session.id, presented).await;
        let now = Owner::from(&User {
            role,
            ..alice.clone()
        });
        assert_eq!(rotation.expect("a rotation").owner, now);
    }
    assert_eq!(engine.allow(&alice, false).await, Some(()));
    assert_eq!(engine.rotate(session.id, 3).await, None);
}

async fn whoever_asks_after_a_rotation_or_a_use_sees_it(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    for generation in 0..4 {
        let rotation = engine.rotate(session.id, generation).await;
        let rotated = rotation.expect("a rotation").session;
        expect_identity(&engine, &rotated, &alice).await;
        engine.confirm(session.id, generation + 1).await;
        let (used, _) = engine.session(session.id).await.expect("a session");
        assert!(used.confirmed);
        expect_identity(&engine, &used, &alice).await;
    }
    engine
        .store()
        .end_session(session.id)
        .await
        .expect("an answer");
    let gone = engine.store().identity(session.id).await;
    assert_eq!(gone.expect("an answer"), None);
}

async fn expect_identity(engine: &Engine, session: &Session, user: &User) {
    let identity = engine.store().identity(session.id).await;
    let expected = Identity::of(session, Owner::from(user));
    assert_eq!(identity.expect("an answer"), Some(expected));
}

async fn a_rotation_moves_no_other_record(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let (other, bob) = engine.signed_in("bob").await;
    let second = engine.session_of(&alice);
    assert!(engine.keep(&second).await);
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.pass_at_least(REPLAY_WINDOW + MILLISECOND).await;
    engine.confirm(session.id, 1).await;
    engine.expect_rotation(session.id, 0, Decision::Theft).await;
    assert_eq!(engine.session(other.id).await, Some((other, bob)));
    assert_eq!(engine.session(second.id).await, Some((second, alice)));
}

async fn a_rotation_is_there_again_after_the_store_was_closed(mut engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    engine
        .expect_rotation(session.id, 0, Decision::Rotate)
        .await;
    engine.reopen().await;
    let after = engine
        .expect_rotation(session.id, 0, Decision::Replay)
        .await;
    assert_eq!(after.generation, Generation(1));
    engine.pass_at_least(REPLAY_WINDOW + MILLISECOND).await;
    engine
        .expect_rotation(session.id, 0, Decision::ReplayInNewEpoch)
        .await;
    engine.reopen().await;
    let (found, _): (Session, User) = engine.session(session.id).await.expect("a session");
    assert_eq!(found.epoch, 1);
}

async fn a_theft_is_there_again_after_the_store_was_closed(mut engine: Engine) {
    let id = superseded_outside_the_window(&engine).await;
    engine.confirm(id, 1).await;
    engine.expect_rotation(id, 0, Decision::Theft).await;
    engine.reopen().await;
    engine
        .expect_rotation(id, 1, Decision::Over(End::Theft))
        .await;
}

/// Another device, and the same in another network.
const STRANGER: Party = Party {
    network: 8,
    device: 9,
};
const ELSEWHERE: Party = Party {
    network: 8,
    ..PARTY
};

async fn a_replay_from_elsewhere_is_noted_and_its_repetition_is_a_theft(mut engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    let id = session.id;
    engine.expect_rotation(id, 0, Decision::Rotate).await;
    let noted = Decision::ReplayElsewhere;
    let after = engine.expect_rotation_by(STRANGER, id, 0, noted).await;
    assert_eq!(after.trail.elsewhere.len(), 1);
    engine
        .expect_rotation_by(STRANGER, id, 0, Decision::Replay)
        .await;
    engine.reopen().await;
    engine.expect_rotation(id, 1, Decision::Rotate).await;
    let after = engine
        .expect_rotation_by(STRANGER, id, 1, Decision::Theft)
        .await;
    assert_eq!(after.ended, Some(End::Theft));
}

async fn two_answers_to_one_token_that_are_both_used_make_a_repetition_of_the_next(
    mut engine: Engine,
) {
    let (session, _) = engine.signed_in("alice").await;
    let id = session.id;
    let noted = Decision::ReplayElsewhere;
    for generation in 0..3 {
        engine
            .expect_rotation(id, generation, Decision::Rotate)
            .await;
        engine.confirm(id, generation + 1).await;
        engine
            .expect_rotation_by(ELSEWHERE, id, generation, noted)
            .await;
        // A client that was killed during its request uses nothing.
        engine.use_by(STRANGER, id, generation + 1).await;
        engine.confirm(id, generation + 1).await;
    }
    engine.use_by(ELSEWHERE, id, 3).await;
    engine.reopen().await;
    engine.expect_rotation(id, 3, Decision::Rotate).await;
    engine
        .expect_rotation_by(ELSEWHERE, id, 3, Decision::Theft)
        .await;
}

async fn a_token_from_before_the_password_was_changed_is_void(mut engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let id = session.id;
    for generation in 0..2 {
        engine
            .expect_rotation(id, generation, Decision::Rotate)
            .await;
    }
    let changed = {
        let store = engine.store();
        let changed = store.change_password(alice.id, 0, hash("second"), Some(id));
        changed.await.expect("an answer")
    };
    let (found, _) = engine.session(id).await.expect("a session");
    assert_eq!(changed, ChangePassword::Changed(Some(found.clone())));
    engine.reopen().await;
    for generation in 0..4 {
        engine.expect_rotation(id, generation, Decision::Void).await;
    }
    let current = found.generation.0;
    engine.expect_rotation(id, current, Decision::Rotate).await;
    engine.expect_rotation(id, current, Decision::Replay).await;
}
