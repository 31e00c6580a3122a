//! Every failure, and the one body that it becomes.
//!
//! Domain errors become a [`Failure`] in `domain`, and nowhere else; [`ErrorResponse::status`] is the one map from
//! failures to statuses. The causes of a 5xx are logged once, and never leave the server.

mod dialect;
mod domain;

use std::fmt::Display;
use std::time::Duration;

use password_auth_model::Role;
use password_auth_wire::{ErrorCode, FieldError};
use poem::error::{MethodNotAllowedError, NotFoundError};
use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::error::ParseParamError;

pub(super) use dialect::AnsweredCode;
pub(super) use dialect::{Dialect, ErrorResponse};

/// What went wrong with a request, as its client may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request is no HTTP, or broke off.
    Unreadable,
    /// The body is coded in a way that the server does not know, for its way through the network.
    UnknownTransferCoding,
    /// The body is not JSON.
    Malformed,
    /// The name or the password is empty.
    CredentialsRequired,
    /// Fields are missing, of a wrong type, or break a rule.
    Invalid(Vec<FieldError>),
    /// The name is taken.
    UserExists,
    /// Somebody else has verified the address.
    EmailExists,
    /// The password that a change asks for is wrong.
    WrongPassword,
    /// A mailed token that is no good.
    InvalidOneTimeToken,
    /// No address waits to be verified.
    NothingToVerify,
    /// The caller is none of these.
    PermissionDenied(&'static [Role]),
    /// He is the last active admin.
    LastAdmin,
    /// There is nowhere to send mail.
    MailNotConfigured,
    /// Unknown user or wrong password.
    InvalidCredentials,
    /// The right password of a disabled account.
    AccountDisabled,
    /// A page of another site sent the form.
    CrossSite,
    /// Too many tries; the next may come after this long.
    TooManyAttempts(Duration),
    /// The refresh token does not count.
    InvalidRefreshToken,
    /// The session has expired.
    RefreshTokenExpired,
    /// A superseded refresh token came back.
    RefreshTokenReused,
    /// No bearer token.
    MissingToken,
    /// The access token has expired.
    TokenExpired,
    /// The access token does not count.
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
    /// Busy, or the store can not answer; asking again after this long is right.
    Unavailable(Duration),
}

impl Failure {
    /// Logs the cause of a failure that is the server's.
    pub fn internal(cause: impl Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::Internal
    }

    /// The code for programs.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
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
            Self::AccountDisabled => ErrorCode::AccountDisabled,
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

    /// The failure, as routes of that dialect tell it.
    #[must_use]
    pub(super) const fn in_dialect(&self, dialect: Dialect) -> ErrorResponse<'_> {
        ErrorResponse {
            failure: self,
            dialect,
        }
    }

    /// What poem, or one of its extractors, failed with.
    #[must_use]
    pub fn from_framework(error: &poem::Error) -> Self {
        if error.is::<NotFoundError>() {
            return Self::NotFound;
        }
        if error.is::<MethodNotAllowedError>() {
            return Self::MethodNotAllowed;
        }
        if let Some(ParseParamError { name, .. }) = error.downcast_ref() {
            return Self::Invalid(vec![FieldError {
                field: (*name).to_owned(),
                code: "invalid".to_owned(),
                message: format!("The parameter {name} is not valid."),
            }]);
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

/// The demo's dialect, which the front speaks too: what it refuses is told alike in both.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.in_dialect(Dialect::Demo).response()
    }
}

impl From<Failure> for poem::Error {
    fn from(failure: Failure) -> Self {
        failure.in_dialect(Dialect::Demo).error()
    }
}
