//! Traces, in a build with the feature `otel`: what a collector gets.

use std::time::Duration;

use password_auth_testing::free_port;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{PASSWORD, ServerProcess};

/// A name that is in a path, and a text that is in a query.
const IN_THE_PATH: &str = "0198c0de-0000-7000-8000-00000000babe";
const IN_THE_QUERY: &str = "in-the-query";

/// A collector on a free port: its address, and the bodies that are posted to `/v1/traces`.
async fn collector() -> (String, UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (posted, bodies) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let posted = posted.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                loop {
                    let (mut head, mut length) = (String::new(), 0);
                    while !head.ends_with("\r\n\r\n") {
                        let start = head.len();
                        if stream
                            .read_line(&mut head)
                            .await
                            .is_ok_and(|read| read == 0)
                        {
                            return;
                        }
                        let line = head[start..].to_ascii_lowercase();
                        if let Some(value) = line.strip_prefix("content-length:") {
                            length = value.trim().parse().expect("a length");
                        }
                    }
                    assert!(head.starts_with("POST /v1/traces "), "{head}");
                    let mut body = vec![0; length];
                    stream.read_exact(&mut body).await.expect("a body");
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(answer).await.expect("answered");
                    posted.send(body).ok();
                }
            });
        }
    });
    (format!("http://{address}"), bodies)
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

/// What a collector has got of a server that has ended, after requests with secrets.
async fn traced(trusted: Option<&str>, parent: &str) -> (Vec<u8>, Vec<String>) {
    let (address, mut bodies) = collector().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ServerProcess::command(folder.path());
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        // The log leaves them out.
        .env("RUST_LOG", "error");
    if let Some(proxy) = trusted {
        command.env("TRUSTED_PROXIES", proxy);
    }
    let server = ServerProcess::start(command).await;
    let client = server.client();
    let tokens = client.sign_up("Alice").await;
    client.protected(&tokens).await;
    let path = format!("/api/v1/users/{IN_THE_PATH}?x={IN_THE_QUERY}");
    let answer = reqwest::Client::new()
        .get(format!("{}{path}", server.url))
        .header("traceparent", parent)
        .bearer_auth(tokens.access_token.expose())
        .send();
    assert_eq!(answer.await.expect("an answer").status(), 404);
    let wrong = json!({"username": "Alice", "password": "a wrong password"});
    client.post("/authenticate", &wrong).await;
    assert!(server.terminate().await.success());
    // An exit sends what waits.
    let mut all = Vec::new();
    while let Ok(body) = bodies.try_recv() {
        all.extend(body);
    }
    let secrets = [tokens.access_token, tokens.refresh_token];
    let secrets = secrets.map(|token| token.expose().to_owned());
    (all, secrets.to_vec())
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: [u8; 16] = *b"\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c";

#[tokio::test]
async fn a_collector_gets_a_span_of_each_request_and_nothing_secret() {
    let (body, secrets) = traced(None, PARENT).await;
    for part in [
        "password-auth",
        "POST /register",
        "GET /protected",
        "GET /api/v1/users/:param0",
        "http.response.status_code",
        "invalid_credentials",
    ] {
        assert!(contains(&body, part.as_bytes()), "{part}");
    }
    let texts = [
        PASSWORD,
        "a wrong password",
        "Alice",
        IN_THE_PATH,
        IN_THE_QUERY,
    ];
    for secret in secrets.iter().map(String::as_str).chain(texts) {
        assert!(!contains(&body, secret.as_bytes()), "{secret}");
    }
    assert!(!contains(&body, &TRACE), "a stranger joins no trace");
}

#[tokio::test]
async fn a_trusted_proxy_says_to_which_trace_a_request_belongs() {
    let (body, _) = traced(Some("127.0.0.1"), PARENT).await;
    assert!(contains(&body, &TRACE));
    let (body, _) = traced(Some("127.0.0.1"), &PARENT.replace('-', "_")).await;
    assert!(contains(&body, b"GET /api/v1/users/:param0") && !contains(&body, &TRACE));
}

#[tokio::test]
async fn without_a_collector_the_server_serves_and_ends_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ServerProcess::command(folder.path());
    let nobody = format!("http://127.0.0.1:{}", free_port());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", nobody);
    let server = ServerProcess::start(command).await;
    assert_eq!(server.client().get("/ping").await.status, 200);
    let ended = tokio::time::timeout(Duration::from_secs(30), server.terminate()).await;
    assert!(ended.expect("soon").success());
}
