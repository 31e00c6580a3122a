//! What each use case's errors are to a client. The causes of a 5xx are logged here, once.

use std::time::Duration;

use password_auth_wire::FieldError;
use password_auth_wire::rules::Violation;
use poem::error::ReadBodyError;

use super::Failure;
use crate::accounts::{Invalid, RegisterError, SignInError};
use crate::passwords::{Busy, HashingError};
use crate::sessions::{AuthenticateError, RefreshError, SessionError};
use crate::store::StoreError;

/// When to ask again after the store was busy.
const STORE_RETRY: Duration = Duration::from_secs(1);

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        let field = |name: &str, violation: Option<Violation>| {
            violation.map(|violation| FieldError {
                field: name.to_owned(),
                code: violation.code().to_owned(),
                message: violation.message().to_owned(),
            })
        };
        let errors = [
            field("username", invalid.username),
            field("password", invalid.password),
        ];
        Self::Invalid(errors.into_iter().flatten().collect())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Unavailable(STORE_RETRY),
            StoreError::Unavailable(cause) => {
                tracing::error!(cause, "the store can not answer");
                Self::Unavailable(STORE_RETRY)
            }
            StoreError::Corrupt(cause) | StoreError::BrokeOff(cause) => Self::internal(cause),
        }
    }
}

impl From<HashingError> for Failure {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy(Busy) => Self::Unavailable(Busy::RETRY_AFTER),
            HashingError::Failed(cause) => Self::internal(cause),
            HashingError::Aborted => Self::internal(error),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::Signing => Self::internal(error),
        }
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Empty => Self::CredentialsRequired,
            RegisterError::Invalid(invalid) => invalid.into(),
            RegisterError::NameTaken => Self::UserExists,
            RegisterError::TooMany(wait) => Self::TooManyAttempts(wait),
            RegisterError::Hashing(error) => error.into(),
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Empty => Self::CredentialsRequired,
            SignInError::Refused => Self::InvalidCredentials,
            SignInError::Disabled => Self::AccountDisabled,
            SignInError::TooMany(wait) => Self::TooManyAttempts(wait),
            SignInError::Hashing(error) => error.into(),
            SignInError::Session(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<AuthenticateError> for Failure {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Expired => Self::TokenExpired,
            AuthenticateError::Invalid => Self::InvalidToken,
            AuthenticateError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Failure {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid => Self::InvalidRefreshToken,
            RefreshError::Expired => Self::RefreshTokenExpired,
            RefreshError::Reused => Self::RefreshTokenReused,
            RefreshError::Session(error) => error.into(),
        }
    }
}

impl From<ReadBodyError> for Failure {
    fn from(error: ReadBodyError) -> Self {
        match error {
            ReadBodyError::PayloadTooLarge => Self::PayloadTooLarge,
            // The client broke off, or its chunks are malformed.
            _ => Self::Unreadable,
        }
    }
}
