//! Limits per account: how much it may write, request and store.

use std::time::Duration;

use password_auth_model::{Event, EventId, EventKind};
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::person::{V1, login, text};
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    changes_are_counted_by_account_whichever_sign_in_makes_them,
    a_thief_with_an_access_token_keeps_the_owner_from_nothing_that_ends_the_theft,
    whoever_knows_the_password_signs_in_no_more_often_than_the_rate,
    what_is_cheap_is_not_counted,
    a_record_that_is_full_keeps_what_matters,
    a_second_export_waits_until_the_first_has_ended,
    an_export_ends_with_the_session_and_with_the_access_token,
    exports_that_nobody_reads_keep_nobody_else_waiting,
}

/// Five at once, then one every twelve seconds.
const RATE: usize = 5;

async fn bounded(engine: Engine) -> TestServer {
    TestServer::builder()
        .engine(engine)
        .setting("ACCOUNT_RATE", &format!("{RATE}/minute"))
        .start()
        .await
}

async fn rename(person: &Person, name: &str) -> Reply {
    let path = format!("/users/{}", person.id);
    let body = json!({ "full_name": name });
    person.tell(Method::PATCH, &path, &body).await
}

/// Until it is refused.
async fn use_up(person: &Person) -> Reply {
    for number in 0..=RATE {
        let reply = rename(person, &format!("number {number}")).await;
        if reply.status != 200 {
            return reply;
        }
    }
    panic!("more than the rate was done");
}

