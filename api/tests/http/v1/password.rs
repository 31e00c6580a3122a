//! Changing a password, and resetting one that was forgotten.

use std::time::Duration;

use password_auth_wire::ErrorCode;
use serde_json::json;

use crate::support::person::{V1, confirm_reset, login, request_reset};
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    a_change_takes_the_current_password_and_ends_the_other_sign_ins,
    a_change_leaves_no_older_token_of_the_session_that_asks,
    of_two_changes_at_once_one_is_done_and_holds_the_session,
    refreshes_at_the_same_time_as_a_change_keep_nobody_in,
    whoever_lost_the_answer_to_a_change_signs_in_with_the_new_password,
    a_reset_ends_every_sign_in_and_verifies_the_address,
    a_reset_is_for_whoever_verified_the_address,
    asking_for_a_mail_is_throttled_by_the_address_it_goes_to,
}

const NEW: &str = "staple of another kind";
const REQUESTED: &str = "If the email exists, a password reset link has been sent";

async fn change(person: &Person, current: &str, new: &str) -> Reply {
    let body = json!({"current_password": current, "new_password": new});
    person.post("/auth/password/change", &body).await
}

/// The same person with the pair that the change answered.
async fn changed(person: &Person, current: &str, new: &str) -> Person {
    let reply = change(person, current, new).await.expect_ok();
    let answer = reply.json();
    assert_eq!(answer["message"], "Password changed successfully");
    assert_eq!(
        (&answer["success"], &answer["token_type"]),
        (&json!(true), &json!("bearer"))
    );
    person.with(reply)
}

async fn refused(person: &Person) {
    assert!(!person.is_let_in().await);
    person
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
}

/// The person with the pair that a refresh answered.
async fn refreshed(person: &Person) -> Person {
    person.with(person.refresh().await)
}

async fn a_change_leaves_no_older_token_of_the_session_that_asks(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    // A thief copied each of these; the last just now, so that its window is open, and the owner's answer is lost.
    let first = Person::sign_up(&server, "alice").await;
    let second = refreshed(&first).await;
    let third = refreshed(&second).await;
    let current = changed(&third, PASSWORD, NEW).await;
    for stolen in [&first, &second, &third] {
        refused(stolen).await;
    }
    // Nor do they end it, or become good later.
    let next = refreshed(&current).await;
    server.advance(Duration::from_secs(40)).await;
    for stolen in [&first, &second, &third] {
        refused(stolen).await;
    }
    assert!(next.is_let_in().await);
    // What is lost after the change is answered again as ever.
    let lost = refreshed(&next).await;
    assert_eq!(refreshed(&next).await.refresh, lost.refresh);
}

async fn of_two_changes_at_once_one_is_done_and_holds_the_session(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let (one, other) = tokio::join!(
        change(&alice, PASSWORD, NEW),
        change(&alice, PASSWORD, "another of its kind")
    );
    let (done, refused) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    // The later one found another password, or its token void.
    assert!(matches!(refused.status, 400 | 401), "{refused:?}");
    let alice = alice.with(done);
    assert!(alice.is_let_in().await);
    alice.refresh().await.expect_ok();
}

async fn refreshes_at_the_same_time_as_a_change_keep_nobody_in(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    for round in 0..5 {
        let alice = Person::sign_up(&server, &format!("alice{round}")).await;
        let mut thieves = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let alice = alice.clone();
            thieves.spawn(async move { (alice.refresh().await, alice) });
        }
        let owner = changed(&alice, PASSWORD, NEW).await;
        for (reply, alice) in thieves.join_all().await {
            if reply.status == 200 {
                refused(&alice.with(reply)).await;
            } else {
                reply.expect_failure(401, ErrorCode::InvalidRefreshToken);
            }
        }
        assert!(owner.is_let_in().await);
        owner.refresh().await.expect_ok();
    }
}

async fn whoever_lost_the_answer_to_a_change_signs_in_with_the_new_password(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    changed(&alice, PASSWORD, NEW).await;
    change(&alice, PASSWORD, NEW)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    refused(&alice).await;
    login(&server.client(), "alice", NEW).await.expect_ok();
}

async fn a_change_takes_the_current_password_and_ends_the_other_sign_ins(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let phone = alice.once_more().await;
    let session = alice.session().await;
    change(&alice, "wrong password", NEW).await.expect_message(
        400,
        ErrorCode::WrongPassword,
        "The current password is wrong.",
    );
    for (new, code) in [("short", "too_short"), (&*"x".repeat(1025), "too_long")] {
        let error = change(&alice, PASSWORD, new)
            .await
            .expect_failure(422, ErrorCode::ValidationFailed);
        assert_eq!(
            (&*error.errors[0].field, &*error.errors[0].code),
            ("new_password", code)
        );
    }
    assert!(phone.is_let_in().await, "nothing was changed");
    let stale = alice.clone();
    let alice = changed(&alice, PASSWORD, NEW).await;
    assert!(alice.is_let_in().await && !phone.is_let_in().await);
    assert!(!stale.is_let_in().await);
    assert_eq!(alice.session().await, session, "it is the same sign-in");
    phone
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
    alice.refresh().await.expect_ok();
    login(&client, "alice", PASSWORD)
        .await
        .expect_failure(401, ErrorCode::InvalidCredentials);
    login(&client, "alice", NEW).await.expect_ok();
}

