//! The one error body, and its codes.

use serde::{Deserialize, Serialize};

use crate::Status;

/// Every failure, on every route: for programs by `code`, for people by `message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct ErrorBody {
    /// Always `error`.
    pub status: Status,
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// The same sentence again, for clients that were written against FastAPI.
    pub detail: String,
    /// With `validation_failed`: what is wrong with which field. Never the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", oai(default, skip_serializing_if_is_empty))]
    pub errors: Vec<FieldError>,
}

impl ErrorBody {
    /// The body for `code` with the sentence that is its own.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self::with_message(code, code.message())
    }

    /// The body for `code` with another sentence.
    pub fn with_message(code: ErrorCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status: Status::Error,
            code,
            detail: message.clone(),
            message,
            errors: Vec::new(),
        }
    }
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct FieldError {
    /// The field's name; empty for the body as a whole.
    pub field: String,
    /// For programs: `required`, `too_short`, `too_long`, `too_weak`, `invalid_characters`, `wrong_type`, ….
    pub code: String,
    /// For people.
    pub message: String,
}

macro_rules! error_codes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $name:literal, $message:literal; )+) => {
        /// What went wrong, for programs.
        ///
        /// Later versions may add codes: a client reads one that it does not know as `unknown`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(poem_openapi::Enum))]
        pub enum ErrorCode {
            $(
                $(#[doc = $doc])+
                #[serde(rename = $name)]
                #[cfg_attr(feature = "openapi", oai(rename = $name))]
                $variant,
            )+
            /// A code of a newer server. No server sends it.
            #[serde(other, rename = "unknown")]
            #[cfg_attr(feature = "openapi", oai(rename = "unknown"))]
            Unknown,
        }

        impl ErrorCode {
            /// Every code that a server sends.
            pub const ALL: &[Self] = &[$( Self::$variant ),+];

            /// The sentence for people that goes with the code where the place has no better one.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $( Self::$variant => $message, )+
                    Self::Unknown => "The server refused the request.",
                }
            }
        }
    };
}

error_codes! {
    /// The body is not JSON, or the request can not be understood at all.
    MalformedRequest = "malformed_request", "The request body is not valid JSON.";
    /// A field is missing, empty, of a wrong type, too short or too long.
    ValidationFailed = "validation_failed", "The request is not valid.";
    /// The name is taken.
    UserExists = "user_exists", "User already exists.";
    /// Another account has verified the e-mail address.
    EmailExists = "email_exists", "Another account has this e-mail address.";
    /// The password that a change asks for is wrong.
    WrongPassword = "wrong_password", "The current password is wrong.";
    /// A mailed token that is unknown, used, too old, or for something else.
    InvalidOneTimeToken = "invalid_one_time_token",
        "This link is not valid, or not any more. Please ask for a new one.";
    /// The account has no address that waits to be verified.
    NothingToVerify = "nothing_to_verify", "There is no e-mail address to verify.";
    /// The caller's role does not allow it.
    PermissionDenied = "permission_denied", "Permission denied. Required roles: ['admin']";
    /// There must always be an admin who can sign in.
    LastAdmin = "last_admin", "This is the last active admin.";
    /// The server has nowhere to send mail.
    MailNotConfigured = "mail_not_configured", "This server can not send mail.";
    /// Unknown user or wrong password: the two are not told apart.
    InvalidCredentials = "invalid_credentials", "Invalid credentials.";
    /// The right password of an account that was disabled.
    AccountDisabled = "account_disabled", "This account is disabled.";
    /// A browser says that a page of another site sent the form.
    CrossSite = "cross_site", "This form was sent by a page of another site.";
    /// Too many tries from this address or for this account; `Retry-After` says when to try again.
    TooManyAttempts = "too_many_attempts", "Too many attempts. Please try again later.";
    /// Not a refresh token of this server, or its session is over.
    InvalidRefreshToken = "invalid_refresh_token", "Invalid refresh token.";
    /// The session has reached its absolute end.
    RefreshTokenExpired = "refresh_token_expired", "Refresh token expired.";
    /// A superseded refresh token came back: somebody else may hold it, so the session was ended.
    RefreshTokenReused = "refresh_token_reused",
        "This sign-in was ended for your safety, because its refresh token was used twice. Please sign in again.";
    /// No `Authorization` header, or an empty one.
    MissingToken = "missing_token", "Missing Authorization header.";
    /// The access token was good and has expired: refresh it.
    TokenExpired = "token_expired", "Access token expired.";
    /// The access token is not good, or its session is over.
    InvalidToken = "invalid_token", "Invalid token.";
    /// Nothing at this path.
    NotFound = "not_found", "Not found.";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", "Method not allowed.";
    /// The request took too long to arrive.
    RequestTimeout = "request_timeout", "The request took too long to arrive.";
    /// The body, or the head, is larger than the server takes.
    PayloadTooLarge = "payload_too_large", "The request is too large.";
    /// The body is not `application/json`.
    UnsupportedMediaType = "unsupported_media_type", "The request body must be application/json.";
    /// The server failed. The cause is in its log, under the answer's `X-Request-Id`.
    InternalError = "internal_error", "Internal server error.";
    /// The server is busy or its store can not answer; `Retry-After` says when to try again.
    ServiceUnavailable = "service_unavailable", "The server is busy. Please try again in a moment.";
}

impl ErrorCode {
    /// The sentence of `validation_failed` for an empty name or password.
    pub const CREDENTIALS_REQUIRED: &'static str = "Username and password are required.";
}

#[cfg(test)]
mod tests {
    use super::{ErrorBody, ErrorCode};

    #[test]
    fn a_code_travels_as_its_name_and_a_newer_one_as_unknown() {
        let body = ErrorBody::new(ErrorCode::RefreshTokenReused);
        let json = serde_json::to_string(&body).expect("serialises");
        assert!(json.contains(r#""code":"refresh_token_reused""#), "{json}");
        let newer = json.replace("refresh_token_reused", "quota_exceeded");
        let read: ErrorBody = serde_json::from_str(&newer).expect("reads");
        assert_eq!(read.code, ErrorCode::Unknown);
        assert_eq!(read.message, body.message);
    }

    #[test]
    fn detail_repeats_the_message() {
        for code in ErrorCode::ALL {
            let body = ErrorBody::new(*code);
            assert_eq!(body.detail, body.message);
        }
    }
}
