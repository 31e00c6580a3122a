//! The hashing pool: every way to it is counted, and no client can use all of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use password_auth_model::{SignInAttempt, UsernameKey};
use password_auth_store::Record;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::landing::FORM;
use crate::support::person::{V1, request_reset};
use crate::support::{Engine, PASSWORD, Person, Reply, TestClient, TestServer};
use crate::walk::operations::{Body, operations};

each_engine! {
    every_way_to_the_pool_is_counted_by_client,
    one_token_buys_no_more_than_its_rate_from_any_number_of_clients,
    one_client_s_flood_leaves_places_for_others,
    a_name_that_finds_no_place_leaves_no_count_in_the_store,
}

const WRONG: &str = "not anybody's password";
const WEAK: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Behind a proxy, so that tests can come from any address.
async fn server(engine: Engine, rate: &str) -> TestServer {
    TestServer::builder()
        .engine(engine)
        .setting("LOGIN_RATE", rate)
        .setting("REGISTER_RATE", rate)
        .setting("PASSWORD_MIN_SCORE", "2")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await
}

/// A request that takes a password, or more than one.
struct Way {
    method: Method,
    path: String,
    body: Body,
}

impl Way {
    async fn ask(&self, caller: &Person, address: &str, number: usize) -> Reply {
        let request = caller
            .client
            .request(self.method.clone(), &self.path)
            .header("x-forwarded-for", address)
            .header(AUTHORIZATION, format!("Bearer {}", caller.access));
        // Each time another account, so that nothing but the address is counted.
        let value = |field: &str| match field {
            "username" => format!("somebody-{number}"),
            "email" | "new_email" => format!("somebody-{number}@example.org"),
            _ => WRONG.to_owned(),
        };
        let request = match &self.body {
            Body::Json(example) => {
                let fields = example.as_object().expect("an object");
                let texts = fields.iter().filter(|(_, example)| example.is_string());
                let body: Value = texts
                    .filter(|(field, _)| *field != "role")
                    .map(|(field, _)| (field.clone(), Value::from(value(field))))
                    .collect::<serde_json::Map<_, _>>()
                    .into();
                request.json(&body)
            }
            Body::Form(fields) => {
                let pairs: Vec<String> = fields
                    .iter()
                    .map(|field| format!("{field}={}", value(field).replace(' ', "+")))
                    .collect();
                request.header(CONTENT_TYPE, FORM).body(pairs.join("&"))
            }
        };
        caller.client.send(request).await
    }
}

/// All of them: whatever the OpenAPI document gives a field for a password, and the page.
async fn ways(server: &TestServer) -> Vec<Way> {
    let document = server
        .client()
        .get("/openapi.json")
        .await
        .expect_ok()
        .json();
    let takes_a_password = |body: &Body| match body {
        Body::Json(example) => example
            .as_object()
            .is_some_and(|fields| fields.keys().any(|field| field.contains("password"))),
        Body::Form(fields) => fields.iter().any(|field| field.contains("password")),
    };
    let mut ways: Vec<Way> = operations(&document)
        .into_iter()
        .filter_map(|operation| {
            let body = operation.body.filter(takes_a_password)?;
            Some(Way {
                method: operation.method,
                path: operation.path,
                body,
            })
        })
        .collect();
    ways.push(Way {
        method: Method::POST,
        path: "/reset-password".to_owned(),
        body: Body::Form(vec!["token".to_owned(), "new_password".to_owned()]),
    });
    ways
}

async fn every_way_to_the_pool_is_counted_by_client(engine: Engine) {
    let server = server(engine, "3/minute").await;
    let ways = ways(&server).await;
    let paths: Vec<&str> = ways.iter().map(|way| &*way.path).collect();
    for known in ["/authenticate", "/register", "/reset-password"] {
        assert!(paths.contains(&known), "{paths:?}");
    }
    assert!(ways.len() >= 11, "{paths:?}");
    for (number, way) in ways.iter().enumerate() {
        // Tries at an account are counted, too: each way has its own, whose sign-in is paid off.
        let admin = Person::admin(&server, &format!("admin-{number}")).await;
        server.advance(Duration::from_secs(60)).await;
        let address = format!("192.0.2.{number}");
        // Nothing is hashed to say how strong a password is, so a form may ask as often as its user pauses.
        let (tries, pause) = if way.path.ends_with("/strength") {
            (18, 0)
        } else {
            (3, 10)
        };
        for try_number in 0..tries {
            let reply = way.ask(&admin, &address, 20 * number + try_number).await;
            assert_ne!(reply.status, 429, "{} {reply:?}", way.path);
        }
        server.advance(Duration::from_secs(pause)).await;
        let reply = way.ask(&admin, &address, 20 * number + tries).await;
        assert_eq!(reply.status, 429, "{} {}: {reply:?}", way.method, way.path);
        let wait: u64 = reply.header("retry-after").parse().expect("seconds");
        assert!((1..=10).contains(&wait), "{wait}");
        server.advance(Duration::from_secs(60)).await;
    }
}

