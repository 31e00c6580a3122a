//! No text makes a token's reader panic, and none but our own is read.

use password_auth_model::{Generation, SessionId, Timestamp, UserId};
use password_auth_testing::fuzz;
use password_auth_wire::Secret;

use super::{AccessTokens, Challenges, RefreshTokens, Seals, SigningKey, SigningKeys};

fn keys() -> SigningKeys {
    let key = SigningKey::new(&[7; 32]).expect("long enough");
    SigningKeys::new(key, vec![SigningKey::new(&[8; 32]).expect("long enough")])
}

/// With `text` instead of one of its letters.
fn changed(token: &Secret, text: &str) -> String {
    let mut token = token.expose().to_owned();
    let at = text.len() % token.len();
    token.replace_range(at..=at, text);
    token
}

#[test]
fn fuzz_tokens() {
    let (access, refresh) = (
        AccessTokens::new(&keys(), super::SigningAlg::Hs256, "password-auth"),
        RefreshTokens::new(&keys()),
    );
    let (challenges, seals) = (Challenges::new(&keys()), Seals::new(&keys()));
    let now = Timestamp::from_millis(1_700_000_000_000);
    let challenge = challenges.issue_to_anybody(now).expect("random");
    let user = UserId::new(now);
    let sealed = seals.seal(user, b"a secret").expect("random");
    let session = SessionId::new(now);
    let ours = refresh.issue(session, Generation(3));
    fuzz("tokens", move |bytes| {
        let text = String::from_utf8_lossy(bytes);
        assert!(
            access.verify_ignoring_expiry(&text).is_err(),
            "nobody else can sign"
        );
        // Comparing tells libFuzzer what ours are, so it tries them.
        let is_ours = text == ours.expose();
        assert_eq!(refresh.read(&text).is_some(), is_ours);
        let is_ours = text == challenge.expose();
        assert_eq!(challenges.read(&text, now).is_some(), is_ours);
        let is_ours = bytes == sealed.as_slice();
        assert_eq!(seals.open(user, &bytes.into()).is_some(), is_ours);
        // What was changed anywhere is none.
        let other = changed(&ours, &text);
        assert_eq!(refresh.read(&other).is_some(), other == ours.expose());
        let other = changed(&challenge, &text);
        let is_ours = other == challenge.expose();
        assert_eq!(challenges.read(&other, now).is_some(), is_ours);
        let mut other = sealed.as_slice().to_vec();
        let at = bytes.len() % other.len();
        other.splice(at..=at, bytes.iter().copied());
        let is_ours = other == sealed.as_slice();
        assert_eq!(seals.open(user, &other.into()).is_some(), is_ours);
    });
}
