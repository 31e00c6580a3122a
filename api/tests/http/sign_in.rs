//! Registering and signing in.

use password_auth_store::{ChangeUser, UserChange};
use password_auth_wire::ErrorCode;
use serde_json::json;

use crate::support::{Engine, PASSWORD, TestServer};

each_engine! {
    somebody_registers_signs_in_and_is_greeted,
    a_name_is_taken_in_every_spelling,
    names_of_any_script_survive_the_whole_way_round,
    an_empty_name_or_password_is_said_so_on_both_routes,
    what_breaks_a_rule_is_named_by_field_and_never_echoed,
    unknown_fields_are_ignored,
    every_byte_of_a_password_counts,
    an_unknown_user_and_a_wrong_password_are_one_answer,
    a_disabled_account_learns_it_by_the_right_password_alone,
    somebody_who_does_not_stay_signed_in_has_a_day,
    a_hundred_registrations_of_one_name_at_once_make_one_user,
}

async fn somebody_registers_signs_in_and_is_greeted(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let registered = client.register("Alice").await.expect_ok();
    assert_eq!(
        registered.json(),
        json!({"status": "ok", "message": "User registered successfully."})
    );
    let tokens = client.authenticate(" aLICE", PASSWORD).await.tokens();
    assert_eq!(tokens.token_type, "Bearer");
    assert_eq!(tokens.expires_in, 900);
    let greeting = client.protected(&tokens).await.expect_ok();
    assert_eq!(
        greeting.json(),
        json!({"status": "ok", "message": "Hello, Alice!"})
    );
    let data = client
        .get_as("/protected-data", tokens.access_token.expose())
        .await
        .expect_ok()
        .json();
    assert_eq!(
        data["message"],
        "Hello Alice! You have successfully accessed a protected resource."
    );
    assert_eq!(data["user"], "Alice");
    let at = data["access_timestamp"].as_str().expect("a text");
    assert!(at.contains('T') && at.ends_with('Z'), "{at}");
}

async fn a_name_is_taken_in_every_spelling(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    client.register("Straße").await.expect_ok();
    for spelling in ["Straße", " straße ", "STRASSE", "ＳＴＲＡＳＳＥ"] {
        client.register(spelling).await.expect_message(
            400,
            ErrorCode::UserExists,
            "User already exists.",
        );
    }
}

async fn names_of_any_script_survive_the_whole_way_round(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    for name in ["???", "😀 emoji", "Ünï", "名前", "<b>bold</b>", "👩‍👩‍👧"] {
        let tokens = client.sign_up(name).await;
        let data = client
            .get_as("/protected-data", tokens.access_token.expose())
            .await;
        assert_eq!(data.json()["user"], name);
    }
}

async fn an_empty_name_or_password_is_said_so_on_both_routes(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    for path in ["/register", "/authenticate"] {
        for body in [
            json!({"username": "", "password": PASSWORD}),
            json!({"username": "   ", "password": PASSWORD}),
            json!({"username": "alice", "password": ""}),
            json!({"username": "", "password": ""}),
        ] {
            server.client().post(path, &body).await.expect_message(
                400,
                ErrorCode::ValidationFailed,
                "Username and password are required.",
            );
        }
    }
}

async fn what_breaks_a_rule_is_named_by_field_and_never_echoed(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let long_name = "n".repeat(65);
    let long_password = "p".repeat(1025);
    for (body, field, code) in [
        (
            json!({"username": "alice", "password": "geheim!"}),
            "password",
            "too_short",
        ),
        (
            json!({"username": "alice", "password": long_password}),
            "password",
            "too_long",
        ),
        (
            json!({"username": long_name, "password": PASSWORD}),
            "username",
            "too_long",
        ),
        (
            json!({"username": "a\u{202E}b", "password": PASSWORD}),
            "username",
            "invalid_characters",
        ),
        (
            json!({"username": "a@example.org", "password": PASSWORD}),
            "username",
            "invalid_characters",
        ),
        (
            json!({"username": "alice", "password": 12_345_678}),
            "password",
            "wrong_type",
        ),
        (
            json!({"username": ["alice"], "password": PASSWORD}),
            "username",
            "wrong_type",
        ),
        (
            json!({"username": "alice", "password": null}),
            "password",
            "wrong_type",
        ),
        (json!({"username": "alice"}), "password", "required"),
        (json!([PASSWORD]), "", "wrong_type"),
    ] {
        let reply = server.client().post("/register", &body).await;
        let failure = reply.expect_failure(422, ErrorCode::ValidationFailed);
        assert_eq!(failure.errors.len(), 1, "{body} {failure:?}");
        assert_eq!(failure.errors[0].field, field, "{body}");
        assert_eq!(failure.errors[0].code, code, "{body}");
        for value in ["geheim!", "12345678", PASSWORD, &long_password, &long_name] {
            assert!(!reply.text.contains(value), "echoed: {reply:?}");
        }
    }
}

