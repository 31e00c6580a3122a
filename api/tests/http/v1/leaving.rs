//! Exporting data, and deleting an account with everything about it.

mod raw;

use password_auth_model::{Attempt, SignInAttempt};
use password_auth_wire::ErrorCode;
use reqwest::Method;
use reqwest::header::USER_AGENT;
use serde_json::{Value, json};

use self::raw::Raw;
use crate::support::person::{V1, login, request_reset, text};
use crate::support::{Engine, PASSWORD, Person, TestServer};

each_engine! {
    the_export_holds_all_that_is_kept_and_no_secret,
    leaving_takes_the_password,
    of_who_leaves_nothing_is_left_in_the_store,
    of_whom_an_admin_removes_nothing_is_left_in_the_store,
}

async fn the_export_holds_all_that_is_kept_and_no_secret(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    alice.once_more().await;
    alice.verify().await;
    let path = format!("/users/{}", alice.id);
    for number in 0..30 {
        let body = json!({"full_name": format!("Alice {number}")});
        alice.tell(Method::PATCH, &path, &body).await.expect_ok();
    }
    server.advance(std::time::Duration::from_millis(5)).await;
    alice.prove().await;
    let reply = alice.get("/users/me/export").await.expect_ok();
    let export = reply.json();
    assert_eq!(export["user"], alice.get("/users/me").await.json());
    assert_eq!(export["sessions"].as_array().expect("a list").len(), 2);
    let sorted = |list: &Value| {
        let mut list = list.as_array().expect("a list").clone();
        list.sort_by_key(|one| text(&one["id"]));
        list
    };
    let sessions = alice.get("/auth/sessions").await.json();
    assert_eq!(sorted(&export["sessions"]), sorted(&sessions));
    // More than a page of the events' own route.
    let events = alice.get("/users/me/events?limit=100").await.json();
    assert_eq!(export["events"], events);
    assert_eq!(events.as_array().expect("a list").len(), 35);
    assert_eq!(events[0]["what"], "exported");
    for secret in [PASSWORD, "$scrypt$", &alice.access, &alice.refresh, &bob.id] {
        assert!(!reply.text.contains(secret), "{secret}");
    }
}

async fn leaving_takes_the_password(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let leave = async |body: &Value| alice.tell(Method::DELETE, "/users/me", body).await;
    leave(&json!({"password": "a guess"})).await.expect_message(
        400,
        ErrorCode::WrongPassword,
        "The current password is wrong.",
    );
    leave(&json!({}))
        .await
        .expect_failure(422, ErrorCode::ValidationFailed);
    let without = alice.ask(Method::DELETE, "/users/me").await;
    without.expect_failure(415, ErrorCode::UnsupportedMediaType);
    assert!(alice.is_let_in().await);
    let reply = leave(&json!({"password": PASSWORD}))
        .await
        .expect_status(204);
    assert_eq!(reply.text, "");
    assert!(!alice.is_let_in().await);
    alice
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
    // To everybody it is as if they had never been.
    login(&client, "alice", PASSWORD)
        .await
        .expect_failure(401, ErrorCode::InvalidCredentials);
    let reply = request_reset(&client, &alice.email()).await.expect_ok();
    assert!(!reply.text.contains("DEV ONLY"), "{reply:?}");
    Person::sign_up(&server, "alice").await;
}

/// What only this person brought along, in lower case.
const TRACES: [&str; 6] = [
    "quokka",
    "quokka@example.org",
    "numbat@example.org",
    "setonix brachyurus",
    "marsupial/7",
    "rottnest",
];

/// Throttles that count, so that there is something to forget.
const RATES: [&str; 3] = ["LOGIN_RATE", "REGISTER_RATE", "MAIL_RATE"];

async fn server(engine: Engine) -> TestServer {
    let builder = RATES.iter().fold(TestServer::builder(), |builder, name| {
        builder.setting(name, "1000/second")
    });
    builder.engine(engine).start().await
}

