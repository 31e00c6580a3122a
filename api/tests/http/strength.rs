//! The minimum strength of new passwords.

use password_auth_wire::{ErrorCode, PasswordHint};
use serde_json::{Value, json};

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

const STRENGTH: &str = "/api/v1/auth/password/strength";

/// What the codes say in English: a client that translates them says as much.
fn in_words(codes: &Value) -> String {
    let hints: Vec<PasswordHint> = serde_json::from_value(codes.clone()).expect("known hints");
    let words: Vec<&str> = hints.into_iter().map(PasswordHint::message).collect();
    words.join(" ")
}

#[tokio::test]
async fn a_form_is_told_what_registration_would_decide() {
    let server = TestServer::builder().production().start().await;
    let client = server.client();
    for (password, username, email) in [
        ("password", "alice", None),
        ("drowssap1", "alice", None),
        ("Brunhilde-K", "brunhilde-k", None),
        (
            "k.zypressenhain1",
            "alice",
            Some("k.zypressenhain@example.org"),
        ),
        ("short", "bob", None),
        ("", "bob", None),
        ("correct horse battery", "carol", None),
        ("correct horse battery", "dora", Some("dora@example.org")),
    ] {
        let mut body = json!({"password": password, "username": username});
        if let Some(email) = email {
            body["email"] = json!(email);
        }
        let told = client.post(STRENGTH, &body).await.expect_ok();
        assert_eq!(told.headers["cache-control"], "no-store");
        let told = told.json();
        let registered = client.post("/api/v1/auth/register", &body).await;
        assert_eq!(
            told["enough"],
            registered.status == 201,
            "{password}: {told}"
        );
        if registered.status == 422 {
            let hint = told["hint"].as_str().expect("a hint");
            let message = registered.json()["message"].clone();
            let message = message.as_str().expect("a sentence");
            assert!(message.ends_with(hint), "{message:?}, {hint:?}");
            // A form asks about none.
            if !password.is_empty() {
                assert_eq!(in_words(&told["hint_codes"]), hint, "{told}");
            }
        }
        assert!(!told.to_string().contains("horse"), "{told}");
    }
    // Where every password may be set, the score is told all the same.
    let open = TestServer::start().await;
    let body = json!({"password": "password"});
    let told = open.client().post(STRENGTH, &body).await.expect_ok().json();
    assert_eq!((&told["score"], &told["enough"]), (&json!(0), &json!(true)));
}

#[tokio::test]
async fn questions_about_strength_are_counted_by_client_and_take_no_registration_away() {
    let builder = TestServer::builder().production();
    let server = builder.setting("REGISTER_RATE", "2/minute").start().await;
    let client = server.client();
    let body = json!({"password": "correct horse battery"});
    for _ in 0..12 {
        client.post(STRENGTH, &body).await.expect_ok();
    }
    let refused = client.post(STRENGTH, &body).await;
    refused.expect_failure(429, ErrorCode::TooManyAttempts);
    assert!(refused.headers.contains_key("retry-after"));
    client.register("alice").await.expect_ok();
    // What costs nothing is not counted.
    let body = json!({"password": "short"});
    client.post(STRENGTH, &body).await.expect_ok();
}

/// What is chosen to keep zxcvbn busy, and fields of every kind.
#[tokio::test]
async fn a_question_about_strength_costs_little_whatever_it_says() {
    let server = TestServer::builder().production().start().await;
    let client = server.client();
    let long = "$<76{841!%5(@[2|3+90aaaaaaaaaaa".repeat(39);
    let names = "a1 b2 c3 ".repeat(3000);
    let begun = std::time::Instant::now();
    let body = json!({"password": &long[..1000], "username": names, "email": names});
    client.post(STRENGTH, &body).await.expect_ok();
    // Unoptimised; a hash takes longer.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    let too_long = json!({"password": "a".repeat(1025)});
    let told = client.post(STRENGTH, &too_long).await.expect_ok().json();
    assert_eq!(told["enough"], false);
    for body in [
        json!({}),
        json!({"password": 12_345_678}),
        json!({"password": "correct horse battery", "name": "alice"}),
        json!({"password": "correct horse battery", "username": ["alice"]}),
    ] {
        let refused = client.post(STRENGTH, &body).await;
        let failure = refused.expect_failure(422, ErrorCode::ValidationFailed);
        assert!(!failure.message.contains("horse"), "{failure:?}");
    }
}
