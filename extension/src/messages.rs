//! Which message a surface shows. CONTRACT.md fixes most of them.
//!
//! It knows neither page nor network: it turns actions and errors into [`texts`].

use password_auth_wire::{
    ErrorCode,
    rules::{self, Violation},
};

use crate::{
    browser::NoPasskey,
    response::{Failure, NoAnswer, Refusal},
    server::Server,
    session,
    texts::{self, Text},
};

/// An action of a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Create an account.
    Register,
    /// Sign in, or complete the step that was begun.
    Login,
    /// The same with a passkey.
    Passkey,
    /// Request the protected resource.
    AccessProtected,
    /// Sign out.
    Logout,
}

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The name.
    Username,
    /// The password.
    Password,
    /// The e-mail address.
    Email,
    /// The code of a second factor.
    Code,
    /// The invitation.
    Invite,
}

/// Checks the input before it is sent. A user name of blanks is empty; a password of blanks is not.
///
/// # Errors
/// The field that is wrong, and the message about it.
pub(crate) fn check(action: Action, username: &str, password: &str) -> Result<(), (Field, Text)> {
    let empty = match action {
        Action::Register => texts::EMPTY_AT_REGISTER,
        _ => texts::EMPTY_AT_LOGIN,
    };
    if username.trim().is_empty() {
        return Err((Field::Username, empty));
    }
    if password.is_empty() {
        return Err((Field::Password, empty));
    }
    // The rules are for new accounts: accounts of an older server can still sign in. Those of user names need
    // Unicode's tables, 10 KB of them, so the server alone checks them.
    if action == Action::Register {
        rules::check_new_password(password)
            .map_err(|broken| (Field::Password, password_violation(broken)))?;
    }
    Ok(())
}

/// The message for an `action` that failed.
pub(crate) fn failure(action: Action, error: &session::Error) -> String {
    match error {
        session::Error::NotSignedIn => texts::NOT_SIGNED_IN.plain(),
        session::Error::RefreshRefused(refusal) => {
            texts::REFRESH_FAILED.with(&[&reason(&refusal.message, &refusal.details.code)])
        }
        session::Error::Failed(Failure::Refused(refusal), _) => {
            let failed = match action {
                Action::Register => texts::REGISTER_FAILED,
                Action::Login | Action::Passkey => texts::LOGIN_FAILED,
                Action::AccessProtected => texts::ACCESS_FAILED,
                Action::Logout => texts::LOGOUT_FAILED,
            };
            failed.with(&[&refused(action, refusal)])
        }
        session::Error::Failed(Failure::NoAnswer(why), server) => no_answer(why, server),
        session::Error::NoHostPermission(server) => {
            texts::NO_HOST_PERMISSION.with(&[&server.address()])
        }
        session::Error::InvalidAddress => texts::INVALID_ADDRESS.plain(),
        session::Error::Browser(error) => texts::STORAGE_FAILED.with(&[&error.0]),
    }
}

