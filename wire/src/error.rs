//! The error body and its codes.

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::{Secret, Status};

/// The body of every error, on every route: `code` is for programs, `message` is for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct ErrorBody {
    /// Always `error`.
    pub status: Status,
    /// The error code, for programs.
    pub code: ErrorCode,
    /// What is wrong, in a sentence for people.
    pub message: String,
    /// The same as `message`, for clients written for FastAPI.
    pub detail: String,
    /// With `validation_failed`: what is wrong with each field. Never contains the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", oai(default, skip_serializing_if_is_empty))]
    pub errors: Vec<FieldError>,
    /// With `second_factor_required`: for the second step, `POST /api/v1/auth/login/second-factor`. Good once, for five
    /// minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
    pub challenge: Option<Secret>,
    /// With `second_factor_required`: what the account has: `totp`, `recovery_code`, `passkey`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", oai(default, skip_serializing_if_is_empty))]
    pub methods: Vec<String>,
}

impl ErrorBody {
    /// The body for `code` with the code's own sentence.
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
            challenge: None,
            methods: Vec::new(),
        }
    }
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct FieldError {
    /// The name of the field. Empty if the error is about the whole body.
    pub field: String,
    /// The error code, for programs: `required`, `too_short`, `too_long`, `too_weak`, `invalid_characters`,
    /// `wrong_type`, ….
    pub code: String,
    /// What is wrong, in a sentence for people.
    pub message: String,
}

named! {
    /// What went wrong, for programs.
    ///
    /// Later versions may add codes. A client reads a code that it does not know as `unknown`.
    #[derive(Hash)]
    pub enum ErrorCode;

    /// The body is not JSON, or the request cannot be understood.
    MalformedRequest = "malformed_request", "The request body is not valid JSON.";
    /// A field is missing, empty, too short, too long or has the wrong type.
    ValidationFailed = "validation_failed", "The request is not valid.";
    /// The name is taken.
    UserExists = "user_exists", "User already exists.";
    /// Another account has verified the e-mail address.
    EmailExists = "email_exists", "Another account has this e-mail address.";
    /// The current password in the request is wrong.
    WrongPassword = "wrong_password", "The current password is wrong.";
    /// The mailed token is unknown, used, expired or for another purpose.
    InvalidOneTimeToken = "invalid_one_time_token",
        "This link has expired or was already used. Request a new one.";
    /// The account has no address to verify.
    NothingToVerify = "nothing_to_verify", "There is no e-mail address to verify.";
    /// The caller's role does not allow it.
    PermissionDenied = "permission_denied", "Permission denied. Required roles: ['admin']";
    /// There must always be an admin who can sign in.
    LastAdmin = "last_admin", "This is the last active admin.";
    /// The server is not configured to send mail.
    MailNotConfigured = "mail_not_configured", "This server cannot send mail.";
    /// Unknown user or wrong password. The response does not say which.
    InvalidCredentials = "invalid_credentials", "Invalid credentials.";
    /// The password is right, and the account has a second factor. The body has a `challenge` for it.
    SecondFactorRequired = "second_factor_required",
        "This account has a second factor: a code from the authenticator app, or a recovery code, is needed too.";
    /// The code is wrong, or was used before.
    InvalidCode = "invalid_code", "The code is not valid. Each code works once.";
    /// The passkey is unknown or not valid.
    InvalidPasskey = "invalid_passkey", "The passkey was not accepted.";
    /// The server is not configured for passkeys.
    PasskeysNotConfigured = "passkeys_not_configured", "This server does not use passkeys.";
    /// The challenge is unknown, used or expired.
    ChallengeExpired = "challenge_expired", "This sign-in took too long. Please begin again.";
    /// The session must prove first who uses it: `POST /api/v1/auth/proof`.
    ProofRequired = "proof_required", "Please confirm with your password first.";
    /// The account has an authenticator app.
    FactorExists = "factor_exists", "This account has an authenticator app. Remove it first.";
    /// The account is disabled. Only correct credentials reveal this.
    AccountDisabled = "account_disabled", "This account is disabled.";
    /// Registration is closed, or needs an invitation, and the request has none that is still valid.
    RegistrationClosed = "registration_closed",
        "This server does not register new users without an invitation.";
    /// A page of another site sent the form, as the browser says.
    CrossSite = "cross_site", "This form was sent by a page of another site.";
    /// Too many attempts from this address or at this account. `Retry-After` says when to try again.
    TooManyAttempts = "too_many_attempts", "Too many attempts. Please try again later.";
    /// Not a refresh token of this server, or its session has ended.
    InvalidRefreshToken = "invalid_refresh_token", "Invalid refresh token.";
    /// The session has expired.
    RefreshTokenExpired = "refresh_token_expired", "Refresh token expired.";
    /// A refresh token was used twice. Somebody else may have it, so the session was ended.
    RefreshTokenReused = "refresh_token_reused",
        "This sign-in was ended for your safety, because its refresh token was used twice. Please sign in again.";
    /// No `Authorization` header, or an empty one.
    MissingToken = "missing_token", "Missing Authorization header.";
    /// The access token has expired. Refresh it.
    TokenExpired = "token_expired", "Access token expired.";
    /// The access token is not valid, or its session has ended.
    InvalidToken = "invalid_token", "Invalid token.";
    /// There is nothing at this path.
    NotFound = "not_found", "Not found.";
    /// The path does not support this method.
    MethodNotAllowed = "method_not_allowed", "Method not allowed.";
    /// The request took too long to arrive.
    RequestTimeout = "request_timeout", "The request took too long to arrive.";
    /// The body or the head of the request is too large.
    PayloadTooLarge = "payload_too_large", "The request is too large.";
    /// The `Content-Type` of the body is not one that the route accepts.
    UnsupportedMediaType = "unsupported_media_type", "The request body must be application/json.";
    /// The server failed. Its log has the cause, under the `X-Request-Id` of the response.
    InternalError = "internal_error", "Internal server error.";
    /// The server is busy or its store does not respond. `Retry-After` says when to try again.
    ServiceUnavailable = "service_unavailable", "The server is busy. Please try again in a moment.";
    _ =>
    /// A code of a newer server. No server sends this.
    Unknown = "unknown", "The server refused the request.";
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
    fn a_code_s_name_is_what_is_sent() {
        for code in ErrorCode::ALL.iter().chain([&ErrorCode::Unknown]) {
            assert_eq!(serde_json::to_value(code).expect("a name"), code.name());
        }
    }

    #[test]
    fn detail_repeats_the_message() {
        for code in ErrorCode::ALL {
            let body = ErrorBody::new(*code);
            assert_eq!(body.detail, body.message);
        }
    }
}