async fn changes_are_counted_by_account_whichever_sign_in_makes_them(engine: Engine) {
    let server = bounded(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let elsewhere = alice.once_more().await;
    let bob = Person::sign_up(&server, "bob").await;
    let refused = use_up(&alice).await;
    refused.expect_failure(429, ErrorCode::TooManyAttempts);
    assert_eq!(refused.header("retry-after"), "12");
    for path in ["/users", "/users/me/events", "/users/me/export"] {
        let reply = elsewhere.get(path).await;
        reply.expect_failure(429, ErrorCode::TooManyAttempts);
    }
    assert_eq!(rename(&elsewhere, "Alice").await.status, 429);
    assert_eq!(rename(&bob, "Bob").await.status, 200, "they did nothing");
    server.advance(Duration::from_secs(12)).await;
    assert_eq!(rename(&elsewhere, "Alice").await.status, 200);
    assert_eq!(rename(&alice, "Alice").await.status, 429);
}

async fn a_thief_with_an_access_token_keeps_the_owner_from_nothing_that_ends_the_theft(
    engine: Engine,
) {
    let server = bounded(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let thief = alice.clone();
    use_up(&thief).await;
    for _ in 0..=RATE {
        thief.get("/auth/sessions").await;
    }
    assert_eq!(thief.get("/auth/sessions").await.status, 429);
    let owner = alice.once_more().await;
    let sessions = owner.get("/auth/sessions").await.expect_ok().json();
    assert_eq!(sessions.as_array().expect("a list").len(), 2);
    let body = json!({"current_password": PASSWORD, "new_password": "staple of another kind"});
    owner.post("/auth/password/change", &body).await.expect_ok();
    login(&server.client(), "alice", "staple of another kind")
        .await
        .expect_ok();
    assert!(!thief.is_let_in().await);
}

async fn whoever_knows_the_password_signs_in_no_more_often_than_the_rate(engine: Engine) {
    let server = bounded(engine).await;
    let client = server.client();
    Person::sign_up(&server, "alice").await;
    let mut statuses = Vec::new();
    for number in 0..RATE {
        let reply = if number % 2 == 0 {
            client.authenticate("alice", PASSWORD).await
        } else {
            login(&client, "alice", PASSWORD).await
        };
        statuses.push(reply.status);
    }
    // The first one was hers when she came.
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    // Who does not know it is told nothing.
    login(&client, "alice", "a guess").await.expect_status(401);
    server.advance(Duration::from_secs(12)).await;
    client.authenticate("alice", PASSWORD).await.expect_ok();
}

async fn what_is_cheap_is_not_counted(engine: Engine) {
    let server = bounded(engine).await;
    let mut alice = Person::sign_up(&server, "alice").await;
    use_up(&alice).await;
    for _ in 0..2 * RATE {
        for path in ["/auth/me", "/users/me", "/users/me/status"] {
            alice.get(path).await.expect_ok();
        }
        let pair = alice.refresh().await.expect_ok().json();
        alice.access = text(&pair["access_token"]);
        alice.refresh = text(&pair["refresh_token"]);
        // As many as a rotation remembers are rotated within its window.
        server.advance(Duration::from_millis(4500)).await;
        use_up_what_is_paid_off(&alice).await;
    }
}

/// What the time that passed has allowed anew.
async fn use_up_what_is_paid_off(person: &Person) {
    while rename(person, "Alice").await.status == 200 {}
}

fn event(server: &TestServer, person: &Person, what: EventKind, device: &str) -> Event {
    use password_auth_model::Clock as _;
    let now = server.clock.now();
    Event {
        id: EventId::new(now),
        at: now,
        user: person.user_id(),
        by: None,
        what,
        session: None,
        address: None,
        device: Some(device.to_owned()),
    }
}

/// As many of these events as there is room for.
async fn fill(server: &TestServer, person: &Person, what: EventKind, device: &str) {
    for _ in 0..what.class().room() {
        let event = event(server, person, what, device);
        server.store.add_event(event).await.expect("an answer");
    }
}

async fn a_record_that_is_full_keeps_what_matters(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let theft = event(&server, &alice, EventKind::TokenReused, "Firefox");
    server.store.add_event(theft).await.expect("an answer");
    server.advance(Duration::from_millis(2)).await;
    fill(&server, &alice, EventKind::ProfileChanged, "Firefox").await;
    for number in 0..20 {
        server.advance(Duration::from_millis(2)).await;
        rename(&alice, &format!("Alice {number}")).await.expect_ok();
    }
    server.advance(Duration::from_millis(2)).await;
    alice.prove().await;
    let export = alice.get("/users/me/export").await.expect_ok().json();
    let events = export["events"].as_array().expect("a list");
    let of = |what: &str| events.iter().filter(|event| event["what"] == what).count();
    let room = EventKind::ProfileChanged.class().room();
    assert_eq!(of("profile_changed"), room);
    for what in ["registered", "token_reused", "signed_in"] {
        assert_eq!(of(what), 1, "no flood hides it: {what}");
    }
    assert_eq!(events[0]["what"], "exported");
}

/// Asks for an export, and reads nothing of it.
async fn begin_export(server: &TestServer, person: &Person) -> TcpStream {
    person.prove().await;
    let mut stream = TcpStream::connect(server.address).await.expect("connected");
    let request = format!(
        "GET {V1}/users/me/export HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
        server.address, person.access
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    // Something of it has come: it is under way.
    stream.readable().await.expect("an answer");
    stream
}

/// More than sockets hold.
const LONG: usize = 40_000;

async fn a_second_export_waits_until_the_first_has_ended(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    fill(&server, &alice, EventKind::SignedIn, &"x".repeat(LONG)).await;
    let first = begin_export(&server, &alice).await;
    let second = alice.get("/users/me/export").await;
    second.expect_failure(429, ErrorCode::TooManyAttempts);
    assert_eq!(second.header("retry-after"), "1");
    bob.prove().await;
    bob.get("/users/me/export").await.expect_ok();
    drop(first);
    let whole = loop {
        let reply = alice.get("/users/me/export").await;
        if reply.status != 429 {
            break reply.expect_ok().json();
        }
        tokio::task::yield_now().await;
    };
    let events = whole["events"].as_array().expect("a list");
    let device = |event: &Value| event["device"].as_str().map(str::len);
    let long = events.iter().filter(|event| device(event) == Some(LONG));
    assert!(long.count() > 400, "page by page");
    let ids: Vec<&str> = events
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    assert!(ids.is_sorted_by(|one, next| one > next), "none twice");
}

/// What may end while somebody reads slowly.
enum Ends {
    Nothing,
    Session,
    AccessToken,
    Password,
}

async fn an_export_ends_with_the_session_and_with_the_access_token(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    fill(&server, &alice, EventKind::SignedIn, &"x".repeat(LONG)).await;
    for ends in [
        Ends::Nothing,
        Ends::Session,
        Ends::AccessToken,
        Ends::Password,
    ] {
        let person = alice.once_more().await;
        let mut stream = begin_export(&server, &person).await;
        match ends {
            Ends::Nothing => {}
            Ends::Session => {
                let reply = person.ask(Method::POST, "/auth/logout").await;
                reply.expect_ok();
            }
            Ends::AccessToken => server.advance(Duration::from_secs(906)).await,
            Ends::Password => {
                let other = "staple of another kind";
                let body = json!({"current_password": PASSWORD, "new_password": other});
                person
                    .post("/auth/password/change", &body)
                    .await
                    .expect_ok();
            }
        }
        let (mut read, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        while !read.ends_with(b"]}\r\n0\r\n\r\n") {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => read.extend_from_slice(&buffer[..count]),
            }
        }
        let is_whole = read.ends_with(b"0\r\n\r\n");
        let is_valid = matches!(ends, Ends::Nothing);
        assert_eq!(is_whole, is_valid, "{} bytes", read.len());
    }
}

async fn exports_that_nobody_reads_keep_nobody_else_waiting(engine: Engine) {
    const MANY: usize = 12;
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    fill(&server, &alice, EventKind::SignedIn, &"x".repeat(LONG)).await;
    let mut exports = Vec::new();
    for number in 0..MANY {
        let reader = Person::sign_up(&server, &format!("reader{number}")).await;
        for _ in 0..300 {
            let event = event(&server, &reader, EventKind::SignedIn, &"x".repeat(LONG));
            server.store.add_event(event).await.expect("an answer");
        }
        exports.push(begin_export(&server, &reader).await);
    }
    let begun = std::time::Instant::now();
    alice.get("/users/me").await.expect_ok();
    alice.get("/users/me/events").await.expect_ok();
    alice.get("/users").await.expect_ok();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    drop(exports);
}