async fn a_reset_ends_every_sign_in_and_verifies_the_address(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let phone = alice.once_more().await;
    let reply = request_reset(&client, "ALICE@example.org")
        .await
        .expect_ok();
    let token = reply.dev_token();
    assert_eq!(
        reply.json()["message"],
        format!("{REQUESTED} (DEV ONLY): {token}")
    );
    let error = confirm_reset(&client, &token, "short")
        .await
        .expect_failure(422, ErrorCode::ValidationFailed);
    assert_eq!(error.errors[0].field, "new_password");
    // The token stays good.
    confirm_reset(&client, &token, NEW)
        .await
        .expect_done("Password reset successful");
    assert!(!alice.is_let_in().await && !phone.is_let_in().await);
    phone
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
    login(&client, "alice", PASSWORD)
        .await
        .expect_failure(401, ErrorCode::InvalidCredentials);
    login(&client, "alice", NEW).await.expect_ok();
    assert!(server.user("alice").await.is_verified);
}

async fn a_reset_is_for_whoever_verified_the_address(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let body = json!({"username": "mallory", "email": alice.email(), "password": PASSWORD});
    client
        .post(&format!("{V1}/auth/register"), &body)
        .await
        .expect_status(201);
    alice.verify().await;
    let token = request_reset(&client, &alice.email()).await.dev_token();
    confirm_reset(&client, &token, NEW).await.expect_ok();
    login(&client, "alice", NEW).await.expect_ok();
    login(&client, "mallory", PASSWORD).await.expect_ok();
}

async fn asking_for_a_mail_is_throttled_by_the_address_it_goes_to(engine: Engine) {
    let server = TestServer::builder()
        .engine(engine)
        .setting("MAIL_RATE", "2/hour")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let client = server.client();
    let ask = async |from: &str, email: &str| {
        let path = format!("{V1}/auth/password/reset/request");
        let request = client
            .request(reqwest::Method::POST, &path)
            .header("x-forwarded-for", from)
            .json(&json!({"email": email}));
        client.send(request).await
    };
    ask("192.0.2.1", "alice@example.org").await.expect_ok();
    ask("192.0.2.2", "ALICE@example.org").await.expect_ok();
    let refused = ask("192.0.2.3", "alice@example.org").await;
    refused.expect_failure(429, ErrorCode::TooManyAttempts);
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    // One address of a client, to many of mail.
    ask("192.0.2.1", "bob@example.org").await.expect_ok();
    ask("192.0.2.1", "carol@example.org")
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
    server.advance(Duration::from_secs(wait)).await;
    ask("192.0.2.3", "alice@example.org").await.expect_ok();
}

#[tokio::test]
async fn guesses_at_the_current_password_are_counted_as_sign_ins_are() {
    let server = TestServer::builder()
        .setting("LOGIN_RATE", "3/minute")
        .start()
        .await;
    let alice = Person::sign_up(&server, "alice").await;
    change(&alice, "a guess", NEW).await.expect_status(400);
    change(&alice, "a guess", NEW).await.expect_status(400);
    for path in ["/auth/password/change", "/auth/email/change", "/users/me"] {
        let (method, body) = match path {
            "/users/me" => (reqwest::Method::DELETE, json!({"password": PASSWORD})),
            "/auth/email/change" => (
                reqwest::Method::POST,
                json!({"password": PASSWORD, "new_email": "a@example.org"}),
            ),
            _ => (
                reqwest::Method::POST,
                json!({"current_password": PASSWORD, "new_password": NEW}),
            ),
        };
        let reply = alice.tell(method, path, &body).await;
        reply.expect_failure(429, ErrorCode::TooManyAttempts);
    }
}

#[tokio::test]
async fn in_production_a_request_is_answered_with_one_sentence_and_no_token() {
    let server = TestServer::builder()
        .production()
        .setting("SMTP_HOST", "localhost")
        .setting("SMTP_PORT", "9")
        .setting("SMTP_TLS", "off")
        .setting("SMTP_FROM", "Password Auth <auth@example.org>")
        .setting("PUBLIC_URL", "https://auth.example.org")
        .start()
        .await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    for email in [&*alice.email(), "nobody@example.org"] {
        request_reset(&client, email).await.expect_done(REQUESTED);
    }
    let path = "/auth/email/verification/request";
    alice
        .ask(reqwest::Method::POST, path)
        .await
        .expect_done("Verification email sent");
    let body = json!({"password": PASSWORD, "new_email": "alice@example.net"});
    let reply = alice.post("/auth/email/change", &body).await;
    reply.expect_done("Confirmation email sent to the new address");
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_without_mail_so_is_what_needs_it() {
    let server = TestServer::start().await;
    for email in ["", "alice", "alice@localhost"] {
        let error = request_reset(&server.client(), email)
            .await
            .expect_failure(422, ErrorCode::ValidationFailed);
        assert_eq!(
            (&*error.errors[0].field, &*error.errors[0].code),
            ("email", "invalid_email")
        );
    }
    let server = TestServer::builder().production().start().await;
    let reply = request_reset(&server.client(), "alice@example.org").await;
    reply.expect_failure(503, ErrorCode::MailNotConfigured);
}
