use std::time::Duration;

use super::claims::LEEWAY;
use super::jwt::header;
use super::{AccessClaims, AccessToken, AccessTokenError, AccessTokens, CLIENT_ID, SigningAlg};
use crate::tokens::{SigningKey, SigningKeys, TokenKeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use password_auth_model::{
    Generation, SessionId, Timestamp, TokenId, TokenKey, TokenKeyAction, TokenKeyChange, UserId,
};
use serde::Serialize;

fn tokens() -> AccessTokens {
    let key = SigningKey::random().expect("a key");
    AccessTokens::new(
        &SigningKeys::new(key, Vec::new()),
        SigningAlg::Hs256,
        "tests",
    )
}

fn claims(now: Timestamp) -> AccessClaims {
    AccessClaims {
        iss: "tests".to_owned(),
        aud: "tests".to_owned(),
        client_id: CLIENT_ID.to_owned(),
        sub: UserId::new(now),
        preferred_username: "alice".to_owned(),
        sid: SessionId::new(now),
        generation: Generation(3),
        epoch: 1,
        party: None,
        jti: TokenId::new(now),
        iat: now.as_secs(),
        exp: now.as_secs() + 900,
    }
}

#[test]
fn a_remembered_token_says_the_same_and_still_expires() {
    let now = Timestamp::from_millis(1_767_225_600_000);
    let tokens = with_a_pair(now);
    let claims = claims(now);
    let token = tokens.issue(&claims, now).expect("signed");
    let first = tokens.verify(token.expose(), now).expect("valid");
    assert_eq!(first, AccessToken::from(claims));
    assert_eq!(tokens.verify(token.expose(), now), Ok(first));
    let end = now.plus(Duration::from_secs(900) + LEEWAY);
    let last = end.minus(Duration::from_secs(1));
    assert_eq!(tokens.verify(token.expose(), last), Ok(first));
    let late = tokens.verify(token.expose(), end);
    assert_eq!(late, Err(AccessTokenError::Expired));
}

#[test]
fn a_token_that_differs_in_one_byte_from_a_valid_one_is_verified_by_itself() {
    let now = Timestamp::from_millis(1_767_225_600_000);
    for tokens in [tokens(), with_a_pair(now)] {
        let token = tokens.issue(&claims(now), now).expect("signed");
        tokens.verify(token.expose(), now).expect("valid");
        let bytes = token.expose().as_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("a text");
            let refused = tokens.verify(&changed, now);
            // In the header, it may name a key pair.
            assert!(
                matches!(
                    refused,
                    Err(AccessTokenError::Invalid | AccessTokenError::UnknownKey)
                ),
                "byte {at}: {refused:?}"
            );
        }
        let key = SigningKey::random().expect("a key");
        let other = AccessTokens::new(
            &SigningKeys::new(key, Vec::new()),
            SigningAlg::Hs256,
            "tests",
        );
        assert!(other.verify(token.expose(), now).is_err());
    }
}

/// Tokens that a key pair signs.
fn with_a_pair(now: Timestamp) -> AccessTokens {
    let keys = SigningKeys::new(SigningKey::random().expect("a key"), Vec::new());
    let tokens = AccessTokens::new(&keys, SigningAlg::EdDsa, "tests");
    changed(&tokens, TokenKeyAction::Use, now);
    tokens
}

fn changed(tokens: &AccessTokens, action: TokenKeyAction, now: Timestamp) -> Vec<TokenKey> {
    let secret = tokens.secrets().current();
    let change = TokenKeyChange {
        action,
        candidate: TokenKeyPair::candidate(secret).expect("randomness"),
        secrets: vec![*secret.kid().as_bytes()],
        token_lifetime: Duration::from_secs(900),
    };
    let keys = change.apply(&tokens.token_keys(), now).expect("changed");
    tokens.set_pairs(&keys);
    keys
}

