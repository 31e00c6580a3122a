//! No text makes a token's reader panic, and none but our own is read.

use password_auth_model::{Generation, SessionId, Timestamp};
use password_auth_testing::fuzz;

use super::{AccessTokens, RefreshTokens, SigningKey, SigningKeys};

fn keys() -> SigningKeys {
    let key = SigningKey::new(&[7; 32]).expect("long enough");
    SigningKeys::new(key, vec![SigningKey::new(&[8; 32]).expect("long enough")])
}

#[test]
fn fuzz_tokens() {
    let (access, refresh) = (
        AccessTokens::new(&keys(), super::SigningAlg::Hs256, "password-auth"),
        RefreshTokens::new(&keys()),
    );
    let session = SessionId::new(Timestamp::from_millis(1_700_000_000_000));
    let ours = refresh.issue(session, Generation(3));
    fuzz("tokens", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        assert!(
            access.verify_ignoring_expiry(&text).is_err(),
            "nobody else can sign"
        );
        assert!(refresh.read(&text).is_none(), "nobody else can sign");
        // A token that was changed anywhere is none.
        let at = bytes.len() % ours.expose().len();
        let mut changed = ours.expose().to_owned();
        changed.replace_range(at..=at, &text);
        assert_eq!(refresh.read(&changed).is_some(), changed == ours.expose());
    });
}
