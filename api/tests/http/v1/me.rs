//! The signed-in user's own account.

use password_auth_store::UserChange;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::person::{V1, login};
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    who_one_is_stands_at_two_places,
    the_status_says_whether_the_account_may_be_used,
    who_deactivates_themselves_is_out_until_an_admin_lets_them_in_again,
    the_last_admin_does_not_deactivate_themselves,
    who_deactivated_themselves_undoes_it_with_name_and_password,
    what_an_admin_deactivated_its_user_does_not_undo,
    an_admin_has_the_last_word_also_over_who_left_before,
    reactivating_is_no_quicker_way_to_guess_a_password,
}

async fn who_one_is_stands_at_two_places(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let me = alice.get("/auth/me").await.expect_ok().json();
    assert_eq!(me, alice.get("/users/me").await.expect_ok().json());
    assert_eq!(
        (&me["id"], &me["email"]),
        (&json!(alice.id), &json!(alice.email()))
    );
    assert_eq!(
        (&me["role"], &me["is_verified"]),
        (&json!("user"), &json!(false))
    );
    alice.verify().await;
    let me = alice.get("/users/me").await.expect_ok().json();
    assert_eq!(me["is_verified"], true);
}

async fn the_status_says_whether_the_account_may_be_used(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let status = async || alice.get("/users/me/status").await.expect_ok().json();
    assert_eq!(
        status().await,
        json!({"is_active": true, "is_verified": false})
    );
    alice.verify().await;
    assert_eq!(
        status().await,
        json!({"is_active": true, "is_verified": true})
    );
}

async fn who_deactivates_themselves_is_out_until_an_admin_lets_them_in_again(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    let phone = alice.once_more().await;
    alice
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_done("Account deactivated successfully");
    for gone in [&alice, &phone] {
        gone.get("/users/me").await.expect_message(
            401,
            ErrorCode::InvalidToken,
            "Could not validate credentials",
        );
        gone.refresh()
            .await
            .expect_failure(401, ErrorCode::InvalidRefreshToken);
    }
    login(&client, "alice", PASSWORD)
        .await
        .expect_failure(403, ErrorCode::AccountDisabled);
    client
        .authenticate("alice", PASSWORD)
        .await
        .expect_failure(403, ErrorCode::AccountDisabled);
    let path = format!("/users/{}", alice.id);
    let again = admin
        .tell(Method::PATCH, &path, &json!({"is_active": true}))
        .await;
    assert_eq!(again.expect_ok().json()["is_active"], true);
    // The old sign-ins are gone for good.
    assert!(!alice.is_let_in().await && !phone.is_let_in().await);
    assert!(alice.once_more().await.is_let_in().await);
}

async fn the_last_admin_does_not_deactivate_themselves(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let other = Person::admin(&server, "toor").await;
    other
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_ok();
    admin
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_message(409, ErrorCode::LastAdmin, "This is the last active admin.");
    assert!(admin.is_let_in().await);
}

/// What comes after it has a later id.
async fn tick(server: &TestServer) {
    server.advance(std::time::Duration::from_millis(5)).await;
}

async fn reactivate(person: &Person, name: &str, password: &str) -> Reply {
    let body = json!({"username": name, "password": password});
    let path = format!("{V1}/auth/reactivate");
    person.client.post(&path, &body).await
}

async fn who_deactivated_themselves_undoes_it_with_name_and_password(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    // By an access token alone: whoever copied it did that.
    alice
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_ok();
    client
        .authenticate("alice", PASSWORD)
        .await
        .expect_failure(403, ErrorCode::AccountDisabled);
    for (name, password) in [("alice", "a guess"), ("nobody", PASSWORD)] {
        reactivate(&alice, name, password)
            .await
            .expect_failure(401, ErrorCode::InvalidCredentials);
    }
    reactivate(&alice, "alice", "")
        .await
        .expect_failure(400, ErrorCode::ValidationFailed);
    tick(&server).await;
    let pair = reactivate(&alice, "ALICE@example.org", PASSWORD).await;
    assert_eq!(pair.json()["token_type"], "bearer");
    let back = alice.with(pair);
    assert!(back.is_let_in().await && !alice.is_let_in().await);
    back.refresh().await.expect_ok();
    client.authenticate("alice", PASSWORD).await.expect_ok();
    // Again, since an answer may be lost.
    reactivate(&alice, "alice", PASSWORD).await.expect_ok();
    let events = back.get("/users/me/events").await.json();
    let events = events.as_array().expect("a list");
    let activated = events.iter().filter(|event| event["what"] == "activated");
    let activated: Vec<_> = activated.collect();
    assert_eq!(activated.len(), 1);
    assert_eq!(activated[0]["by"], json!(null));
    assert_eq!(activated[0]["address"], "127.0.0.1");
}

async fn what_an_admin_deactivated_its_user_does_not_undo(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    let path = format!("/users/{}", alice.id);
    let set = async |active: bool| {
        let body = json!({"is_active": active});
        admin.tell(Method::PATCH, &path, &body).await.expect_ok();
    };
    set(false).await;
    // A deactivation of one's own that was under way meanwhile changes nothing of that.
    let own = UserChange {
        is_active: Some(false),
        by_self: true,
        ..UserChange::default()
    };
    let changed = server.store.change_user(alice.user_id(), own).await;
    changed.expect("an answer");
    for _ in 0..2 {
        reactivate(&alice, "alice", PASSWORD)
            .await
            .expect_failure(403, ErrorCode::AccountDisabled);
        reactivate(&alice, "alice", "a guess")
            .await
            .expect_failure(401, ErrorCode::InvalidCredentials);
    }
    set(true).await;
    assert!(alice.once_more().await.is_let_in().await);
}

async fn an_admin_has_the_last_word_also_over_who_left_before(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    alice
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_ok();
    tick(&server).await;
    let path = format!("/users/{}", alice.id);
    let body = json!({"is_active": false});
    admin.tell(Method::PATCH, &path, &body).await.expect_ok();
    reactivate(&alice, "alice", PASSWORD)
        .await
        .expect_failure(403, ErrorCode::AccountDisabled);
    let events = admin.get("/events").await.json();
    assert_eq!(
        (&events[0]["what"], &events[0]["by"]),
        (&json!("deactivated"), &json!(admin.id))
    );
    // An admin also lets users in again who deactivated their own account.
    let body = json!({"is_active": true});
    admin.tell(Method::PATCH, &path, &body).await.expect_ok();
    let again = alice.once_more().await;
    again
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_ok();
    reactivate(&alice, "alice", PASSWORD).await.expect_ok();
}

async fn reactivating_is_no_quicker_way_to_guess_a_password(engine: Engine) {
    let builder = TestServer::builder().engine(engine);
    let server = builder.setting("LOGIN_RATE", "5/minute").start().await;
    let alice = Person::sign_up(&server, "alice").await;
    alice
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_ok();
    // The sign-in above was the first.
    for _ in 0..2 {
        reactivate(&alice, "alice", "a guess")
            .await
            .expect_status(401);
        login(&server.client(), "alice", "a guess")
            .await
            .expect_status(401);
    }
    for reply in [
        reactivate(&alice, "alice", PASSWORD).await,
        login(&server.client(), "alice", PASSWORD).await,
    ] {
        reply.expect_failure(429, ErrorCode::TooManyAttempts);
    }
}
