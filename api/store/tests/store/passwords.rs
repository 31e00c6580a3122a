//! Replacing stored hashes, and whether a user may sign in.

use password_auth_model::User;

use crate::engine::{Engine, hash, read_on};

each_engine! {
    a_hash_is_replaced_if_it_is_still_the_old_one,
    a_hash_of_any_text_and_length_is_kept_to_the_letter,
    a_new_hash_is_there_again_after_the_store_was_closed,
    nobodys_hash_is_not_replaced,
    allowing_and_forbidding_are_seen_at_once_and_again_and_again_is_no_error,
    nobody_cannot_be_forbidden,
    a_disabled_user_keeps_their_name_and_their_hash,
}

async fn replace(engine: &Engine, user: &User, old: &str, new: &str) -> bool {
    let (store, old) = (engine.store(), hash(old));
    let replaced = store.replace_password_hash(user.id, &old, hash(new));
    replaced.await.expect("an answer")
}

async fn a_hash_is_replaced_if_it_is_still_the_old_one(engine: Engine) {
    let alice = engine.register("alice").await;
    let bob = engine.register("bob").await;
    assert!(!replace(&engine, &alice, "another", "second").await);
    assert_eq!(engine.user_named("alice").await, Some(alice.clone()));
    assert!(replace(&engine, &alice, "at first", "second").await);
    let with_second = User {
        password: hash("second"),
        ..alice.clone()
    };
    assert_eq!(engine.user_named("alice").await, Some(with_second.clone()));
    assert!(!replace(&engine, &alice, "at first", "third").await);
    // By itself: it was the old one, and is the new one.
    assert!(replace(&engine, &alice, "second", "second").await);
    assert_eq!(engine.user_named("alice").await, Some(with_second));
    assert_eq!(engine.user_named("bob").await, Some(bob));
}

async fn a_hash_of_any_text_and_length_is_kept_to_the_letter(engine: Engine) {
    let alice = engine.register("alice").await;
    let long = "$".repeat(1_000);
    let mut before = "at first";
    for text in ["", "$2b$12$…", "Case", "case", "case ", "'\"\\%_", &long] {
        assert!(replace(&engine, &alice, before, text).await, "{text:?}");
        let found = engine.user_named("alice").await.expect("alice");
        assert!(found.password == hash(text), "{text:?}");
        before = text;
    }
}

async fn a_new_hash_is_there_again_after_the_store_was_closed(mut engine: Engine) {
    let alice = engine.register("alice").await;
    assert!(replace(&engine, &alice, "at first", "second").await);
    engine.reopen().await;
    let found = engine.user_named("alice").await.expect("alice");
    assert!(found.password == hash("second"));
}

async fn nobodys_hash_is_not_replaced(engine: Engine) {
    let nobody = engine.user("nobody");
    assert!(!replace(&engine, &nobody, "at first", "second").await);
    assert_eq!(engine.user_named("nobody").await, None);
}

async fn allowing_and_forbidding_are_seen_at_once_and_again_and_again_is_no_error(engine: Engine) {
    let (session, alice) = engine.signed_in("alice").await;
    for active in [false, false, true, true, false] {
        assert_eq!(engine.allow(&alice, active).await, Some(()));
        let expected = User {
            is_active: active,
            ..alice.clone()
        };
        for node in engine.nodes() {
            let found = node.user_by_name(&alice.username_key).await;
            assert_eq!(found.expect("an answer"), Some(expected.clone()));
            let found = read_on(&**node, session.id).await;
            assert_eq!(found, None);
        }
    }
}

async fn nobody_cannot_be_forbidden(engine: Engine) {
    let nobody = engine.user("nobody");
    for active in [true, false] {
        assert_eq!(engine.allow(&nobody, active).await, None);
    }
    assert_eq!(engine.user_named("nobody").await, None);
}

async fn a_disabled_user_keeps_their_name_and_their_hash(engine: Engine) {
    let alice = engine.register("alice").await;
    assert_eq!(engine.allow(&alice, false).await, Some(()));
    assert!(engine.name_is_taken("Alice").await);
    assert!(replace(&engine, &alice, "at first", "second").await);
    let found = engine.user_named("alice").await.expect("alice");
    assert!(found.password == hash("second") && !found.is_active);
}
