//! Tokens: signing keys, access tokens, refresh tokens, one-time tokens.
//!
//! This module makes and reads them; whether a session behind a token still counts is `sessions`' to say.

mod access;
mod keyfile;
mod keys;
mod refresh;

pub use access::{AccessClaims, AccessTokenError, AccessTokens, CLIENT_ID, LEEWAY};
pub use keyfile::{KeyFileError, WrittenKeys, install, load, load_or_create};
pub use keys::{Kid, MIN_SECRET_BYTES, SigningKey, SigningKeys};
pub use refresh::{Presented, RefreshTokens};
