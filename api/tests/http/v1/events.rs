//! Events, as users and admins see them.

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use super::assert_moment;
use crate::support::person::{confirm_reset, login, request_reset, text};
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    what_happened_to_an_account_is_told_in_order,
    a_user_sees_their_own_events_and_an_admin_everybody_s,
    a_long_record_is_read_page_by_page,
    a_theft_is_on_record,
}

fn events(reply: Reply) -> Vec<Value> {
    reply.expect_ok().json().as_array().expect("a list").clone()
}

/// The latest first; of one moment, by the alphabet.
fn what(events: &[Value]) -> Vec<&str> {
    let ids: Vec<&str> = events
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    assert!(ids.len() == events.len() && ids.is_sorted_by(|one, next| one > next));
    let mut what = Vec::new();
    for moment in events.chunk_by(|one, next| one["at"] == next["at"]) {
        let mut names: Vec<&str> = moment
            .iter()
            .filter_map(|event| event["what"].as_str())
            .collect();
        names.sort_unstable();
        what.extend(names);
    }
    what
}

/// Nobody waits for the record of a failure: it is asked for until it is there.
async fn until_noted(person: &Person, path: &str, happening: &str) -> Vec<Value> {
    loop {
        let found = events(person.get(path).await);
        if what(&found).contains(&happening) {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

async fn what_happened_to_an_account_is_told_in_order(engine: Engine) {
    const NEW: &str = "staple of another kind";
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let tick = async || server.advance(std::time::Duration::from_millis(5)).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    tick().await;
    login(&client, "alice", "wrong password")
        .await
        .expect_status(401);
    until_noted(&alice, "/users/me/events", "sign_in_failed").await;
    tick().await;
    let path = format!("/users/{}", alice.id);
    alice
        .tell(Method::PATCH, &path, &json!({"full_name": "Alice"}))
        .await
        .expect_ok();
    tick().await;
    alice.verify().await;
    tick().await;
    let body = json!({"password": PASSWORD, "new_email": "alice@example.net"});
    let token = alice.post("/auth/email/change", &body).await.dev_token();
    tick().await;
    crate::support::person::confirm_email(&client, &token)
        .await
        .expect_ok();
    tick().await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let alice = alice.with(alice.post("/auth/password/change", &body).await);
    tick().await;
    let body = json!({"password": NEW});
    alice.post("/auth/proof", &body).await.expect_ok();
    alice.get("/users/me/export").await.expect_ok();
    tick().await;
    let token = request_reset(&client, "alice@example.net")
        .await
        .dev_token();
    confirm_reset(&client, &token, PASSWORD).await.expect_ok();
    for body in [
        json!({"role": "guest"}),
        json!({"is_active": false}),
        json!({"is_active": true}),
    ] {
        tick().await;
        admin.tell(Method::PATCH, &path, &body).await.expect_ok();
    }
    tick().await;
    let alice = alice.once_more().await;
    let found = events(alice.get("/users/me/events?limit=100").await);
    let expected = [
        "signed_in",
        "activated",
        "deactivated",
        "role_changed: guest",
        "password_reset",
        "exported",
        "password_changed",
        "email_changed",
        "email_change_requested",
        "email_verified",
        "profile_changed",
        "sign_in_failed",
        "registered",
        "signed_in",
    ];
    assert_eq!(what(&found), expected);
    for event in &found {
        assert_moment(&event["at"]);
        assert_eq!(event["user_id"], alice.id.as_str());
        assert_eq!(event["address"], "127.0.0.1");
        let by = match event["what"].as_str() {
            Some("role_changed: guest" | "deactivated" | "activated") => json!(admin.id),
            _ => json!(null),
        };
        assert_eq!(event["by"], by, "{event}");
    }
    let signed_in = &found[0];
    assert_eq!(signed_in["session_id"], alice.session().await.as_str());
}

async fn a_user_sees_their_own_events_and_an_admin_everybody_s(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    for event in events(alice.get("/users/me/events").await) {
        assert_eq!(event["user_id"], alice.id.as_str());
    }
    let all = events(admin.get("/events?limit=100").await);
    for person in [&admin, &alice, &bob] {
        assert!(
            all.iter()
                .any(|event| event["user_id"] == person.id.as_str())
        );
    }
    let of_bob = events(admin.get(&format!("/events?user={}", bob.id)).await);
    assert_eq!(what(&of_bob), ["registered", "signed_in"]);
    assert!(
        of_bob
            .iter()
            .all(|event| event["user_id"] == bob.id.as_str())
    );
    alice.get("/events").await.expect_message(
        403,
        ErrorCode::PermissionDenied,
        "Permission denied. Required roles: ['admin']",
    );
    // All that is left is that the user is gone.
    admin
        .ask(Method::DELETE, &format!("/users/{}", bob.id))
        .await
        .expect_status(204);
    let of_bob = events(admin.get(&format!("/events?user={}", bob.id)).await);
    assert_eq!(what(&of_bob), ["deleted"]);
    assert_eq!(of_bob[0]["by"], admin.id.as_str());
}

async fn a_long_record_is_read_page_by_page(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    let path = format!("/users/{}", alice.id);
    for number in 0..25 {
        server.advance(std::time::Duration::from_millis(2)).await;
        let body = json!({"full_name": format!("Alice {number}")});
        alice.tell(Method::PATCH, &path, &body).await.expect_ok();
    }
    let whole = events(alice.get("/users/me/events?limit=100").await);
    assert_eq!(whole.len(), 27);
    assert_eq!(events(alice.get("/users/me/events").await), whole[..20]);
    let of_admin = format!("/events?user={}", alice.id);
    let mut read = Vec::new();
    loop {
        let last = read.last().map(|event: &Value| text(&event["id"]));
        let before = last.map(|id| format!("&before={id}")).unwrap_or_default();
        let page = events(admin.get(&format!("{of_admin}&limit=10{before}")).await);
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, whole);
    for bad in ["limit=0", "limit=101", "before=nonsense"] {
        let error = alice
            .get(&format!("/users/me/events?{bad}"))
            .await
            .expect_failure(422, ErrorCode::ValidationFailed);
        assert_eq!(
            error.errors[0].field,
            bad.split_once('=').expect("a name").0
        );
    }
    let reply = admin.get("/events?user=nonsense").await;
    reply.expect_failure(422, ErrorCode::ValidationFailed);
}

async fn a_theft_is_on_record(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let pair = alice.refresh().await.expect_ok().json();
    let client = server.client();
    client
        .get_as("/protected", &text(&pair["access_token"]))
        .await
        .expect_ok();
    server.advance(std::time::Duration::from_secs(60)).await;
    alice
        .refresh()
        .await
        .expect_failure(401, ErrorCode::RefreshTokenReused);
    let alice = alice.once_more().await;
    let found = events(alice.get("/users/me/events").await);
    assert_eq!(
        what(&found),
        ["signed_in", "token_reused", "registered", "signed_in"]
    );
}