#[test]
fn a_remembered_token_counts_no_longer_than_its_key() {
    let now = Timestamp::from_millis(1_767_225_600_000);
    let tokens = with_a_pair(now);
    // As a thief of the key would sign it.
    let long = AccessClaims {
        exp: now.as_secs() + 1_000_000,
        ..claims(now)
    };
    let token = tokens.issue(&long, now).expect("signed");
    assert!(tokens.verify(token.expose(), now).is_ok());
    let later = now.plus(Duration::from_secs(60));
    let keys = changed(&tokens, TokenKeyAction::Rotate(Duration::ZERO), later);
    assert!(tokens.verify(token.expose(), later).is_ok());
    let over = later.plus(Duration::from_secs(900 + 60));
    let refused = tokens.verify(token.expose(), over);
    assert_eq!(refused, Err(AccessTokenError::Invalid));
    assert!(tokens.verify_ignoring_expiry(token.expose()).is_ok());
    let retired = TokenKeyAction::Retire(keys[0].id());
    changed(&tokens, retired, later);
    let refused = tokens.verify_ignoring_expiry(token.expose());
    assert_eq!(refused, Err(AccessTokenError::UnknownKey));
}

/// A token with these claims, as the library signs it.
fn by_library(tokens: &AccessTokens, header: &Header, claims: &impl Serialize) -> String {
    let key = EncodingKey::from_secret(tokens.secrets().current().secret());
    jsonwebtoken::encode(header, claims, &key).expect("signed")
}

fn own_header(tokens: &AccessTokens) -> Header {
    let kid = tokens.secrets().current().kid().to_string();
    header(Algorithm::HS256, kid)
}

#[test]
fn a_secret_s_tokens_are_the_library_s_byte_for_byte() {
    let (tokens, now) = (tokens(), Timestamp::from_millis(1_767_225_600_000));
    for name in ["alice", "a \"quote\" \\ and ünï 😀\n"] {
        let claims = AccessClaims {
            preferred_username: name.to_owned(),
            ..claims(now)
        };
        let token = tokens.issue(&claims, now).expect("signed");
        let theirs = by_library(&tokens, &own_header(&tokens), &claims);
        assert_eq!(token.expose(), theirs);
        assert_eq!(
            tokens.verify(&theirs, now),
            Ok(AccessToken::from(claims.clone()))
        );
        // The library reads a header that is not ours byte for byte.
        let other = Header {
            cty: Some("x".to_owned()),
            ..own_header(&tokens)
        };
        let theirs = by_library(&tokens, &other, &claims);
        assert_eq!(tokens.verify(&theirs, now), Ok(AccessToken::from(claims)));
    }
}

#[test]
fn a_secret_s_token_needs_every_claim_and_our_issuer_and_has_one_spelling() {
    let (tokens, now) = (tokens(), Timestamp::from_millis(1_767_225_600_000));
    let header = own_header(&tokens);
    let whole = serde_json::to_value(claims(now)).expect("JSON");
    let whole = whole.as_object().expect("an object");
    let refused = |token: &str| {
        assert_eq!(
            tokens.verify(token, now),
            Err(AccessTokenError::Invalid),
            "{token}"
        );
    };
    for name in whole.keys().filter(|name| *name != "party") {
        let mut without = whole.clone();
        without.remove(name);
        refused(&by_library(&tokens, &header, &without));
    }
    for (name, value) in [
        ("iss", serde_json::json!("others")),
        ("aud", serde_json::json!("others")),
        ("aud", serde_json::json!(["tests", "others"])),
        ("exp", serde_json::json!(-1)),
        ("sub", serde_json::json!("alice")),
    ] {
        let mut changed = whole.clone();
        changed.insert(name.to_owned(), value);
        refused(&by_library(&tokens, &header, &changed));
    }
    let token = by_library(&tokens, &header, whole);
    assert!(tokens.verify(&token, now).is_ok());
    let (start, _) = token.rsplit_once('.').expect("a MAC");
    let last = token.chars().last().expect("a character");
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for c in alphabet.chars().filter(|c| *c != last) {
        refused(&format!("{}{c}", &token[..token.len() - 1]));
    }
    for odd in [
        format!("{token}="),
        format!("{token}."),
        format!("{token}.x"),
        format!("{start}."),
        start.to_owned(),
        format!("{start}.{}", "A".repeat(43)),
        format!(" {token}"),
        format!("{token}\n"),
    ] {
        refused(&odd);
    }
}
