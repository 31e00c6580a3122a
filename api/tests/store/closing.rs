//! Closing: nothing more is done, and nothing more is answered.

use futures_util::stream;
use password_auth::sessions::Generation;
use password_auth::store::{LoadError, StoreError};
use password_auth::throttle::Rate;

use crate::engine::{Engine, attempt, hash};

each_engine! {
    a_store_that_works_has_not_failed,
    a_store_that_was_closed_answers_nothing_any_more,
    closing_again_is_no_error,
}

async fn a_store_that_works_has_not_failed(engine: Engine) {
    engine.signed_in("alice").await;
    for node in engine.nodes() {
        tokio::select! {
            biased;
            () = node.failed() => panic!("it works"),
            () = std::future::ready(()) => {}
        }
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
}

async fn a_store_that_was_closed_answers_nothing_any_more(mut engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    let bob = engine.user("bob");
    for store in engine.nodes() {
        store.close().await;
        refused(store.create_user(bob.clone()).await);
        refused(store.user_by_name(&alice.username_key).await);
        refused(store.name_is_taken(&alice.username_key).await);
        refused(store.name_is_taken(&bob.username_key).await);
        let replaced = store.replace_password_hash(alice.id, &alice.password, hash("second"));
        refused(replaced.await);
        refused(store.set_user_active(alice.id, false).await);
        refused(store.create_session(engine.session_of(&alice)).await);
        refused(store.session(session.id).await);
        let rotated = store.rotate_session(session.id, Generation(0), engine.now());
        refused(rotated.await);
        refused(store.confirm_generation(session.id, Generation(0)).await);
        refused(store.end_session(session.id).await);
        let (alice, now) = (attempt("alice", "192.0.2.1"), engine.now());
        refused(store.count_attempt(alice, Rate::OFF, now).await);
        refused(store.remember_network(alice, now).await);
        refused(store.sweep(now).await);
        refused(store.dump().await.map(|_| ()));
        let loaded = store.load(Box::pin(stream::empty())).await;
        assert!(
            matches!(loaded, Err(LoadError::Store(StoreError::Unavailable(_)))),
            "{loaded:?}"
        );
    }
    engine.reopen().await;
    assert_eq!(engine.session(session.id).await, Some((session, alice)));
    assert_eq!(engine.user_named("bob").await, None);
}

async fn closing_again_is_no_error(mut engine: Engine) {
    let alice = engine.register("alice").await;
    for node in engine.nodes() {
        node.close().await;
    }
    engine.reopen().await;
    assert_eq!(engine.user_named("alice").await, Some(alice));
}
