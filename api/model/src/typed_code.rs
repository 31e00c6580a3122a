//! Codes as people type them, and recovery codes.

use password_auth_wire::Secret;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::id::UserId;
use super::opaque::OpaqueBytes;
use super::totp::TOTP_DIGITS;

/// How many recovery codes a set has.
pub const RECOVERY_CODES: usize = 10;

/// Without `l`, `o`, `0` and `1`, which look like others.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 80 bits: a fast hash is enough.
const LETTERS: usize = 16;
/// A hyphen stands after so many.
const GROUP: usize = 4;

/// A code that was typed at the second step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypedCode {
    /// Of an authenticator app.
    Totp(u32),
    /// A recovery code, without hyphens.
    Recovery(Secret),
}

impl TypedCode {
    /// Reads what was typed: case, blanks and hyphens do not matter. `None` if it can be no code.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let written: Zeroizing<String> = Zeroizing::new(
            typed
                .chars()
                .filter(|c| !c.is_whitespace() && *c != '-')
                .map(|c| c.to_ascii_lowercase())
                // One more than the longest, so that a long text is no code.
                .take(LETTERS + 1)
                .collect(),
        );
        let is_made_of = |known: fn(u8) -> bool| written.bytes().all(known);
        match written.len() {
            TOTP_DIGITS if is_made_of(|byte| byte.is_ascii_digit()) => {
                written.parse().ok().map(Self::Totp)
            }
            LETTERS if is_made_of(|byte| ALPHABET.contains(&byte)) => {
                Some(Self::Recovery(Secret::new(written.as_str())))
            }
            _ => None,
        }
    }
}

/// A new recovery code, to be shown once, and its hash.
///
/// # Errors
/// If the system provides no random bytes.
pub fn new_recovery_code(user: UserId) -> Result<(Secret, OpaqueBytes), getrandom::Error> {
    let mut bytes = Zeroizing::new([0; LETTERS]);
    getrandom::fill(&mut *bytes)?;
    let letters: Zeroizing<Vec<u8>> = Zeroizing::new(
        bytes
            .iter()
            .map(|byte| ALPHABET[usize::from(byte & 0x1F)])
            .collect(),
    );
    let groups: Vec<_> = letters.chunks(GROUP).map(String::from_utf8_lossy).collect();
    let plain = Secret::new(groups.concat());
    Ok((Secret::new(groups.join("-")), recovery_hash(user, &plain)))
}

/// The hash of a recovery code without hyphens. It differs by user, so that hashes of many users cannot be searched at
/// once.
#[must_use]
pub fn recovery_hash(user: UserId, code: &Secret) -> OpaqueBytes {
    let hash = Sha256::new()
        .chain_update(b"password-auth recovery code v1")
        .chain_update(user.as_bytes())
        .chain_update(code.expose());
    hash.finalize().to_vec().into()
}

#[cfg(test)]
mod tests {
    use super::{TypedCode, new_recovery_code, recovery_hash};
    use crate::clock::Timestamp;
    use crate::id::UserId;
    use proptest::prelude::*;

    #[test]
    fn a_recovery_code_is_known_again_however_it_is_typed_and_by_its_user_alone() {
        let [user, other] = [1, 2].map(|n| UserId::new(Timestamp::from_millis(n)));
        let (shown, hash) = new_recovery_code(user).expect("random");
        assert_eq!(shown.expose().len(), 19);
        for typed in [
            shown.expose().to_owned(),
            shown.expose().to_uppercase(),
            shown.expose().replace('-', " "),
            format!(" {}\n", shown.expose().replace('-', "")),
        ] {
            let Some(TypedCode::Recovery(code)) = TypedCode::parse(&typed) else {
                panic!("{typed:?} is a recovery code");
            };
            assert_eq!(recovery_hash(user, &code), hash);
            assert_ne!(recovery_hash(other, &code), hash);
        }
    }

    #[test]
    fn six_digits_are_a_code_of_an_app_and_anything_else_is_none() {
        for typed in ["012345", " 012 345 ", "012-345"] {
            assert_eq!(TypedCode::parse(typed), Some(TypedCode::Totp(12_345)));
        }
        let long = "1".repeat(1000);
        for typed in ["", "12345", "1234567", "12345a", "+12345", "١٢٣٤٥٦", &long] {
            assert_eq!(TypedCode::parse(typed), None, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_may_be_typed(typed: String) {
            drop(TypedCode::parse(&typed));
        }
    }
}
