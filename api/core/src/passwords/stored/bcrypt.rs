//! bcrypt (Provos and Mazières, 1999), and Django's way around its limit.
//!
//! bcrypt looks at the first 72 bytes of a password and at nothing behind them, so two long passwords that
//! begin alike were one where the hash was made, and are one here until the first sign-in: that one puts a
//! hash of the whole password, as it was typed then, in the place of this one.
//!
//! To most of bcrypt's implementations a password ends at a NUL, to others NUL is a character like others, and
//! then `a` and `a\0a` are one password, since bcrypt repeats what it is given. So a password with a NUL is
//! right for no hash of bcrypt; whoever has one sets another by a reset.

use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::passwords::error::UnusableHash;

/// Each step doubles the work.
const COSTS: std::ops::RangeInclusive<u32> = 4..=MAX_COST;
const MAX_COST: u32 = 15;

/// What bcrypt looks at.
const KEY_BYTES: usize = 72;

const DAMAGED: UnusableHash = UnusableHash::Damaged("bcrypt");
const TOO_EXPENSIVE: UnusableHash = UnusableHash::TooExpensive("bcrypt's cost may be 15");

/// Some who made a salt of 22 characters of their own left the last four bits, which do not count, as they came.
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
    /// `$2b$12$` and 53 characters, or `$2a$`, `$2y$`, which differ in no password that they were right for.
    /// `$2x$` is not here: it stands for hashes of an implementation that made mistakes.
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

    /// Django's: the same of SHA-256 of the password, as hexadecimal text, so that all of it counts.
    pub(super) fn of_sha256(text: &str) -> Result<Self, UnusableHash> {
        Ok(Self {
            of_sha256: true,
            ..Self::plain(text)?
        })
    }

    /// Says whether it is a password that bcrypt tells from others.
    pub(super) fn compute(&self, password: &[u8], output: &mut [u8]) -> bool {
        let digest;
        let password = if self.of_sha256 {
            digest = hexadecimal(&Zeroizing::new(Sha256::digest(password).into()));
            &*digest
        } else {
            password
        };
        // The same work for every password, also one that can not be right.
        let end = password.iter().position(|byte| *byte == 0);
        let text = &password[..end.unwrap_or(password.len()).min(KEY_BYTES)];
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        key[..text.len()].copy_from_slice(text);
        // With the NUL that ends it, where there is room for one.
        let computed = Zeroizing::new(bcrypt::bcrypt(
            self.cost,
            self.salt,
            &key[..(text.len() + 1).min(KEY_BYTES)],
        ));
        // The last of 24 bytes is in no hash.
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
