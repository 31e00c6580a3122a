//! Who may register.

use password_auth_wire::ErrorCode;
use serde_json::json;

use crate::support::person::V1;
use crate::support::{Engine, PASSWORD, TestServer};

each_engine! {
    a_form_is_told_who_may_register_and_how_strong_a_password_must_be,
    where_registration_is_not_open_both_routes_refuse_before_they_look_at_anything_else,
}

async fn server(engine: Engine, mode: &str) -> TestServer {
    let builder = TestServer::builder().engine(engine);
    builder.setting("REGISTRATION", mode).start().await
}

async fn a_form_is_told_who_may_register_and_how_strong_a_password_must_be(engine: Engine) {
    for mode in ["open", "invite", "closed"] {
        let server = TestServer::builder()
            .engine(engine)
            .setting("REGISTRATION", mode)
            .setting("PASSWORD_MIN_SCORE", "3")
            .start()
            .await;
        let reply = server
            .client()
            .get(&format!("{V1}/auth/registration"))
            .await;
        let expected = json!({"mode": mode, "password_min_score": 3});
        assert_eq!(reply.expect_ok().json(), expected);
    }
}

async fn where_registration_is_not_open_both_routes_refuse_before_they_look_at_anything_else(
    engine: Engine,
) {
    for mode in ["invite", "closed"] {
        let server = server(engine, mode).await;
        let client = server.client();
        for body in [
            json!({"username": "alice", "password": PASSWORD}),
            json!({"username": "alice", "password": "short"}),
            json!({"username": "", "password": ""}),
        ] {
            for path in ["/register", "/api/v1/auth/register"] {
                let reply = client.post(path, &body).await;
                reply.expect_failure(403, ErrorCode::RegistrationClosed);
            }
        }
        let answer = client.authenticate("alice", PASSWORD).await;
        answer.expect_failure(401, ErrorCode::InvalidCredentials);
    }
}
