//! Refresh-token rotation over HTTP: the table of DESIGN row by row, with a clock of the test's own.

use std::collections::BTreeSet;
use std::time::Duration;

use password_auth_wire::{ErrorCode, Tokens};
use serde_json::json;

use crate::support::{Engine, TestClient, TestServer};

each_engine! {
    the_current_token_rotates,
    a_token_superseded_inside_the_window_is_answered_with_the_current_one,
    a_lost_answer_costs_nobody_the_sign_in_and_a_silent_thief_holds_nothing,
    a_superseded_token_after_its_successor_was_used_ends_the_session_and_says_so,
    a_thief_can_not_sign_out_what_the_owner_is_to_be_told,
    a_token_two_generations_old_outside_the_window_ends_the_session,
    a_clock_that_was_set_back_signs_nobody_out,
    what_is_no_token_of_ours_changes_nothing,
    the_session_ends_for_good_after_its_days,
    sixty_four_clients_that_refresh_one_token_at_once_all_get_the_same,
    one_session_s_end_leaves_another_alone,
}

// PostgreSQL's engine reckons how long a request waited, so that a second more or less is not for here; the
// very edge is `store`'s suite to test, and the model's.
const INSIDE: Duration = Duration::from_secs(25);
const OUTSIDE: Duration = Duration::from_secs(36);

async fn refreshed(client: &TestClient, tokens: &Tokens) -> Tokens {
    client.refresh(tokens.refresh_token.expose()).await.tokens()
}

async fn refused(client: &TestClient, tokens: &Tokens, code: ErrorCode) {
    client
        .refresh(tokens.refresh_token.expose())
        .await
        .expect_failure(400, code);
}

/// Alice's first token, outside the window, and the second, which was used.
async fn superseded_and_its_successor(server: &TestServer) -> (Tokens, Tokens) {
    let client = server.client();
    let first = client.sign_up("alice").await;
    let second = refreshed(&client, &first).await;
    client.protected(&second).await.expect_ok();
    server.advance(OUTSIDE).await;
    (first, second)
}

async fn the_current_token_rotates(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let mut tokens = client.sign_up("alice").await;
    let mut seen = BTreeSet::from([tokens.refresh_token.expose().to_owned()]);
    for _ in 0..20 {
        tokens = refreshed(&client, &tokens).await;
        assert_eq!(tokens.expires_in, 900);
        assert!(seen.insert(tokens.refresh_token.expose().to_owned()));
        client.protected(&tokens).await.expect_ok();
    }
}

async fn a_token_superseded_inside_the_window_is_answered_with_the_current_one(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let first = client.sign_up("alice").await;
    let second = refreshed(&client, &first).await;
    client.protected(&second).await.expect_ok();
    server.advance(INSIDE).await;
    let replayed = refreshed(&client, &first).await;
    assert_eq!(replayed.refresh_token, second.refresh_token);
    assert_ne!(replayed.access_token, second.access_token);
    client.protected(&replayed).await.expect_ok();
    // And a grandparent, while it is inside its own window.
    let third = refreshed(&client, &second).await;
    assert_eq!(
        refreshed(&client, &first).await.refresh_token,
        third.refresh_token
    );
}

async fn a_lost_answer_costs_nobody_the_sign_in_and_a_silent_thief_holds_nothing(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let owner = client.sign_up("alice").await;
    let thief = refreshed(&client, &owner).await;
    server.advance(OUTSIDE).await;
    let replayed = refreshed(&client, &owner).await;
    assert_eq!(replayed.refresh_token, thief.refresh_token);
    client.protected(&replayed).await.expect_ok();
    client
        .protected(&thief)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
}

async fn a_superseded_token_after_its_successor_was_used_ends_the_session_and_says_so(
    engine: Engine,
) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let (first, second) = superseded_and_its_successor(&server).await;
    let answer = client.refresh(first.refresh_token.expose()).await;
    let body = answer.expect_failure(400, ErrorCode::RefreshTokenReused);
    assert!(body.message.contains("ended for your safety"), "{body:?}");
    // The owner is told too, whichever token he holds.
    refused(&client, &second, ErrorCode::RefreshTokenReused).await;
    client
        .protected(&second)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
}

async fn a_thief_can_not_sign_out_what_the_owner_is_to_be_told(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let (first, second) = superseded_and_its_successor(&server).await;
    refused(&client, &first, ErrorCode::RefreshTokenReused).await;
    client
        .post(
            "/logout",
            &json!({"refresh_token": first.refresh_token.expose()}),
        )
        .await
        .expect_ok();
    refused(&client, &second, ErrorCode::RefreshTokenReused).await;
}

async fn a_token_two_generations_old_outside_the_window_ends_the_session(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let first = client.sign_up("alice").await;
    let second = refreshed(&client, &first).await;
    let third = refreshed(&client, &second).await;
    server.advance(OUTSIDE).await;
    refused(&client, &first, ErrorCode::RefreshTokenReused).await;
    refused(&client, &third, ErrorCode::RefreshTokenReused).await;
}

