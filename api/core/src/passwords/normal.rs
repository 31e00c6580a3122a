//! Normalization of passwords: keyboards write an `ü` as one character or as two.
//!
//! Passwords are hashed and compared in NFC, like RFC 8265's `OpaqueString` without its other rules. Older and imported
//! hashes may be of the original text. So both forms are tried if the text is not in NFC, with or without an account,
//! and even if the first form matches.

use std::borrow::Cow;

use password_auth_wire::Secret;
use password_auth_wire::rules::{self, Violation};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroize as _;

use super::error::HashError;
use super::hash::PasswordMatch;

/// A password in NFC.
pub(super) fn nfc(password: &str) -> Cow<'_, str> {
    if unicode_normalization::is_nfc(password) {
        Cow::Borrowed(password)
    } else {
        Cow::Owned(password.nfc().collect())
    }
}

/// Tries a password in NFC and, if it differs, as it was typed. The cost only depends on the password.
pub(super) fn try_each(
    password: &Secret,
    verify: impl Fn(&[u8]) -> Result<PasswordMatch, HashError>,
) -> Result<PasswordMatch, HashError> {
    let typed = password.expose();
    let mut normal = match nfc(typed) {
        Cow::Borrowed(normal) => return verify(normal.as_bytes()),
        Cow::Owned(normal) => normal,
    };
    let (by_nfc, as_typed) = (verify(normal.as_bytes()), verify(typed.as_bytes()));
    normal.zeroize();
    Ok(match (by_nfc?, as_typed?) {
        (PasswordMatch::Wrong, PasswordMatch::Wrong) => PasswordMatch::Wrong,
        // The hash is of the original text.
        (PasswordMatch::Wrong, _) => PasswordMatch::RightButOutdated,
        (right, _) => right,
    })
}

/// Checks a new password as it was typed, like the popup does, and in NFC, which may be shorter or longer.
///
/// # Errors
/// The first rule that it breaks.
pub(crate) fn check_new_password(password: &Secret) -> Result<(), Violation> {
    rules::check_new_password(password.expose())?;
    rules::check_new_password(&nfc(password.expose()))
}

#[cfg(test)]
mod tests {
    use password_auth_wire::Secret;
    use password_auth_wire::rules::Violation;

    use super::{PasswordMatch, check_new_password, try_each};

    const NFC: &str = "p\u{E4}ssw\u{F6}rter";
    const NFD: &str = "pa\u{308}sswo\u{308}rter";

    fn tried(typed: &str, right: &str) -> PasswordMatch {
        let verify = |tried: &[u8]| {
            Ok(match tried == right.as_bytes() {
                true => PasswordMatch::Right,
                false => PasswordMatch::Wrong,
            })
        };
        try_each(&Secret::new(typed), verify).expect("tried")
    }

    #[test]
    fn a_password_is_right_in_every_spelling_and_an_old_hash_as_it_was_typed() {
        assert_eq!(tried(NFC, NFC), PasswordMatch::Right);
        assert_eq!(tried(NFD, NFC), PasswordMatch::Right);
        assert_eq!(tried(NFD, NFD), PasswordMatch::RightButOutdated);
        assert_eq!(tried("pa\u{308}sswo\u{300}rter", NFC), PasswordMatch::Wrong);
        // NFKC, case and blanks are other passwords.
        assert_eq!(tried("ﬁfteen words", "fifteen words"), PasswordMatch::Wrong);
        assert_eq!(tried(" password", "password"), PasswordMatch::Wrong);
    }

    #[test]
    fn what_a_try_costs_depends_on_the_typed_text_alone() {
        for right in [NFC, NFD, "another one"] {
            for (typed, hashes) in [(NFC, 1), (NFD, 2)] {
                let count = std::cell::Cell::new(0);
                let verify = |tried: &[u8]| {
                    count.set(count.get() + 1);
                    Ok(match tried == right.as_bytes() {
                        true => PasswordMatch::Right,
                        false => PasswordMatch::Wrong,
                    })
                };
                try_each(&Secret::new(typed), verify).expect("tried");
                assert_eq!(count.get(), hashes);
            }
        }
    }

    #[test]
    fn the_rules_hold_as_typed_and_in_nfc() {
        let check = |text: &str| check_new_password(&Secret::new(text));
        // Four letters, each typed as two characters.
        assert_eq!(
            check(&"u\u{308}".repeat(4)),
            Err(Violation::PasswordTooShort)
        );
        assert_eq!(check(&"u\u{308}".repeat(8)), Ok(()));
        // Four characters that NFC makes eight of, and 1,023 bytes that it makes 2,046 of.
        assert_eq!(
            check(&"\u{958}".repeat(4)),
            Err(Violation::PasswordTooShort)
        );
        assert_eq!(
            check(&"\u{958}".repeat(341)),
            Err(Violation::PasswordTooLong)
        );
    }
}
