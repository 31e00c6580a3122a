//! Access tokens: what is accepted and what is refused.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_wire::{ErrorCode, Tokens};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::support::TestServer;

const SECRET: &str = "a secret of the test's own, of 32 bytes or more";

async fn server() -> TestServer {
    TestServer::builder()
        .setting("JWT_SECRET", SECRET)
        .start()
        .await
}

/// A token's parts, to change and sign again.
struct Forged {
    header: Value,
    claims: Value,
}

impl Forged {
    fn from(tokens: &Tokens) -> Self {
        let part = |index: usize| -> Value {
            let part = tokens
                .access_token
                .expose()
                .split('.')
                .nth(index)
                .expect("three parts");
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
        };
        Self {
            header: part(0),
            claims: part(1),
        }
    }

    fn without(mut self, claim: &str) -> Self {
        let claims = self.claims.as_object_mut().expect("claims");
        claims.remove(claim).expect("it has it");
        self
    }

    fn sign(&self, secret: &str) -> String {
        let header = serde_json::from_value(self.header.clone()).expect("a header");
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&header, &self.claims, &key).expect("signed")
    }

    fn unsigned(&self) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encode(&self.header), encode(&self.claims))
    }
}

#[tokio::test]
async fn the_token_is_what_rfc_9068_asks_for() {
    let server = server().await;
    let tokens = server.client().sign_up("Alice").await;
    let Forged { header, claims } = Forged::from(&tokens);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("at+jwt"), &json!("HS256"))
    );
    assert!(header["kid"].is_string());
    assert_eq!(claims["iss"], "password-auth");
    assert_eq!(claims["aud"], "password-auth");
    assert_eq!(claims["preferred_username"], "Alice");
    for claim in ["sub", "sid", "jti", "client_id"] {
        assert!(claims[claim].is_string(), "{claim}");
    }
    for claim in ["gen", "epoch", "iat", "exp"] {
        assert!(claims[claim].is_u64(), "{claim}");
    }
    assert_eq!(
        claims["exp"].as_u64(),
        claims["iat"].as_u64().map(|iat| iat + 900)
    );
}

#[tokio::test]
async fn a_forged_or_altered_token_is_refused() {
    let server = server().await;
    let client = server.client();
    let tokens = client.sign_up("alice").await;
    let refused = async |token: &str, what: &str| {
        let reply = client.get_as("/protected", token).await;
        reply.expect_message(401, ErrorCode::InvalidToken, "Invalid token.");
        assert!(
            reply.header("www-authenticate").contains("invalid_token"),
            "{what}"
        );
    };
    // The same, signed again, is good: so what is refused below is refused for what was changed.
    let good = Forged::from(&tokens).sign(SECRET);
    client.get_as("/protected", &good).await.expect_ok();

    refused(
        &Forged::from(&tokens).sign("another secret, also of 32 bytes or more"),
        "another key",
    )
    .await;
    for claim in Forged::from(&tokens)
        .claims
        .as_object()
        .expect("claims")
        .keys()
    {
        let without = Forged::from(&tokens).without(claim);
        if claim == "party" {
            // Tokens of older versions have none: see below.
            continue;
        }
        refused(&without.sign(SECRET), &format!("no {claim}")).await;
    }
    for (claim, value) in [
        ("iss", json!("somebody else")),
        ("aud", json!("somebody else")),
        ("sub", json!("01a1fe16-ab82-7106-8540-5a2c9c6b9978")),
        ("sid", json!("01a1fe16-ab82-7106-8540-5a2c9c6b9978")),
        ("exp", json!("never")),
    ] {
        let mut other = Forged::from(&tokens);
        other.claims[claim] = value;
        refused(&other.sign(SECRET), &format!("another {claim}")).await;
    }
    for (field, value) in [
        ("typ", json!("JWT")),
        ("kid", json!("0011223344556677")),
        ("alg", json!("HS512")),
        // RFC 7515 §4.1.11.
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!([])),
    ] {
        let mut other = Forged::from(&tokens);
        other.header[field] = value;
        refused(&other.sign(SECRET), &format!("another {field}")).await;
    }
    let mut none = Forged::from(&tokens);
    none.header["alg"] = json!("none");
    refused(&none.unsigned(), "alg none").await;
    refused(&Forged::from(&tokens).unsigned(), "no signature").await;
    refused(tokens.refresh_token.expose(), "a refresh token").await;
    refused("x.y.z", "nonsense").await;
}

