//! Strangers who register with your address cannot block your sign-in by it, your password reset or your mail.

use std::time::Duration;

use password_auth_model::{Clock as _, EmailKind};
use password_auth_testing::MailServer;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail::{PACING, links, person, queue_is_empty};
use crate::support::person::{V1, confirm_reset, login, request_reset, text};
use crate::support::{Engine, PASSWORD, Person, Reply, TestClient, TestServer};

each_engine! {
    any_number_of_strangers_keep_nobody_out_of_a_sign_in_by_address,
    a_password_that_was_set_anew_signs_in_by_address_and_the_old_one_does_not,
    a_hash_that_was_made_without_the_address_signs_in_by_it_and_is_made_anew,
    an_account_that_is_named_is_reset_among_any_number,
    a_name_that_does_not_have_the_address_changes_nothing,
    strangers_use_up_no_verification_of_anybody_else,
    who_deactivated_the_account_is_mailed_and_comes_back_by_a_reset,
    what_an_admin_deactivated_no_reset_brings_back,
    confirmations_are_counted_by_client,
}

const ALICE: &str = "alice@example.org";

async fn post(server: &TestServer, from: &str, path: &str, body: &Value) -> Reply {
    let client = server.client();
    let request = client
        .request(Method::POST, &format!("{V1}{path}"))
        .header("x-forwarded-for", from)
        .json(body);
    client.send(request).await
}

async fn register(client: &TestClient, name: &str, email: &str, password: &str) {
    let body = json!({"username": name, "email": email, "password": password});
    let reply = client.post(&format!("{V1}/auth/register"), &body).await;
    reply.expect_status(201);
}

async fn strangers(client: &TestClient, kind: &str, number: usize) {
    for number in 0..number {
        let name = format!("{kind} {number}");
        register(
            client,
            &name,
            "ALICE@example.org",
            &format!("of {name} alone"),
        )
        .await;
        login(client, &name, &format!("of {name} alone"))
            .await
            .expect_ok();
    }
}

async fn who_is(client: &TestClient, reply: Reply) -> String {
    let access = text(&reply.expect_ok().json()["access_token"]);
    let me = client.get_as(&format!("{V1}/auth/me"), &access).await;
    text(&me.expect_ok().json()["username"])
}

async fn any_number_of_strangers_keep_nobody_out_of_a_sign_in_by_address(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    strangers(&client, "before", 140).await;
    let alice = Person::sign_up(&server, "alice").await;
    strangers(&client, "behind", 140).await;
    let reply = login(&client, "Alice@example.ORG", PASSWORD).await;
    assert_eq!(who_is(&client, reply).await, "alice");
    let reply = login(&client, ALICE, "of behind 7 alone").await;
    assert_eq!(who_is(&client, reply).await, "behind 7");
    login(&client, ALICE, "a guess").await.expect_status(401);
    // Whoever verifies it first has it alone.
    alice.verify().await;
    let reply = login(&client, ALICE, PASSWORD).await;
    assert_eq!(who_is(&client, reply).await, "alice");
    login(&client, ALICE, "of behind 7 alone")
        .await
        .expect_status(401);
}

async fn a_password_that_was_set_anew_signs_in_by_address_and_the_old_one_does_not(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    strangers(&client, "stranger", 3).await;
    let new = "staple of another kind";
    let body = json!({"current_password": PASSWORD, "new_password": new});
    alice.post("/auth/password/change", &body).await.expect_ok();
    login(&client, ALICE, PASSWORD).await.expect_status(401);
    let reply = login(&client, ALICE, new).await;
    assert_eq!(who_is(&client, reply).await, "alice");
}

async fn a_hash_that_was_made_without_the_address_signs_in_by_it_and_is_made_anew(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    // As an older version made it, or an import brought it.
    register(&client, "other", "", PASSWORD).await;
    Person::sign_up(&server, "alice").await;
    let (alice, other) = (server.user("alice").await, server.user("other").await);
    let replaced = server
        .store
        .replace_password_hash(alice.id, &alice.password, other.password.clone())
        .await;
    assert!(replaced.expect("the store answers"));
    strangers(&client, "stranger", 3).await;
    for _ in 0..2 {
        let reply = login(&client, ALICE, PASSWORD).await;
        assert_eq!(who_is(&client, reply).await, "alice");
    }
    let shared = server.user("alice").await;
    assert_eq!(shared.password, alice.password, "the salt is the address's");
    // Verified, it is nobody else's.
    let alice = Person::sign_in_as(&client, &shared.id.to_string(), "alice").await;
    alice.verify().await;
    login(&client, ALICE, PASSWORD).await.expect_ok();
    let own = server.user("alice").await.password;
    assert!(own != shared.password && own != other.password);
    login(&client, "alice", PASSWORD).await.expect_ok();
    assert_eq!(server.user("alice").await.password, own);
}

