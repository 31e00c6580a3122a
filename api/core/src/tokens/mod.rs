//! Tokens: signing keys and key pairs, access tokens, refresh tokens, one-time tokens.
//!
//! This module creates and verifies tokens. Whether the session of a token is still valid is up to `sessions`.

mod access;
mod key_pair;
mod keyfile;
mod keys;
mod refresh;

pub use access::{
    AccessClaims, AccessToken, AccessTokenError, AccessTokens, CLIENT_ID, LEEWAY, SigningAlg,
};
pub use key_pair::{NoRandomness, TokenKeyPair};
pub use keyfile::{KeyFileError, WrittenKeys, install, load, load_or_create};
pub use keys::{Kid, MIN_SECRET_BYTES, SigningKey, SigningKeys};
pub use refresh::{Presented, RefreshTokens};
