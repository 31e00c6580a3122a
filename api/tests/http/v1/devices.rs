//! A user's sessions on several devices.

use std::collections::BTreeSet;
use std::time::Duration;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use reqwest::header::USER_AGENT;
use serde_json::{Value, json};

use super::assert_moment;
use crate::support::person::{V1, text};
use crate::support::{Engine, PASSWORD, Person, TestServer};

each_engine! {
    sign_ins_are_listed_with_their_devices_the_latest_used_first,
    one_sign_in_is_ended_and_nobody_ends_another_s,
    all_others_are_ended_and_the_one_that_asks_stays,
    of_more_than_fifty_sign_ins_the_oldest_goes,
}

async fn list(person: &Person) -> Vec<Value> {
    let reply = person.get("/auth/sessions").await.expect_ok().json();
    reply.as_array().expect("a list").clone()
}

async fn sign_ins_are_listed_with_their_devices_the_latest_used_first(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    Person::sign_up(&server, "bob").await;
    server.advance(Duration::from_secs(60)).await;
    let client = server.client();
    let body = json!({"username": "alice", "password": PASSWORD});
    let request = client
        .request(Method::POST, &format!("{V1}/auth/login"))
        .header(USER_AGENT, "A browser/7.0")
        .json(&body);
    client.send(request).await.expect_ok();
    let sessions = list(&alice).await;
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    for session in &sessions {
        // Sorted: their order depends on what else was built with the tests.
        let fields: BTreeSet<&str> = session
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        let expected = [
            "created_at",
            "current",
            "device",
            "expires_at",
            "id",
            "last_used",
        ];
        assert_eq!(fields, BTreeSet::from(expected));
        for moment in ["created_at", "expires_at", "last_used"] {
            assert_moment(&session[moment]);
        }
    }
    assert_eq!(sessions[0]["device"], "A browser/7.0");
    assert_eq!(
        (&sessions[0]["current"], &sessions[1]["current"]),
        (&json!(false), &json!(true))
    );
    server.advance(Duration::from_secs(600)).await;
    let alice = alice.with(alice.refresh().await);
    // To five minutes, and not before they are over.
    assert_eq!(list(&alice).await, sessions);
    server.advance(Duration::from_secs(300)).await;
    let sessions = list(&alice).await;
    assert_eq!(
        sessions[0]["current"], true,
        "the one that was used last stands first"
    );
    for session in sessions {
        let last_used = text(&session["last_used"]);
        let five_minutes = last_used.trim_end_matches('Z').trim_end_matches(".000");
        let minutes = five_minutes.strip_suffix(":00").expect("full minutes");
        assert!(minutes.ends_with(['0', '5']), "{last_used}");
    }
    // One that has expired is none.
    server.advance(Duration::from_secs(181 * 86_400)).await;
    assert_eq!(list(&alice.once_more().await).await.len(), 1);
}

async fn one_sign_in_is_ended_and_nobody_ends_another_s(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let phone = alice.once_more().await;
    let bob = Person::sign_up(&server, "bob").await;
    let admin = Person::admin(&server, "root").await;
    let path = format!("/auth/sessions/{}", phone.session().await);
    for stranger in [&bob, &admin] {
        stranger
            .ask(Method::DELETE, &path)
            .await
            .expect_failure(404, ErrorCode::NotFound);
    }
    assert!(phone.is_let_in().await);
    let reply = alice.ask(Method::DELETE, &path).await.expect_status(204);
    assert_eq!(reply.text, "");
    assert!(!phone.is_let_in().await && alice.is_let_in().await);
    phone
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
    for gone in [
        &*path,
        "/auth/sessions/nonsense",
        "/auth/sessions/019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00",
    ] {
        alice
            .ask(Method::DELETE, gone)
            .await
            .expect_failure(404, ErrorCode::NotFound);
    }
    // One's own: a sign-out.
    let path = format!("/auth/sessions/{}", alice.session().await);
    alice.ask(Method::DELETE, &path).await.expect_status(204);
    assert!(!alice.is_let_in().await);
}

async fn all_others_are_ended_and_the_one_that_asks_stays(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let others = [alice.once_more().await, alice.once_more().await];
    let bob = Person::sign_up(&server, "bob").await;
    for _ in 0..2 {
        alice
            .ask(Method::DELETE, "/auth/sessions")
            .await
            .expect_status(204);
    }
    for other in &others {
        assert!(!other.is_let_in().await);
    }
    assert!(alice.is_let_in().await && bob.is_let_in().await);
    assert_eq!(list(&alice).await.len(), 1);
}

async fn of_more_than_fifty_sign_ins_the_oldest_goes(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let first = Person::sign_up(&server, "alice").await;
    // Ids are in the order of time.
    server.advance(Duration::from_secs(1)).await;
    let second = first.once_more().await;
    let mut ids = vec![first.session().await, second.session().await];
    let mut last = second.clone();
    for _ in 2..50 {
        server.advance(Duration::from_secs(1)).await;
        last = first.once_more().await;
        ids.push(last.session().await);
    }
    assert!(first.is_let_in().await, "fifty are allowed");
    server.advance(Duration::from_secs(1)).await;
    last = last.once_more().await;
    ids.push(last.session().await);
    assert!(!first.is_let_in().await);
    first
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
    assert!(second.is_let_in().await && last.is_let_in().await);
    let mut left: Vec<String> = list(&last).await.iter().map(|s| text(&s["id"])).collect();
    left.sort();
    assert_eq!(left, ids[1..]);
}
