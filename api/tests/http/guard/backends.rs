//! `examples/backend-node/jwks.mjs`, `examples/backend-python/server.py` and `examples/poem`, run.

use std::any::Any;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use password_auth_guard::Guard;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::examples;
use crate::support::{Person, TestServer};

#[path = "../../../../examples/poem/src/main.rs"]
#[expect(dead_code, reason = "it starts itself; here its routes are served")]
mod poem_example;

/// Starts it, and waits for the line with its port.
async fn start(program: &str, file: &str, server: &TestServer) -> (Child, String) {
    let mut child = Command::new(program)
        .arg(examples().join(file))
        .env("AUTH", format!("http://{}", server.address))
        .env("PORT", "0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; `./build.sh test` installs it"));
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = lines.next_line().await.expect("output").expect("a line");
    let port = line.strip_prefix("listening on ").expect("a port");
    (child, format!("http://127.0.0.1:{port}/notes"))
}

async fn ask(url: &str, token: Option<&str>) -> (u16, Value) {
    let mut request = reqwest::Client::new().get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    assert_eq!(
        response.headers().contains_key("www-authenticate"),
        status == 401
    );
    (status, response.json().await.expect("JSON"))
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// `start` gives what keeps the backend running, and the address of its notes.
async fn backend_verifies_with_the_keys(
    file: &str,
    start: impl AsyncFnOnce(&TestServer) -> (Box<dyn Any>, String),
) {
    let start_server = |issuer: &'static str| async move {
        let builder = TestServer::builder().setting("SIGNING_ALG", "EdDSA");
        builder.setting("ISSUER", issuer).start().await
    };
    let server = start_server("password-auth").await;
    let before = Person::sign_up(&server, "alice").await;
    server.clock.advance(Duration::from_millis(1));
    let rotated = server.token_keys().rotate(Duration::ZERO).await;
    rotated.expect("rotated");
    let after = before.with(before.refresh().await);
    let (_running, url) = start(&server).await;
    // Of the key that signed before, and of the one that signs.
    for person in [&before, &after] {
        let (status, body) = ask(&url, Some(&person.access)).await;
        assert_eq!((status, body), (200, json!({"notes": ["A note of alice"]})));
    }
    let other_issuer = Person::sign_up(&start_server("elsewhere").await, "alice").await;
    let (header, claims) = (part(&after.access, 0), part(&after.access, 1));
    let keys = server.client().get("/.well-known/jwks.json").await.json();
    let public = keys["keys"][0]["x"].as_str().expect("a key").to_owned();
    let hmac = {
        let mut hmac: Header = serde_json::from_value(header.clone()).expect("a header");
        hmac.alg = jsonwebtoken::Algorithm::HS256;
        let secret = URL_SAFE_NO_PAD.decode(&public).expect("base64url");
        let key = EncodingKey::from_secret(&secret);
        jsonwebtoken::encode(&hmac, &claims, &key).expect("signed")
    };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut none = header.clone();
    none["alg"] = json!("none");
    let signature = after.access.rsplit_once('.').expect("parts").1;
    let mut admin = claims.clone();
    admin["preferred_username"] = json!("admin");
    for (number, token) in [
        String::new(),
        "x.y.z".to_owned(),
        "....".to_owned(),
        format!("{}.{}.", encode(&none), encode(&claims)),
        format!("{}.{}.{signature}", encode(&header), encode(&admin)),
        format!(
            "{}.{}.{signature}",
            encode(&json!([])),
            encode(&json!(null))
        ),
        hmac,
        after.refresh.clone(),
        other_issuer.access,
    ]
    .iter()
    .enumerate()
    {
        let (status, _) = ask(&url, Some(token)).await;
        assert_eq!(status, 401, "token {number} at {file}");
    }
    assert_eq!(ask(&url, None).await.0, 401);
    assert_eq!(ask(&url, Some(&after.access)).await.0, 200);
}

/// Starts a file as [`start`] does.
async fn program_verifies_with_the_keys(program: &str, file: &str) {
    backend_verifies_with_the_keys(file, async |server: &TestServer| {
        let (child, url) = start(program, file, server).await;
        (Box::new(child) as Box<dyn Any>, url)
    })
    .await;
}