/// Somebody of whom there is as much as there can be.
async fn quokka(server: &TestServer) -> Person {
    let client = server.client();
    let quokka = Person::sign_up(server, "Quokka").await;
    quokka.verify().await;
    let path = format!("/users/{}", quokka.id);
    let body = json!({"full_name": "Setonix Brachyurus of Rottnest"});
    quokka.tell(Method::PATCH, &path, &body).await.expect_ok();
    let body = json!({"username": "QUOKKA@example.org", "password": PASSWORD});
    let request = client
        .request(Method::POST, &format!("{V1}/auth/login"))
        .header(USER_AGENT, "Marsupial/7.0")
        .json(&body);
    client.send(request).await.expect_ok();
    login(&client, "quokka", "a guess").await.expect_status(401);
    // Mails and tokens that wait, to either address.
    request_reset(&client, "Quokka@example.org")
        .await
        .expect_ok();
    let body = json!({"password": PASSWORD, "new_email": "Numbat@example.org"});
    quokka.post("/auth/email/change", &body).await.expect_ok();
    quokka
}

/// Keys of what counts tries.
fn digests(quokka: &Person) -> Vec<Vec<u8>> {
    use password_auth_model::{EmailAddress, UsernameKey};
    let address = "127.0.0.1".parse().expect("an address");
    let tries = SignInAttempt::new(&UsernameKey::of(&quokka.name), address);
    let address = EmailAddress::parse(&quokka.email()).expect("an address");
    let mail = Attempt::mail_to(&address.key());
    vec![
        tries.account().to_vec(),
        tries.network().to_vec(),
        tries.counter().growth().to_vec(),
        mail.key().to_vec(),
    ]
}

/// Makes `Quokka` go by `leave`, and looks into what is kept, before and after.
async fn nothing_is_left_by(engine: Engine, leave: impl AsyncFnOnce(&Person, &Person)) {
    let server = server(engine).await;
    let admin = Person::admin(&server, "root").await;
    let quokka = quokka(&server).await;
    let sessions = server
        .store
        .sessions_of(quokka.user_id())
        .await
        .expect("an answer");
    let (before, server) = Raw::of(server, engine).await;
    let moved = |person: &Person| Person {
        client: server.client(),
        ..person.clone()
    };
    let (quokka, admin) = (moved(&quokka), moved(&admin));
    leave(&quokka, &admin).await;
    let (after, _server) = Raw::of(server, engine).await;

    let id = uuid::Uuid::parse_str(&quokka.id).expect("an id");
    for trace in TRACES {
        let places = before.places_with(trace.as_bytes());
        assert!(
            !places.is_empty(),
            "{trace} is nowhere: this test finds nothing"
        );
        assert_eq!(after.places_with(trace.as_bytes()), [""; 0], "{trace}");
    }
    for digest in digests(&quokka) {
        assert!(
            !before.places_with(&digest).is_empty(),
            "tries are not found"
        );
        assert_eq!(after.places_with(&digest), [""; 0], "a count of tries");
    }
    for session in sessions {
        let id = uuid::Uuid::parse_str(&session.id.to_string()).expect("an id");
        assert!(
            !before.places_with_id(id).is_empty(),
            "sessions are not found"
        );
        assert_eq!(after.places_with_id(id), [""; 0], "a session");
    }
    // That the user is gone, and when.
    let mut places = after.places_with_id(id);
    places.retain(|place| *place != "events" && *place != "user_events");
    assert_eq!(places, [""; 0]);
    assert!(
        !after.places_with(b"root@example.org").is_empty(),
        "others stay"
    );
}

async fn of_who_leaves_nothing_is_left_in_the_store(engine: Engine) {
    nothing_is_left_by(engine, async |quokka, _| {
        let body = json!({"password": PASSWORD});
        quokka
            .tell(Method::DELETE, "/users/me", &body)
            .await
            .expect_status(204);
    })
    .await;
}

async fn of_whom_an_admin_removes_nothing_is_left_in_the_store(engine: Engine) {
    nothing_is_left_by(engine, async |quokka, admin| {
        let path = format!("/users/{}", quokka.id);
        admin.ask(Method::DELETE, &path).await.expect_status(204);
    })
    .await;
}