async fn reset_of(client: &TestClient, name: &str) -> Reply {
    let path = format!("{V1}/auth/password/reset/request");
    let body = json!({"email": ALICE, "username": name});
    client.post(&path, &body).await
}

async fn an_account_that_is_named_is_reset_among_any_number(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    strangers(&client, "before", 130).await;
    Person::sign_up(&server, "alice").await;
    strangers(&client, "behind", 130).await;
    let token = reset_of(&client, " ALICE ").await.expect_ok().dev_token();
    confirm_reset(&client, &token, "staple of another kind")
        .await
        .expect_ok();
    let reply = login(&client, ALICE, "staple of another kind").await;
    assert_eq!(who_is(&client, reply).await, "alice");
}

async fn a_name_that_does_not_have_the_address_changes_nothing(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    Person::sign_up(&server, "alice").await;
    Person::sign_up(&server, "bob").await;
    for name in ["bob", "nobody", ""] {
        let token = reset_of(&client, name).await.expect_ok().dev_token();
        confirm_reset(&client, &token, "staple of another kind")
            .await
            .expect_ok();
        login(&client, "alice", "staple of another kind")
            .await
            .expect_ok();
        login(&client, "bob", PASSWORD).await.expect_ok();
    }
}

async fn strangers_use_up_no_verification_of_anybody_else(engine: Engine) {
    let server = TestServer::builder()
        .engine(engine)
        .setting("MAIL_RATE", "3/hour")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    for number in 0..20 {
        let body =
            json!({"username": format!("stranger {number}"), "email": ALICE, "password": PASSWORD});
        let from = format!("192.0.2.{number}");
        post(&server, &from, "/auth/register", &body)
            .await
            .expect_status(201);
    }
    let alice = Person::sign_up(&server, "alice").await;
    let path = "/auth/email/verification/request";
    for _ in 0..2 {
        alice.ask(Method::POST, path).await.expect_ok();
    }
    // And a change to it, from elsewhere.
    let bob = Person::sign_up(&server, "bob").await;
    let ask = async |person: &Person, from: &str, path: &str, body: Value| {
        let request = person
            .client
            .request(Method::POST, &format!("{V1}{path}"))
            .header("x-forwarded-for", from)
            .header("authorization", format!("Bearer {}", person.access))
            .json(&body);
        person.client.send(request).await
    };
    let body = json!({"password": PASSWORD, "new_email": ALICE});
    ask(&bob, "198.51.100.1", "/auth/email/change", body)
        .await
        .expect_ok();
    // An account has its rate, whatever the networks; and so has the mailbox, over all accounts.
    ask(&alice, "198.51.101.0", path, json!({}))
        .await
        .expect_ok();
    ask(&alice, "198.51.101.1", path, json!({}))
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
    let mut kept = 4;
    for number in 0..20 {
        let name = format!("stranger {number}");
        let stranger = Person::sign_in_as(&server.client(), "", &name).await;
        for _ in 0..3 {
            let from = format!("198.51.102.{number}");
            kept += usize::from(ask(&stranger, &from, path, json!({})).await.status == 200);
        }
    }
    assert_eq!(kept, 3 * 8, "the mailbox is not flooded");
}

async fn told(server: &TestServer) -> Vec<(String, EmailKind)> {
    let now = server.clock.now();
    let until = now.plus(Duration::from_secs(86_400));
    let mut found = Vec::new();
    while let Some(mail) = server.store.claim_email(now, until).await.expect("read") {
        found.push((mail.to.as_str().to_owned(), mail.kind));
    }
    found
}

async fn reactivate(client: &TestClient, name: &str, password: &str) -> Reply {
    let body = json!({"username": name, "password": password});
    client.post(&format!("{V1}/auth/reactivate"), &body).await
}

