//! Public keys.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_model::{Timestamp, TokenKey};
use password_auth_store::Record;
use serde::{Deserialize, Serialize};

/// The bytes are base64url.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct TokenKeyLine {
    salt: String,
    secret: String,
    public: String,
    created: Timestamp,
    signs_from: Timestamp,
    stops: Option<Timestamp>,
    /// Milliseconds.
    token_lifetime: u64,
}

impl From<TokenKey> for TokenKeyLine {
    fn from(key: TokenKey) -> Self {
        Self {
            salt: URL_SAFE_NO_PAD.encode(key.salt),
            secret: URL_SAFE_NO_PAD.encode(key.secret),
            public: URL_SAFE_NO_PAD.encode(key.public),
            created: key.created,
            signs_from: key.signs_from,
            stops: key.stops,
            token_lifetime: u64::try_from(key.token_lifetime.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl TokenKeyLine {
    pub(super) fn record(&self) -> Option<Record> {
        Some(Record::TokenKey(TokenKey {
            salt: bytes(&self.salt)?,
            secret: bytes(&self.secret)?,
            public: bytes(&self.public)?,
            created: self.created,
            signs_from: self.signs_from,
            stops: self.stops,
            token_lifetime: Duration::from_millis(self.token_lifetime),
        }))
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
