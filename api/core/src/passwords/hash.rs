//! Hashing a password, and comparing one with a stored hash. What forms a stored hash has, `stored` knows.

use password_auth_model::PasswordHash;
use scrypt::phc::{Output, Salt};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::error::{HashError, UnusableHash};
use super::params::{OUTPUT_BYTES, ScryptParams};
use super::stored::StoredHash;

const SALT_BYTES: usize = 16;

/// A hash that was made elsewhere, if this server can compare passwords with it at a bounded cost.
///
/// # Errors
/// If it can not.
pub fn import_hash(text: &str) -> Result<PasswordHash, UnusableHash> {
    let text = text.trim();
    Ok(match StoredHash::import(text)? {
        // Django puts random characters behind the mark.
        StoredHash::Nothing => PasswordHash::none(),
        _ => PasswordHash::from_text(text.to_owned()),
    })
}

/// Whether a hash that somebody kept is one that passwords can be compared with, or that of no password.
#[must_use]
pub fn is_usable(hash: &PasswordHash) -> bool {
    StoredHash::recognise(hash.as_str()).is_ok()
}

/// What comparing a password with a hash says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMatch {
    /// It is the password.
    Right,
    /// It is the password, and the hash was made elsewhere, or with other parameters than today's.
    RightButOutdated,
    /// It is not.
    Wrong,
}

/// Hashes a password with a fresh random salt. Takes its time: see the pool.
///
/// # Errors
/// If the system has no randomness.
pub fn hash(password: &[u8], params: ScryptParams) -> Result<PasswordHash, HashError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(HashError::Randomness)?;
    let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
    params.scrypt(password, &salt, &mut *output)?;
    let salt = Salt::new(&salt).map_err(|_| HashError::NotComputed)?;
    let output = Output::new(&*output).map_err(|_| HashError::NotComputed)?;
    let params = params.phc();
    let text = format!("$scrypt${params}${salt}${output}");
    Ok(PasswordHash::from_text(text))
}

/// Compares a password with a stored hash, in a time that does not depend on where they differ.
///
/// # Errors
/// If the stored hash can not be used.
pub fn verify(
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

/// Costs what [`verify`] costs with a hash of today's parameters, for a name that nobody has. With a hash that
/// was made elsewhere the costs differ, until its owner signs in for the first time and it is replaced.
///
/// # Errors
/// As [`verify`].
pub fn verify_nobody(password: &[u8], today: ScryptParams) -> Result<PasswordMatch, HashError> {
    // A hash as anybody has one, so that it is read, computed and compared in the same way; of what, nobody knows.
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
