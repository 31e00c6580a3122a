//! What an access token says.

use std::time::Duration;

use password_auth_model::{Generation, Party, SessionId, Timestamp, TokenId, UserId};
use serde::{Deserialize, Serialize};

/// How long after `exp` a token is still accepted, since clocks differ.
pub(super) const LEEWAY: Duration = Duration::from_secs(5);

/// The `client_id` of every token: the extension is the only kind of client.
pub const CLIENT_ID: &str = "password-auth-extension";

/// The claims of an access token (RFC 9068 §2.2). All are required, except the [party](Self::party).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The issuer.
    pub iss: String,
    /// The audience: the same.
    pub aud: String,
    /// The kind of client.
    pub client_id: String,
    /// The user.
    pub sub: UserId,
    /// The user's name, as registered.
    pub preferred_username: String,
    /// The session.
    pub sid: SessionId,
    /// The generation of the refresh token that it came with.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The session's epoch when it was issued.
    pub epoch: u32,
    /// The client that it was issued to, as the session remembers clients. Older versions did not write it, and their
    /// tokens are valid until they expire.
    #[serde(default)]
    pub party: Option<Party>,
    /// Its own identifier.
    pub jti: TokenId,
    /// When it was issued: seconds since the Unix epoch.
    pub iat: u64,
    /// When it expires: seconds since the Unix epoch.
    pub exp: u64,
}

/// What a valid access token says: whose it is, and which session's. Whether the session counts is the store's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The generation of the refresh token that it came with.
    pub generation: Generation,
    /// The session's epoch when it was issued.
    pub epoch: u32,
    /// The client that it was issued to.
    pub party: Option<Party>,
    /// When it expires: seconds since the Unix epoch.
    pub(super) expires: u64,
}

impl AccessToken {
    /// Whether it is no longer accepted.
    #[must_use]
    pub(crate) const fn has_expired(&self, now: Timestamp) -> bool {
        now.as_secs() >= self.expires.saturating_add(LEEWAY.as_secs())
    }
}

impl From<AccessClaims> for AccessToken {
    fn from(claims: AccessClaims) -> Self {
        Self {
            user: claims.sub,
            session: claims.sid,
            generation: claims.generation,
            epoch: claims.epoch,
            party: claims.party,
            expires: claims.exp,
        }
    }
}

/// Why an access token is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// It has expired.
    #[error("the access token has expired")]
    Expired,
    /// A key pair signed it that this node does not know. Another node may have added it a moment ago.
    #[error("no key is known that signed the access token")]
    UnknownKey,
    /// Anything else.
    #[error("not an access token of this server")]
    Invalid,
}
