//! All failures, and the error body.
//!
//! Domain errors become a [`Failure`] in `domain`, and nowhere else; [`ErrorResponse::status`] is the one map from
//! failures to statuses. The causes of a 5xx are logged once, and never leave the server.

mod dialect;
mod domain;
mod fields;

use std::fmt::Display;
use std::time::Duration;

use password_auth_model::Role;
use password_auth_wire::{ErrorCode, FieldError, Secret};
use poem::error::{MethodNotAllowedError, NotFoundError};
use poem::http::StatusCode;
use poem_openapi::error::ParseParamError;

pub(super) use dialect::{AnsweredCode, Dialect, ErrorResponse};

/// What went wrong with a request, as its client may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The request is not valid HTTP or is incomplete.
    Unreadable,
    /// The body has a transfer coding that the server does not support.
    UnknownTransferCoding,
    /// The body is not JSON.
    Malformed,
    /// The name or the password is empty.
    CredentialsRequired,
    /// Fields are missing, of a wrong type, or break a rule.
    Invalid(Vec<FieldError>),
    /// The name is taken.
    UserExists,
    /// Another user has verified the address.
    EmailExists,
    /// The current password in the request is wrong.
    WrongPassword,
    /// A mailed token that is not valid.
    InvalidOneTimeToken,
    /// There is no address to verify.
    NothingToVerify,
    /// The caller has none of these roles.
    PermissionDenied(&'static [Role]),
    /// The user is the last active admin.
    LastAdmin,
    /// The server is not configured to send mail.
    MailNotConfigured,
    /// Unknown user or wrong password.
    InvalidCredentials,
    /// The password is right, and a second factor is needed: the challenge, and the names of the factors.
    SecondFactorRequired(Secret, Vec<&'static str>),
    /// The second factor of a sign-in is wrong.
    WrongSecondFactor,
    /// A code in the request of a signed-in user is wrong.
    InvalidCode,
    /// The passkey of a sign-in is not valid.
    WrongPasskey,
    /// A passkey in the request of a signed-in user is not valid.
    InvalidPasskey,
    /// The server is not configured for passkeys.
    PasskeysNotConfigured,
    /// The challenge is not valid.
    ChallengeExpired,
    /// The session must prove first who uses it.
    ProofRequired,
    /// The account has an authenticator app.
    FactorExists,
    /// The account is disabled. Only correct credentials reveal this.
    AccountDisabled,
    /// Registration is closed or needs an invitation, and there is none.
    RegistrationClosed,
    /// The invitation was used, was removed or has expired.
    Uninvited,
    /// A page of another site sent the form.
    CrossSite,
    /// Too many attempts. The next one is allowed after this time.
    TooManyAttempts(Duration),
    /// The refresh token is not valid.
    InvalidRefreshToken,
    /// The session has expired.
    RefreshTokenExpired,
    /// A superseded refresh token came back.
    RefreshTokenReused,
    /// No bearer token.
    MissingToken,
    /// The access token has expired.
    TokenExpired,
    /// The access token is not valid.
    InvalidToken,
    /// Nothing there.
    NotFound,
    /// The path has other methods.
    MethodNotAllowed,
    /// The body took too long.
    RequestTimeout,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not JSON by its type.
    UnsupportedMediaType,
    /// The server failed, and logged why.
    Internal,
    /// The server is busy, or the store does not respond. Retry after this time.
    Unavailable(Duration),
}

impl Failure {
    /// Logs the cause of an internal failure.
    pub(crate) fn internal(cause: impl Display) -> Self {
        let during = password_auth_core::tracing_context::request().map(tracing::field::display);
        tracing::error!(%cause, during, "a request failed");
        Self::Internal
    }

    /// The code for programs.
    #[must_use]
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Unreadable | Self::UnknownTransferCoding | Self::Malformed => {
                ErrorCode::MalformedRequest
            }
            Self::CredentialsRequired | Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::UserExists => ErrorCode::UserExists,
            Self::EmailExists => ErrorCode::EmailExists,
            Self::WrongPassword => ErrorCode::WrongPassword,
            Self::InvalidOneTimeToken => ErrorCode::InvalidOneTimeToken,
            Self::NothingToVerify => ErrorCode::NothingToVerify,
            Self::PermissionDenied(_) => ErrorCode::PermissionDenied,
            Self::LastAdmin => ErrorCode::LastAdmin,
            Self::MailNotConfigured => ErrorCode::MailNotConfigured,
            Self::InvalidCredentials => ErrorCode::InvalidCredentials,
            Self::SecondFactorRequired(..) => ErrorCode::SecondFactorRequired,
            Self::WrongSecondFactor | Self::InvalidCode => ErrorCode::InvalidCode,
            Self::WrongPasskey | Self::InvalidPasskey => ErrorCode::InvalidPasskey,
            Self::PasskeysNotConfigured => ErrorCode::PasskeysNotConfigured,
            Self::ChallengeExpired => ErrorCode::ChallengeExpired,
            Self::ProofRequired => ErrorCode::ProofRequired,
            Self::FactorExists => ErrorCode::FactorExists,
            Self::AccountDisabled => ErrorCode::AccountDisabled,
            Self::RegistrationClosed | Self::Uninvited => ErrorCode::RegistrationClosed,
            Self::CrossSite => ErrorCode::CrossSite,
            Self::TooManyAttempts(_) => ErrorCode::TooManyAttempts,
            Self::InvalidRefreshToken => ErrorCode::InvalidRefreshToken,
            Self::RefreshTokenExpired => ErrorCode::RefreshTokenExpired,
            Self::RefreshTokenReused => ErrorCode::RefreshTokenReused,
            Self::MissingToken => ErrorCode::MissingToken,
            Self::TokenExpired => ErrorCode::TokenExpired,
            Self::InvalidToken => ErrorCode::InvalidToken,
            Self::NotFound => ErrorCode::NotFound,
            Self::MethodNotAllowed => ErrorCode::MethodNotAllowed,
            Self::RequestTimeout => ErrorCode::RequestTimeout,
            Self::PayloadTooLarge => ErrorCode::PayloadTooLarge,
            Self::UnsupportedMediaType => ErrorCode::UnsupportedMediaType,
            Self::Internal => ErrorCode::InternalError,
            Self::Unavailable(_) => ErrorCode::ServiceUnavailable,
        }
    }

    /// The failure in this dialect.
    #[must_use]
    pub(super) const fn in_dialect(&self, dialect: Dialect) -> ErrorResponse<'_> {
        ErrorResponse {
            failure: self,
            dialect,
        }
    }

    /// The failure that an error carries, or what an error of poem or its extractors means.
    #[must_use]
    pub(crate) fn of(error: &poem::Error) -> Self {
        if let Some(failure) = error.data::<Self>() {
            return failure.clone();
        }
        if error.is::<NotFoundError>() {
            return Self::NotFound;
        }
        if error.is::<MethodNotAllowedError>() {
            return Self::MethodNotAllowed;
        }
        if let Some(ParseParamError { name, .. }) = error.downcast_ref() {
            return Self::of_parameter(name);
        }
        match error.status() {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::UNAUTHORIZED => Self::InvalidToken,
            status if status.is_client_error() => Self::Unreadable,
            _ => Self::internal(error),
        }
    }
}

/// An error carries the failure; the middleware renders it, once, in the dialect of the route.
impl From<Failure> for poem::Error {
    fn from(failure: Failure) -> Self {
        let mut error = Self::from_status(StatusCode::INTERNAL_SERVER_ERROR);
        error.set_data(failure);
        error
    }
}
