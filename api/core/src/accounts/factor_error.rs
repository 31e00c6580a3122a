//! Why second factors are not changed.

use std::time::Duration;

use password_auth_model::FactorRefusal;
use password_auth_store::StoreError;

use super::CurrentPasswordError;
use super::second_step::CodeError;
use crate::tokens::SealingError;
use crate::webauthn::InvalidCredential;

/// Why factors were not changed.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// The password is wrong, or could not be checked.
    #[error(transparent)]
    Proof(#[from] CurrentPasswordError),
    /// The code is wrong, or was used before.
    #[error("the code is wrong")]
    WrongCode,
    /// There is an authenticator app.
    #[error("there is an authenticator app")]
    AlreadyEnrolled,
    /// There is no such passkey.
    #[error("there is no such passkey")]
    UnknownPasskey,
    /// Passkeys are not configured.
    #[error("passkeys are not configured")]
    NoPasskeys,
    /// The passkey is not valid, or the authenticator has one already, or there are too many.
    #[error("the passkey is not valid")]
    InvalidPasskey,
    /// The challenge is unknown, used or expired.
    #[error("the challenge is not valid")]
    ChallengeExpired,
    /// The name of the passkey breaks a rule.
    #[error("the name breaks a rule")]
    BadName,
    /// The session did not prove lately who uses it.
    #[error("the session must prove who uses it")]
    Unproved,
    /// Too many attempts. The next one is allowed after this time.
    #[error("too many tries")]
    TooMany(Duration),
    /// The password was changed meanwhile.
    #[error("the password was changed")]
    SignedOut,
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Randomness(#[from] getrandom::Error),
    /// A secret could not be sealed.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CodeError> for FactorError {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::Wrong => Self::WrongCode,
            CodeError::ChallengeUsed => Self::SignedOut,
            CodeError::TooMany(wait) => Self::TooMany(wait),
            CodeError::Store(error) => error.into(),
        }
    }
}

impl From<InvalidCredential> for FactorError {
    fn from(_: InvalidCredential) -> Self {
        Self::InvalidPasskey
    }
}

impl From<FactorRefusal> for FactorError {
    fn from(refusal: FactorRefusal) -> Self {
        match refusal {
            FactorRefusal::AlreadyEnrolled => Self::AlreadyEnrolled,
            FactorRefusal::UnknownPasskey => Self::UnknownPasskey,
            FactorRefusal::PasskeyRefused => Self::InvalidPasskey,
            FactorRefusal::ChallengeUsed => Self::ChallengeExpired,
            FactorRefusal::NotAccepted | FactorRefusal::NothingWaits => Self::WrongCode,
        }
    }
}
