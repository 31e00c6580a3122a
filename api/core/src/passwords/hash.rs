//! Hashing passwords, and comparing them with stored hashes. `stored` knows the forms of stored hashes.

use password_auth_model::PasswordHash;
use scrypt::phc::{Output, Salt};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::error::{HashError, UnusableHash};
use super::params::{OUTPUT_BYTES, ScryptParams};
use super::stored::StoredHash;

pub(super) const SALT_BYTES: usize = 16;

/// Accepts a hash from elsewhere, if this server can compare passwords with it at a bounded cost.
///
/// # Errors
/// If it cannot.
pub fn import_hash(text: &str) -> Result<PasswordHash, UnusableHash> {
    let text = text.trim();
    Ok(match StoredHash::import(text)? {
        // Django adds random characters after the mark.
        StoredHash::Nothing => PasswordHash::none(),
        _ => PasswordHash::from_text(text.to_owned()),
    })
}

/// Whether passwords can be compared with a stored hash, or it marks an account without a password.
#[must_use]
pub fn is_usable(hash: &PasswordHash) -> bool {
    StoredHash::recognise(hash.as_str()).is_ok()
}

/// The result of comparing a password with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMatch {
    /// The password matches.
    Right,
    /// The password matches, but the hash has another form or other parameters than new ones.
    RightButOutdated,
    /// The password does not match.
    Wrong,
}

/// Hashes a password with a new random salt. Slow: use the pool.
///
/// # Errors
/// If the system has no randomness.
pub fn hash(password: &[u8], params: ScryptParams) -> Result<PasswordHash, HashError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(HashError::Randomness)?;
    hash_salted(password, salt, params)
}

/// Whether a hash of our kind (a PHC string of scrypt) has this salt.
#[must_use]
pub(crate) fn has_salt(hash: &PasswordHash, salt: &[u8; SALT_BYTES]) -> bool {
    let stored = StoredHash::recognise(hash.as_str());
    stored.is_ok_and(|stored| stored.salt() == Some(&salt[..]))
}

/// Whether [`hash()`] would create this form with these parameters.
pub(super) fn is_current(hash: &PasswordHash, params: ScryptParams) -> bool {
    StoredHash::recognise(hash.as_str()).is_ok_and(|stored| stored.is_of(params))
}

/// Hashes a password with this salt.
pub(super) fn hash_salted(
    password: &[u8],
    salt: [u8; SALT_BYTES],
    params: ScryptParams,
) -> Result<PasswordHash, HashError> {
    let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
    params.scrypt(password, &salt, &mut *output)?;
    let salt = Salt::new(&salt).map_err(|_| HashError::NotComputed)?;
    let output = Output::new(&*output).map_err(|_| HashError::NotComputed)?;
    let params = params.phc();
    let text = format!("$scrypt${params}${salt}${output}");
    Ok(PasswordHash::from_text(text))
}

/// Compares a password with a stored hash, in constant time.
///
/// # Errors
/// If the stored hash cannot be used.
pub(crate) fn verify(
    password: &[u8],
    stored: &PasswordHash,
    today: ScryptParams,
) -> Result<PasswordMatch, HashError> {
    let stored = StoredHash::recognise(stored.as_str())?;
    let Some(expected) = stored.output() else {
        return verify_nobody(password, today);
    };
    let mut output = Zeroizing::new(vec![0; expected.len()]);
    let countable = stored.compute(password, &mut output)?;
    let alike = bool::from(output.ct_eq(expected));
    Ok(if !(alike && countable) {
        PasswordMatch::Wrong
    } else if stored.is_of(today) {
        PasswordMatch::Right
    } else {
        PasswordMatch::RightButOutdated
    })
}

/// For unknown names: does the same work as comparing a password with a hash of current parameters. The work for an
/// imported hash differs, until its user signs in for the first time and it is replaced.
///
/// # Errors
/// If there is not enough memory.
pub fn verify_nobody(password: &[u8], today: ScryptParams) -> Result<PasswordMatch, HashError> {
    // A valid hash of an unknown password, so that it is parsed, computed and compared like any other.
    const SALT_AND_OUTPUT: &str =
        "bm9ib2R5IGhhcyB0aGlzLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let params = today.phc();
    let nobodys = PasswordHash::from_text(format!("$scrypt${params}${SALT_AND_OUTPUT}"));
    verify(password, &nobodys, today).map(|_| PasswordMatch::Wrong)
}

#[cfg(test)]
mod tests {
    use super::{PasswordMatch, ScryptParams, hash, import_hash, verify, verify_nobody};

    fn cheap() -> ScryptParams {
        ScryptParams::new(4, 8, 1).expect("valid")
    }

    #[test]
    fn every_byte_counts_nul_included() {
        let stored = hash(b"pass\0word", cheap()).expect("hashed");
        let check = |password: &[u8]| verify(password, &stored, cheap()).expect("verified");
        assert_eq!(check(b"pass\0word"), PasswordMatch::Right);
        for wrong in [&b"pass"[..], b"pass\0", b"pass\0worD", b"pass\0word\0", b""] {
            assert_eq!(check(wrong), PasswordMatch::Wrong);
        }
    }

    #[test]
    fn a_hash_of_other_parameters_verifies_and_is_outdated() {
        let stored = hash(b"password", ScryptParams::new(5, 8, 1).expect("valid")).expect("hashed");
        assert_eq!(
            verify(b"password", &stored, cheap()).expect("verified"),
            PasswordMatch::RightButOutdated
        );
    }

    #[test]
    fn no_password_is_that_of_an_account_without_one() {
        for stored in ["!", "!zUKuqAvSRUBDSN2v1aTtCZ9lnSFuCFfcfKBqvPKD"] {
            let stored = import_hash(stored).expect("usable");
            assert!(!stored.is_some());
            for password in ["", "!", "password"] {
                assert_eq!(
                    verify(password.as_bytes(), &stored, cheap()).expect("computed"),
                    PasswordMatch::Wrong
                );
            }
        }
    }

    #[test]
    fn nobody_is_never_right() {
        assert_eq!(
            verify_nobody(b"", cheap()).expect("computed"),
            PasswordMatch::Wrong
        );
    }
}