async fn unknown_fields_are_ignored(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let body = json!({"username": "alice", "password": PASSWORD, "role": "admin", "email": 3});
    server.client().post("/register", &body).await.expect_ok();
}

async fn every_byte_of_a_password_counts(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let password = "pass\0word\0";
    let body = json!({"username": "alice", "password": password});
    client.post("/register", &body).await.expect_ok();
    client.authenticate("alice", password).await.expect_ok();
    let longest = "ö".repeat(512);
    let body = json!({"username": "bob", "password": longest});
    client.post("/register", &body).await.expect_ok();
    client.authenticate("bob", &longest).await.expect_ok();
    for wrong in ["pass\0word", "pass", "pass\0word\0\0", "PASS\0word\0"] {
        client
            .authenticate("alice", wrong)
            .await
            .expect_failure(401, ErrorCode::InvalidCredentials);
    }
    client
        .authenticate("bob", &"ö".repeat(511))
        .await
        .expect_failure(401, ErrorCode::InvalidCredentials);
}

async fn an_unknown_user_and_a_wrong_password_are_one_answer(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let wrong = client.authenticate("alice", "wrong password").await;
    let unknown = client.authenticate("mallory", "wrong password").await;
    wrong.expect_message(401, ErrorCode::InvalidCredentials, "Invalid credentials.");
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    let names = |reply: &crate::support::Reply| -> Vec<String> {
        reply.headers.keys().map(ToString::to_string).collect()
    };
    assert_eq!(names(&wrong), names(&unknown));
}

async fn a_disabled_account_learns_it_by_the_right_password_alone(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let tokens = client.sign_up("alice").await;
    let user = server.user("alice").await;
    let change = UserChange {
        is_active: Some(false),
        ..UserChange::default()
    };
    let disabled = server.store.change_user(user.id, change).await;
    assert!(matches!(disabled, Ok(ChangeUser::Changed { .. })));
    client.authenticate("alice", PASSWORD).await.expect_message(
        403,
        ErrorCode::AccountDisabled,
        "This account is disabled.",
    );
    client
        .authenticate("alice", "wrong password")
        .await
        .expect_failure(401, ErrorCode::InvalidCredentials);
    // And what was issued before counts no more.
    client
        .protected(&tokens)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    client
        .refresh(tokens.refresh_token.expose())
        .await
        .expect_failure(400, ErrorCode::InvalidRefreshToken);
}

async fn somebody_who_does_not_stay_signed_in_has_a_day(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    let body = json!({"username": "alice", "password": PASSWORD, "stay_signed_in": false});
    let tokens = client.post("/authenticate", &body).await.tokens();
    server
        .advance(std::time::Duration::from_secs(86_400 - 60))
        .await;
    let tokens = client.refresh(tokens.refresh_token.expose()).await.tokens();
    assert_eq!(
        tokens.expires_in, 60,
        "no access token outlives its session"
    );
    server.advance(std::time::Duration::from_secs(65)).await;
    client
        .refresh(tokens.refresh_token.expose())
        .await
        .expect_message(
            400,
            ErrorCode::RefreshTokenExpired,
            "Refresh token expired.",
        );
}

async fn a_hundred_registrations_of_one_name_at_once_make_one_user(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let client = client.clone();
        tasks.spawn(async move { client.register("alice").await.status });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..]
            .iter()
            .all(|status| [400, 503].contains(status)),
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_hash_of_other_parameters_is_replaced_at_the_next_sign_in() {
    let server = TestServer::start().await;
    server.client().sign_up("alice").await;
    let before = server.user("alice").await.password;
    let folder = server.stop().await;
    let server = TestServer::builder()
        .setting("SCRYPT_LOG_N", "5")
        .start_in(folder)
        .await;
    server
        .client()
        .authenticate("alice", PASSWORD)
        .await
        .expect_ok();
    let renewed = server.user("alice").await.password;
    assert_ne!(renewed, before);
    server
        .client()
        .authenticate("alice", PASSWORD)
        .await
        .expect_ok();
    assert_eq!(
        server.user("alice").await.password,
        renewed,
        "replaced once"
    );
}
