//! Errors of the session use cases.

use password_auth_store::StoreError;

use crate::tokens::AccessTokenError;

/// Why an access token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The token has expired.
    #[error("the access token has expired")]
    Expired,
    /// The token is not valid, or its session has ended.
    #[error("the access token is not valid")]
    Invalid,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a refresh token was not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// It was not made with one of our keys, or its session has ended.
    #[error("the refresh token is not valid")]
    Invalid,
    /// The session has expired.
    #[error("the session has expired")]
    Expired,
    /// The session was ended, now or earlier, because a superseded token came back.
    #[error("a used refresh token came again")]
    Reused,
    /// Issuing the tokens failed.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Why tokens could not be issued.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing library failed.
    #[error("signing the access token failed")]
    Signing,
}

/// Why a sign-out failed.
#[derive(Debug, thiserror::Error)]
pub enum SignOutError {
    /// The token was not made with one of our keys.
    #[error("the token does not belong to a session of this server")]
    Invalid,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AccessTokenError> for AuthenticateError {
    fn from(error: AccessTokenError) -> Self {
        match error {
            AccessTokenError::Expired => Self::Expired,
            AccessTokenError::Invalid | AccessTokenError::UnknownKey => Self::Invalid,
        }
    }
}
