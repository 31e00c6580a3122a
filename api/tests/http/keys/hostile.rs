//! Keys of strangers.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jsonwebtoken::{EncodingKey, Header};
use password_auth_model::{NewTokenKey, TokenKeyAction, TokenKeyChange};
use password_auth_wire::ErrorCode;
use serde_json::{Value, json};

use super::{kid, published, published_ids, signing};
use crate::support::{Engine, Person};

each_engine! {
    a_token_of_another_algorithm_or_key_is_refused,
    a_key_that_somebody_wrote_into_the_store_is_not_used,
}

/// PKCS #8 of a key whose seed is these bytes.
fn stranger(seed: u8) -> EncodingKey {
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend([seed; 32]);
    EncodingKey::from_ed_der(&der)
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

fn signed(header: &Value, claims: &Value, key: &EncodingKey) -> String {
    let header: Header = serde_json::from_value(header.clone()).expect("a header");
    jsonwebtoken::encode(&header, claims, key).expect("signed")
}

async fn a_token_of_another_algorithm_or_key_is_refused(engine: Engine) {
    let server = signing(engine, "EdDSA").start().await;
    let alice = Person::sign_up(&server, "alice").await;
    let (header, claims) = (part(&alice.access, 0), part(&alice.access, 1));
    let public = published(&server).await[0]["x"].as_str().map(str::to_owned);
    let public = public.expect("a key");
    let bytes = URL_SAFE_NO_PAD.decode(&public).expect("base64url");
    let with = |changes: Value| {
        let mut changed = header.clone();
        for (name, value) in changes.as_object().expect("changes") {
            changed[name] = value.clone();
        }
        changed
    };
    let hmac = with(json!({"alg": "HS256"}));
    let (head, rest) = alice.access.split_once('.').expect("parts");
    let (_, signature) = rest.rsplit_once('.').expect("parts");
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let admin = {
        let mut admin = claims.clone();
        admin["sub"] = json!("019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00");
        admin
    };
    let tokens = [
        // The public key as if it were a secret (RFC 8725 §2.1).
        signed(&hmac, &claims, &EncodingKey::from_secret(&bytes)),
        signed(&hmac, &claims, &EncodingKey::from_secret(public.as_bytes())),
        // Somebody else's key under our id, under its own, and under none.
        signed(&header, &claims, &stranger(7)),
        signed(
            &with(json!({"kid": "0011223344556677"})),
            &claims,
            &stranger(7),
        ),
        signed(&with(json!({"kid": null})), &claims, &stranger(7)),
        // With the key to verify it enclosed.
        signed(
            &with(json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": public}})),
            &claims,
            &stranger(7),
        ),
        format!(
            "{}.{}.",
            encoded(&with(json!({"alg": "none"}))),
            encoded(&claims)
        ),
        format!("{head}.{}.{signature}", encoded(&admin)),
        format!("{head}.{}.", encoded(&claims)),
    ];
    for (number, token) in tokens.iter().enumerate() {
        let forger = Person {
            access: token.clone(),
            ..alice.clone()
        };
        let refused = forger.get("/auth/me").await;
        assert_eq!(refused.status, 401, "token {number}");
        refused.expect_failure(401, ErrorCode::InvalidToken);
    }
    // Strangers can invent as many keys as they like: nobody waits long, and the others not at all.
    let began = Instant::now();
    let invented = (0..64).map(|number| {
        let kid = format!("{number:016x}");
        let token = signed(&with(json!({"kid": kid})), &claims, &stranger(7));
        let forger = Person {
            access: token,
            ..alice.clone()
        };
        async move { forger.is_let_in().await }
    });
    let invented = tokio::spawn(join_all(invented.collect::<Vec<_>>()));
    assert!(alice.is_let_in().await);
    let let_in = invented.await.expect("answers");
    assert!(!let_in.contains(&true));
    assert!(began.elapsed() < Duration::from_secs(5), "{began:?}");
    assert!(alice.is_let_in().await);
}

async fn a_key_that_somebody_wrote_into_the_store_is_not_used(engine: Engine) {
    let server = signing(engine, "EdDSA").start().await;
    let alice = Person::sign_up(&server, "alice").await;
    let own = server.store.token_keys().await.expect("an answer")[0];
    let planted = TokenKeyChange {
        action: TokenKeyAction::Rotate(Duration::from_secs(3600)),
        candidate: NewTokenKey {
            salt: [1; 16],
            secret: own.secret,
            // Of the seed 7, 7, 7, ….
            public: [
                0xea, 0x4a, 0x6c, 0x63, 0xe2, 0x9c, 0x52, 0x0a, 0xbe, 0xf5, 0x50, 0x7b, 0x13, 0x2e,
                0xc5, 0xf9, 0x95, 0x47, 0x76, 0xae, 0xbe, 0xbe, 0x7b, 0x92, 0x42, 0x1e, 0xea, 0x69,
                0x14, 0x46, 0xd2, 0x2c,
            ],
        },
        secrets: vec![own.secret],
        token_lifetime: own.token_lifetime,
    };
    let keys = server.store.change_token_keys(planted, own.created).await;
    let keys = keys.expect("an answer").expect("written");
    let planted = keys.iter().find(|key| key.salt == [1; 16]).expect("there");
    let mut header = part(&alice.access, 0);
    header["kid"] = json!(planted.id().to_string());
    let forger = Person {
        access: signed(&header, &part(&alice.access, 1), &stranger(7)),
        ..alice.clone()
    };
    assert!(!forger.is_let_in().await);
    assert_eq!(published_ids(&server).await, [kid(&alice.access)]);
    assert!(alice.with(alice.refresh().await).is_let_in().await);
}