async fn a_clock_that_was_set_back_signs_nobody_out(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let first = client.sign_up("alice").await;
    let second = refreshed(&client, &first).await;
    server.set_back(Duration::from_secs(20)).await;
    let replayed = refreshed(&client, &first).await;
    assert_eq!(replayed.refresh_token, second.refresh_token);
    server.set_back(Duration::from_secs(86_400)).await;
    let third = refreshed(&client, &second).await;
    client.protected(&third).await.expect_ok();
}

#[tokio::test]
async fn a_token_newer_than_the_store_is_adopted() {
    let server = TestServer::start().await;
    let tokens = server.client().sign_up("alice").await;
    // The backup is of now; then life goes on.
    let folder = server.stop().await;
    let backup = crate::support::copy_of(folder.path());
    let server = TestServer::builder().start_in(folder).await;
    let client = server.client();
    let mut newest = refreshed(&client, &tokens).await;
    for _ in 0..3 {
        newest = refreshed(&client, &newest).await;
    }
    server.stop().await;
    let server = TestServer::builder().start_in(backup).await;
    let client = server.client();
    let adopted = refreshed(&client, &newest).await;
    assert_ne!(adopted.refresh_token, newest.refresh_token);
    client.protected(&adopted).await.expect_ok();
    let again = refreshed(&client, &newest).await;
    assert_eq!(again.refresh_token, adopted.refresh_token);
}

async fn what_is_no_token_of_ours_changes_nothing(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let tokens = client.sign_up("alice").await;
    let good = tokens.refresh_token.expose();
    let mut changed = good.to_owned();
    let last = changed.pop().expect("a character");
    changed.push(if last == 'A' { 'B' } else { 'A' });
    for bad in [
        "",
        "x",
        &changed,
        &format!("{good}A"),
        &format!("{good}="),
        tokens.access_token.expose(),
    ] {
        client.refresh(bad).await.expect_message(
            400,
            ErrorCode::InvalidRefreshToken,
            "Invalid refresh token.",
        );
    }
    refreshed(&client, &tokens).await;
}

async fn the_session_ends_for_good_after_its_days(engine: Engine) {
    let server = TestServer::builder()
        .engine(engine)
        .setting("REFRESH_TOKEN_EXPIRE_DAYS", "2")
        .start()
        .await;
    let client = server.client();
    let mut tokens = client.sign_up("alice").await;
    for _ in 0..47 {
        server.advance(Duration::from_secs(3600)).await;
        tokens = refreshed(&client, &tokens).await;
        client.protected(&tokens).await.expect_ok();
    }
    server.advance(Duration::from_secs(3600 + 5)).await;
    refused(&client, &tokens, ErrorCode::RefreshTokenExpired).await;
}

async fn sixty_four_clients_that_refresh_one_token_at_once_all_get_the_same(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let first = client.sign_up("alice").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (client, token) = (client.clone(), first.refresh_token.clone());
        tasks.spawn(async move { client.refresh(token.expose()).await.tokens() });
    }
    let answers = tasks.join_all().await;
    let distinct: BTreeSet<&str> = answers
        .iter()
        .map(|tokens| tokens.refresh_token.expose())
        .collect();
    assert_eq!(distinct.len(), 1);
    for tokens in &answers {
        client.protected(tokens).await.expect_ok();
    }
    // One rotation: the next token is the second successor.
    let next = refreshed(&client, &answers[0]).await;
    assert_eq!(
        refreshed(&client, &first).await.refresh_token,
        next.refresh_token
    );
}

async fn one_session_s_end_leaves_another_alone(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let one = client.sign_up("alice").await;
    let other = client
        .authenticate("alice", crate::support::PASSWORD)
        .await
        .tokens();
    client
        .post(
            "/logout",
            &json!({"refresh_token": one.refresh_token.expose()}),
        )
        .await
        .expect_ok();
    refused(&client, &one, ErrorCode::InvalidRefreshToken).await;
    client.protected(&other).await.expect_ok();
    refreshed(&client, &other).await;
}

#[tokio::test]
async fn a_write_that_waited_too_long_is_refused_without_effect() {
    let server = TestServer::start().await;
    let first = server.client().sign_up("alice").await;
    let folder = server.stop().await;
    // Here every wait is too long.
    let server = TestServer::builder()
        .max_wait(Duration::ZERO)
        .start_in(folder)
        .await;
    for _ in 0..3 {
        server
            .client()
            .refresh(first.refresh_token.expose())
            .await
            .expect_failure(503, ErrorCode::ServiceUnavailable);
    }
    let folder = server.stop().await;
    let server = TestServer::builder().start_in(folder).await;
    let client = server.client();
    // Had one of them rotated, this would be another generation's token.
    let second = refreshed(&client, &first).await;
    client.protected(&second).await.expect_ok();
    let again = refreshed(&client, &first).await;
    assert_eq!(again.refresh_token, second.refresh_token);
    server.advance(OUTSIDE).await;
    refused(&client, &first, ErrorCode::RefreshTokenReused).await;
}