async fn confirm_from(client: &TestClient, address: &str, token: &str, password: &str) -> Reply {
    let path = format!("{V1}/auth/password/reset/confirm");
    let request = client
        .request(Method::POST, &path)
        .header("x-forwarded-for", address)
        .json(&json!({"token": token, "new_password": password}));
    client.send(request).await
}

async fn one_token_buys_no_more_than_its_rate_from_any_number_of_clients(engine: Engine) {
    let server = server(engine, "3/minute").await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let token = request_reset(&client, &alice.email()).await.dev_token();
    let other = request_reset(&client, &alice.email()).await.dev_token();
    for number in 0..3 {
        let address = format!("192.0.2.{number}");
        confirm_from(&client, &address, &token, WEAK)
            .await
            .expect_failure(422, ErrorCode::ValidationFailed);
    }
    let refused = confirm_from(&client, "192.0.2.3", &token, PASSWORD).await;
    refused.expect_failure(429, ErrorCode::TooManyAttempts);
    // Each is counted for itself, and slowed down only.
    confirm_from(&client, "192.0.2.4", &other, WEAK)
        .await
        .expect_failure(422, ErrorCode::ValidationFailed);
    server.advance(Duration::from_secs(20)).await;
    confirm_from(&client, "192.0.2.5", &token, PASSWORD)
        .await
        .expect_ok();
}

async fn one_client_s_flood_leaves_places_for_others(engine: Engine) {
    // Hashes that take a while, so that a flood fills what it may.
    let server = TestServer::builder()
        .engine(engine)
        .setting("PASSWORD_MIN_SCORE", "2")
        .setting("SCRYPT_LOG_N", "13")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let alice = Person::sign_up(&server, "alice").await;
    let client = server.client();
    let token = request_reset(&client, &alice.email()).await.dev_token();
    let over = Arc::new(AtomicBool::new(false));
    let refused = Arc::new(AtomicUsize::new(0));
    let mut flood = JoinSet::new();
    for number in 0..80 {
        let (client, token) = (client.clone(), token.clone());
        let (over, refused) = (Arc::clone(&over), Arc::clone(&refused));
        flood.spawn(async move {
            // One client has a whole network of IPv6.
            let address = format!("2001:db8::{number:x}");
            while !over.load(Ordering::SeqCst) {
                let reply = if number % 2 == 0 {
                    confirm_from(&client, &address, &token, WEAK).await
                } else {
                    sign_in_from(&client, &address).await
                };
                assert_ne!(reply.status, 200, "{reply:?}");
                refused.fetch_add(usize::from(reply.status == 503), Ordering::SeqCst);
            }
        });
    }
    while refused.load(Ordering::SeqCst) < 80 {
        tokio::task::yield_now().await;
    }
    for number in 0..10 {
        let reply = sign_in_from(&client, &format!("192.0.2.{number}")).await;
        assert_eq!(reply.status, 401, "{reply:?}");
    }
    over.store(true, Ordering::SeqCst);
    while let Some(ended) = flood.join_next().await {
        ended.expect("each was answered");
    }
}

/// So a stranger who invents names makes no more counts than can be hashed for.
async fn a_name_that_finds_no_place_leaves_no_count_in_the_store(engine: Engine) {
    const NAMES: u16 = 300;
    let server = TestServer::builder()
        .engine(engine)
        .setting("LOGIN_RATE", "5/minute")
        .setting("SCRYPT_LOG_N", "14")
        .setting("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let client = server.client();
    let mut flood = JoinSet::new();
    for number in 0..NAMES {
        let client = client.clone();
        flood.spawn(async move {
            let [high, low] = number.to_be_bytes();
            let address = format!("198.18.{high}.{low}");
            let reply = sign_in_from(&client, &address).await;
            (address, reply.status)
        });
    }
    let (mut refused, mut answered) = (Vec::new(), 0);
    while let Some(ended) = flood.join_next().await {
        match ended.expect("answered") {
            (address, 503) => refused.push(address),
            (_, 401) => answered += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(!refused.is_empty(), "the pool is larger than that");
    let records = server.store.dump().await.expect("a dump");
    let records: Vec<Vec<Record>> = records.try_collect().await.expect("all of it");
    let counts = records
        .concat()
        .into_iter()
        .filter_map(|record| match record {
            Record::Attempt { key, .. } => Some(key),
            _ => None,
        });
    let counts: BTreeSet<[u8; 16]> = counts.collect();
    // One entry for the count, one for how long it is remembered.
    assert_eq!(counts.len(), 2 * answered);
    for address in refused.into_iter().take(20) {
        let name = UsernameKey::of(&format!("nobody at {address}"));
        let attempt = SignInAttempt::new(&name, address.parse().expect("an address"));
        assert!(!counts.contains(attempt.account()), "{address}");
        let reply = sign_in_from(&client, &address).await;
        assert_eq!(reply.status, 401, "{reply:?}");
    }
}

async fn sign_in_from(client: &TestClient, address: &str) -> Reply {
    let request = client
        .request(Method::POST, "/authenticate")
        .header("x-forwarded-for", address)
        .json(&json!({"username": format!("nobody at {address}"), "password": WRONG}));
    client.send(request).await
}
