//! The rules for user input, which both sides check.
//!
//! The popup checks before it sends a request, so that users get feedback at once; the server always checks. Only the
//! server compares names, so that is not here.

pub mod invisible;

use self::invisible::hides_something;
use crate::ErrorCode;

/// The fewest characters (Unicode scalar values) of a password.
pub const PASSWORD_MIN_CHARS: usize = 8;
/// The most bytes (UTF-8) of a password. Every byte counts, NUL included.
pub const PASSWORD_MAX_BYTES: usize = 1024;
/// The most characters (Unicode scalar values) of a user name, trimmed.
pub const USERNAME_MAX_CHARS: usize = 64;

/// The most characters (Unicode scalar values) of a full name.
pub const FULL_NAME_MAX_CHARS: usize = 200;

/// What is wrong with an input: a code for programs and a sentence for people.
///
/// The sentence never repeats the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The input is empty.
    Empty,
    /// The password has fewer than [`PASSWORD_MIN_CHARS`] characters.
    PasswordTooShort,
    /// The password has more than [`PASSWORD_MAX_BYTES`] bytes.
    PasswordTooLong,
    /// The password is too easy to guess. Only the server checks this.
    PasswordTooWeak,
    /// The name has more than [`USERNAME_MAX_CHARS`] characters.
    UsernameTooLong,
    /// The name contains a control, bidirectional-override or other invisible character.
    UsernameInvisible,
    /// The name contains an `@`, and would be taken for an e-mail address.
    UsernameIsAddress,
    /// It is not an e-mail address.
    EmailInvalid,
    /// The full name has more than [`FULL_NAME_MAX_CHARS`] characters.
    FullNameTooLong,
    /// The full name contains a control, bidirectional-override or other invisible character.
    FullNameInvisible,
}

impl Violation {
    /// The code of the field's entry in `errors`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::PasswordTooShort => "too_short",
            Self::PasswordTooLong | Self::UsernameTooLong | Self::FullNameTooLong => "too_long",
            Self::UsernameInvisible | Self::UsernameIsAddress | Self::FullNameInvisible => {
                "invalid_characters"
            }
            Self::EmailInvalid => "invalid_email",
            Self::PasswordTooWeak => "too_weak",
        }
    }

    /// The sentence for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Empty => ErrorCode::CREDENTIALS_REQUIRED,
            Self::PasswordTooShort => "Password must be at least 8 characters long.",
            Self::PasswordTooLong => "Password must be at most 1024 bytes long.",
            Self::PasswordTooWeak => "Password is too easy to guess.",
            Self::UsernameTooLong => "Username must be at most 64 characters long.",
            Self::UsernameInvisible => "Username must not contain control or invisible characters.",
            Self::UsernameIsAddress => "Username must not contain an @.",
            Self::EmailInvalid => "This is not an e-mail address.",
            Self::FullNameTooLong => "The name must be at most 200 characters long.",
            Self::FullNameInvisible => "The name must not contain control or invisible characters.",
        }
    }
}

/// Checks a new password.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_new_password(password: &str) -> Result<(), Violation> {
    if password.is_empty() {
        return Err(Violation::Empty);
    }
    if password.len() > PASSWORD_MAX_BYTES {
        return Err(Violation::PasswordTooLong);
    }
    if password.chars().count() < PASSWORD_MIN_CHARS {
        return Err(Violation::PasswordTooShort);
    }
    Ok(())
}

/// Checks a new user name. Trims `name`.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_new_username(name: &str) -> Result<(), Violation> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Violation::Empty);
    }
    if name.chars().count() > USERNAME_MAX_CHARS {
        return Err(Violation::UsernameTooLong);
    }
    if name.chars().any(char::is_control) || hides_something(name) {
        return Err(Violation::UsernameInvisible);
    }
    // U+FE6B and U+FF20 are `@` after NFKC.
    if name.contains(['@', '\u{FE6B}', '\u{FF20}']) {
        return Err(Violation::UsernameIsAddress);
    }
    Ok(())
}

/// Checks a full name. Trims `name`, which may be empty.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_full_name(name: &str) -> Result<(), Violation> {
    let name = name.trim();
    if name.chars().count() > FULL_NAME_MAX_CHARS {
        return Err(Violation::FullNameTooLong);
    }
    if name.chars().any(char::is_control) || hides_something(name) {
        return Err(Violation::FullNameInvisible);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Violation, check_new_password, check_new_username};

    #[test]
    fn a_password_is_counted_in_characters_and_capped_in_bytes() {
        assert_eq!(check_new_password(""), Err(Violation::Empty));
        assert_eq!(
            check_new_password("1234567"),
            Err(Violation::PasswordTooShort)
        );
        assert_eq!(
            check_new_password("ööööööö"),
            Err(Violation::PasswordTooShort)
        );
        assert_eq!(check_new_password("öööööööö"), Ok(()));
        assert_eq!(check_new_password("\0\0\0\0\0\0\0\0"), Ok(()));
        assert_eq!(check_new_password(&"x".repeat(1024)), Ok(()));
        assert_eq!(
            check_new_password(&"ö".repeat(513)),
            Err(Violation::PasswordTooLong)
        );
    }

    #[test]
    fn a_name_of_question_marks_or_emoji_is_a_name() {
        for name in [
            "???",
            "👩‍👩‍👧",
            "❤️",
            "می‌خواهم",
            "a",
            " alice ",
            "Ünï",
            &"n".repeat(64),
        ] {
            assert_eq!(check_new_username(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_name_that_misleads_is_refused() {
        assert_eq!(check_new_username("  "), Err(Violation::Empty));
        assert_eq!(
            check_new_username(&"n".repeat(65)),
            Err(Violation::UsernameTooLong)
        );
        for name in [
            "a\0b",
            "a\u{202E}b",
            "a\u{2066}b",
            "a\nb",
            "\u{FEFF}a",
            "\u{3164}",
            "\u{200D}",
            "tim\u{200D}",
            "tim\u{FE0F}",
            "t\u{034F}im",
            "\u{E0041}tim",
            "й\u{200D}",
            "й\u{FE0F}\u{FE0F}",
        ] {
            assert_eq!(
                check_new_username(name),
                Err(Violation::UsernameInvisible),
                "{name:?}"
            );
        }
        for name in ["a@b", "a\u{FF20}b"] {
            assert_eq!(
                check_new_username(name),
                Err(Violation::UsernameIsAddress),
                "{name:?}"
            );
        }
    }
}
