//! What a server's refusal means for the user, in their language.

use password_auth_wire::ErrorCode;

use super::{Action, Field};
use crate::{
    response::{Failure, Refusal},
    session, texts,
};

/// The server's reason, and when to try again if it says so.
pub(super) fn refused(action: Action, refusal: &Refusal) -> String {
    let (mut message, mut code) = (&*refusal.message, &*refusal.details.code);
    // As a second step, it is refused as a code is.
    if action == Action::Passkey && code == ErrorCode::InvalidCode.name() {
        const PASSKEY: ErrorCode = ErrorCode::InvalidPasskey;
        (message, code) = (PASSKEY.message(), PASSKEY.name());
    }
    let details = &refusal.details;
    let of_field = match (&details.field, &details.field_code) {
        (Some(field), Some(code)) => texts::translated(&["invalid_", field, "_", code].concat()),
        _ => None,
    };
    let reason = of_field.unwrap_or_else(|| reason(message, code));
    match refusal.details.retry_after {
        Some(seconds) => texts::RETRY_AFTER.with(&[&reason, &texts::number(seconds)]),
        None => reason,
    }
}

/// The server's reason: its own message, or what that code means in the user's language.
pub(super) fn reason(message: &str, code: &str) -> String {
    texts::translated(&["error_", code].concat()).unwrap_or_else(|| message.to_owned())
}

/// The message when the session has ended, and the server's `message` is all that is known.
pub(crate) fn ended(message: &str) -> String {
    texts::REFRESH_FAILED.with(&[&end_reason(message)])
}

/// The same for users who do not know what a token is. A theft and a disabled account are told as what they are.
pub(crate) fn expired(message: &str) -> String {
    let worth_telling = [ErrorCode::RefreshTokenReused, ErrorCode::AccountDisabled];
    if worth_telling.iter().any(|code| code.message() == message) {
        end_reason(message)
    } else {
        texts::SESSION_EXPIRED.plain()
    }
}

fn end_reason(message: &str) -> String {
    /// Constant, so that the other codes' texts are not shipped.
    const fn told(code: ErrorCode) -> (&'static str, &'static str) {
        (code.message(), code.name())
    }
    const KNOWN: [(&str, &str); 4] = [
        told(ErrorCode::InvalidRefreshToken),
        told(ErrorCode::RefreshTokenExpired),
        told(ErrorCode::RefreshTokenReused),
        told(ErrorCode::AccountDisabled),
    ];
    let code = KNOWN.iter().find(|(text, _)| *text == message);
    reason(message, code.map_or("", |(_, name)| name))
}

/// The field that `error` is about, if it is one.
pub(crate) fn wrong_field(action: Action, error: &session::Error) -> Option<Field> {
    let session::Error::Failed(Failure::Refused(refusal)) = error else {
        return None;
    };
    if !matches!(action, Action::Register | Action::Login) {
        return None;
    }
    match (
        refusal.details.code.as_str(),
        refusal.details.field.as_deref(),
    ) {
        ("user_exists", _) | (_, Some("username")) => Some(Field::Username),
        ("email_exists", _) | (_, Some("email")) => Some(Field::Email),
        ("invalid_credentials", _) | (_, Some("password")) => Some(Field::Password),
        ("second_factor_required" | "invalid_code", _) | (_, Some("code")) => Some(Field::Code),
        ("registration_closed", _) | (_, Some("invite")) => Some(Field::Invite),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use password_auth_wire::ErrorCode;

    use super::super::{Action, failure};
    use crate::{
        response::{Details, Failure},
        server::Server,
        session::Error,
    };

    fn refused(status: u16, code: ErrorCode, retry_after: Option<u32>) -> Failure {
        let details = Details {
            code: code.name().to_owned(),
            retry_after,
            ..Details::default()
        };
        let message = Some(code.message().to_owned());
        Failure::from_response(
            Server::at("http://127.0.0.1:8000"),
            status,
            message,
            details,
        )
    }

    fn message_for(action: Action, status: u16, code: ErrorCode) -> String {
        failure(action, &Error::Failed(refused(status, code, None)))
    }

    #[test]
    fn a_refusal_shows_the_servers_message() {
        assert_eq!(
            message_for(Action::Register, 400, ErrorCode::UserExists),
            "Registration failed: User already exists."
        );
        assert_eq!(
            message_for(Action::Login, 401, ErrorCode::InvalidCredentials),
            "Authentication failed: Invalid credentials."
        );
        assert_eq!(
            message_for(Action::AccessProtected, 401, ErrorCode::InvalidToken),
            "Failed to access protected resource: Invalid token."
        );
        assert!(
            message_for(Action::Login, 503, ErrorCode::ServiceUnavailable)
                .starts_with("The server at http://127.0.0.1:8000 had a problem (HTTP 503)")
        );
    }

    #[test]
    fn a_passkey_is_refused_as_one_also_where_a_code_could_be() {
        let refused = |action| message_for(action, 401, ErrorCode::InvalidCode);
        assert!(refused(Action::Passkey).ends_with("The passkey was not accepted."));
        assert!(refused(Action::Login).contains("The code is not valid."));
    }

    #[test]
    fn a_wait_is_given_in_seconds() {
        let error = Error::Failed(refused(429, ErrorCode::TooManyAttempts, Some(11)));
        assert_eq!(
            failure(Action::Login, &error),
            "Authentication failed: Too many attempts. Please try again later. You can try again in 11 s."
        );
    }

    #[test]
    fn a_refused_refresh_has_its_own_message() {
        let Failure::Refused(refusal) = refused(400, ErrorCode::RefreshTokenExpired, None) else {
            unreachable!("a refusal");
        };
        let error = Error::RefreshRefused(refusal);
        let message = failure(Action::AccessProtected, &error);
        assert_eq!(message, "Failed to refresh token: Refresh token expired.");
    }
}
