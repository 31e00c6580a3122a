//! Second factors: one record for each user, changed as the pure function says.

use std::time::Duration;

use password_auth_model::{
    CHALLENGE_LIFETIME, FactorChange, FactorRefusal, FactorUse, Factors, OpaqueBytes,
    PROOF_LIFETIME, Passkey, PasskeyId, Proof, SessionId, TOTP_WAITS, UsedChallenge, User,
    WaitingTotp,
};
use password_auth_store::{ChangeFactors, ChangePassword, Store};

use crate::engine::{Engine, hash};
use crate::person::delete;

each_engine! {
    a_change_is_what_the_rule_says_and_is_there_after_the_store_was_closed,
    a_code_that_comes_on_every_node_at_once_is_accepted_once,
    a_challenge_that_comes_on_every_node_at_once_is_good_once,
    factors_of_another_password_or_of_nobody_do_not_change,
    a_deleted_user_leaves_no_factors_and_nobody_gets_them_by_a_late_change,
    what_is_remembered_for_minutes_is_swept_and_factors_are_not,
}

const SECRET: &[u8] = b"sealed";

fn bytes(text: &[u8]) -> OpaqueBytes {
    text.into()
}

async fn factors(engine: &Engine, user: &User) -> Factors {
    engine.store().factors(user.id).await.expect("an answer")
}

async fn change(engine: &Engine, user: &User, change: &FactorChange) -> ChangeFactors {
    change_in(&*engine.store(), engine, user, change).await
}

async fn change_in(
    store: &dyn Store,
    engine: &Engine,
    user: &User,
    change: &FactorChange,
) -> ChangeFactors {
    let version = Some(user.password_version);
    let changed = store.change_factors(user.id, version, change.clone(), engine.now());
    changed.await.expect("an answer")
}

fn code(step: u64) -> FactorUse {
    FactorUse::Totp {
        secret: bytes(SECRET),
        step,
        resealed: None,
    }
}

fn challenge(engine: &Engine, number: u8) -> UsedChallenge {
    UsedChallenge {
        nonce: bytes(&[number]),
        until: engine.now().plus(CHALLENGE_LIFETIME),
    }
}

fn waiting(engine: &Engine) -> FactorChange {
    FactorChange::AwaitTotp(WaitingTotp {
        secret: bytes(SECRET),
        password_version: 0,
        until: engine.now().plus(TOTP_WAITS),
    })
}

/// Enrols an authenticator app and a passkey; the factors after it.
pub async fn enrolled(engine: &Engine, user: &User) -> Factors {
    let passkey = Passkey {
        id: PasskeyId::new(engine.now()),
        name: "Phone 📱".to_owned(),
        credential: bytes(b"credential"),
        public_key: bytes(b"key"),
        counter: 7,
        created: engine.now(),
        last_used: Some(engine.now()),
    };
    for asked in [
        waiting(engine),
        FactorChange::ConfirmTotp {
            secret: bytes(SECRET),
            step: 100,
            recovery_codes: vec![bytes(b"one"), bytes(b"two")],
        },
        FactorChange::AddPasskey(passkey, challenge(engine, 0)),
    ] {
        let changed = change(engine, user, &asked).await;
        assert!(
            matches!(changed, ChangeFactors::Changed { .. }),
            "{changed:?}"
        );
    }
    factors(engine, user).await
}

async fn a_change_is_what_the_rule_says_and_is_there_after_the_store_was_closed(
    mut engine: Engine,
) {
    let alice = engine.register("alice").await;
    assert_eq!(factors(&engine, &alice).await, Factors::none_of(alice.id));
    let before = enrolled(&engine, &alice).await;
    let asked = FactorChange::Use(code(101), Some(challenge(&engine, 1)));
    let after = before
        .clone()
        .after(&asked, engine.now())
        .expect("accepted");
    let changed = ChangeFactors::Changed {
        before: Box::new(before),
        after: Box::new(after.clone()),
    };
    assert_eq!(change(&engine, &alice, &asked).await, changed);
    let refused = ChangeFactors::Refused(FactorRefusal::ChallengeUsed);
    assert_eq!(change(&engine, &alice, &asked).await, refused);
    engine.reopen().await;
    assert_eq!(factors(&engine, &alice).await, after);
    let all = change(&engine, &alice, &FactorChange::RemoveAll).await;
    assert!(matches!(all, ChangeFactors::Changed { .. }));
    assert_eq!(factors(&engine, &alice).await, Factors::none_of(alice.id));
}

