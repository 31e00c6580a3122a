//! One's own account.

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::person::login;
use crate::support::{Engine, PASSWORD, Person, TestServer};

each_engine! {
    who_one_is_stands_at_two_places,
    the_status_says_whether_the_account_may_be_used,
    who_deactivates_himself_is_out_until_an_admin_lets_him_in_again,
    the_last_admin_does_not_deactivate_himself,
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

async fn who_deactivates_himself_is_out_until_an_admin_lets_him_in_again(engine: Engine) {
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

async fn the_last_admin_does_not_deactivate_himself(engine: Engine) {
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
