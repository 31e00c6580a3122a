//! The minimum strength of new passwords.

use password_auth_wire::ErrorCode;
use serde_json::json;

use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn a_password_that_is_easy_to_guess_is_refused_in_production_and_said_why() {
    let server = TestServer::builder().production().start().await;
    let client = server.client();
    for (username, password, what) in [
        ("alice", "password", "common password"),
        ("brunhilde-k", "Brunhilde-K", "your name or e-mail address"),
    ] {
        let body = json!({"username": username, "password": password});
        let reply = client.post("/register", &body).await;
        let failure = reply.expect_failure(422, ErrorCode::ValidationFailed);
        assert_eq!(failure.errors.len(), 1, "{failure:?}");
        assert_eq!(failure.errors[0].field, "password");
        assert_eq!(failure.errors[0].code, "too_weak");
        assert!(failure.message.contains(what), "{failure:?}");
    }
    client.register("alice").await.expect_ok();
}

#[tokio::test]
async fn in_development_the_demo_s_example_passwords_work() {
    let server = TestServer::start().await;
    let body = json!({"username": "alice", "password": "password"});
    server.client().post("/register", &body).await.expect_ok();
}

#[tokio::test]
async fn the_floor_is_a_setting() {
    let strict = TestServer::builder().setting("PASSWORD_MIN_SCORE", "4");
    let server = strict.start().await;
    let body = json!({"username": "alice", "password": "horse-carrot"});
    let reply = server.client().post("/register", &body).await;
    reply.expect_failure(422, ErrorCode::ValidationFailed);
    let body = json!({"username": "alice", "password": format!("{PASSWORD} staple")});
    server.client().post("/register", &body).await.expect_ok();
}