#[tokio::test]
async fn the_example_in_node_verifies_tokens_with_the_published_keys() {
    program_verifies_with_the_keys("node", "backend-node/jwks.mjs").await;
}

/// The routes of `examples/poem`, for tokens of the server at `auth`; where they are.
async fn serve_poem(auth: &str) -> (Box<dyn Any>, String) {
    let bound = TcpListener::bind("127.0.0.1:0").into_acceptor().await;
    let acceptor = bound.expect("a port");
    let address = acceptor.local_addr().remove(0);
    let address = *address.as_socket_addr().expect("an address");
    let app = poem_example::app(Guard::new(auth));
    let serving = tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(app));
    (Box::new(serving), format!("http://{address}/notes"))
}

#[tokio::test]
async fn the_example_with_poem_verifies_tokens_with_the_published_keys() {
    backend_verifies_with_the_keys("poem", async |server: &TestServer| {
        serve_poem(&format!("http://{}", server.address)).await
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_while_the_keys_are_asked_for_leaves_nobody_without_them() {
    let server = TestServer::builder()
        .setting("SIGNING_ALG", "EdDSA")
        .start()
        .await;
    let alice = Person::sign_up(&server, "alice").await;
    let keys = server.client().get("/.well-known/jwks.json").await.json();
    let slow = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let auth = format!("http://{}", slow.local_addr().expect("an address"));
    let (_running, url) = serve_poem(&auth).await;
    let asking = tokio::spawn({
        let (url, token) = (url.clone(), alice.access.clone());
        async move { ask(&url, Some(&token)).await }
    });
    let (mut asked, _) = slow.accept().await.expect("it asks");
    asking.abort();
    asking.await.expect_err("it has gone away");
    // The backend has seen that: it answers this after it.
    assert_eq!(ask(&url, None).await.0, 401);
    let keys = keys.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{keys}",
        keys.len()
    );
    asked.write_all(answer.as_bytes()).await.expect("answered");
    assert_eq!(ask(&url, Some(&alice.access)).await.0, 200);
}

#[test]
fn the_text_about_guards_shows_the_example_with_poem() {
    let text = std::fs::read_to_string(examples().join("../docs/guard.md")).expect("the text");
    let (_, shown) = text.split_once("```rust\n").expect("code");
    let (shown, _) = shown.split_once("```").expect("its end");
    let example = include_str!("../../../../examples/poem/src/main.rs");
    assert!(example.contains(shown), "{shown}");
}

#[tokio::test]
async fn the_extractor_answers_as_the_server_does_and_asks_seldom_for_unknown_keys() {
    let server = TestServer::builder()
        .setting("SIGNING_ALG", "EdDSA")
        .start()
        .await;
    let alice = Person::sign_up(&server, "alice").await;
    let (_running, url) = serve_poem(&format!("http://{}/", server.address)).await;
    let said = |token: Option<String>| {
        let url = url.clone();
        async move { ask(&url, token.as_deref()).await.1["code"].clone() }
    };
    assert_eq!(said(None).await, "missing_token");
    assert_eq!(said(Some("x".to_owned())).await, "invalid_token");
    assert_eq!(said(Some(alice.access.clone())).await, Value::Null);
    // A key that came after the set was asked for a moment ago.
    server.clock.advance(Duration::from_millis(1));
    let rotated = server.token_keys().rotate(Duration::ZERO).await;
    rotated.expect("rotated");
    let after = alice.with(alice.refresh().await);
    assert_eq!(said(Some(after.access.clone())).await, "invalid_token");
    assert_eq!(said(Some(alice.access.clone())).await, Value::Null);

    let (_running, url) = serve_poem("http://127.0.0.1:1").await;
    let (status, body) = ask(&url, Some(&alice.access)).await;
    assert_eq!(
        (status, &body["code"]),
        (503, &json!("service_unavailable"))
    );
}

#[tokio::test]
async fn the_example_in_python_verifies_tokens_with_the_published_keys() {
    // Debian's Python has the packages.
    program_verifies_with_the_keys("/usr/bin/python3", "backend-python/server.py").await;
}
