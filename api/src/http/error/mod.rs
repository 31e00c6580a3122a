//! Every failure, and the one body that it becomes.
//!
//! Domain errors become a [`Failure`] in `domain`, and nowhere else; [`Failure::status`] is the one map from
//! failures to statuses. The causes of a 5xx are logged once, and never leave the server.

mod domain;

use std::fmt::Display;
use std::time::Duration;

use password_auth_wire::{ErrorBody, ErrorCode, FieldError};
use poem::error::{MethodNotAllowedError, NotFoundError};
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};

/// What went wrong with a request, as its client may know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request is no HTTP, or broke off.
    Unreadable,
    /// The body is not JSON.
    Malformed,
    /// The name or the password is empty.
    CredentialsRequired,
    /// Fields are missing, of a wrong type, or break a rule.
    Invalid(Vec<FieldError>),
    /// The name is taken.
    UserExists,
    /// Unknown user or wrong password.
    InvalidCredentials,
    /// The right password of a disabled account.
    AccountDisabled,
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

    /// The status in the demo's dialect, which answers 400 where newer routes answer 409 or 401.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Unreadable
            | Self::Malformed
            | Self::CredentialsRequired
            | Self::UserExists
            | Self::InvalidRefreshToken
            | Self::RefreshTokenExpired
            | Self::RefreshTokenReused => StatusCode::BAD_REQUEST,
            Self::InvalidCredentials
            | Self::MissingToken
            | Self::TokenExpired
            | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::AccountDisabled => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code for programs.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unreadable | Self::Malformed => ErrorCode::MalformedRequest,
            Self::CredentialsRequired | Self::Invalid(_) => ErrorCode::ValidationFailed,
            Self::UserExists => ErrorCode::UserExists,
            Self::InvalidCredentials => ErrorCode::InvalidCredentials,
            Self::AccountDisabled => ErrorCode::AccountDisabled,
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

    /// The body.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        match self {
            Self::Unreadable => {
                ErrorBody::with_message(self.code(), "The request can not be understood.")
            }
            Self::CredentialsRequired => {
                ErrorBody::with_message(self.code(), ErrorCode::CREDENTIALS_REQUIRED)
            }
            Self::Invalid(errors) => ErrorBody {
                errors: errors.clone(),
                ..ErrorBody::with_message(self.code(), sentence(errors))
            },
            _ => ErrorBody::new(self.code()),
        }
    }

    /// The header that goes with the status: `WWW-Authenticate` (RFC 6750 §3) or `Retry-After` (RFC 9110
    /// §10.2.3).
    #[must_use]
    pub fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let challenge = |text| Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(text)));
        match self {
            Self::TokenExpired => challenge(
                r#"Bearer realm="password-auth", error="invalid_token", error_description="The access token expired""#,
            ),
            Self::InvalidToken => {
                challenge(r#"Bearer realm="password-auth", error="invalid_token""#)
            }
            _ if self.status() == StatusCode::UNAUTHORIZED => {
                challenge(r#"Bearer realm="password-auth""#)
            }
            Self::TooManyAttempts(wait) | Self::Unavailable(wait) => {
                Some((header::RETRY_AFTER, HeaderValue::from(whole_seconds(*wait))))
            }
            _ => None,
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

/// The code of an answer that is a failure: for the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnsweredCode(pub(super) ErrorCode);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = Response::builder()
            .status(self.status())
            .content_type("application/json; charset=utf-8")
            .body(body);
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response.set_data(AnsweredCode(self.code()));
        response
    }
}

impl From<Failure> for poem::Error {
    fn from(failure: Failure) -> Self {
        let code = failure.code();
        let mut error = Self::from_response(failure.into_response());
        // poem carries the error's data over to the answer, and not the response's own.
        error.set_data(AnsweredCode(code));
        error
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1000)
        .max(1)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// One sentence for people out of the fields'.
fn sentence(errors: &[FieldError]) -> String {
    let sentences: Vec<&str> = errors.iter().map(|error| &*error.message).collect();
    if sentences.is_empty() {
        ErrorCode::ValidationFailed.message().to_owned()
    } else {
        sentences.join(" ")
    }
}
