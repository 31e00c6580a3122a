//! One-time tokens, which mailed links carry. A token is random, stored as a hash, and valid once and for one purpose.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_wire::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::clock::Timestamp;
use super::email_address::EmailAddress;
use super::id::UserId;

/// Random bytes of a token. 256 bits cannot be guessed, so a fast hash is enough.
const TOKEN_BYTES: usize = 32;

/// The SHA-256 hash of a token, which the store keeps instead of the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a presented token, which may be any text.
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

/// A new token, with its hash.
pub(crate) fn random_token() -> Result<(Secret, TokenHash), getrandom::Error> {
    let mut bytes = zeroize::Zeroizing::new([0; TOKEN_BYTES]);
    getrandom::fill(&mut *bytes)?;
    let token = Secret::new(URL_SAFE_NO_PAD.encode(*bytes));
    let hash = TokenHash::of(token.expose());
    Ok((token, hash))
}

/// What a token is valid for. A token for another purpose is refused, and so is one that was mailed to an address that
/// the user no longer has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Choosing a new password. Using it also proves that the user reads this address.
    ResetPassword(EmailAddress),
    /// Verifying the address of the account.
    VerifyEmail(EmailAddress),
    /// Changing the address of the account to this one.
    ChangeEmail(EmailAddress),
    /// None: it was used for one of the two above. Until it expires, a second press of the button gets the same
    /// success.
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

/// A one-time token, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeToken {
    /// The token's hash.
    pub hash: TokenHash,
    /// The user it is for.
    pub user: UserId,
    /// What it is valid for.
    pub purpose: Purpose,
    /// When it expires.
    pub expires: Timestamp,
}

impl OneTimeToken {
    /// A new token: the text for the mail, and the record for the store.
    ///
    /// # Errors
    /// If the system provides no random bytes.
    pub fn new(
        user: UserId,
        purpose: Purpose,
        expires: Timestamp,
    ) -> Result<(Secret, Self), getrandom::Error> {
        let (token, hash) = random_token()?;
        let kept = Self {
            hash,
            user,
            purpose,
            expires,
        };
        Ok((token, kept))
    }
}
