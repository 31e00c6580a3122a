//! Signing in: by name, by address, by the OAuth2 form.

use std::collections::BTreeSet;
use std::time::Duration;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::person::{V1, login, text};
use crate::support::{Engine, PASSWORD, Person, Reply, TestClient, TestServer};

each_engine! {
    a_sign_in_answers_a_pair_by_name_by_address_and_by_form,
    an_unknown_name_and_a_wrong_password_are_one_answer_in_json_and_by_form,
    only_the_right_password_learns_of_a_disabled_account,
    a_short_sign_in_lasts_a_day,
}

const WRONG: &str = "Incorrect username or password";

async fn form(client: &TestClient, body: &str) -> Reply {
    client
        .post_text(
            &format!("{V1}/auth/login/form"),
            "application/x-www-form-urlencoded",
            body.to_owned(),
        )
        .await
}

async fn a_sign_in_answers_a_pair_by_name_by_address_and_by_form(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let by_form = "grant_type=password&username=alice&password=correct+horse%20battery&scope=&client_id=&client_secret=";
    for reply in [
        login(&client, "alice", PASSWORD).await,
        login(&client, " ALICE ", PASSWORD).await,
        login(&client, "Alice@example.ORG", PASSWORD).await,
        form(&client, by_form).await,
        form(
            &client,
            "username=alice%40example.org&password=correct+horse+battery",
        )
        .await,
    ] {
        let pair = reply.expect_ok().json();
        // Sorted: their order depends on what else was built with the tests.
        let fields: BTreeSet<&str> = pair
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            fields,
            BTreeSet::from(["access_token", "expires_in", "refresh_token", "token_type"])
        );
        assert_eq!(
            (&pair["token_type"], &pair["expires_in"]),
            (&json!("bearer"), &json!(900))
        );
        let access = text(&pair["access_token"]);
        let me = client
            .get_as(&format!("{V1}/auth/me"), &access)
            .await
            .expect_ok()
            .json();
        assert_eq!(me["id"], alice.id.as_str());
        assert!(me["last_login"].is_string(), "{me}");
    }
}

async fn an_unknown_name_and_a_wrong_password_are_one_answer_in_json_and_by_form(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    Person::sign_up(&server, "alice").await;
    let first = login(&client, "alice", "wrong password").await;
    first.expect_message(401, ErrorCode::InvalidCredentials, WRONG);
    for reply in [
        login(&client, "mallory", "wrong password").await,
        login(&client, "mallory", PASSWORD).await,
        login(&client, "alice@example.org", "wrong password").await,
        login(&client, "mallory@example.org", "wrong password").await,
        form(&client, "username=alice&password=wrong+password").await,
        form(&client, "username=mallory&password=wrong+password").await,
    ] {
        assert_eq!((reply.status, &reply.text), (first.status, &first.text));
        let challenge = reply.header("www-authenticate");
        assert!(challenge.starts_with("Bearer "), "{challenge}");
    }
}

async fn only_the_right_password_learns_of_a_disabled_account(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    alice
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_ok();
    login(&client, "alice", PASSWORD)
        .await
        .expect_failure(403, ErrorCode::AccountDisabled);
    login(&client, "alice", "wrong password")
        .await
        .expect_message(401, ErrorCode::InvalidCredentials, WRONG);
}

async fn a_short_sign_in_lasts_a_day(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let body = json!({"username": "alice", "password": PASSWORD, "stay_signed_in": false});
    let pair = client
        .post(&format!("{V1}/auth/login"), &body)
        .await
        .expect_ok()
        .json();
    server.advance(Duration::from_secs(86_400 + 10)).await;
    alice.refresh().await.expect_ok();
    let body = json!({"refresh_token": pair["refresh_token"]});
    client
        .post(&format!("{V1}/auth/refresh"), &body)
        .await
        .expect_message(
            401,
            ErrorCode::RefreshTokenExpired,
            "Refresh token expired.",
        );
}

#[tokio::test]
async fn a_sign_in_says_what_is_missing_and_refuses_what_it_does_not_know() {
    let server = TestServer::start().await;
    let client = server.client();
    Person::sign_up(&server, "alice").await;
    for (name, password) in [("", PASSWORD), (" ", PASSWORD), ("alice", "")] {
        login(&client, name, password).await.expect_message(
            400,
            ErrorCode::ValidationFailed,
            "Username and password are required.",
        );
    }
    for body in [
        json!({"username": "alice"}),
        json!({"username": "alice", "password": PASSWORD, "role": "admin"}),
        json!({"username": "alice", "password": PASSWORD, "stay_signed_in": "yes"}),
    ] {
        let reply = client.post(&format!("{V1}/auth/login"), &body).await;
        let error = reply.expect_failure(422, ErrorCode::ValidationFailed);
        assert_eq!(error.errors.len(), 1, "{reply:?}");
    }
    for body in [
        "",
        "username=alice",
        "password=correct+horse+battery",
        "username=&password=",
    ] {
        form(&client, body).await.expect_message(
            400,
            ErrorCode::ValidationFailed,
            "Username and password are required.",
        );
    }
    client
        .post(
            &format!("{V1}/auth/login/form"),
            &json!({"username": "alice", "password": PASSWORD}),
        )
        .await
        .expect_failure(415, ErrorCode::UnsupportedMediaType);
}

#[tokio::test]
async fn who_guesses_hears_when_to_come_again_in_either_way_to_sign_in() {
    let server = TestServer::builder()
        .setting("LOGIN_RATE", "2/minute")
        .start()
        .await;
    let client = server.client();
    login(&client, "mallory", "a guess")
        .await
        .expect_status(401);
    login(&client, "mallory", "a guess")
        .await
        .expect_status(401);
    for reply in [
        login(&client, "mallory", "a guess").await,
        form(&client, "username=mallory&password=a+guess").await,
    ] {
        reply.expect_failure(429, ErrorCode::TooManyAttempts);
        assert!(reply.header("retry-after").parse::<u64>().expect("seconds") > 0);
    }
}
