//! Why something about a sign-in was not done.

use password_auth_store::StoreError;

use crate::tokens::AccessTokenError;

/// Why an access token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The token was good, and has expired.
    #[error("the access token has expired")]
    Expired,
    /// The token is not good, or its session is over.
    #[error("the access token is not valid")]
    Invalid,
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a refresh token got no successor.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// No key of ours made it, or its session is over.
    #[error("the refresh token is not valid")]
    Invalid,
    /// The session has reached its end.
    #[error("the session has expired")]
    Expired,
    /// The session was ended, now or before, because a superseded token came back.
    #[error("a used refresh token came again")]
    Reused,
    /// Issuing did not work.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// What can fail when tokens are issued.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing library failed.
    #[error("signing the access token failed")]
    Signing,
}

/// Why nobody was signed out.
#[derive(Debug, thiserror::Error)]
pub enum SignOutError {
    /// No key of ours made the token.
    #[error("the token does not belong to a session of this server")]
    Invalid,
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AccessTokenError> for AuthenticateError {
    fn from(error: AccessTokenError) -> Self {
        match error {
            AccessTokenError::Expired => Self::Expired,
            AccessTokenError::Invalid => Self::Invalid,
        }
    }
}
