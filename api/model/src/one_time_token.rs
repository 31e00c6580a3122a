//! One-time tokens: what a mailed link carries. Random, kept as a hash, good for one purpose and once.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_wire::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::clock::Timestamp;
use super::email_address::EmailAddress;
use super::id::UserId;

/// Random bytes of a token: nobody guesses 256 bits, so a fast hash keeps them well enough.
const TOKEN_BYTES: usize = 32;

/// What the store keeps in place of a token: SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token that somebody presents, whatever it is.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// What a token is good for. One of another purpose is worthless, and so is one that was mailed to an address
/// that the person has no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Choosing a new password; whoever does it has shown that he reads this address.
    ResetPassword(EmailAddress),
    /// Showing that one reads the address of the account.
    VerifyEmail(EmailAddress),
    /// Making this the address of the account.
    ChangeEmail(EmailAddress),
    /// Nothing any more: it was used for one of the two before. Whoever presses the button twice is told that it is
    /// done, until the token expires.
    ConfirmedEmail(EmailAddress),
}

impl Purpose {
    /// The address that the token was mailed to.
    #[must_use]
    pub const fn address(&self) -> &EmailAddress {
        match self {
            Self::ResetPassword(address)
            | Self::VerifyEmail(address)
            | Self::ChangeEmail(address)
            | Self::ConfirmedEmail(address) => address,
        }
    }
}

/// A one-time token, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeToken {
    /// The token's hash.
    pub hash: TokenHash,
    /// Whose account it is for.
    pub user: UserId,
    /// What it is good for.
    pub purpose: Purpose,
    /// From when on it is good for nothing.
    pub expires: Timestamp,
}

impl OneTimeToken {
    /// A new token: for whoever reads the mail, and as it is kept.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(
        user: UserId,
        purpose: Purpose,
        expires: Timestamp,
    ) -> Result<(Secret, Self), getrandom::Error> {
        let mut bytes = zeroize::Zeroizing::new([0; TOKEN_BYTES]);
        getrandom::fill(&mut *bytes)?;
        let token = Secret::new(URL_SAFE_NO_PAD.encode(*bytes));
        let hash = TokenHash::of(token.expose());
        let kept = Self {
            hash,
            user,
            purpose,
            expires,
        };
        Ok((token, kept))
    }
}
