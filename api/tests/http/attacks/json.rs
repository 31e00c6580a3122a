//! Hostile JSON, to both dialects.

use password_auth_wire::ErrorCode;
use serde_json::json;

use crate::support::{PASSWORD, TestServer};

const JSON: &str = "application/json";

/// Routes of both dialects that take a name and a password.
const PATHS: [&str; 4] = [
    "/register",
    "/authenticate",
    "/api/v1/auth/register",
    "/api/v1/auth/login",
];

#[tokio::test]
async fn what_is_no_json_is_400_however_it_is_made() {
    let server = TestServer::start().await;
    let client = server.client();
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(5_000), close.repeat(5_000));
    let name =
        |name: &str| format!(r#"{{"username":{name},"password":"{PASSWORD}"}}"#).into_bytes();
    for (body, what) in [
        (deep("[", "]").into_bytes(), "deep lists"),
        (deep(r#"{"a":"#, "}").into_bytes(), "deep objects"),
        (name(r#""\ud800""#), "a lone high surrogate"),
        (name(r#""\udc00""#), "a lone low surrogate"),
        (name(r#""\udc00\ud800""#), "surrogates in the wrong order"),
        (name(r#""\x41""#), "an escape that is none"),
        (name("\"\u{0}\""), "a bare NUL"),
        (name("\"a\nb\""), "a bare line break"),
        (name("'alice'"), "single quotes"),
        (name("NaN"), "no number"),
        (name("1e999"), "a number that is too large"),
        (name("01"), "a number with a zero before it"),
        (
            b"{\"username\":\"\xff\xfe\",\"password\":\"x\"}".to_vec(),
            "no UTF-8",
        ),
        (
            b"{\"username\":\"\xed\xa0\x80\",\"password\":\"x\"}".to_vec(),
            "a surrogate as bytes",
        ),
        (
            b"{\"username\":\"\xc0\x80\",\"password\":\"x\"}".to_vec(),
            "an overlong NUL",
        ),
        (
            [b"\xef\xbb\xbf", &*name("\"alice\"")].concat(),
            "a byte order mark",
        ),
        ([&*name("\"alice\""), b"{}"].concat(), "two texts"),
        ([&*name("\"alice\""), b"\0"].concat(), "a NUL behind it"),
        (b"{\"a\":1} // \xe2\x80\xa8".to_vec(), "a comment"),
        (Vec::new(), "nothing"),
    ] {
        for path in PATHS {
            let reply = client.post_text(path, JSON, body.clone()).await;
            assert_eq!(reply.status, 400, "{what} to {path}: {reply:?}");
            reply.expect_failure(400, ErrorCode::MalformedRequest);
        }
    }
}

#[tokio::test]
async fn json_of_another_type_is_422_and_is_not_repeated() {
    let server = TestServer::start().await;
    let client = server.client();
    for value in [
        "1e308",
        "-0.0",
        "18446744073709551616",
        "123456789012345678901234567890",
        "true",
        "[]",
        "{}",
        r#"["alice"]"#,
        r#"{"$ne":null}"#,
        r#"{"toString":"alice"}"#,
        "null",
    ] {
        let body = format!(r#"{{"username":{value},"password":"{PASSWORD}"}}"#);
        for path in PATHS {
            let reply = client.post_text(path, JSON, body.clone()).await;
            reply.expect_failure(422, ErrorCode::ValidationFailed);
            assert!(
                !reply.text.contains("1234567890") && !reply.text.contains(PASSWORD),
                "{reply:?}"
            );
        }
    }
    for body in [
        "null",
        "7",
        "\"text\"",
        "[]",
        r#"[{"username":"a","password":"b"}]"#,
    ] {
        let reply = client.post_text("/api/v1/auth/register", JSON, body).await;
        reply.expect_failure(422, ErrorCode::ValidationFailed);
    }
}

#[tokio::test]
async fn a_name_that_comes_twice_is_400_under_api_v1_and_at_the_demo_s_routes() {
    let server = TestServer::start().await;
    let client = server.client();
    client.register("alice").await.expect_ok();
    for body in [
        format!(r#"{{"username":"alice","password":"x","password":"{PASSWORD}"}}"#),
        format!(r#"{{"username":"bob","password":"{PASSWORD}","username":"alice"}}"#),
        format!(r#"{{"username":"alice","password":"{PASSWORD}","passwor\u0064":"{PASSWORD}"}}"#),
        format!(r#"{{"username":"alice","password":"{PASSWORD}","a":{{"b":1,"b":1}}}}"#),
    ] {
        for path in [
            "/api/v1/auth/login",
            "/api/v1/auth/register",
            "/api/v1/auth/reactivate",
            "/authenticate",
            "/register",
        ] {
            let reply = client.post_text(path, JSON, body.clone()).await;
            reply.expect_failure(400, ErrorCode::MalformedRequest);
        }
    }
    let twice = r#"{"refresh_token":"a","refresh_token":"b"}"#;
    for path in ["/api/v1/auth/logout", "/logout", "/refresh"] {
        let reply = client.post_text(path, JSON, twice).await;
        reply.expect_failure(400, ErrorCode::MalformedRequest);
    }
    // A field that nobody knows is ignored there, once.
    let unknown = format!(r#"{{"username":"alice","password":"{PASSWORD}","a":{{"b":1}}}}"#);
    let reply = client.post_text("/authenticate", JSON, unknown).await;
    reply.expect_ok();
}

#[tokio::test]
async fn a_nul_in_a_name_is_refused_and_one_in_a_password_counts() {
    let server = TestServer::start().await;
    let client = server.client();
    for name in ["a\0", "\0", "alice\0bob"] {
        let body = json!({"username": name, "password": PASSWORD});
        for path in ["/register", "/api/v1/auth/register"] {
            let reply = client.post(path, &body).await;
            reply.expect_failure(422, ErrorCode::ValidationFailed);
        }
        client.post("/authenticate", &body).await.expect_status(401);
    }
    let with_nul = format!("{PASSWORD}\0a");
    client
        .post(
            "/register",
            &json!({"username": "alice", "password": with_nul}),
        )
        .await
        .expect_ok();
    client.authenticate("alice", &with_nul).await.expect_ok();
    for wrong in [
        PASSWORD.to_owned(),
        format!("{PASSWORD}\0"),
        format!("{PASSWORD}\0b"),
    ] {
        client
            .authenticate("alice", &wrong)
            .await
            .expect_status(401);
    }
}
