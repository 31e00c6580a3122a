//! The messages that the popup shows. CONTRACT.md fixes most of them.
//!
//! It knows neither page nor network: it turns actions and errors into text.

use password_auth_wire::rules;

use crate::{
    response::{Failure, Refusal},
    session,
};

/// An action of the popup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Create an account.
    Register,
    /// Sign in.
    Login,
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
}

/// The message after registration.
pub(crate) const REGISTERED: &str = "Registration successful.";
/// The message after signing in.
pub(crate) const LOGGED_IN: &str = "Authentication successful.";
/// The message after signing out.
pub(crate) const LOGGED_OUT: &str = "Logged out successfully.";
/// The message after signing out while the server cannot be reached.
pub(crate) const LOGGED_OUT_HERE: &str =
    "Logged out here. The server could not be told and will be when it can be reached.";
/// The message when a second factor is asked for, above the field for its code.
pub(crate) const CODE_REQUIRED: &str = "Please enter the code of your second factor.";

/// Checks the input before it is sent. A user name of blanks is empty; a password of blanks is not.
///
/// # Errors
/// The field that is wrong, and the message about it.
pub(crate) fn check(
    action: Action,
    username: &str,
    password: &str,
) -> Result<(), (Field, &'static str)> {
    let empty = match action {
        Action::Register => "Please enter a username and password.",
        _ => "Please enter your username and password.",
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
            .map_err(|broken| (Field::Password, broken.message()))?;
    }
    Ok(())
}

/// The message for an `action` that failed.
pub(crate) fn failure(action: Action, error: &session::Error) -> String {
    match error {
        session::Error::NotSignedIn => "No tokens found. Please login.".to_owned(),
        session::Error::RefreshRefused(refusal) => refresh_refused(&refusal.message),
        session::Error::Failed(Failure::Refused(refusal), _) => {
            let what = match action {
                Action::Register => "Registration failed",
                Action::Login => "Authentication failed",
                Action::AccessProtected => "Failed to access protected resource",
                Action::Logout => "Logout failed",
            };
            format!("{what}: {}{}", refusal.message, retry_after(refusal))
        }
        session::Error::Failed(Failure::NoAnswer(why), server) => why.message(&server.to_string()),
        session::Error::NoHostPermission(server) => format!(
            "This extension has no permission to reach {server}. Allow it in the browser's settings for this \
             extension."
        ),
        session::Error::InvalidAddress => {
            "The server's address in the settings cannot be used. It must start with https://, \
             or with http://127.0.0.1 or http://localhost."
                .to_owned()
        }
        session::Error::Browser(error) => {
            format!(
                "The browser could not read or write its storage: {}",
                error.0
            )
        }
    }
}

/// The message when the server has refused to refresh.
pub(crate) fn refresh_refused(message: &str) -> String {
    format!("Failed to refresh token: {message}")
}

/// When to try again, if the server says so.
fn retry_after(refusal: &Refusal) -> String {
    match refusal.details.retry_after {
        Some(seconds) => format!(" You can try again in {seconds} s."),
        None => String::new(),
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
        _ => None,
    }
}

/// What a screen reader announces while `action` runs.
pub(crate) const fn progress(action: Action) -> &'static str {
    match action {
        Action::Register => "Registering…",
        Action::Login => "Signing in…",
        Action::AccessProtected => "Loading…",
        Action::Logout => "Signing out…",
    }
}

#[cfg(test)]
mod tests {
    use password_auth_wire::{ErrorBody, ErrorCode};

    use super::{Action, Field, check, failure};
    use crate::{
        response::{Details, Failure, NoAnswer},
        server::Server,
        session::Error,
    };

    fn from_response(status: u16, code: ErrorCode, retry_after: Option<u32>) -> Failure {
        let details = Details {
            retry_after,
            ..Details::default()
        };
        Failure::from_response(status, Some(ErrorBody::new(code)), details)
    }

    #[test]
    fn an_empty_field_is_reported_before_anything_is_sent() {
        let register = "Please enter a username and password.";
        let login = "Please enter your username and password.";
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
        let short = "Password must be at least 8 characters long.";
        assert_eq!(
            check(Action::Register, "alice", "1234567"),
            Err((Field::Password, short))
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
