use std::time::Duration;

use super::{
    AccessClaims, AccessToken, AccessTokenError, AccessTokens, CLIENT_ID, LEEWAY, SigningAlg,
};
use crate::tokens::{SigningKey, SigningKeys, TokenKeyPair};
use password_auth_model::{
    Generation, SessionId, Timestamp, TokenId, TokenKey, TokenKeyAction, TokenKeyChange, UserId,
};

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
    let (tokens, now) = (tokens(), Timestamp::from_millis(1_767_225_600_000));
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
fn a_token_that_differs_in_one_byte_from_a_remembered_one_is_verified_by_itself() {
    let (tokens, now) = (tokens(), Timestamp::from_millis(1_767_225_600_000));
    let token = tokens.issue(&claims(now), now).expect("signed");
    tokens.verify(token.expose(), now).expect("valid");
    let bytes = token.expose().as_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("a text");
        let refused = tokens.verify(&changed, now);
        assert_eq!(refused, Err(AccessTokenError::Invalid), "byte {at}");
    }
    let other = AccessTokens::new(
        &SigningKeys::new(SigningKey::random().expect("a key"), Vec::new()),
        SigningAlg::Hs256,
        "tests",
    );
    assert!(other.verify(token.expose(), now).is_err());
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
    let key = SigningKey::random().expect("a key");
    let keys = SigningKeys::new(key, Vec::new());
    let tokens = AccessTokens::new(&keys, SigningAlg::EdDsa, "tests");
    changed(&tokens, TokenKeyAction::Use, now);
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