async fn who_deactivated_the_account_is_mailed_and_comes_back_by_a_reset(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    alice.verify().await;
    let before_it = request_reset(&client, ALICE).await.dev_token();
    told(&server).await;
    for person in [&alice, &bob] {
        person
            .ask(Method::PUT, "/users/me/deactivate")
            .await
            .expect_ok();
    }
    // Nobody is written to who has not shown that they read it.
    assert_eq!(
        told(&server).await,
        [(ALICE.to_owned(), EmailKind::Deactivated)]
    );
    confirm_reset(&client, &before_it, "staple of another kind")
        .await
        .expect_failure(400, ErrorCode::InvalidOneTimeToken);
    let new = "staple of another kind";
    let token = request_reset(&client, ALICE).await.expect_ok().dev_token();
    confirm_reset(&client, &token, new).await.expect_ok();
    // It stays deactivated until its user says otherwise.
    login(&client, "alice", new)
        .await
        .expect_failure(403, ErrorCode::AccountDisabled);
    reactivate(&client, "alice", PASSWORD)
        .await
        .expect_status(401);
    reactivate(&client, "alice", new).await.expect_ok();
    login(&client, ALICE, new).await.expect_ok();
}

async fn what_an_admin_deactivated_no_reset_brings_back(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let admin = Person::admin(&server, "root").await;
    alice.verify().await;
    alice
        .ask(Method::PUT, "/users/me/deactivate")
        .await
        .expect_ok();
    let token = request_reset(&client, ALICE).await.expect_ok().dev_token();
    let path = format!("/users/{}", alice.id);
    admin
        .tell(Method::PATCH, &path, &json!({"is_active": false}))
        .await
        .expect_ok();
    confirm_reset(&client, &token, "staple of another kind")
        .await
        .expect_failure(400, ErrorCode::InvalidOneTimeToken);
    let reply = request_reset(&client, ALICE).await.expect_ok();
    assert!(!reply.text.contains("DEV ONLY"), "{reply:?}");
}

async fn confirmations_are_counted_by_client(engine: Engine) {
    let server = TestServer::builder()
        .engine(engine)
        .setting("LOGIN_RATE", "3/minute")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let alice = Person::sign_up(&server, "alice").await;
    let path = "/auth/email/verification/request";
    let token = alice.ask(Method::POST, path).await.expect_ok().dev_token();
    let confirm = async |from: &str, token: &str| {
        let body = json!({"token": token});
        post(&server, from, "/auth/email/verification/confirm", &body).await
    };
    for _ in 0..2 {
        confirm("192.0.2.1", "a guess")
            .await
            .expect_failure(400, ErrorCode::InvalidOneTimeToken);
    }
    let page = async || {
        let client = server.client();
        let request = client
            .request(Method::POST, "/verify-email")
            .header("x-forwarded-for", "192.0.2.1")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("token=a+guess");
        client.send(request).await
    };
    page().await.expect_status(400);
    page().await.expect_status(429);
    confirm("192.0.2.1", &token)
        .await
        .expect_failure(429, ErrorCode::TooManyAttempts);
    confirm("192.0.2.2", &token).await.expect_ok();
}

#[tokio::test]
async fn whichever_spelling_is_typed_and_however_often_the_owner_s_link_is_mailed() {
    let mut mails = MailServer::builder().start().await;
    let server = TestServer::builder()
        .mail(mails.port(), PACING)
        .start()
        .await;
    let client = server.client();
    register(&client, "alice", ALICE, PASSWORD).await;
    for (number, spelling) in ["ALICE@example.org", "Alice@example.org"]
        .iter()
        .enumerate()
    {
        register(&client, &format!("stranger {number}"), spelling, PASSWORD).await;
    }
    for _ in 0..3 {
        mails.taken().await;
    }
    queue_is_empty(&server).await;
    for typed in [
        "ALICE@example.org",
        "Alice@example.org",
        "alice@EXAMPLE.org",
        "aLICe@example.org",
    ] {
        request_reset(&client, typed).await.expect_ok();
        let mut told = Vec::new();
        for _ in 0..3 {
            let taken = mails.taken().await;
            assert_eq!(links(&taken).len(), 1, "{typed}");
            told.extend(taken.to);
        }
        told.sort();
        let each = ["ALICE@example.org", "Alice@example.org", ALICE];
        assert_eq!(told, each, "{typed}");
    }
    queue_is_empty(&server).await;
    // Of one that was verified no other spelling has a mail.
    person(&server, "bob", "bob@example.org").await;
    request_reset(&client, "BOB@example.org").await.expect_ok();
    assert_eq!(mails.taken().await.to, ["bob@example.org"]);
    queue_is_empty(&server).await;
    server.stop().await;
    assert_eq!(mails.stop().await, 0, "nothing else was sent");
}