#[tokio::test]
async fn an_expired_token_says_that_it_expired_after_at_most_five_seconds_of_leeway() {
    let server = server().await;
    let client = server.client();
    let tokens = client.sign_up("alice").await;
    server.clock.advance(Duration::from_secs(899));
    client.protected(&tokens).await.expect_ok();
    server.clock.advance(Duration::from_secs(6));
    let reply = client.protected(&tokens).await;
    reply.expect_message(401, ErrorCode::TokenExpired, "Access token expired.");
    assert!(reply.header("www-authenticate").starts_with("Bearer "));
}

#[tokio::test]
async fn no_header_or_an_empty_one_is_missing_and_another_scheme_is_invalid() {
    let server = TestServer::start().await;
    let client = server.client();
    for path in ["/protected", "/protected-data"] {
        let reply = client.get(path).await;
        reply.expect_message(
            401,
            ErrorCode::MissingToken,
            "Missing Authorization header.",
        );
        assert_eq!(
            reply.header("www-authenticate"),
            r#"Bearer realm="password-auth""#
        );
        for (value, code) in [
            ("", ErrorCode::MissingToken),
            ("  ", ErrorCode::MissingToken),
            ("Bearer", ErrorCode::InvalidToken),
            ("Bearer ", ErrorCode::InvalidToken),
            ("Basic YWxpY2U6cGFzc3dvcmQ=", ErrorCode::InvalidToken),
            ("Bearer nonsense", ErrorCode::InvalidToken),
        ] {
            let request = client
                .request(Method::GET, path)
                .header(AUTHORIZATION, value);
            client.send(request).await.expect_failure(401, code);
        }
    }
}

#[tokio::test]
async fn the_scheme_s_name_compares_without_case_and_two_headers_are_refused() {
    let server = TestServer::start().await;
    let client = server.client();
    let tokens = client.sign_up("alice").await;
    let token = tokens.access_token.expose();
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let value = format!("{scheme} {token}");
        let request = client
            .request(Method::GET, "/protected")
            .header(AUTHORIZATION, value);
        client.send(request).await.expect_ok();
    }
    let value = format!("Bearer {token}");
    let twice = client
        .request(Method::GET, "/protected")
        .header(AUTHORIZATION, &value)
        .header(AUTHORIZATION, &value);
    client
        .send(twice)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
}

#[tokio::test]
async fn a_restart_signs_nobody_out() {
    let server = TestServer::start().await;
    let tokens = server.client().sign_up("alice").await;
    let folder = server.stop().await;
    let server = TestServer::builder().start_in(folder).await;
    server.client().protected(&tokens).await.expect_ok();
    server
        .client()
        .refresh(tokens.refresh_token.expose())
        .await
        .expect_ok();
}

/// As versions issued them that did not remember to whom.
#[tokio::test]
async fn a_token_from_before_an_update_counts_and_confirms_its_refresh_token() {
    let server = server().await;
    let client = server.client();
    let first = client.sign_up("alice").await;
    let old = Forged::from(&first).without("party").sign(SECRET);
    client.get_as("/protected", &old).await.expect_ok();
    let next = client.refresh(first.refresh_token.expose()).await.tokens();
    let old = Forged::from(&next).without("party").sign(SECRET);
    client.get_as("/protected", &old).await.expect_ok();
    // Its refresh token is in use, so the one before it is a thief's.
    server.advance(Duration::from_secs(31)).await;
    let reply = client.refresh(first.refresh_token.expose()).await;
    reply.expect_failure(400, ErrorCode::RefreshTokenReused);
}
