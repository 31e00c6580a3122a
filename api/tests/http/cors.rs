//! CORS: exact origins; whoever else asks gets an answer without CORS headers.

use reqwest::Method;
use serde_json::json;

use crate::support::{Client, PASSWORD, Reply, TestServer};

const EXTENSION: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";

async fn production() -> TestServer {
    TestServer::builder()
        .production()
        .setting(
            "ALLOWED_ORIGINS",
            &format!("{EXTENSION},https://app.example.org"),
        )
        .setting("PUBLIC_URL", "https://auth.example.org")
        .start()
        .await
}

async fn ask(client: &Client, method: Method, origin: &str) -> Reply {
    let request = client.request(method, "/ping").header("origin", origin);
    client.send(request).await
}

async fn preflight(client: &Client, path: &str, origin: &str) -> Reply {
    let request = client
        .request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    client.send(request).await
}

#[tokio::test]
async fn listed_origins_and_the_server_s_own_may_read() {
    let server = production().await;
    let client = server.client();
    for origin in [
        EXTENSION,
        "https://app.example.org",
        "https://auth.example.org",
    ] {
        let reply = ask(&client, Method::GET, origin).await.expect_ok();
        assert_eq!(reply.header("access-control-allow-origin"), origin);
        assert_eq!(reply.header("vary"), "Origin");
        assert_eq!(reply.header("access-control-allow-credentials"), "");
        let reply = preflight(&client, "/register", origin).await;
        assert_eq!(reply.status, 204);
        assert_eq!(reply.header("access-control-allow-origin"), origin);
        assert!(
            reply
                .header("access-control-allow-methods")
                .contains("POST")
        );
        assert!(
            reply
                .header("access-control-allow-headers")
                .contains("authorization")
        );
    }
}

#[tokio::test]
async fn another_origin_is_served_without_cors_headers() {
    let server = production().await;
    let client = server.client();
    for origin in [
        "https://evil.example",
        "null",
        "https://app.example.org.evil.example",
        "http://app.example.org",
    ] {
        let reply = ask(&client, Method::GET, origin).await.expect_ok();
        assert_eq!(reply.header("access-control-allow-origin"), "", "{origin}");
        assert_eq!(reply.header("vary"), "Origin");
        let reply = preflight(&client, "/register", origin).await;
        assert_eq!(reply.header("access-control-allow-origin"), "", "{origin}");
    }
    let request = client
        .request(Method::POST, "/register")
        .header("origin", "https://evil.example")
        .json(&json!({"username": "alice", "password": PASSWORD}));
    client.send(request).await.expect_ok();
}

#[tokio::test]
async fn an_origin_that_is_no_text_harms_nothing() {
    let server = production().await;
    let client = server.client();
    let value = reqwest::header::HeaderValue::from_bytes(b"https://\xff").expect("a value");
    let request = client.request(Method::GET, "/ping").header("origin", value);
    client.send(request).await.expect_ok();
}

#[tokio::test]
async fn in_development_any_origin_may_read_without_credentials_errors_too() {
    let server = TestServer::start().await;
    let client = server.client();
    let reply = ask(&client, Method::GET, "https://any.example")
        .await
        .expect_ok();
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-credentials"), "");
    let request = client
        .request(Method::GET, "/protected")
        .header("origin", "https://any.example");
    let reply = client.send(request).await;
    assert_eq!(
        (reply.status, reply.header("access-control-allow-origin")),
        (401, "*")
    );
    assert!(
        reply
            .header("access-control-expose-headers")
            .contains("www-authenticate")
    );
}

#[tokio::test]
async fn behind_https_browsers_are_told_to_stay_there() {
    let server = production().await;
    let reply = server.client().get("/ping").await;
    assert!(
        reply
            .header("strict-transport-security")
            .contains("max-age")
    );
    let plain = TestServer::start().await;
    let reply = plain.client().get("/ping").await;
    assert_eq!(reply.header("strict-transport-security"), "");
}
