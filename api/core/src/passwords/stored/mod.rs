//! The forms of stored hashes: ours and imported ones.
//!
//! An imported hash must not decide how much the server allocates or computes. Its parameters are checked before
//! anything is allocated or computed: memory is limited by [`MAX_MEMORY_BYTES`](super::params::MAX_MEMORY_BYTES), and
//! work to about twenty times that of our own default: two or three seconds of one core.

mod argon2;
mod bcrypt;
mod pbkdf2;
mod scrypt;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use super::error::{HashError, UnusableHash};
use super::params::ScryptParams;

/// The most bytes that all passes of one memory-hard hash fill together.
const MAX_FILLED_BYTES: u64 = 2 << 30;

/// The longest text that is parsed.
const MAX_CHARS: usize = 1024;

/// A parsed hash.
pub(super) enum StoredHash {
    /// An account without a password.
    Nothing,
    Scrypt(scrypt::ScryptHash),
    Argon2(argon2::Argon2Hash),
    Bcrypt(bcrypt::BcryptHash),
    Pbkdf2(pbkdf2::Pbkdf2Hash),
}

impl StoredHash {
    /// Parses a hash, and refuses it if it would cost too much.
    pub(super) fn recognise(text: &str) -> Result<Self, UnusableHash> {
        if text.len() > MAX_CHARS {
            return Err(UnusableHash::Unknown);
        }
        if text.starts_with('!') {
            return Ok(Self::Nothing);
        }
        let mut parts = text.split('$');
        let (first, second) = (parts.next(), parts.next());
        match (first.unwrap_or_default(), second.unwrap_or_default()) {
            ("", "scrypt") => scrypt::ScryptHash::phc(text).map(Self::Scrypt),
            ("scrypt", _) => scrypt::ScryptHash::django(text).map(Self::Scrypt),
            ("", "argon2id" | "argon2i" | "argon2d") => {
                argon2::Argon2Hash::phc(text).map(Self::Argon2)
            }
            // Django adds the name of the algorithm before a hash of another library.
            ("argon2", "argon2id" | "argon2i" | "argon2d") => {
                argon2::Argon2Hash::phc(behind(text, "argon2")).map(Self::Argon2)
            }
            ("", "2a" | "2b" | "2y") => bcrypt::BcryptHash::plain(text).map(Self::Bcrypt),
            ("bcrypt", "") => bcrypt::BcryptHash::plain(behind(text, "bcrypt$")).map(Self::Bcrypt),
            ("bcrypt_sha256", "") => {
                bcrypt::BcryptHash::of_sha256(behind(text, "bcrypt_sha256$")).map(Self::Bcrypt)
            }
            ("", "pbkdf2-sha256") => pbkdf2::Pbkdf2Hash::passlib(text).map(Self::Pbkdf2),
            ("pbkdf2_sha256", _) => pbkdf2::Pbkdf2Hash::django(text).map(Self::Pbkdf2),
            _ => Err(UnusableHash::Unknown),
        }
    }

    /// Like [`recognise`](Self::recognise), for an imported hash.
    pub(super) fn import(text: &str) -> Result<Self, UnusableHash> {
        let stored = Self::recognise(text)?;
        if let Self::Scrypt(scrypt) = &stored {
            scrypt.check_import()?;
        }
        Ok(stored)
    }

    /// The output for the right password. `None` for an account without a password.
    pub(super) fn output(&self) -> Option<&[u8]> {
        match self {
            Self::Nothing => None,
            Self::Scrypt(stored) => Some(&stored.output),
            Self::Argon2(stored) => Some(&stored.output),
            Self::Bcrypt(stored) => Some(&stored.output),
            Self::Pbkdf2(stored) => Some(&stored.output),
        }
    }

    /// The output for `password`, and whether it counts if it is the same.
    pub(super) fn compute(&self, password: &[u8], output: &mut [u8]) -> Result<bool, HashError> {
        match self {
            Self::Nothing => Ok(false),
            Self::Scrypt(stored) => stored.compute(password, output).map(|()| true),
            Self::Argon2(stored) => stored.compute(password, output).map(|()| true),
            Self::Bcrypt(stored) => Ok(stored.compute(password, output)),
            Self::Pbkdf2(stored) => {
                stored.compute(password, output);
                Ok(true)
            }
        }
    }

    /// The salt of a hash of our kind.
    pub(super) fn salt(&self) -> Option<&[u8]> {
        match self {
            Self::Scrypt(stored) => Some(&stored.salt),
            Self::Nothing | Self::Argon2(_) | Self::Bcrypt(_) | Self::Pbkdf2(_) => None,
        }
    }

    /// Whether [`hash`](super::hash()) would create this form with these parameters.
    pub(super) fn is_of(&self, params: ScryptParams) -> bool {
        match self {
            Self::Scrypt(stored) => stored.is_ours_of(params),
            Self::Nothing | Self::Argon2(_) | Self::Bcrypt(_) | Self::Pbkdf2(_) => false,
        }
    }
}

/// The text after a prefix, if it has the prefix.
fn behind<'a>(text: &'a str, prefix: &str) -> &'a str {
    text.strip_prefix(prefix).unwrap_or(text)
}

/// A parameter: decimal, without sign or leading zeros.
fn decimal<T: FromStr>(text: &str) -> Option<T> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}
