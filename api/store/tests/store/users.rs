//! Users and their names: one name, one user, whatever it is spelt with.

use std::sync::Arc;

use password_auth_model::{Timestamp, UserId, Username, UsernameKey};
use password_auth_store::CreateUser;
use tokio::task::JoinSet;

use crate::engine::Engine;

each_engine! {
    a_user_comes_back_whole,
    two_users_with_one_name_are_one_user_and_a_refusal,
    names_that_only_look_alike_are_two_users,
    a_name_with_every_character_that_can_be_registered_is_found_again,
    the_longest_names_are_kept_whole,
    a_name_that_nobody_can_have_is_nobodys,
    a_user_is_there_again_after_the_store_was_closed,
    a_user_made_at_either_end_of_time_comes_back_whole,
}

async fn a_user_comes_back_whole(engine: Engine) {
    assert_eq!(engine.user_named("Ünï").await, None);
    assert!(!engine.name_is_taken("Ünï").await);
    let user = engine.register("  Ünï 😀 ").await;
    assert_eq!(user.username.as_str(), "Ünï 😀");
    assert_eq!(engine.user_named("ünï 😀").await, Some(user));
    assert!(engine.name_is_taken("ÜNÏ 😀").await);
}

async fn two_users_with_one_name_are_one_user_and_a_refusal(engine: Engine) {
    let alice = engine.register("Alice").await;
    for spelling in ["Alice", "ALICE", "Ａlice"] {
        let other = engine.user(spelling);
        let created = engine.store().create_user(other.clone()).await;
        assert_eq!(created.expect("an answer"), CreateUser::NameTaken);
        assert_eq!(engine.user_named(spelling).await, Some(alice.clone()));
        // Nothing was written: nobody has the refused one's id.
        assert_eq!(engine.allow(&other, false).await, None);
    }
}

async fn names_that_only_look_alike_are_two_users(engine: Engine) {
    let names = [
        "a",
        "á",
        "ä",
        "α",
        "а",
        "a a",
        "a  a",
        "a-a",
        "a_a",
        "a%",
        "a_",
        "a\\",
        "a'",
        "a\"",
        "%",
        "_",
        "?",
        "??",
        "😀",
        "😁",
        "i",
        "ı",
        "o",
        "ø",
        "1",
        "01",
        "null",
        "a\u{305}",
        "👩‍👧",
        "👩👧",
    ];
    let mut users = Vec::new();
    for name in names {
        users.push(engine.register(name).await);
    }
    for (name, user) in names.iter().zip(users) {
        assert_eq!(engine.user_named(name).await, Some(user), "{name:?}");
    }
}

/// Names of sixty characters each, until every character of the planes that people write in was in one.
fn strange_names() -> Vec<Username> {
    let chars = ('\u{21}'..='\u{FFFF}')
        .chain('\u{10000}'..='\u{10400}')
        .chain('\u{1F000}'..='\u{1FBFF}')
        .chain('\u{2F800}'..='\u{2FA1F}')
        .chain('\u{10FF00}'..='\u{10FFFF}');
    let (mut names, mut name, mut used) = (Vec::new(), String::new(), 0);
    for c in chars {
        if used == 0 {
            name = format!("{:x} ", names.len());
        }
        name.push(c);
        if Username::parse(&name).is_ok_and(|parsed| parsed.as_str() == name) {
            used += 1;
        } else {
            name.pop();
        }
        if used == 56 {
            names.push(Username::parse(&name).expect("a name"));
            used = 0;
        }
    }
    names.push(Username::parse(&name).expect("a name"));
    // What joins or selects is allowed in the right place only.
    for name in ["👩‍👩‍👧", "❤️", "می‌خواهم", "⛈️ ❤️"] {
        names.push(Username::parse(name).expect("a name"));
    }
    names
}

async fn a_name_with_every_character_that_can_be_registered_is_found_again(engine: Engine) {
    let names = strange_names();
    assert!(names.len() > 1_000, "{} names", names.len());
    let engine = Arc::new(engine);
    let mut tasks = JoinSet::new();
    for names in names.chunks(names.len().div_ceil(16)) {
        let (engine, names) = (Arc::clone(&engine), names.to_vec());
        tasks.spawn(async move {
            for name in names {
                let user = engine.register(name.as_str()).await;
                assert_eq!(user.username, name);
                assert_eq!(engine.user_named(name.as_str()).await, Some(user));
            }
        });
    }
    while let Some(checked) = tasks.join_next().await {
        checked.expect("every name is found");
    }
}

async fn the_longest_names_are_kept_whole(engine: Engine) {
    // The second's key is eighteen times as long as the name, the last's is the most bytes.
    for char in ["n", "\u{FDFA}", "😀", "\u{0390}", "\u{33AF}"] {
        let name = char.repeat(64);
        let user = engine.register(&name).await;
        assert_eq!(engine.user_named(&name).await, Some(user), "{char:?}");
        assert_eq!(engine.user_named(&char.repeat(63)).await, None, "{char:?}");
    }
}

async fn a_name_that_nobody_can_have_is_nobodys(engine: Engine) {
    for name in ["a", "b", "ab", "a b"] {
        engine.register(name).await;
    }
    let long = "n".repeat(100_000);
    for name in [
        "",
        " ",
        "\0",
        "a\0",
        "a\0b",
        "\0a",
        "a\u{1}",
        "a\nb",
        "a@b",
        "a'; --",
        "\u{FEFF}a",
        &long,
    ] {
        assert_eq!(engine.user_named(name).await, None, "{name:?}");
        assert!(!engine.name_is_taken(name).await, "{name:?}");
    }
}

async fn a_user_is_there_again_after_the_store_was_closed(mut engine: Engine) {
    let (alice, bob) = (engine.register("alice").await, engine.register("bob").await);
    assert_eq!(engine.allow(&bob, false).await, Some(()));
    engine.reopen().await;
    assert_eq!(engine.user_named("alice").await, Some(alice));
    let bob_now = engine.user_named("bob").await.expect("bob");
    assert_eq!((bob_now.id, bob_now.is_active), (bob.id, false));
    let again = engine.store().create_user(engine.user("ALICE")).await;
    assert_eq!(again.expect("an answer"), CreateUser::NameTaken);
}

async fn a_user_made_at_either_end_of_time_comes_back_whole(engine: Engine) {
    for (name, at) in [
        ("first", Timestamp::from_millis(0)),
        ("last", Timestamp::MAX),
    ] {
        let mut user = engine.user(name);
        user.created_at = at;
        user.id = UserId::new(user.created_at);
        let created = engine.store().create_user(user.clone()).await;
        assert_eq!(created.expect("an answer"), CreateUser::Created);
        let found = engine.store().user_by_name(&UsernameKey::of(name)).await;
        assert_eq!(found.expect("an answer"), Some(user));
    }
}
