//! Sessions: stored completely, for active users.

use password_auth_model::{
    Decision, Elsewhere, End, Generation, MAX_ELSEWHERE, MAX_RETIRED, Party, Retired, Session,
    SessionId, Timestamp, Trail,
};

use crate::engine::{Engine, since};

each_engine! {
    a_session_comes_back_whole_with_its_user,
    a_session_with_the_most_that_it_can_hold_comes_back_whole,
    a_device_may_be_called_anything,
    a_user_may_have_many_sessions,
    a_session_that_is_not_there_is_none,
    nobody_and_the_disabled_get_no_session,
    a_disabled_user_s_sessions_are_gone_also_when_they_are_allowed_again,
    a_session_is_there_again_after_the_store_was_closed,
    a_session_is_shown_as_long_as_it_is_on_record,
}

async fn a_session_comes_back_whole_with_its_user(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    engine.signed_in("bob").await;
    assert_eq!(engine.session(session.id).await, Some((session, alice)));
}

async fn a_session_with_the_most_that_it_can_hold_comes_back_whole(engine: Engine) {
    let alice = engine.register("alice").await;
    let last = Timestamp::MAX;
    let first = Timestamp::from_millis(0);
    let most = Party {
        network: u32::MAX,
        device: u32::MAX,
    };
    let elsewhere = |at| Elsewhere {
        generation: Generation(u32::MAX),
        at,
        rotated_by: most,
        replayed_by: most,
        after_use: true,
        used: true,
    };
    let retired = |at| {
        let generations = u32::MAX - 8..u32::MAX;
        generations.map(move |generation| Retired {
            generation: Generation(generation),
            at,
            by: Some(most),
        })
    };
    for (at, ended) in [(first, None), (last, None), (last, Some(End::Theft))] {
        let session = Session {
            created: at,
            last_used: at,
            expires: at,
            generation: Generation(u32::MAX),
            confirmed: true,
            epoch: u32::MAX,
            retired: retired(at).collect(),
            ended,
            trail: Trail {
                void_below: Generation(u32::MAX),
                used_before: Some(at),
                confirmed_by: Some(most),
                elsewhere: vec![elsewhere(at); MAX_ELSEWHERE],
            },
            ..engine.session_of(&alice)
        };
        assert_eq!(session.retired.len(), MAX_RETIRED);
        assert!(engine.keep(&session).await);
        let found = engine.session(session.id).await;
        let alice = since(&session, alice.clone());
        assert_eq!(found, Some((session, alice)));
    }
}

async fn a_device_may_be_called_anything(engine: Engine) {
    let alice = engine.register("alice").await;
    let kilobyte = "ü".repeat(512);
    for device in [
        "",
        " ",
        "Mozilla/5.0 (X11; Linux x86_64)",
        "Ünï 😀",
        "'; --",
        "\\\"\\",
        "a\tb\nc",
        "\u{202E}",
        "\u{FFFF}",
        &kilobyte,
    ] {
        let session = Session {
            device: device.to_owned(),
            ..engine.session_of(&alice)
        };
        assert!(engine.keep(&session).await, "{device:?}");
        let (found, _) = engine.session(session.id).await.expect("a session");
        assert_eq!(found, session);
        let rotated = engine
            .expect_rotation(session.id, 0, Decision::Rotate)
            .await;
        assert_eq!(rotated.device, device);
    }
}

async fn a_user_may_have_many_sessions(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let mut sessions = vec![session];
    for _ in 0..20 {
        let session = engine.session_of(&alice);
        assert!(engine.keep(&session).await);
        sessions.push(session);
    }
    // What happens to one of them is the others' no business.
    engine
        .expect_rotation(sessions[3].id, 0, Decision::Rotate)
        .await;
    engine.confirm(sessions[4].id, 0).await;
    engine.end(sessions[5].id).await;
    for session in sessions.drain(6..) {
        let found = engine.session(session.id).await;
        let alice = since(&session, alice.clone());
        assert_eq!(found, Some((session, alice)));
    }
}

async fn a_session_that_is_not_there_is_none(engine: Engine) {
    let (session, _) = engine.signed_in("alice").await;
    let unknown = SessionId::new(engine.now());
    assert_ne!(unknown, session.id);
    assert_eq!(engine.session(unknown).await, None);
    assert_eq!(engine.session(SessionId::from_bytes([0; 16])).await, None);
    assert_eq!(
        engine.session(SessionId::from_bytes([0xFF; 16])).await,
        None
    );
}

async fn nobody_and_the_disabled_get_no_session(engine: Engine) {
    let nobody = engine.user("nobody");
    let session = engine.session_of(&nobody);
    assert!(!engine.keep(&session).await);
    assert_eq!(engine.session(session.id).await, None);

    let alice = engine.register("alice").await;
    assert_eq!(engine.allow(&alice, false).await, Some(()));
    let session = engine.session_of(&alice);
    assert!(!engine.keep(&session).await);
    assert_eq!(engine.session(session.id).await, None);
    // What was refused may be asked again.
    assert_eq!(engine.allow(&alice, true).await, Some(()));
    assert!(engine.keep(&session).await);
    let alice = since(&session, alice);
    assert_eq!(engine.session(session.id).await, Some((session, alice)));
}

async fn a_disabled_user_s_sessions_are_gone_also_when_they_are_allowed_again(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    for active in [false, true] {
        assert_eq!(engine.allow(&alice, active).await, Some(()));
        for presented in [0, 1] {
            assert_eq!(engine.rotate(session.id, presented).await, None);
        }
        assert_eq!(engine.session(session.id).await, None);
    }
}

async fn a_session_is_there_again_after_the_store_was_closed(mut engine: Engine) {
    let (kept, alice) = engine.signed_in("alice").await;
    let (ended, _) = engine.signed_in("bob").await;
    let rotated = engine.expect_rotation(kept.id, 0, Decision::Rotate).await;
    engine.end(ended.id).await;
    engine.reopen().await;
    assert_eq!(engine.session(kept.id).await, Some((rotated, alice)));
    assert_eq!(engine.session(ended.id).await, None);
}

async fn a_session_is_shown_as_long_as_it_is_on_record(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    engine.turn_clock_to(session.expires).await;
    assert_eq!(engine.session(session.id).await, Some((session, alice)));
}
