//! CORS: exact origins; whoever else asks gets an answer without CORS headers.

use reqwest::Method;
use serde_json::json;

use crate::support::{PASSWORD, Reply, TestClient, TestServer};

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

async fn ask(client: &TestClient, method: Method, origin: &str) -> Reply {
    let request = client.request(method, "/ping").header("origin", origin);
    client.send(request).await
}

async fn preflight(client: &TestClient, path: &str, origin: &str) -> Reply {
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

#[tokio::test]
async fn an_extension_of_safari_s_and_an_address_of_ipv6_are_compared_as_browsers_send_them() {
    let server = TestServer::builder()
        .production()
        .setting(
            "ALLOWED_ORIGINS",
            "safari-web-extension://A1B2C3D4-E5F6-47A8-89B0-C1D2E3F4A5B6, http://[0:0:0:0:0:0:0:1]:3000, \
             HTTPS://App.Example.org:443, https://bücher.example",
        )
        .start()
        .await;
    let client = server.client();
    for origin in [
        "safari-web-extension://A1B2C3D4-E5F6-47A8-89B0-C1D2E3F4A5B6",
        "http://[::1]:3000",
        "https://app.example.org",
        "https://xn--bcher-kva.example",
    ] {
        let reply = ask(&client, Method::GET, origin).await.expect_ok();
        assert_eq!(reply.header("access-control-allow-origin"), origin);
    }
    let lower = "safari-web-extension://a1b2c3d4-e5f6-47a8-89b0-c1d2e3f4a5b6";
    let reply = ask(&client, Method::GET, lower).await.expect_ok();
    assert_eq!(reply.header("access-control-allow-origin"), "");
}
