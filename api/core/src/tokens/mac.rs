//! The MAC of refresh tokens and challenges: HMAC-SHA-256 (RFC 2104).

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

/// Of `message`, and of whatever it is updated with. To verify one, use `verify_slice`: it compares in constant time.
pub(super) fn mac(key: &[u8; 32], message: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length");
    mac.update(message);
    mac
}
