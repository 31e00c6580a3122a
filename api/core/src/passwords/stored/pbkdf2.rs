//! PBKDF2 with HMAC-SHA256 (RFC 8018), as Django and as passlib write it.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use sha2::Sha256;

use super::decimal;
use crate::passwords::error::UnusableHash;
use crate::passwords::params::distinct;

/// Five times what Django 6.0 takes.
const MAX_ITERATIONS: u32 = 6_000_000;

/// Both write so many bytes. Each 32 more would cost as much again.
const OUTPUT_BYTES: usize = 32;

const DAMAGED: UnusableHash = UnusableHash::Damaged("PBKDF2-SHA256");
const TOO_EXPENSIVE: UnusableHash =
    UnusableHash::TooExpensive("PBKDF2 may have 6,000,000 iterations");

pub(in crate::passwords) struct Pbkdf2Hash {
    iterations: u32,
    salt: Vec<u8>,
    pub(super) output: [u8; OUTPUT_BYTES],
}

impl Pbkdf2Hash {
    /// `pbkdf2_sha256$ITERATIONS$SALT$HASH`: the salt as it is, the hash in base64.
    pub(super) fn django(text: &str) -> Result<Self, UnusableHash> {
        let [iterations, salt, output] = three_parts(text, 1)?;
        let output = BASE64_STANDARD.decode(output).map_err(|_| DAMAGED)?;
        Self::new(iterations, salt.as_bytes().to_vec(), output)
    }

    /// `$pbkdf2-sha256$ITERATIONS$SALT$HASH`: both in base64 with `.` for `+`, unpadded.
    pub(super) fn passlib(text: &str) -> Result<Self, UnusableHash> {
        let [iterations, salt, output] = three_parts(text, 2)?;
        let decoded = |text: &str| {
            BASE64_STANDARD_NO_PAD
                .decode(text.replace('.', "+"))
                .map_err(|_| DAMAGED)
        };
        Self::new(iterations, decoded(salt)?, decoded(output)?)
    }

    fn new(iterations: &str, salt: Vec<u8>, output: Vec<u8>) -> Result<Self, UnusableHash> {
        let iterations = match decimal::<u64>(iterations).map(u32::try_from) {
            Some(Ok(iterations)) if iterations <= MAX_ITERATIONS => iterations,
            Some(_) => return Err(TOO_EXPENSIVE),
            None => return Err(DAMAGED),
        };
        Ok(Self {
            iterations,
            salt,
            output: output.try_into().map_err(|_| DAMAGED)?,
        })
    }

    pub(super) fn compute(&self, password: &[u8], output: &mut [u8]) {
        pbkdf2::pbkdf2_hmac::<Sha256>(&distinct(password), &self.salt, self.iterations, output);
    }
}

fn three_parts(text: &str, skipped: usize) -> Result<[&str; 3], UnusableHash> {
    let mut parts = text.split('$').skip(skipped);
    match [parts.next(), parts.next(), parts.next(), parts.next()] {
        [Some(a), Some(b), Some(c), None] => Ok([a, b, c]),
        _ => Err(DAMAGED),
    }
}
