//! bcrypt (Provos and Mazières, 1999), and Django's way around its limit.
//!
//! bcrypt only uses the first 72 bytes of a password. So two long passwords with the same beginning are equivalent
//! until the first sign-in, which replaces the hash with one of the whole password as it was typed.
//!
//! Implementations differ for passwords with a NUL: most end at it; for others `a` and `a\0a` are the same, since
//! bcrypt repeats its input. So a password with a NUL never matches a bcrypt hash; its user has to reset it.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::passwords::error::UnusableHash;

/// Each step doubles the work.
const COSTS: std::ops::RangeInclusive<u32> = 4..=MAX_COST;
const MAX_COST: u32 = 15;

/// The bytes that bcrypt uses.
const KEY_BYTES: usize = 72;

const DAMAGED: UnusableHash = UnusableHash::Damaged("bcrypt");
const TOO_EXPENSIVE: UnusableHash = UnusableHash::TooExpensive("the limit for bcrypt is cost 15");

/// Some libraries left the last four bits of a salt, which are not used, unchanged.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

pub(in crate::passwords) struct BcryptHash {
    cost: u32,
    salt: [u8; 16],
    pub(super) output: [u8; 23],
    of_sha256: bool,
}

impl BcryptHash {
    /// `$2b$12$` and 53 characters, or `$2a$` and `$2y$`, which are the same for all passwords that match here. `$2x$`
    /// is not supported: it marks hashes of a faulty implementation.
    pub(super) fn plain(text: &str) -> Result<Self, UnusableHash> {
        let mut parts = text.split('$').skip(2);
        let (Some(cost), Some(rest), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(DAMAGED);
        };
        let (salt, output) = rest.split_at_checked(22).ok_or(DAMAGED)?;
        let stored = Self {
            cost: match *cost.as_bytes() {
                [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                    u32::from(tens - b'0') * 10 + u32::from(ones - b'0')
                }
                _ => return Err(DAMAGED),
            },
            salt: decoded(salt).ok_or(DAMAGED)?,
            output: decoded(output).ok_or(DAMAGED)?,
            of_sha256: false,
        };
        match stored.cost {
            cost if COSTS.contains(&cost) => Ok(stored),
            cost if cost > MAX_COST => Err(TOO_EXPENSIVE),
            _ => Err(DAMAGED),
        }
    }

    /// Django's form: bcrypt of the SHA-256 of the password in hexadecimal, so that the whole password is used.
    pub(super) fn of_sha256(text: &str) -> Result<Self, UnusableHash> {
        Ok(Self {
            of_sha256: true,
            ..Self::plain(text)?
        })
    }

    /// Returns whether bcrypt distinguishes this password from others.
    pub(super) fn compute(&self, password: &[u8], output: &mut [u8]) -> bool {
        let digest;
        let password = if self.of_sha256 {
            digest = hexadecimal(&Zeroizing::new(Sha256::digest(password).into()));
            &*digest
        } else {
            password
        };
        // Do the same work for every password, even if it cannot match.
        let end = password.iter().position(|byte| *byte == 0);
        let text = &password[..end.unwrap_or(password.len()).min(KEY_BYTES)];
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        key[..text.len()].copy_from_slice(text);
        // Include the final NUL, if there is room for it.
        let computed = Zeroizing::new(bcrypt::bcrypt(
            self.cost,
            self.salt,
            &key[..(text.len() + 1).min(KEY_BYTES)],
        ));
        // The last of the 24 bytes is not part of a hash.
        for (to, from) in output.iter_mut().zip(computed.iter()) {
            *to = *from;
        }
        end.is_none()
    }
}

fn hexadecimal(digest: &[u8; 32]) -> Zeroizing<[u8; 64]> {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
    let mut text = Zeroizing::new([0; 64]);
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(*byte)]);
    }
    text
}

fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64.decode(text).ok()?.try_into().ok()
}
