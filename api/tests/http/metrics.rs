//! `/metrics`: what is counted, where it is shown, and that nobody can put anything into it.

use std::collections::BTreeMap;

use password_auth_wire::Tokens;
use serde_json::json;

use crate::support::{PASSWORD, Reply, ServerProcess, TestClient};

/// A server with metrics, and where they are.
async fn watched() -> (tempfile::TempDir, ServerProcess, TestClient) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ServerProcess::command(folder.path());
    command
        .args(["--metrics-addr", "127.0.0.1:0"])
        .env("RUST_LOG", "info");
    let (server, metrics) = start(command).await;
    (folder, server, metrics)
}

async fn start(command: tokio::process::Command) -> (ServerProcess, TestClient) {
    let server = ServerProcess::start(command).await;
    let line = server.logged_line("serving /metrics").await;
    let (_, address) = line.split_once("address=").expect("its address");
    let metrics = TestClient::new(&format!("http://{address}"));
    (server, metrics)
}

async fn get(client: &TestClient, method: reqwest::Method, path: &str) -> Reply {
    // Not in the OpenAPI document.
    let response = client
        .request(method, path)
        .send()
        .await
        .expect("an answer");
    Reply::read(response).await.expect("whole")
}

async fn scrape(metrics: &TestClient) -> BTreeMap<String, f64> {
    let reply = get(metrics, reqwest::Method::GET, "/metrics")
        .await
        .expect_ok();
    let samples = reply.text.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        (name.to_owned(), value.parse().expect("a number"))
    });
    samples.collect()
}

#[tokio::test]
async fn metrics_are_on_a_listener_of_their_own_alone() {
    let (_folder, server, metrics) = watched().await;
    let reply = get(&metrics, reqwest::Method::GET, "/metrics")
        .await
        .expect_ok();
    assert_eq!(
        reply.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    for path in ["/", "/metrics/", "/ping", "/register", "/docs"] {
        get(&metrics, reqwest::Method::GET, path)
            .await
            .expect_status(404);
    }
    get(&metrics, reqwest::Method::POST, "/metrics")
        .await
        .expect_status(405);
    server.client().get("/metrics").await.expect_status(404);
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn without_the_setting_nothing_else_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let sockets = std::fs::read_to_string(format!("/proc/{}/net/tcp", server.id()));
    let own: Vec<String> = std::fs::read_dir(format!("/proc/{}/fd", server.id()))
        .expect("its descriptors")
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .trim_end_matches(']')
                    .to_owned(),
            )
        })
        .collect();
    let listening = sockets
        .expect("the table")
        .lines()
        .filter(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields.get(3) == Some(&"0A")
                && fields
                    .get(9)
                    .is_some_and(|inode| own.iter().any(|own| own == inode))
        })
        .count();
    assert_eq!(listening, 1);
}

#[tokio::test]
async fn what_happens_is_counted() {
    let (_folder, server, metrics) = watched().await;
    let client = server.client();
    let first = client.sign_up("Alice").await;
    let mut newest: Tokens = client.refresh(first.refresh_token.expose()).await.tokens();
    client.refresh(first.refresh_token.expose()).await.tokens();
    // More than are remembered, so that the first is a thief's.
    for _ in 0..10 {
        newest = client.refresh(newest.refresh_token.expose()).await.tokens();
    }
    client.protected(&newest).await.expect_ok();
    let stolen = client.refresh(first.refresh_token.expose()).await;
    stolen.expect_status(400);
    client.protected(&newest).await.expect_status(401);
    let counted = scrape(&metrics).await;
    for (name, value) in [
        (
            r#"password_auth_http_requests_total{method="POST",route="/refresh",status="200"}"#,
            12.0,
        ),
        (
            r#"password_auth_http_requests_total{method="POST",route="/refresh",status="400"}"#,
            1.0,
        ),
        (
            r#"password_auth_http_requests_total{method="GET",route="/protected",status="401"}"#,
            1.0,
        ),
        (
            r#"password_auth_http_request_duration_seconds_count{method="GET",route="/protected"}"#,
            2.0,
        ),
        (
            r#"password_auth_session_events_total{event="started"}"#,
            1.0,
        ),
        (
            r#"password_auth_session_events_total{event="refreshed"}"#,
            11.0,
        ),
        (
            r#"password_auth_session_events_total{event="replayed"}"#,
            1.0,
        ),
        (r#"password_auth_session_events_total{event="stolen"}"#, 1.0),
        ("password_auth_hashing_duration_seconds_count", 2.0),
        ("password_auth_hashing_wait_seconds_count", 2.0),
        ("password_auth_hashing_running", 0.0),
        ("password_auth_hashing_waiting", 0.0),
        ("password_auth_mail_overdue_seconds", 0.0),
        ("password_auth_connections_max", 1024.0),
    ] {
        assert_eq!(counted.get(name), Some(&value), "{name} in {counted:#?}");
    }
    for name in [
        r#"password_auth_store_duration_seconds_count{operation="read"}"#,
        r#"password_auth_store_duration_seconds_count{operation="write"}"#,
        "password_auth_store_flushed_writes_count",
        "password_auth_connections",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(
            counted.get(name).is_some_and(|value| *value >= 1.0),
            "{name} in {counted:#?}"
        );
    }
}

#[tokio::test]
async fn refused_attempts_are_counted_by_their_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_password-auth"));
    command
        .args([
            "serve",
            "--port",
            "0",
            "--register-rate",
            "1/hour",
            "--login-rate",
            "1/hour",
        ])
        .args(["--metrics-addr", "127.0.0.1:0"])
        .current_dir(folder.path())
        .env_clear()
        .env("RUST_LOG", "info");
    let (server, metrics) = start(command).await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    client.register("bob").await.expect_status(429);
    client.authenticate("alice", PASSWORD).await.expect_ok();
    client
        .authenticate("alice", PASSWORD)
        .await
        .expect_status(429);
    let counted = scrape(&metrics).await;
    for limit in ["register", "sign_in"] {
        let name = format!("password_auth_throttled_total{{limit=\"{limit}\"}}");
        assert_eq!(counted.get(&name), Some(&1.0), "{name} in {counted:#?}");
    }
}

#[tokio::test]
async fn a_stranger_cannot_put_anything_into_a_label() {
    let (_folder, server, metrics) = watched().await;
    let client = server.client();
    let before = scrape(&metrics).await.len();
    for number in 0..50 {
        for path in [
            format!("/a-secret-{number}"),
            format!("/api/v1/users/a-secret-{number}"),
            format!("/ping?a-secret-{number}"),
            format!("/metrics%0Ainjected_{number}%201"),
        ] {
            let method = reqwest::Method::from_bytes(format!("A-SECRET-{number}").as_bytes());
            client
                .request(method.expect("a method"), &path)
                .send()
                .await
                .expect("an answer");
            client
                .request(reqwest::Method::GET, &path)
                .send()
                .await
                .expect("an answer");
        }
        let body = json!({"username": format!("a-secret-{number}"), "password": PASSWORD});
        client.post("/authenticate", &body).await.expect_status(401);
    }
    let reply = get(&metrics, reqwest::Method::GET, "/metrics")
        .await
        .expect_ok();
    let lowered = reply.text.to_lowercase();
    assert!(
        !lowered.contains("a-secret") && !lowered.contains("injected"),
        "{}",
        reply.text
    );
    let grown = scrape(&metrics).await.len() - before;
    // Two methods of three routes and of none, and one sign-in: a histogram and a few statuses for each.
    assert!(grown < 10 * 25, "{grown}");
}
