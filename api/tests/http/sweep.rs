//! Expired records are removed, and nothing else.

use std::net::Ipv4Addr;
use std::time::Duration;

use password_auth_model::{Clock, SignInAttempt, UsernameKey};
use password_auth_wire::ErrorCode;
use serde_json::json;

use crate::support::{PASSWORD, TestServer};

const DAY: Duration = Duration::from_secs(86_400);

async fn sweep(server: &TestServer) -> usize {
    let now = server.clock.now();
    server.store.sweep(now).await.expect("the store answers")
}

#[tokio::test]
async fn a_session_is_swept_a_month_after_its_end_and_its_client_is_told_until_then() {
    let server = TestServer::start().await;
    let client = server.client();
    let staying = client.sign_up("alice").await;
    let short = json!({"username": "alice", "password": PASSWORD, "stay_signed_in": false});
    let mut swept = Vec::new();
    // As many as one person has room for.
    for _ in 1..password_auth_model::MAX_SESSIONS {
        swept.push(client.post("/authenticate", &short).await.tokens());
    }
    server.clock.advance(DAY * 30);
    assert_eq!(sweep(&server).await, 0);
    for tokens in &swept {
        client
            .refresh(tokens.refresh_token.expose())
            .await
            .expect_failure(400, ErrorCode::RefreshTokenExpired);
    }
    server.clock.advance(DAY);
    assert_eq!(sweep(&server).await, swept.len());
    assert_eq!(sweep(&server).await, 0);
    for tokens in &swept {
        client
            .refresh(tokens.refresh_token.expose())
            .await
            .expect_failure(400, ErrorCode::InvalidRefreshToken);
    }
    client
        .refresh(staying.refresh_token.expose())
        .await
        .expect_ok();
}

#[tokio::test]
async fn counts_of_tries_go_once_they_are_paid_off() {
    let server = TestServer::builder()
        .setting("LOGIN_RATE", "100/minute")
        .start()
        .await;
    let client = server.client();
    for number in 0..90 {
        client
            .authenticate(&format!("nobody {number}"), PASSWORD)
            .await;
    }
    assert_eq!(sweep(&server).await, 0);
    server.clock.advance(Duration::from_secs(60));
    // Of each account, its attempts and how the wait for it has grown.
    assert_eq!(sweep(&server).await, 2 * 90);
}

#[tokio::test]
async fn where_many_counts_stay_several_sweeps_together_remove_what_goes() {
    let server = TestServer::start().await;
    let now = server.clock.now();
    let address = Ipv4Addr::LOCALHOST.into();
    // More than one sweep reads: one in ten is over in a minute, the others after a month.
    for number in 0..10_000 {
        let attempt = SignInAttempt::new(&UsernameKey::of(&format!("user {number}")), address);
        let until = now.plus(if number % 10 == 0 {
            DAY / 1440
        } else {
            DAY * 30
        });
        let remembered = server.store.remember_network(attempt, until).await;
        remembered.expect("the store answers");
    }
    server.clock.advance(Duration::from_secs(60));
    let mut removed = Vec::new();
    for _ in 0..4 {
        removed.push(sweep(&server).await);
    }
    assert!(removed[0] < 1_000, "{removed:?}");
    assert_eq!(removed.iter().sum::<usize>(), 1_000, "{removed:?}");
    // Most of them go now: one sweep does it.
    server.clock.advance(DAY * 30);
    assert_eq!(sweep(&server).await, 9_000);
}
