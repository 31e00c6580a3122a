//! How often an authenticated request allocates memory: the whole way, from the socket to the log and back.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::alloc::System;
use std::io;
use std::sync::Arc;

use password_auth::config::{Config, Sources};
use password_auth_core::app::App;
use password_auth_core::tokens::load_or_create;
use password_auth_http as http;
use password_auth_http::server::{Limits, Listener, serve};
use password_auth_model::SystemClock;
use password_auth_store::sled::SledStore;
use password_auth_wire::{Credentials, Secret, Tokens};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// As many as were measured, each time; a bare poem-openapi route on poem's own server has 40. If a change adds some, take
/// them out again, or say in the commit what they are worth.
const MOST: usize = 16;

/// Requests that are counted together, so that what other threads do now and then does not matter.
const BATCH: usize = 64;

#[tokio::test]
async fn an_authenticated_request_allocates_no_more_often_than_it_did() {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(io::sink)
        .init();
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [("PORT", "0"), ("SCRYPT_LOG_N", "4"), ("SCRYPT_P", "1")];
    let config = Config::load(&Sources::of(settings), true).expect("valid settings");
    let listener = TcpListener::bind(config.listen).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let keys = load_or_create(folder.path()).expect("keys");
    let store = Arc::new(SledStore::open(folder.path()).expect("a store"));
    let app = App::new(&config.app(address), &keys, store, Arc::new(SystemClock));
    let settings = config.http(address);
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(serve(
        Listener::new(listener, Arc::clone(&settings.measures)),
        http::endpoint(&app, &settings),
        Limits::DEFAULT,
        settings.proxies.clone(),
        stopped,
    ));
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let alice = Credentials {
        username: "alice".to_owned(),
        password: Secret::new("correct horse battery"),
    };
    let mut answer = [0; 4096];
    for path in ["/register", "/authenticate"] {
        let body = serde_json::to_string(&alice).expect("JSON");
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        ask(&mut stream, request.as_bytes(), &mut answer).await;
    }
    let tokens: Tokens = serde_json::from_slice(body(&answer)).expect("tokens");
    let token = tokens.access_token.expose();
    let request = format!(
        "GET /protected HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let mut counts = Vec::new();
    for _ in 0..32 {
        let region = Region::new(ALLOCATOR);
        for _ in 0..BATCH {
            ask(&mut stream, request.as_bytes(), &mut answer).await;
        }
        let change = region.change();
        counts.push((change.allocations + change.reallocations) / BATCH);
    }
    let fewest = counts.iter().min().copied().unwrap_or_default();
    assert!(fewest > 0, "nothing was counted");
    assert!(
        fewest <= MOST,
        "{fewest} allocations, not {MOST}: {counts:?}"
    );
}

/// Sends a request and waits for a whole 200. Allocates nothing.
async fn ask(stream: &mut TcpStream, request: &[u8], answer: &mut [u8; 4096]) {
    stream.write_all(request).await.expect("sent");
    answer.fill(0);
    let mut read = 0;
    while !body(answer).ends_with(b"}") {
        let more = stream.read(&mut answer[read..]).await.expect("an answer");
        assert!(more > 0, "the connection ended");
        read += more;
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{:?}", &answer[..64]);
}

/// What follows the head, without what was not read.
fn body(answer: &[u8; 4096]) -> &[u8] {
    let end = answer.iter().position(|byte| *byte == 0);
    let read = &answer[..end.unwrap_or(answer.len())];
    let head = read.windows(4).position(|four| four == b"\r\n\r\n");
    head.map_or(&[], |head| &read[head + 4..])
}