/// How often one of many changes at once was made.
async fn made(engine: Engine, asked: impl Fn(&Engine, u8) -> FactorChange) -> usize {
    let alice = engine.register("alice").await;
    enrolled(&engine, &alice).await;
    let calls = (1..9)
        .map(|number| asked(&engine, number))
        .collect::<Vec<_>>();
    let engine = std::sync::Arc::new(engine);
    let mut tasks = tokio::task::JoinSet::new();
    for asked in calls {
        let (engine, alice) = (std::sync::Arc::clone(&engine), alice.clone());
        tasks.spawn(async move { change(&engine, &alice, &asked).await });
    }
    let answers = tasks.join_all().await;
    let made = answers
        .iter()
        .filter(|answer| matches!(answer, ChangeFactors::Changed { .. }));
    made.count()
}

async fn a_code_that_comes_on_every_node_at_once_is_accepted_once(engine: Engine) {
    let asked = |engine: &Engine, n| FactorChange::Use(code(101), Some(challenge(engine, n)));
    assert_eq!(made(engine, asked).await, 1);
}

async fn a_challenge_that_comes_on_every_node_at_once_is_good_once(engine: Engine) {
    let asked = |engine: &Engine, n| {
        FactorChange::Use(code(200 + u64::from(n)), Some(challenge(engine, 9)))
    };
    assert_eq!(made(engine, asked).await, 1);
}

async fn factors_of_another_password_or_of_nobody_do_not_change(engine: Engine) {
    let alice = engine.register("alice").await;
    let changed = engine
        .store()
        .change_password(alice.id, 0, hash("another"), None)
        .await;
    assert_eq!(changed.expect("an answer"), ChangePassword::Changed(None));
    let asked = waiting(&engine);
    assert_eq!(
        change(&engine, &alice, &asked).await,
        ChangeFactors::Outdated
    );
    let nobody = engine.user("bob");
    assert_eq!(
        change(&engine, &nobody, &asked).await,
        ChangeFactors::Outdated
    );
    assert_eq!(factors(&engine, &nobody).await, Factors::none_of(nobody.id));
}

async fn a_deleted_user_leaves_no_factors_and_nobody_gets_them_by_a_late_change(engine: Engine) {
    let alice = engine.register("alice").await;
    enrolled(&engine, &alice).await;
    delete(&engine, &alice).await;
    assert_eq!(factors(&engine, &alice).await, Factors::none_of(alice.id));
    let late = change(&engine, &alice, &waiting(&engine)).await;
    assert_eq!(late, ChangeFactors::Outdated);
    assert_eq!(engine.sweep().await, 0);
}

async fn what_is_remembered_for_minutes_is_swept_and_factors_are_not(engine: Engine) {
    let [alice, bob, carol] = [
        engine.register("alice").await,
        engine.register("bob").await,
        engine.register("carol").await,
    ];
    let enrolled = enrolled(&engine, &alice).await;
    let proof = Proof {
        session: SessionId::new(engine.now()),
        password_version: 0,
        until: engine.now().plus(PROOF_LIFETIME),
    };
    change(&engine, &bob, &FactorChange::Prove(proof, None)).await;
    change(&engine, &carol, &waiting(&engine)).await;
    engine
        .advance(PROOF_LIFETIME - Duration::from_millis(1))
        .await;
    assert_eq!(engine.sweep().await, 0);
    engine.advance(Duration::from_millis(1)).await;
    assert_eq!(engine.sweep().await, 2);
    assert_eq!(factors(&engine, &bob).await, Factors::none_of(bob.id));
    let left = factors(&engine, &alice).await;
    assert_eq!(left, enrolled.swept(engine.now()));
    assert!(left.are_enrolled() && left.next_expiry().is_none());
    assert!(factors(&engine, &carol).await.waiting.is_some());
    engine.advance(TOTP_WAITS).await;
    assert_eq!(engine.sweep().await, 1);
    assert_eq!(engine.sweep().await, 0);
}
