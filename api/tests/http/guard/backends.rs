//! `examples/backend-node/jwks.mjs` and `examples/backend-python/server.py`, run.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::examples;
use crate::support::{Person, TestServer};

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

async fn backend_verifies_with_the_keys(program: &str, file: &str) {
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
    let (_child, url) = start(program, file, &server).await;
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

#[tokio::test]
async fn the_example_in_node_verifies_tokens_with_the_published_keys() {
    backend_verifies_with_the_keys("node", "backend-node/jwks.mjs").await;
}

#[tokio::test]
async fn the_example_in_python_verifies_tokens_with_the_published_keys() {
    // Debian's Python has the packages.
    backend_verifies_with_the_keys("/usr/bin/python3", "backend-python/server.py").await;
}
