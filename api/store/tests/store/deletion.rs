//! Deletion removes everything about a user, and nothing else.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use password_auth_model::{
    Attempt, EventKind, Purpose, Rate, SignInAttempt, User, UsernameKey, Verdict,
};
use password_auth_store::{CreateUser, DeleteUser, Record};

use crate::engine::{Engine, attempt};
use crate::person::{
    added, address, create, delete, events, happened, is_good, mail, mailed, now_of, sessions_of,
    users_with, verify, with_email,
};

each_engine! {
    nothing_of_somebody_who_is_deleted_is_left,
    what_is_about_others_stays,
    a_name_is_free_again_and_its_tries_are_forgotten,
    whoever_gave_an_address_in_vain_takes_nothing_of_its_reader_s_along,
    a_person_with_very_many_events_is_deleted_too,
    what_came_from_another_engine_is_found_and_deleted_like_what_began_here,
}

const MAIL: &str = "alice@example.org";

/// Everything that is kept.
async fn everything(engine: &Engine) -> Vec<Record> {
    let dump = engine.store().dump().await.expect("a dump");
    dump.try_concat().await.expect("records")
}

/// Somebody of whom there is something everywhere.
async fn known(engine: &Engine, name: &str, email: &str) -> User {
    let user = added(engine, with_email(engine, name, email)).await;
    let user = verify(engine, &user).await;
    assert!(engine.keep(&engine.session_of(&user)).await);
    mailed(engine, &user, Purpose::ResetPassword(address(email))).await;
    happened(engine, &user, EventKind::SignedIn).await;
    mail(engine, email, Some(&user)).await;
    mail(engine, email, None).await;
    let five: Rate = "5/minute".parse().expect("a rate");
    engine.attempt(attempt(name, "192.0.2.1"), five).await;
    let until = engine.now().plus(Duration::from_secs(60));
    engine.remember(attempt(name, "192.0.2.1"), until).await;
    engine.remember(attempt(name, "2001:db8::1"), until).await;
    let key = address(email).key();
    let here = "192.0.2.1".parse().expect("an address");
    let by_address = SignInAttempt::by_address(&key, Some(user.id), here);
    engine.attempt(by_address, five).await;
    engine.remember(by_address, until).await;
    crate::factors::enrolled(engine, &user).await;
    let mail = Attempt::mail_to(&key);
    let counted = engine.store().count(mail, five, engine.now()).await;
    assert_eq!(counted.expect("an answer"), Verdict::Allowed);
    user
}

async fn nothing_of_somebody_who_is_deleted_is_left(mut engine: Engine) {
    let alice = known(&engine, "alice", MAIL).await;
    assert_eq!(everything(&engine).await.len(), 14);
    assert_eq!(delete(&engine, &alice).await, DeleteUser::Deleted);
    for _ in 0..2 {
        assert_eq!(everything(&engine).await, []);
        assert_eq!(now_of(&engine, alice.id).await, None);
        assert_eq!(engine.user_named("alice").await, None);
        assert_eq!(users_with(&engine, MAIL).await, []);
        assert_eq!(sessions_of(&engine, &alice).await, []);
        let store = engine.store();
        assert_eq!(store.next_email_due().await.expect("an answer"), None);
        assert_eq!(store.count_users().await.expect("an answer"), 0);
        assert_eq!(delete(&engine, &alice).await, DeleteUser::Unknown);
        drop(store);
        engine.reopen().await;
    }
}

async fn what_is_about_others_stays(engine: Engine) {
    known(&engine, "bob", "bob@example.org").await;
    let before = everything(&engine).await;
    let alice = known(&engine, "alice", MAIL).await;
    assert_eq!(delete(&engine, &alice).await, DeleteUser::Deleted);
    assert_eq!(everything(&engine).await, before);
}

async fn a_name_is_free_again_and_its_tries_are_forgotten(engine: Engine) {
    let one: Rate = "1/hour".parse().expect("a rate");
    let alice = engine.register("alice").await;
    let from_here = attempt("alice", "192.0.2.1");
    assert_eq!(engine.attempt(from_here, one).await, Verdict::Allowed);
    assert_ne!(engine.attempt(from_here, one).await, Verdict::Allowed);
    assert_eq!(delete(&engine, &alice).await, DeleteUser::Deleted);
    let again = engine.register("Alice").await;
    assert_eq!(again.username_key, UsernameKey::of("alice"));
    assert_eq!(engine.attempt(from_here, one).await, Verdict::Allowed);
}

