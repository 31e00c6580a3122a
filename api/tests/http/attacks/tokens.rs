//! Tokens of every known bad kind (RFC 8725), and two spellings of one token.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestClient, TestServer};

const SECRET: &str = "a secret of the test's own, of 32 bytes or more";

/// A server, and a good token of its.
async fn server() -> (TestServer, TestClient, String) {
    let server = TestServer::builder()
        .setting("JWT_SECRET", SECRET)
        .start()
        .await;
    let client = server.client();
    let token = client
        .sign_up("alice")
        .await
        .access_token
        .expose()
        .to_owned();
    (server, client, token)
}

/// Both dialects refuse it, with a challenge, and so does signing out.
async fn refused(client: &TestClient, token: &str, what: &str) {
    for path in ["/protected", "/api/v1/auth/me"] {
        let reply = client.get_as(path, token).await;
        assert_eq!(reply.status, 401, "{what}: {reply:?}");
        assert!(
            reply.header("www-authenticate").contains("invalid_token"),
            "{what}"
        );
    }
}

fn decoded(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Signed as the server signs, whatever stands in it.
fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let signature =
        jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256);
    format!("{message}.{}", signature.expect("signed"))
}

#[tokio::test]
async fn a_token_with_a_header_or_claims_that_are_not_ours_is_refused_though_its_signature_is_right()
 {
    let (_server, client, token) = server().await;
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
    let (header_text, claims_text) = (header.to_string(), claims.to_string());
    client
        .get_as("/protected", &signed(&header_text, &claims_text))
        .await
        .expect_ok();
    let with = |value: &Value, name: &str, new: Value| {
        let mut changed = value.clone();
        changed[name] = new;
        changed.to_string()
    };
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("hs256")),
        ("alg", json!("HS384")),
        ("alg", json!("RS256")),
        ("alg", json!("ES256")),
        ("alg", json!("EdDSA")),
        ("alg", json!("PBES2-HS256+A128KW")),
        ("alg", json!(["HS256"])),
        ("alg", Value::Null),
        ("typ", json!("JWT")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!("logout+jwt")),
        ("typ", json!("AT+JWT ")),
        ("typ", Value::Null),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("")),
        ("kid", Value::Null),
        ("kid", json!(7)),
        ("crit", json!(["b64"])),
        ("crit", json!(["exp"])),
    ] {
        let token = signed(&with(&header, name, value.clone()), &claims_text);
        refused(&client, &token, &format!("{name}: {value}")).await;
    }
    for (name, value) in [
        ("iss", json!(["password-auth"])),
        ("iss", json!("password-auth/")),
        ("iss", Value::Null),
        ("aud", json!("password-auth.example")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("exp", json!("99999999999")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(99_999_999_999.5)),
        ("exp", Value::Null),
        ("sub", json!("alice")),
        ("sub", json!(["a"])),
        ("sid", json!("00000000-0000-0000-0000-000000000000")),
        ("gen", json!(-1)),
        ("epoch", json!(4_294_967_296_u64)),
    ] {
        let token = signed(&header_text, &with(&claims, name, value.clone()));
        refused(&client, &token, &format!("{name}: {value}")).await;
    }
    // A name twice: two readers could take different ones.
    let twice = claims_text.replacen('{', r#"{"sub":"01a1fe16-ab82-7106-8540-5a2c9c6b9978","#, 1);
    refused(&client, &signed(&header_text, &twice), "two subjects").await;
    let twice = header_text.replacen('{', r#"{"alg":"none","#, 1);
    refused(&client, &signed(&twice, &claims_text), "two algorithms").await;
    refused(
        &client,
        &signed(&header_text, &format!("[{claims_text}]")),
        "a list",
    )
    .await;
    refused(
        &client,
        &signed(&header_text, &format!("{claims_text}{claims_text}")),
        "two",
    )
    .await;
    refused(&client, &signed(&header_text, ""), "no claims").await;
    // What a header says about keys is not followed.
    for name in ["jwk", "jku", "x5u", "x5c", "x5t"] {
        let mut other = header.clone();
        other[name] = json!("https://evil.example/keys");
        other["alg"] = json!("RS256");
        refused(&client, &signed(&other.to_string(), &claims_text), name).await;
    }
}

#[tokio::test]
async fn a_token_whose_form_is_no_compact_jws_is_refused() {
    let (_server, client, token) = server().await;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("three parts");
    };
    let body = format!("{header}.{claims}");
    for (form, what) in [
        (body.clone(), "two parts"),
        (format!("{body}."), "no signature"),
        (format!("{body}..{signature}"), "four parts"),
        (format!("{token}.{signature}.x"), "five parts, as JWE has"),
        (format!(".{claims}.{signature}"), "no header"),
        (
            format!("{body}.{}", &signature[1..]),
            "a signature cut short",
        ),
        (format!("{body}.{signature}AA"), "a longer signature"),
        (
            format!("{body}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            "zeros",
        ),
        (
            format!(r#"{{"payload":"{claims}","protected":"{header}","signature":"{signature}"}}"#),
            "JSON",
        ),
        (token.replace('.', ".."), "empty parts"),
        (format!("{token}\u{e9}"), "not ASCII"),
        ("a.".repeat(3000), "thousands of parts"),
        (
            format!("{}.{claims}.{signature}", "A".repeat(8000)),
            "a long header",
        ),
    ] {
        let request = client.request(Method::GET, "/protected");
        let reply = client
            .send(request.header("authorization", format!("Bearer {form}")))
            .await;
        reply.expect_failure(401, ErrorCode::InvalidToken);
        assert!(
            reply.header("www-authenticate").contains("invalid_token"),
            "{what}"
        );
    }
}

/// The same bytes, written in other ways.
fn spellings(base64url: &str) -> Vec<String> {
    let bytes = URL_SAFE_NO_PAD.decode(base64url).expect("base64url");
    let mut others = vec![
        URL_SAFE.encode(&bytes),
        STANDARD.encode(&bytes),
        format!("{base64url}="),
        format!("{base64url}=="),
        format!("{base64url}\t"),
        format!("{}%2D", base64url),
    ];
    // The last character has bits that stand for nothing.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, _) = base64url.split_at(base64url.len() - 1);
    for letter in alphabet {
        let other = format!("{start}{}", char::from(*letter));
        let engine = base64::engine::GeneralPurpose::new(
            &base64::alphabet::URL_SAFE,
            base64::engine::general_purpose::NO_PAD.with_decode_allow_trailing_bits(true),
        );
        if other != base64url && engine.decode(&other).is_ok_and(|decoded| decoded == bytes) {
            others.push(other);
        }
    }
    others.retain(|other| other != base64url);
    others
}

#[tokio::test]
async fn a_token_has_one_spelling() {
    let (_server, client, access) = server().await;
    let refresh = client
        .authenticate("alice", crate::support::PASSWORD)
        .await
        .tokens();
    let refresh = refresh.refresh_token.expose().to_owned();
    let (body, signature) = access.rsplit_once('.').expect("a signature");
    let of_signature = spellings(signature);
    assert!(of_signature.len() > 5, "there are others: {of_signature:?}");
    for other in of_signature {
        // Blanks at the end of a header's value are not part of it.
        if !other.ends_with('\t') {
            refused(&client, &format!("{body}.{other}"), &other).await;
        }
    }
    let (header, rest) = access.split_once('.').expect("a header");
    for other in spellings(header)
        .into_iter()
        .filter(|other| !other.ends_with('\t'))
    {
        refused(&client, &format!("{other}.{rest}"), &other).await;
    }
    for other in spellings(&refresh) {
        let reply = client.refresh(&other).await;
        reply.expect_failure(400, ErrorCode::InvalidRefreshToken);
    }
    client.refresh(&refresh).await.expect_ok();
}
