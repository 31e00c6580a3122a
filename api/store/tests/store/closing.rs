//! After closing, nothing more is done or answered.

use futures_util::stream;
use password_auth_model::{Attempt, EventKind, Generation, Purpose, Rate};
use password_auth_store::{LoadError, StoreError, UserChange, UserFilter};

use crate::engine::{Engine, PARTY, attempt, hash};
use crate::person::{address, event, mail, token};

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
    let (bob, now) = (engine.user("bob"), engine.now());
    let email = address("alice@example.org");
    let count = Attempt::mail_to(&email.key());
    let event = event(&engine, &alice, EventKind::SignedIn);
    let mail = mail(&engine, email.as_str(), Some(&alice)).await;
    let token = token(&engine, &alice, Purpose::ResetPassword(email.clone()));
    for store in engine.nodes() {
        store.close().await;
        refused(store.create_user(bob.clone()).await);
        refused(store.user_by_name(&alice.username_key).await);
        refused(store.name_is_taken(&alice.username_key).await);
        refused(store.name_is_taken(&bob.username_key).await);
        let replaced = store.replace_password_hash(alice.id, &alice.password, hash("second"));
        refused(replaced.await);
        refused(store.user(alice.id).await);
        refused(store.users_by_email(&email.key()).await);
        refused(store.users(UserFilter::default(), 0, 1).await);
        refused(store.count_users().await);
        refused(store.change_user(alice.id, UserChange::default()).await);
        let changed = store.change_password(alice.id, 0, hash("second"), None);
        refused(changed.await);
        refused(store.reactivate_user(alice.id, 0).await);
        refused(store.delete_user(alice.id).await);
        refused(store.create_session(engine.session_of(&alice), 0).await);
        refused(store.sessions_of(alice.id).await);
        refused(store.end_session_of(alice.id, session.id).await);
        refused(store.end_sessions_of(alice.id, None).await);
        refused(store.session(session.id).await);
        let rotated = store.rotate_session(session.id, Generation(0), PARTY, engine.now());
        refused(rotated.await);
        refused(store.note_use(session.id, Generation(0), Some(PARTY)).await);
        refused(store.end_session(session.id).await);
        refused(store.add_one_time_token(token.clone()).await);
        refused(store.one_time_token(&token.hash, now).await);
        refused(store.reset_password(&token.hash, hash("second"), now).await);
        refused(store.confirm_email(&token.hash, now).await);
        refused(store.add_event(event.clone()).await);
        refused(store.events(None, None, 1).await);
        refused(store.enqueue_email(mail.clone()).await);
        refused(store.claim_email(now, now).await);
        refused(store.next_email_due().await);
        refused(store.postpone_email(mail.id, now).await);
        refused(store.remove_email(mail.id).await);
        let alice = attempt("alice", "192.0.2.1");
        refused(store.count_attempt(alice, Rate::OFF, now).await);
        refused(store.count(count, Rate::OFF, now).await);
        refused(store.network_is_remembered(alice, now).await);
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
