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
}

/// The message after registration.
pub(crate) const REGISTERED: &str = "Registration successful.";
/// The message after signing in.
pub(crate) const LOGGED_IN: &str = "Authentication successful.";
/// The message after signing out.
pub(crate) const LOGGED_OUT: &str = "Logged out successfully.";

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
    // The rules are for new accounts: accounts of an older server can still sign in.
    if action == Action::Register {
        rules::check_new_username(username)
            .map_err(|broken| (Field::Username, broken.message()))?;
        rules::check_new_password(password)
            .map_err(|broken| (Field::Password, broken.message()))?;
    }
    Ok(())
}

/// The message for an `action` that failed.
pub(crate) fn failure(action: Action, error: &session::Error) -> String {
    match error {
        session::Error::NotSignedIn => "No tokens found. Please login.".to_owned(),
        session::Error::RefreshRefused(message) => format!("Failed to refresh token: {message}"),
        session::Error::Failed(Failure::Refused(Refusal { message, .. }), _) => {
            let what = match action {
                Action::Register => "Registration failed",
                Action::Login => "Authentication failed",
                Action::AccessProtected => "Failed to access protected resource",
                Action::Logout => "Logout failed",
            };
            format!("{what}: {message}")
        }
        session::Error::Failed(Failure::NoAnswer(why), server) => why.message(&server.to_string()),
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

#[cfg(test)]
mod tests {
    use password_auth_wire::{ErrorBody, ErrorCode};

    use super::{Action, Field, check, failure};
    use crate::{response::Failure, server::Server, session::Error};

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
            let refused = Failure::from_response(status, Some(ErrorBody::new(code)));
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
    fn a_refused_refresh_has_its_own_message() {
        let error = Error::RefreshRefused("Refresh token expired.".into());
        let message = failure(Action::AccessProtected, &error);
        assert_eq!(message, "Failed to refresh token: Refresh token expired.");
    }
}
