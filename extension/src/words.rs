//! What the popup says. Every sentence that people read stands here; the contract fixes most of them.
//!
//! It knows neither page nor network: actions and errors in, text out.

use password_auth_wire::rules;

use crate::{
    answer::{Failure, Refusal},
    session,
};

/// What a person can ask the popup for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make an account.
    Register,
    /// Sign in.
    Login,
    /// See what only signed-in people see.
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

/// The sentence after registering.
pub(crate) const REGISTERED: &str = "Registration successful.";
/// The sentence after signing in.
pub(crate) const LOGGED_IN: &str = "Authentication successful.";
/// The sentence after signing out.
pub(crate) const LOGGED_OUT: &str = "Logged out successfully.";

/// Checks what was typed before it is sent; blanks alone are no name, but may be a password.
///
/// # Errors
/// The sentence, and the field that it is about.
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
    // Only what is being chosen has rules: the accounts of an older server sign in as they are.
    if action == Action::Register {
        rules::check_new_username(username)
            .map_err(|broken| (Field::Username, broken.message()))?;
        rules::check_new_password(password)
            .map_err(|broken| (Field::Password, broken.message()))?;
    }
    Ok(())
}

/// The sentence for an `action` that failed.
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
        session::Error::Failed(Failure::Unavailable(why), server) => {
            why.sentence(&server.to_string())
        }
        session::Error::InvalidAddress => {
            "The server's address in the settings can not be used. It must start with https://, \
             or with http://127.0.0.1 or http://localhost."
                .to_owned()
        }
        session::Error::Browser(fault) => {
            format!(
                "The browser could not read or write its storage: {}",
                fault.0
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use password_auth_wire::{ErrorBody, ErrorCode};

    use super::{Action, Field, check, failure};
    use crate::{answer::Failure, server::Server, session::Error};

    #[test]
    fn an_empty_field_is_named_before_anything_is_sent() {
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
    fn a_short_password_is_refused_when_it_is_chosen_and_not_when_it_is_used() {
        let short = "Password must be at least 8 characters long.";
        assert_eq!(
            check(Action::Register, "alice", "1234567"),
            Err((Field::Password, short))
        );
        assert_eq!(check(Action::Login, "alice", "1234567"), Ok(()));
        assert_eq!(check(Action::Register, "alice", "        "), Ok(()));
    }

    #[test]
    fn a_refusal_is_given_in_the_servers_words() {
        let server = Server::at("http://127.0.0.1:8000");
        let said = |action, status, code| {
            let refused = Failure::judge(status, Some(ErrorBody::new(code)));
            failure(action, &Error::Failed(refused, server.clone()))
        };
        assert_eq!(
            said(Action::Register, 400, ErrorCode::UserExists),
            "Registration failed: User already exists."
        );
        assert_eq!(
            said(Action::Login, 401, ErrorCode::InvalidCredentials),
            "Authentication failed: Invalid credentials."
        );
        assert_eq!(
            said(Action::AccessProtected, 401, ErrorCode::InvalidToken),
            "Failed to access protected resource: Invalid token."
        );
        assert!(
            said(Action::Login, 503, ErrorCode::ServiceUnavailable)
                .starts_with("The server at http://127.0.0.1:8000 had a problem (HTTP 503)")
        );
    }

    #[test]
    fn a_refused_refresh_is_told_apart() {
        let error = Error::RefreshRefused("Refresh token expired.".into());
        let sentence = failure(Action::AccessProtected, &error);
        assert_eq!(sentence, "Failed to refresh token: Refresh token expired.");
    }
}
