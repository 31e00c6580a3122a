//! Why a sign-in does not begin a session, and what is still needed.

use std::time::Duration;

use password_auth_store::StoreError;
use password_auth_wire::Secret;

use crate::passwords::HashingError;
use crate::sessions::SessionError;

/// A kind of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// An authenticator app.
    Totp,
    /// A recovery code.
    RecoveryCode,
    /// A passkey.
    Passkey,
}

/// What is needed beside the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondStep {
    /// For the second step. Good once, for five minutes.
    pub challenge: Secret,
    /// The factors that the account has.
    pub methods: Vec<FactorKind>,
}

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is empty.
    #[error("the name or the password is empty")]
    Empty,
    /// Unknown name or wrong password.
    #[error("unknown name or wrong password")]
    Refused,
    /// The account is disabled. Only correct credentials reveal this.
    #[error("the account is disabled")]
    Disabled,
    /// Too many attempts from this address or at this account. The next one is allowed after this time.
    #[error("too many tries")]
    TooMany(Duration),
    /// The password is right, and a second factor is needed.
    #[error("a second factor is needed")]
    SecondFactorRequired(SecondStep),
    /// The second factor is wrong. Only the right password reveals this.
    #[error("the second factor is wrong")]
    WrongFactor,
    /// The passkey is unknown or not valid.
    #[error("the passkey is not valid")]
    WrongPasskey,
    /// The challenge is unknown, used or expired, or the password was changed since.
    #[error("the challenge is not valid")]
    ChallengeExpired,
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Randomness(#[from] getrandom::Error),
    /// Hashing failed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// Starting the session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
