//! How failures are rendered in either dialect: status, message and headers. The codes are the same in both.

use std::time::Duration;

use password_auth_wire::{ErrorBody, ErrorCode, FieldError};
use poem::Response;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};

use super::Failure;

/// The dialect of a route's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The demo's, at the root.
    Demo,
    /// That of `/api/v1`.
    V1,
}

impl Dialect {
    /// The dialect of the routes at `path`.
    #[must_use]
    pub(crate) fn of(path: &str) -> Self {
        match path.strip_prefix("/api/v1") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::V1,
            _ => Self::Demo,
        }
    }
}

/// A failure in a dialect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorResponse<'a> {
    pub(super) failure: &'a Failure,
    pub(super) dialect: Dialect,
}

impl ErrorResponse<'_> {
    /// The status. The demo answers 400 where `/api/v1` answers 409 or 401.
    #[must_use]
    pub(crate) const fn status(&self) -> StatusCode {
        match self.failure {
            Failure::Unreadable
            | Failure::Malformed
            | Failure::CredentialsRequired
            | Failure::WrongPassword
            | Failure::InvalidCode
            | Failure::InvalidPasskey
            | Failure::InvalidOneTimeToken
            | Failure::NothingToVerify => StatusCode::BAD_REQUEST,
            Failure::UserExists | Failure::EmailExists => match self.dialect {
                Dialect::Demo => StatusCode::BAD_REQUEST,
                Dialect::V1 => StatusCode::CONFLICT,
            },
            Failure::InvalidRefreshToken
            | Failure::RefreshTokenExpired
            | Failure::RefreshTokenReused => match self.dialect {
                Dialect::Demo => StatusCode::BAD_REQUEST,
                Dialect::V1 => StatusCode::UNAUTHORIZED,
            },
            Failure::InvalidCredentials
            | Failure::SecondFactorRequired(..)
            | Failure::WrongSecondFactor
            | Failure::WrongPasskey
            | Failure::ChallengeExpired
            | Failure::MissingToken
            | Failure::TokenExpired
            | Failure::InvalidToken => StatusCode::UNAUTHORIZED,
            Failure::ProofRequired
            | Failure::AccountDisabled
            | Failure::PermissionDenied(_)
            | Failure::RegistrationClosed
            | Failure::Uninvited
            | Failure::CrossSite => StatusCode::FORBIDDEN,
            Failure::NotFound | Failure::PasskeysNotConfigured => StatusCode::NOT_FOUND,
            Failure::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Failure::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Failure::LastAdmin | Failure::FactorExists => StatusCode::CONFLICT,
            Failure::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Failure::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Failure::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Failure::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Failure::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Failure::UnknownTransferCoding => StatusCode::NOT_IMPLEMENTED,
            Failure::MailNotConfigured | Failure::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The body.
    #[must_use]
    pub(crate) fn body(&self) -> ErrorBody {
        let code = self.failure.code();
        match (self.failure, self.dialect) {
            (Failure::Unreadable | Failure::UnknownTransferCoding, _) => {
                ErrorBody::with_message(code, "The request cannot be understood.")
            }
            (Failure::CredentialsRequired, _) => {
                ErrorBody::with_message(code, ErrorCode::CREDENTIALS_REQUIRED)
            }
            (Failure::Invalid(errors), _) => ErrorBody {
                errors: errors.clone(),
                ..ErrorBody::with_message(code, sentence(errors))
            },
            (Failure::SecondFactorRequired(challenge, methods), _) => ErrorBody {
                challenge: Some(challenge.clone()),
                methods: methods.iter().map(|name| (*name).to_owned()).collect(),
                ..ErrorBody::new(code)
            },
            (Failure::PermissionDenied(roles), _) => {
                let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
                let names = names.join("', '");
                let message = format!("Permission denied. Required roles: ['{names}']");
                ErrorBody::with_message(code, message)
            }
            (Failure::Uninvited, _) => ErrorBody::with_message(
                code,
                "This invitation has expired or was already used. Ask for another one.",
            ),
            (Failure::InvalidCredentials, Dialect::V1) => {
                ErrorBody::with_message(code, "Incorrect username or password")
            }
            (Failure::MissingToken, Dialect::V1) => {
                ErrorBody::with_message(code, "Not authenticated")
            }
            (Failure::InvalidToken | Failure::TokenExpired, Dialect::V1) => {
                ErrorBody::with_message(code, "Could not validate credentials")
            }
            _ => ErrorBody::new(code),
        }
    }

    /// The header that goes with the status: `WWW-Authenticate` (RFC 6750 §3) or `Retry-After` (RFC 9110
    /// §10.2.3).
    #[must_use]
    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let challenge = |text| Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(text)));
        match self.failure {
            Failure::TokenExpired => challenge(
                r#"Bearer realm="password-auth", error="invalid_token", error_description="The access token expired""#,
            ),
            Failure::InvalidToken => {
                challenge(r#"Bearer realm="password-auth", error="invalid_token""#)
            }
            Failure::PermissionDenied(_) => {
                challenge(r#"Bearer realm="password-auth", error="insufficient_scope""#)
            }
            _ if self.status() == StatusCode::UNAUTHORIZED => {
                challenge(r#"Bearer realm="password-auth""#)
            }
            Failure::TooManyAttempts(wait) | Failure::Unavailable(wait) => {
                Some((header::RETRY_AFTER, HeaderValue::from(whole_seconds(*wait))))
            }
            // This only changes when the operator changes a setting.
            Failure::MailNotConfigured => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("3600")))
            }
            _ => None,
        }
    }

    /// The answer.
    #[must_use]
    pub(crate) fn response(&self) -> Response {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = Response::builder()
            .status(self.status())
            .content_type("application/json; charset=utf-8")
            .body(body);
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response.set_data(AnsweredCode(self.failure.code()));
        response
    }
}

/// The error code of a response, for the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnsweredCode(pub(crate) ErrorCode);

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1000)
        .max(1)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// One message from the messages of all fields.
fn sentence(errors: &[FieldError]) -> String {
    let sentences: Vec<&str> = errors.iter().map(|error| &*error.message).collect();
    if sentences.is_empty() {
        ErrorCode::ValidationFailed.message().to_owned()
    } else {
        sentences.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn routes_below_api_v1_alone_speak_its_dialect() {
        for path in [
            "/api/v1",
            "/api/v1/",
            "/api/v1/auth/login",
            "/api/v1/nothing",
        ] {
            assert_eq!(Dialect::of(path), Dialect::V1, "{path}");
        }
        for path in [
            "/",
            "/register",
            "/api",
            "/api/v10/auth/login",
            "/api/V1/auth",
            "//api/v1/auth",
        ] {
            assert_eq!(Dialect::of(path), Dialect::Demo, "{path}");
        }
    }
}
