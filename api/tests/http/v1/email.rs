//! Verifying and changing e-mail addresses.

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::person::{V1, confirm_email, confirm_reset, login, request_reset};
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    an_address_is_verified_by_the_mailed_token,
    whoever_verifies_an_address_first_has_it,
    another_address_takes_the_password_and_the_token_that_went_there,
    an_address_that_somebody_verified_is_not_taken_over,
    a_stolen_access_token_does_not_become_a_stolen_account,
}

const VERIFIED: &str = "Email verified successfully";

async fn request_verification(person: &Person) -> Reply {
    person
        .ask(Method::POST, "/auth/email/verification/request")
        .await
}

async fn change(person: &Person, password: &str, new_email: &str) -> Reply {
    let body = json!({"password": password, "new_email": new_email});
    person.post("/auth/email/change", &body).await
}

async fn an_address_is_verified_by_the_mailed_token(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let reply = request_verification(&alice).await.expect_ok();
    let token = reply.dev_token();
    let expected = format!("Verification email sent (DEV ONLY): {token}");
    assert_eq!(reply.json(), json!({"message": expected, "success": true}));
    confirm_email(&client, &token).await.expect_done(VERIFIED);
    // The page's button may be pressed twice; a program is told that the token is used.
    confirm_email(&client, &token)
        .await
        .expect_failure(400, ErrorCode::InvalidOneTimeToken);
    assert_eq!(alice.get("/users/me").await.json()["is_verified"], true);
    request_verification(&alice)
        .await
        .expect_done("Email already verified");
    // Nor has who gave none.
    let body = json!({"username": "bob", "password": PASSWORD});
    client
        .post(&format!("{V1}/auth/register"), &body)
        .await
        .expect_status(201);
    let pair = login(&client, "bob", PASSWORD).await.expect_ok().json();
    let bob = Person {
        access: crate::support::person::text(&pair["access_token"]),
        ..alice.clone()
    };
    request_verification(&bob).await.expect_message(
        400,
        ErrorCode::NothingToVerify,
        "There is no e-mail address to verify.",
    );
}

async fn whoever_verifies_an_address_first_has_it(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let mallory = Person::sign_up(&server, "mallory").await;
    let alice = Person::sign_up(&server, "alice").await;
    let to_mallory = change(&mallory, PASSWORD, "Alice@Example.org")
        .await
        .dev_token();
    let to_alice = request_verification(&alice).await.dev_token();
    confirm_email(&client, &to_alice)
        .await
        .expect_done(VERIFIED);
    confirm_email(&client, &to_mallory).await.expect_message(
        409,
        ErrorCode::EmailExists,
        "Another account has this e-mail address.",
    );
    assert_eq!(
        mallory.get("/users/me").await.json()["email"],
        mallory.email()
    );
}

async fn another_address_takes_the_password_and_the_token_that_went_there(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    alice.verify().await;
    change(&alice, "wrong password", "alice@example.net")
        .await
        .expect_failure(400, ErrorCode::WrongPassword);
    let error = change(&alice, PASSWORD, "nonsense")
        .await
        .expect_failure(422, ErrorCode::ValidationFailed);
    assert_eq!(
        (&*error.errors[0].field, &*error.errors[0].code),
        ("new_email", "invalid_email")
    );
    let reply = change(&alice, PASSWORD, "alice@example.net")
        .await
        .expect_ok();
    let token = reply.dev_token();
    let expected = format!("Confirmation email sent to the new address (DEV ONLY): {token}");
    assert_eq!(reply.json()["message"], expected);
    let me = alice.get("/users/me").await.json();
    assert_eq!(
        (&me["email"], &me["is_verified"]),
        (&json!(alice.email()), &json!(true))
    );
    confirm_email(&client, &token).await.expect_done(VERIFIED);
    let me = alice.get("/users/me").await.json();
    assert_eq!(
        (&me["email"], &me["is_verified"]),
        (&json!("alice@example.net"), &json!(true))
    );
    login(&client, "alice@example.net", PASSWORD)
        .await
        .expect_ok();
    login(&client, &alice.email(), PASSWORD)
        .await
        .expect_status(401);
    // The old one is free.
    let body = json!({"username": "bob", "email": alice.email(), "password": PASSWORD});
    client
        .post(&format!("{V1}/auth/register"), &body)
        .await
        .expect_status(201);
}

async fn an_address_that_somebody_verified_is_not_taken_over(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    alice.verify().await;
    let mallory = Person::sign_up(&server, "mallory").await;
    change(&mallory, PASSWORD, "ALICE@example.org")
        .await
        .expect_failure(409, ErrorCode::EmailExists);
}

async fn a_stolen_access_token_does_not_become_a_stolen_account(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    alice.verify().await;
    // What a thief of `alice.access` can try.
    let path = format!("/users/{}", alice.id);
    let body = json!({"email": "thief@example.org"});
    alice
        .tell(Method::PATCH, &path, &body)
        .await
        .expect_status(422);
    change(&alice, "a guess", "thief@example.org")
        .await
        .expect_status(400);
    let reply = request_reset(&client, "thief@example.org")
        .await
        .expect_ok();
    assert!(!reply.text.contains("DEV ONLY"), "{reply:?}");
    // What they started while they knew the password is void once it was changed.
    let to_thief = change(&alice, PASSWORD, "thief@example.org")
        .await
        .dev_token();
    let token = request_reset(&client, &alice.email()).await.dev_token();
    confirm_reset(&client, &token, "staple of another kind")
        .await
        .expect_ok();
    confirm_email(&client, &to_thief)
        .await
        .expect_failure(400, ErrorCode::InvalidOneTimeToken);
}