async fn whoever_gave_an_address_in_vain_takes_nothing_of_its_reader_s_along(engine: Engine) {
    let alice = added(&engine, with_email(&engine, "alice", MAIL)).await;
    let alice = verify_and_token(&engine, &alice).await;
    let mallory = engine.register("mallory").await;
    // As if they had given it before she verified it.
    let namesake = added(
        &engine,
        with_email(&engine, "namesake", "carol@example.org"),
    )
    .await;
    let carol = added(&engine, with_email(&engine, "carol", "carol@example.org")).await;
    mail(&engine, "carol@example.org", None).await;
    mail(&engine, MAIL, None).await;
    let one: Rate = "1/hour".parse().expect("a rate");
    let mail = Attempt::mail_to(&address("carol@example.org").key());
    let store = engine.store();
    let counted = store.count(mail, one, engine.now()).await;
    assert_eq!(counted.expect("an answer"), Verdict::Allowed);
    let here = "192.0.2.1".parse().expect("an address");
    let by_address = SignInAttempt::by_address(&address("carol@example.org").key(), None, here);
    assert_eq!(engine.attempt(by_address, one).await, Verdict::Allowed);
    for user in [&mallory, &namesake] {
        assert_eq!(delete(&engine, user).await, DeleteUser::Deleted);
    }
    let records = everything(&engine).await;
    let mails = records
        .iter()
        .filter(|record| matches!(record, Record::QueuedEmail(_)));
    assert_eq!(mails.count(), 2);
    let counted = store.count(mail, one, engine.now()).await;
    assert_ne!(counted.expect("an answer"), Verdict::Allowed);
    assert_ne!(engine.attempt(by_address, one).await, Verdict::Allowed);
    assert_eq!(users_with(&engine, "carol@example.org").await, [carol]);
    assert_eq!(users_with(&engine, MAIL).await, [alice]);
}

async fn verify_and_token(engine: &Engine, user: &User) -> User {
    let user = verify(engine, user).await;
    let hash = mailed(engine, &user, Purpose::ResetPassword(address(MAIL))).await;
    assert!(is_good(engine, &hash).await);
    user
}

async fn a_person_with_very_many_events_is_deleted_too(engine: Engine) {
    let alice = engine.register("alice").await;
    let bob = engine.register("bob").await;
    let kept = happened(&engine, &bob, EventKind::Registered).await;
    let (engine, alice) = (&engine, &alice);
    for _ in 0..50 {
        let some = (0..50).map(|_| happened(engine, alice, EventKind::SignInFailed));
        futures_util::future::join_all(some).await;
    }
    assert_eq!(delete(engine, alice).await, DeleteUser::Deleted);
    assert_eq!(
        everything(engine).await,
        [Record::User(bob), Record::Event(kept)]
    );
}

async fn what_came_from_another_engine_is_found_and_deleted_like_what_began_here(engine: Engine) {
    let other = Engine::sled().await;
    let alice = known(&other, "alice", MAIL).await;
    let bob = known(&other, "bob", "bob@example.org").await;
    let expected = everything(&other).await;
    let dump = other.store().dump().await;
    let loaded = engine.store().load(dump.expect("a dump")).await;
    assert_eq!(loaded.expect("loaded").sum(), 28);
    assert_eq!(everything(&engine).await, expected);
    for (user, email) in [(&alice, MAIL), (&bob, "bob@example.org")] {
        assert_eq!(sessions_of(&engine, user).await.len(), 1);
        assert_eq!(users_with(&engine, email).await.len(), 1);
        let again = with_email(&engine, "again", email);
        assert_eq!(create(&engine, &again).await, CreateUser::EmailTaken);
        assert_eq!(events(&engine, Some(user)).await.len(), 1);
    }
    for user in [&alice, &bob] {
        assert_eq!(delete(&engine, user).await, DeleteUser::Deleted);
    }
    assert_eq!(everything(&engine).await, []);
}
