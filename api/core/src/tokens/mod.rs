//! Tokens: signing keys and key pairs, access tokens, refresh tokens, challenges. And what else is kept with the signing
//! keys: sealed secrets.
//!
//! This module creates and verifies tokens. Whether the session of a token is still valid is up to `sessions`.

mod access;
mod challenge;
#[cfg(test)]
mod fuzz;
mod key_pair;
mod keyfile;
mod keys;
mod mac;
mod refresh;
mod sealed;

pub use access::{
    AccessClaims, AccessToken, AccessTokenError, AccessTokens, CLIENT_ID, SigningAlg,
};
pub(crate) use challenge::{Challenge, ChallengePurpose, Challenges};
pub use key_pair::NoRandomness;
pub(crate) use key_pair::TokenKeyPair;
pub use keyfile::{KeyFileError, WrittenKeys, install, load, load_or_create};
pub use keys::{Kid, MIN_SECRET_BYTES, SigningKey, SigningKeys};
pub use refresh::{Presented, RefreshTokens};
pub use sealed::SealingError;
pub(crate) use sealed::Seals;
