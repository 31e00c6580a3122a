//! The input of the form, before it is sent.

use password_auth_wire::rules::{self, Violation};

use super::{Action, Field};
use crate::texts::{self, Text};

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

/// The message for a new password that breaks a rule.
const fn password_violation(broken: Violation) -> Text {
    match broken {
        Violation::PasswordTooLong => texts::PASSWORD_TOO_LONG,
        _ => texts::PASSWORD_TOO_SHORT,
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Field, check};
    use crate::texts;

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
}
