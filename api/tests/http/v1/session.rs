//! Refreshing, signing out, and being let in.

use std::time::Duration;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::person::{V1, confirm_email, text};
use crate::support::{Engine, Person, Reply, TestClient, TestServer};

each_engine! {
    a_refresh_gives_a_pair_and_what_does_not_count_is_401,
    a_sign_out_by_either_token_ends_the_session_again_and_again,
    a_sign_out_everywhere_ends_every_session,
}

const LOGGED_OUT: &str = "Logged out successfully. Please delete tokens from client storage.";

async fn log_out(client: &TestClient, body: &Value) -> Reply {
    client.post(&format!("{V1}/auth/logout"), body).await
}

async fn a_refresh_gives_a_pair_and_what_does_not_count_is_401(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let pair = alice.refresh().await.expect_ok().json();
    assert_eq!(
        (&pair["token_type"], &pair["expires_in"]),
        (&json!("bearer"), &json!(900))
    );
    assert_ne!(pair["refresh_token"], alice.refresh.as_str());
    let access = text(&pair["access_token"]);
    client
        .get_as(&format!("{V1}/auth/me"), &access)
        .await
        .expect_ok();
    for bad in ["", "x", &alice.access] {
        client
            .post(
                &format!("{V1}/auth/refresh"),
                &json!({"refresh_token": bad}),
            )
            .await
            .expect_message(
                401,
                ErrorCode::InvalidRefreshToken,
                "Invalid refresh token.",
            );
    }
    server.advance(Duration::from_secs(36)).await;
    let reply = alice.refresh().await;
    let error = reply.expect_failure(401, ErrorCode::RefreshTokenReused);
    assert!(error.message.contains("ended for your safety"), "{error:?}");
    client
        .get_as(&format!("{V1}/auth/me"), &access)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
}

async fn a_sign_out_by_either_token_ends_the_session_again_and_again(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let one = Person::sign_up(&server, "alice").await;
    let other = one.once_more().await;
    let third = one.once_more().await;
    for _ in 0..2 {
        one.ask(Method::POST, "/auth/logout")
            .await
            .expect_done(LOGGED_OUT);
        let body = json!({"refresh_token": other.refresh});
        log_out(&client, &body).await.expect_done(LOGGED_OUT);
    }
    for gone in [&one, &other] {
        assert!(!gone.is_let_in().await);
        gone.refresh()
            .await
            .expect_failure(401, ErrorCode::InvalidRefreshToken);
    }
    // Also with an access token that has expired.
    server.advance(Duration::from_secs(1000)).await;
    third
        .ask(Method::POST, "/auth/logout")
        .await
        .expect_done(LOGGED_OUT);
    third
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
    log_out(&client, &json!({})).await.expect_message(
        401,
        ErrorCode::MissingToken,
        "Not authenticated",
    );
}

async fn a_sign_out_everywhere_ends_every_session(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let one = Person::sign_up(&server, "alice").await;
    let other = one.once_more().await;
    let bob = Person::sign_up(&server, "bob").await;
    one.ask(Method::POST, "/auth/logout/all")
        .await
        .expect_done(LOGGED_OUT);
    assert!(!one.is_let_in().await && !other.is_let_in().await);
    other
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
    assert!(bob.is_let_in().await);
}

#[tokio::test]
async fn who_is_not_signed_in_hears_so_in_the_words_of_the_account_system() {
    let server = TestServer::start().await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let path = format!("{V1}/users/me");
    let without = client.get(&path).await;
    without.expect_message(401, ErrorCode::MissingToken, "Not authenticated");
    assert_eq!(
        without.header("www-authenticate"),
        r#"Bearer realm="password-auth""#
    );
    let with_bad = client.get_as(&path, "nonsense").await;
    with_bad.expect_message(
        401,
        ErrorCode::InvalidToken,
        "Could not validate credentials",
    );
    assert!(
        with_bad
            .header("www-authenticate")
            .contains("invalid_token")
    );
    client.get_as(&path, &alice.refresh).await.expect_message(
        401,
        ErrorCode::InvalidToken,
        "Could not validate credentials",
    );
    server.advance(Duration::from_secs(1000)).await;
    alice.get("/users/me").await.expect_message(
        401,
        ErrorCode::TokenExpired,
        "Could not validate credentials",
    );
    // Before anything else about the request is looked at.
    let path = format!("{V1}/users/not-an-id");
    client
        .send(client.request(Method::PATCH, &path).body("{"))
        .await
        .expect_failure(401, ErrorCode::MissingToken);
    confirm_email(&client, "nonsense").await.expect_status(400);
}
