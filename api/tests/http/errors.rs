//! Errors outside of handlers have the same error body. (The client checks the body and the headers of every response.)

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::{PASSWORD, TestServer, raw};

#[tokio::test]
async fn an_unknown_path_is_not_found_whatever_the_method() {
    let server = TestServer::start().await;
    for path in [
        "/nothing",
        "/register/",
        "/docs/x",
        "/api/v1/nothing",
        "/api/v1/users/",
        "/%00",
        "//",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let request = server.client().request(method, path);
            server.client().send(request).await.expect_message(
                404,
                ErrorCode::NotFound,
                "Not found.",
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_method_says_which_are_right() {
    let server = TestServer::start().await;
    let client = server.client();
    for (method, path, allowed) in [
        (Method::GET, "/register", "POST"),
        (Method::POST, "/protected", "GET, HEAD"),
        (Method::PUT, "/ping", "GET, HEAD"),
        (Method::POST, "/docs", "GET, HEAD"),
        (Method::OPTIONS, "/refresh", "POST"),
    ] {
        let reply = client.send(client.request(method, path)).await;
        reply.expect_failure(405, ErrorCode::MethodNotAllowed);
        assert_eq!(reply.header("allow"), allowed, "{path}");
    }
}

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() {
    let server = TestServer::start().await;
    let client = server.client();
    let reply = client.send(client.request(Method::HEAD, "/ping")).await;
    assert_eq!((reply.status, &*reply.text), (200, ""));
}

#[tokio::test]
async fn what_is_no_json_is_malformed_and_what_is_no_json_by_its_type_unsupported() {
    let server = TestServer::start().await;
    let client = server.client();
    for text in [
        "",
        "{",
        "{\"username\": \"\\ud800\"}",
        "\u{feff}{}",
        "[[[[",
        "nul",
    ] {
        client
            .post_text("/register", "application/json", text.to_owned())
            .await
            .expect_failure(400, ErrorCode::MalformedRequest);
    }
    let deep = "[".repeat(20_000);
    client
        .post_text("/register", "application/json", deep)
        .await
        .expect_failure(400, ErrorCode::MalformedRequest);
    let invalid_utf8 = b"{\"username\":\"\xff\",\"password\":\"password1\"}".to_vec();
    client
        .post_text("/register", "application/json", invalid_utf8)
        .await
        .expect_failure(400, ErrorCode::MalformedRequest);
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "nonsense",
    ] {
        client
            .post_text(
                "/register",
                content_type,
                json!({"username": "a"}).to_string(),
            )
            .await
            .expect_failure(415, ErrorCode::UnsupportedMediaType);
    }
    let without_type = client.request(Method::POST, "/authenticate").body("{}");
    client
        .send(without_type)
        .await
        .expect_failure(415, ErrorCode::UnsupportedMediaType);
    let body = json!({"username": "alice", "password": PASSWORD}).to_string();
    client
        .post_text("/register", "Application/JSON; charset=UTF-8", body)
        .await
        .expect_ok();
}

#[tokio::test]
async fn a_body_over_64_kib_is_refused_announced_or_not() {
    let server = TestServer::start().await;
    let client = server.client();
    let body = format!("{{\"username\":\"{}\"}}", "x".repeat(64 * 1024));
    client
        .post_text("/register", "application/json", body.clone())
        .await
        .expect_failure(413, ErrorCode::PayloadTooLarge);
    // Nor is it waited for: what is announced is enough.
    let announced = "POST /register HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n";
    let answer = raw::exchange(server.address, announced).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let head = "POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let answer = raw::exchange(server.address, &format!("{head}{chunk}")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains(r#""code":"payload_too_large""#), "{answer}");
}

#[tokio::test]
async fn what_hyper_refuses_by_itself_has_our_body() {
    let server = TestServer::start().await;
    let long = "a".repeat(70_000);
    for (request, status) in [
        ("NONSENSE\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nbroken header\r\n\r\n".to_owned(), "400"),
        (
            "POST /register HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n".to_owned(),
            "400",
        ),
        (
            format!("GET / HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n"),
            "431",
        ),
        (format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"), "431"),
        (
            format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100)),
            "431",
        ),
    ] {
        let answer = raw::exchange(server.address, &request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(
            answer.contains("content-type: application/json"),
            "{answer}"
        );
        assert!(answer.contains(r#"{"status":"error","code":""#), "{answer}");
    }
}

#[tokio::test]
async fn a_stranger_learns_of_their_missing_token_before_anything_else() {
    let server = TestServer::start().await;
    let client = server.client();
    let request = client
        .request(Method::GET, "/protected")
        .header("content-type", "nonsense")
        .body("{");
    client
        .send(request)
        .await
        .expect_failure(401, ErrorCode::MissingToken);
}