/// The message when the browser gave no passkey.
pub(crate) const fn no_passkey(why: NoPasskey) -> Text {
    match why {
        NoPasskey::NoneChosen => texts::NO_PASSKEY,
        NoPasskey::NotAllowed => texts::PASSKEY_NOT_ALLOWED,
    }
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

/// The server's reason, and when to try again if it says so.
fn refused(action: Action, refusal: &Refusal) -> String {
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
fn reason(message: &str, code: &str) -> String {
    texts::translated(&["error_", code].concat()).unwrap_or_else(|| message.to_owned())
}

/// The message when a server gave no usable answer. It names the server.
fn no_answer(why: &NoAnswer, server: &Server) -> String {
    let server = &*server.address();
    match why {
        NoAnswer::Unreachable => texts::UNREACHABLE.with(&[server]),
        NoAnswer::TimedOut => texts::TIMED_OUT.with(&[server]),
        NoAnswer::ServerError { status, message } => {
            let status = &*texts::number(u32::from(*status));
            match message {
                None => texts::SERVER_ERROR.with(&[server, status]),
                Some(said) => texts::SERVER_ERROR_SAID.with(&[server, status, said]),
            }
        }
        NoAnswer::Unexpected { status } => {
            texts::UNEXPECTED.with(&[server, &texts::number(u32::from(*status))])
        }
    }
}

/// The message for a new password that breaks a rule.
const fn password_violation(broken: Violation) -> Text {
    match broken {
        Violation::PasswordTooLong => texts::PASSWORD_TOO_LONG,
        _ => texts::PASSWORD_TOO_SHORT,
    }
}

/// The field that `error` is about, if it is one.
pub(crate) fn wrong_field(action: Action, error: &session::Error) -> Option<Field> {
    let session::Error::Failed(Failure::Refused(refusal), _) = error else {
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

/// What a screen reader announces while `action` runs.
pub(crate) const fn progress(action: Action) -> Text {
    match action {
        Action::Register => texts::REGISTERING,
        Action::Login | Action::Passkey => texts::SIGNING_IN,
        Action::AccessProtected => texts::LOADING,
        Action::Logout => texts::SIGNING_OUT,
    }
}

#[cfg(test)]
mod tests {
    use password_auth_wire::ErrorCode;

    use super::{Action, Field, check, failure};
    use crate::{
        response::{Details, Failure, NoAnswer},
        server::Server,
        session::Error,
        texts,
    };

    fn from_response(status: u16, code: ErrorCode, retry_after: Option<u32>) -> Failure {
        let details = Details {
            code: code.name().to_owned(),
            retry_after,
            ..Details::default()
        };
        Failure::from_response(status, Some(code.message().to_owned()), details)
    }

    #[test]
    fn an_empty_field_is_reported_before_anything_is_sent() {
        let register = texts::EMPTY_AT_REGISTER;
        let login = texts::EMPTY_AT_LOGIN;
        for blank in ["", "  ", "\t\n"] {
            let wrong = |text| Err((Field::Username, text));
            assert_eq!(check(Action::Register, blank, "password"), wrong(register));
            assert_eq!(check(Action::Login, blank, ""), wrong(login));
        }
        assert_eq!(
            check(Action::Register, "alice", ""),
            Err((Field::Password, register))
        );
        assert_eq!(
            check(Action::Login, "alice", ""),
            Err((Field::Password, login))
        );
    }

    #[test]
    fn a_short_password_is_refused_at_registration_and_not_at_login() {
        let short = texts::PASSWORD_TOO_SHORT;
        assert_eq!(
            check(Action::Register, "alice", "1234567"),
            Err((Field::Password, short))
        );
        let long = "a".repeat(1025);
        assert_eq!(
            check(Action::Register, "alice", &long),
            Err((Field::Password, texts::PASSWORD_TOO_LONG))
        );
        assert_eq!(check(Action::Login, "alice", "1234567"), Ok(()));
        assert_eq!(check(Action::Register, "alice", "        "), Ok(()));
    }

    #[test]
    fn a_refusal_shows_the_servers_message() {
        let server = Server::at("http://127.0.0.1:8000");
        let message_for = |action, status, code| {
            let refused = from_response(status, code, None);
            failure(action, &Error::Failed(refused, server.clone()))
        };
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
        let server = Server::at("http://127.0.0.1:8000");
        let refused = |action| {
            let code = ErrorCode::InvalidCode;
            let details = Details {
                code: code.name().to_owned(),
                ..Details::default()
            };
            let refused = Failure::from_response(401, Some(code.message().to_owned()), details);
            failure(action, &Error::Failed(refused, server.clone()))
        };
        assert!(refused(Action::Passkey).ends_with("The passkey was not accepted."));
        assert!(refused(Action::Login).contains("The code is not valid."));
    }

    #[test]
    fn a_wait_is_given_in_seconds() {
        let refused = from_response(429, ErrorCode::TooManyAttempts, Some(11));
        let error = Error::Failed(refused, Server::at("http://127.0.0.1:8000"));
        assert_eq!(
            failure(Action::Login, &error),
            "Authentication failed: Too many attempts. Please try again later. You can try again in 11 s."
        );
    }

    #[test]
    fn permission_account_and_network_have_three_different_messages() {
        let server = Server::at("http://127.0.0.1:8000");
        let disabled = from_response(403, ErrorCode::AccountDisabled, None);
        let messages = [
            Error::NoHostPermission(server.clone()),
            Error::Failed(disabled, server.clone()),
            Error::Failed(Failure::NoAnswer(NoAnswer::Unreachable), server),
        ]
        .map(|error| failure(Action::Login, &error));
        assert!(messages[0].contains("permission"), "{messages:?}");
        assert!(messages[1].contains("disabled"), "{messages:?}");
        assert!(messages[2].contains("Cannot reach"), "{messages:?}");
    }

    #[test]
    fn every_message_about_a_server_names_it() {
        let server = Server::at("http://127.0.0.1:8000");
        for why in [
            NoAnswer::Unreachable,
            NoAnswer::TimedOut,
            NoAnswer::ServerError {
                status: 502,
                message: None,
            },
            NoAnswer::ServerError {
                status: 503,
                message: Some("Busy.".into()),
            },
            NoAnswer::Unexpected { status: 200 },
        ] {
            let error = Error::Failed(Failure::NoAnswer(why), server.clone());
            let message = failure(Action::Login, &error);
            assert!(message.contains("http://127.0.0.1:8000"), "{message}");
        }
    }

    #[test]
    fn a_refused_refresh_has_its_own_message() {
        let refused = from_response(400, ErrorCode::RefreshTokenExpired, None);
        let Failure::Refused(refusal) = refused else {
            unreachable!("a refusal");
        };
        let error = Error::RefreshRefused(refusal);
        let message = failure(Action::AccessProtected, &error);
        assert_eq!(message, "Failed to refresh token: Refresh token expired.");
    }
}
