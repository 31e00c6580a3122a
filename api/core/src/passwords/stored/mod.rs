//! The forms that a stored hash may have: ours, and those that hashes made elsewhere come in.
//!
//! A hash that somebody imported must not choose how much the server allocates, nor how long it computes.
//! Recognising one looks at its parameters before anything is allocated or computed: memory is bounded by
//! [`MAX_MEMORY_BYTES`](super::params::MAX_MEMORY_BYTES), and work, in each form's own measure, by some twenty times that of the default
//! parameters of our own hashes: two or three seconds of one core.

mod argon2;
mod bcrypt;
mod pbkdf2;
mod scrypt;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use super::error::{HashError, UnusableHash};
use super::params::ScryptParams;

/// What all passes of one hash together may fill, of those that are told by memory.
const MAX_FILLED_BYTES: u64 = 2 << 30;

/// The longest text that is looked at.
const MAX_CHARS: usize = 1024;

/// A hash, taken apart.
pub(super) enum StoredHash {
    /// Of an account that has no password.
    Nothing,
    Scrypt(scrypt::ScryptHash),
    Argon2(argon2::Argon2Hash),
    Bcrypt(bcrypt::BcryptHash),
    Pbkdf2(pbkdf2::Pbkdf2Hash),
}

impl StoredHash {
    /// Takes a hash apart, and refuses what would cost too much.
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
            // Django puts the name of the one that made it before a hash of another library.
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

    /// As [`recognise`](Self::recognise), for a hash that nobody here has made.
    pub(super) fn import(text: &str) -> Result<Self, UnusableHash> {
        let stored = Self::recognise(text)?;
        if let Self::Scrypt(scrypt) = &stored {
            scrypt.check_import()?;
        }
        Ok(stored)
    }

    /// What the right password gives; `None` of an account that has none.
    pub(super) fn output(&self) -> Option<&[u8]> {
        match self {
            Self::Nothing => None,
            Self::Scrypt(stored) => Some(&stored.output),
            Self::Argon2(stored) => Some(&stored.output),
            Self::Bcrypt(stored) => Some(&stored.output),
            Self::Pbkdf2(stored) => Some(&stored.output),
        }
    }

    /// What `password` gives; and whether it counts if that is the same.
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

    /// Whether it is as [`hash`](super::hash()) makes it with these parameters.
    pub(super) fn is_of(&self, params: ScryptParams) -> bool {
        match self {
            Self::Scrypt(stored) => stored.is_ours_of(params),
            Self::Nothing | Self::Argon2(_) | Self::Bcrypt(_) | Self::Pbkdf2(_) => false,
        }
    }
}

/// What is behind a prefix that is there.
fn behind<'a>(text: &'a str, prefix: &str) -> &'a str {
    text.strip_prefix(prefix).unwrap_or(text)
}

/// A parameter: decimal, without sign or leading zero, as every one of these libraries writes it.
fn decimal<T: FromStr>(text: &str) -> Option<T> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten()
}
