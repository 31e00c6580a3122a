//! Making an account.

use password_auth_wire::ErrorCode;
use serde_json::{Value, json};

use super::assert_moment;
use crate::support::person::{V1, email_of, text};
use crate::support::{Engine, PASSWORD, Person, Reply, TestClient, TestServer};

each_engine! {
    a_registration_answers_with_the_person_and_nothing_secret,
    a_name_is_taken_once_in_any_spelling,
    a_verified_address_is_taken_and_an_unverified_one_blocks_nobody,
    a_demo_account_and_one_of_the_account_system_are_the_same,
}

async fn register(client: &TestClient, body: &Value) -> Reply {
    client.post(&format!("{V1}/auth/register"), body).await
}

async fn a_registration_answers_with_the_person_and_nothing_secret(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let body = json!({
        "username": " Alice ", "email": "Alice@Example.org", "password": PASSWORD, "full_name": " Alice Liddell ",
    });
    let reply = register(&server.client(), &body).await.expect_status(201);
    assert!(!reply.text.contains(PASSWORD), "{reply:?}");
    let mut person = reply.json();
    let fields = person.as_object_mut().expect("an object");
    let id: uuid::Uuid = text(&fields.remove("id").expect("an id"))
        .parse()
        .expect("a UUID");
    assert_eq!(id.get_version_num(), 7);
    assert_moment(&fields.remove("created_at").expect("a moment"));
    let expected = json!({
        "username": "Alice", "email": "Alice@Example.org", "full_name": "Alice Liddell", "role": "user",
        "is_active": true, "is_verified": false,
    });
    assert_eq!(person, expected);
}

async fn a_name_is_taken_once_in_any_spelling(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    Person::sign_up(&server, "alice").await;
    for name in ["alice", "ALICE", " Alice "] {
        let body = json!({"username": name, "password": PASSWORD});
        register(&server.client(), &body).await.expect_message(
            409,
            ErrorCode::UserExists,
            "User already exists.",
        );
    }
}

async fn a_verified_address_is_taken_and_an_unverified_one_blocks_nobody(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let squatter = Person::sign_up(&server, "alice").await;
    let body =
        |name: &str| json!({"username": name, "email": "ALICE@example.org", "password": PASSWORD});
    register(&client, &body("second")).await.expect_status(201);
    squatter.verify().await;
    register(&client, &body("third"))
        .await
        .expect_failure(409, ErrorCode::EmailExists);
}

async fn a_demo_account_and_one_of_the_account_system_are_the_same(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let tokens = client.authenticate("alice", PASSWORD).await.tokens();
    let me = client
        .get_as(&format!("{V1}/auth/me"), tokens.access_token.expose())
        .await
        .expect_ok()
        .json();
    assert_eq!(me["id"], alice.id.as_str());
    client.get_as("/protected", &alice.access).await.expect_ok();
    client
        .register("alice")
        .await
        .expect_failure(400, ErrorCode::UserExists);
}

/// Each with what is wrong: the field and the code.
#[tokio::test]
async fn what_breaks_a_rule_is_named_field_by_field_and_never_echoed() {
    let server = TestServer::start().await;
    let client = server.client();
    let good = json!({"username": "alice", "password": "a secret that is long enough"});
    for (field, value, code) in [
        ("role", json!("admin"), "unknown_field"),
        ("is_active", json!(true), "unknown_field"),
        ("is_verified", json!(true), "unknown_field"),
        (
            "id",
            json!("019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00"),
            "unknown_field",
        ),
        ("password", json!("seven77"), "too_short"),
        ("password", json!("x".repeat(1025)), "too_long"),
        ("password", json!(12_345_678), "wrong_type"),
        ("username", json!("x".repeat(65)), "too_long"),
        ("username", json!("an@address"), "invalid_characters"),
        ("username", json!(["alice"]), "wrong_type"),
        ("email", json!("alice at example"), "invalid_email"),
        ("email", json!(7), "wrong_type"),
        ("full_name", json!("x".repeat(201)), "too_long"),
        ("full_name", json!("a\u{202E}b"), "invalid_characters"),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let reply = register(&client, &body).await;
        let error = reply.expect_failure(422, ErrorCode::ValidationFailed);
        let named: Vec<_> = error.errors.iter().map(|e| (&*e.field, &*e.code)).collect();
        assert_eq!(named, [(field, code)], "{reply:?}");
        if let Some(value) = value.as_str() {
            assert!(!reply.text.contains(value), "{reply:?}");
        }
    }
    let body = json!({"username": "alice"});
    let error = register(&client, &body)
        .await
        .expect_failure(422, ErrorCode::ValidationFailed);
    assert_eq!(
        (&*error.errors[0].field, &*error.errors[0].code),
        ("password", "required")
    );
    for (name, password) in [("", PASSWORD), ("  ", PASSWORD), ("alice", "")] {
        let body = json!({"username": name, "password": password});
        register(&client, &body).await.expect_message(
            400,
            ErrorCode::ValidationFailed,
            "Username and password are required.",
        );
    }
    // Nobody was made on the way.
    register(&client, &good).await.expect_status(201);
}

#[tokio::test]
async fn what_is_no_json_is_refused_as_everywhere() {
    let server = TestServer::start().await;
    let path = format!("{V1}/auth/register");
    let client = server.client();
    client
        .post_text(&path, "application/json", "{")
        .await
        .expect_failure(400, ErrorCode::MalformedRequest);
    client
        .post_text(&path, "text/plain", "{}")
        .await
        .expect_failure(415, ErrorCode::UnsupportedMediaType);
    client
        .post(&path, &json!("alice"))
        .await
        .expect_failure(422, ErrorCode::ValidationFailed);
}

#[tokio::test]
async fn who_registers_too_often_hears_when_to_come_again() {
    let server = TestServer::builder()
        .setting("REGISTER_RATE", "2/minute")
        .start()
        .await;
    let client = server.client();
    for number in 0..2 {
        let body = json!({"username": format!("user{number}"), "password": PASSWORD});
        register(&client, &body).await.expect_status(201);
    }
    let body = json!({"username": "more", "email": email_of("more"), "password": PASSWORD});
    let reply = register(&client, &body).await;
    reply.expect_failure(429, ErrorCode::TooManyAttempts);
    let wait: u64 = reply.header("retry-after").parse().expect("seconds");
    server.advance(std::time::Duration::from_secs(wait)).await;
    register(&client, &body).await.expect_status(201);
}
