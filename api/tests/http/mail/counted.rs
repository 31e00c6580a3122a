//! All mail is counted by mailbox and by client.

use std::time::Duration;

use password_auth_model::{Clock as _, EmailKind};
use password_auth_wire::ErrorCode;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::support::person::V1;
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    registrations_flood_no_mailbox,
    registrations_of_one_client_send_no_more_mails_than_its_rate,
    one_client_s_mails_are_counted_whatever_asks_for_them,
    word_of_a_change_that_was_asked_for_floods_nobody_and_hides_no_other_word,
}

const VICTIM: &str = "victim@example.org";

/// Behind a proxy, so that tests can come from any address. Three mails an hour.
async fn server(engine: Engine) -> TestServer {
    TestServer::builder()
        .engine(engine)
        .setting("MAIL_RATE", "3/hour")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await
}

async fn post(server: &TestServer, from: &str, path: &str, body: &Value) -> Reply {
    let client = server.client();
    let request = client
        .request(Method::POST, &format!("{V1}{path}"))
        .header("x-forwarded-for", from)
        .json(body);
    client.send(request).await
}

async fn register(server: &TestServer, from: &str, name: &str, email: &str) {
    let body = json!({"username": name, "email": email, "password": PASSWORD});
    let reply = post(server, from, "/auth/register", &body).await;
    reply.expect_status(201);
}

async fn request_reset(server: &TestServer, from: &str, email: &str) -> Reply {
    let body = json!({"email": email});
    post(server, from, "/auth/password/reset/request", &body).await
}

/// What waits in the queue, and to whom; it is taken out.
async fn mails(server: &TestServer) -> Vec<(String, EmailKind)> {
    let now = server.clock.now();
    let until = now.plus(Duration::from_secs(86_400));
    let mut found = Vec::new();
    while let Some(mail) = server.store.claim_email(now, until).await.expect("read") {
        found.push((mail.to.as_str().to_owned(), mail.kind));
    }
    found
}

async fn registrations_flood_no_mailbox(engine: Engine) {
    let server = server(engine).await;
    for number in 0..21 {
        let from = format!("192.0.2.{number}");
        let spelling = if number % 2 == 0 {
            VICTIM
        } else {
            "VICTIM@Example.ORG"
        };
        register(&server, &from, &format!("prize {number}"), spelling).await;
    }
    assert_eq!(mails(&server).await.len(), 3);
    // Nobody is kept out of a reset of their own by it, and then that is counted.
    for number in 0..3 {
        let from = format!("198.51.100.{number}");
        request_reset(&server, &from, VICTIM).await.expect_ok();
    }
    request_reset(&server, "198.51.100.9", VICTIM)
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
    assert_eq!(mails(&server).await.len(), 3);
    // It is slowed down, not stopped.
    server.advance(Duration::from_secs(20 * 60)).await;
    register(&server, "192.0.2.99", "one more", VICTIM).await;
    assert_eq!(mails(&server).await.len(), 1);
}

async fn registrations_of_one_client_send_no_more_mails_than_its_rate(engine: Engine) {
    let server = server(engine).await;
    for number in 0..21 {
        let email = format!("victim-{number}@example.org");
        register(&server, "192.0.2.1", &format!("prize {number}"), &email).await;
    }
    assert_eq!(mails(&server).await.len(), 3);
    register(&server, "192.0.2.2", "alice", "alice@example.org").await;
    let mails = mails(&server).await;
    let expected = ("alice@example.org".to_owned(), EmailKind::VerifyEmail);
    assert_eq!(mails, [expected]);
}

async fn one_client_s_mails_are_counted_whatever_asks_for_them(engine: Engine) {
    let server = server(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let path = "/auth/email/verification/request";
    alice.ask(Method::POST, path).await.expect_ok();
    let body = json!({"password": PASSWORD, "new_email": "new@example.org"});
    alice.post("/auth/email/change", &body).await.expect_ok();
    assert_eq!(mails(&server).await.len(), 3);
    for refused in [
        alice.ask(Method::POST, path).await,
        alice.post("/auth/email/change", &body).await,
        request_reset(&server, "127.0.0.1", "bob@example.org").await,
    ] {
        refused.expect_failure(429, ErrorCode::TooManyAttempts);
    }
    assert!(mails(&server).await.is_empty());
}

async fn word_of_a_change_that_was_asked_for_floods_nobody_and_hides_no_other_word(engine: Engine) {
    let server = server(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    alice.verify().await;
    mails(&server).await;
    // Somebody who has the password, and any number of networks and mailboxes.
    for number in 0..10 {
        let from = format!("192.0.2.{number}");
        let new_email = format!("new-{number}@example.org");
        let request = alice
            .client
            .request(Method::POST, &format!("{V1}/auth/email/change"))
            .header("x-forwarded-for", from)
            .header(AUTHORIZATION, format!("Bearer {}", alice.access))
            .json(&json!({"password": PASSWORD, "new_email": new_email}));
        alice.client.send(request).await.expect_ok();
    }
    let body = json!({"current_password": PASSWORD, "new_password": "staple of another kind"});
    alice.post("/auth/password/change", &body).await.expect_ok();
    let told = mails(&server).await;
    let told = |about| told.iter().filter(|(_, mail)| *mail == about).count();
    assert_eq!(told(EmailKind::ChangeEmail), 10);
    assert_eq!(told(EmailKind::EmailChangeRequested), 3);
    assert_eq!(told(EmailKind::PasswordChanged), 1);
}
