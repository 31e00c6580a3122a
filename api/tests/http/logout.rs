//! Signing out.

use std::time::Duration;

use password_auth_wire::{ErrorCode, Tokens};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::json;

use crate::support::{Engine, Reply, TestClient, TestServer};

each_engine! {
    either_token_signs_out_at_once_and_again_is_no_error,
    a_superseded_or_expired_token_signs_out_too,
    a_client_that_always_sends_json_s_type_signs_out_without_a_body,
    of_two_tokens_one_that_names_a_session_is_enough,
    what_names_no_session_is_refused,
    a_sign_out_that_overtakes_refreshes_wins,
}

async fn by_bearer(client: &TestClient, tokens: &Tokens) -> Reply {
    let value = format!("Bearer {}", tokens.access_token.expose());
    let request = client
        .request(Method::POST, "/logout")
        .header(AUTHORIZATION, value);
    client.send(request).await
}

async fn by_refresh_token(client: &TestClient, tokens: &Tokens) -> Reply {
    client
        .post(
            "/logout",
            &json!({"refresh_token": tokens.refresh_token.expose()}),
        )
        .await
}

async fn assert_signed_out(client: &TestClient, tokens: &Tokens) {
    assert_eq!(client.protected(tokens).await.status, 401);
    client
        .refresh(tokens.refresh_token.expose())
        .await
        .expect_failure(400, ErrorCode::InvalidRefreshToken);
}

async fn either_token_signs_out_at_once_and_again_is_no_error(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let tokens = client.sign_up("alice").await;
    for _ in 0..3 {
        let reply = by_bearer(&client, &tokens).await.expect_ok();
        assert_eq!(reply.json()["message"], "Logged out successfully.");
    }
    assert_signed_out(&client, &tokens).await;

    let tokens = client.sign_up("bob").await;
    for _ in 0..3 {
        by_refresh_token(&client, &tokens).await.expect_ok();
    }
    assert_signed_out(&client, &tokens).await;
}

async fn a_superseded_or_expired_token_signs_out_too(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let first = client.sign_up("alice").await;
    let second = client.refresh(first.refresh_token.expose()).await.tokens();
    client.protected(&second).await.expect_ok();
    server.advance(Duration::from_secs(3600)).await;
    by_refresh_token(&client, &first).await.expect_ok();
    assert_signed_out(&client, &second).await;

    let tokens = client.sign_up("bob").await;
    server.advance(Duration::from_secs(3600)).await;
    by_bearer(&client, &tokens).await.expect_ok();
    assert_signed_out(&client, &tokens).await;

    let tokens = client.sign_up("carol").await;
    server.advance(Duration::from_secs(400 * 86_400)).await;
    by_refresh_token(&client, &tokens).await.expect_ok();
}

async fn a_client_that_always_sends_json_s_type_signs_out_without_a_body(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for (name, body) in [("alice", ""), ("bob", "null"), ("carol", "{}")] {
        let tokens = client.sign_up(name).await;
        let request = client
            .request(Method::POST, "/logout")
            .header(
                AUTHORIZATION,
                format!("Bearer {}", tokens.access_token.expose()),
            )
            .header("content-type", "application/json")
            .body(body);
        client.send(request).await.expect_ok();
        assert_signed_out(&client, &tokens).await;
    }
}

async fn of_two_tokens_one_that_names_a_session_is_enough(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for authorization in ["Bearer nonsense", "Basic YWxpY2U6cGFzc3dvcmQ="] {
        let tokens = client.sign_up(authorization).await;
        let request = client
            .request(Method::POST, "/logout")
            .header(AUTHORIZATION, authorization)
            .json(&json!({"refresh_token": tokens.refresh_token.expose()}));
        client.send(request).await.expect_ok();
        assert_signed_out(&client, &tokens).await;
    }
    let tokens = client.sign_up("carol").await;
    let request = client
        .request(Method::POST, "/logout")
        .header(
            AUTHORIZATION,
            format!("Bearer {}", tokens.access_token.expose()),
        )
        .json(&json!({"refresh_token": "nonsense"}));
    client.send(request).await.expect_ok();
    assert_signed_out(&client, &tokens).await;
    let request = client
        .request(Method::POST, "/logout")
        .header(AUTHORIZATION, "Bearer nonsense")
        .json(&json!({"refresh_token": "nonsense"}));
    client
        .send(request)
        .await
        .expect_failure(400, ErrorCode::InvalidRefreshToken);
}

async fn what_names_no_session_is_refused(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let nothing = client.send(client.request(Method::POST, "/logout")).await;
    nothing.expect_failure(401, ErrorCode::MissingToken);
    client
        .post("/logout", &json!({}))
        .await
        .expect_failure(401, ErrorCode::MissingToken);
    client
        .post("/logout", &json!({"refresh_token": "nonsense"}))
        .await
        .expect_failure(400, ErrorCode::InvalidRefreshToken);
    let request = client
        .request(Method::POST, "/logout")
        .header(AUTHORIZATION, "Bearer nonsense");
    client
        .send(request)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
}

async fn a_sign_out_that_overtakes_refreshes_wins(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for round in 0..10 {
        let tokens = client.sign_up(&format!("user {round}")).await;
        let refreshing = {
            let (client, tokens) = (client.clone(), tokens.clone());
            tokio::spawn(async move { client.refresh(tokens.refresh_token.expose()).await })
        };
        by_refresh_token(&client, &tokens).await.expect_ok();
        let refreshed = refreshing.await.expect("answered");
        if refreshed.status == 200 {
            assert_signed_out(&client, &refreshed.tokens()).await;
        }
    }
}
