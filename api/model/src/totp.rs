//! Time-based one-time passwords (TOTP, RFC 6238): six digits, 30 seconds, HMAC-SHA-1, as every authenticator app knows
//! them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::clock::Timestamp;

/// The length of a secret: the output size of the hash (RFC 4226 §4).
pub const TOTP_SECRET_BYTES: usize = 20;
/// How many digits a code has.
pub const TOTP_DIGITS: usize = 6;
/// How long a code is shown, in seconds.
pub const TOTP_PERIOD: u64 = 30;

/// The number of the period that `now` is in.
#[must_use]
pub const fn totp_step(now: Timestamp) -> u64 {
    now.as_secs() / TOTP_PERIOD
}

/// The code of a step (RFC 4226 §5.3).
#[must_use]
pub fn totp_code(secret: &[u8], step: u64) -> u32 {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 0x0F);
    let mut word = [0; 4];
    word.copy_from_slice(&digest[offset..offset + 4]);
    (u32::from_be_bytes(word) & 0x7FFF_FFFF) % 1_000_000
}

/// The step whose code this is: the current one, the one before, or the next, since clocks differ. If it is the code of
/// several, the latest.
#[must_use]
pub fn matching_step(secret: &[u8], code: u32, now: Timestamp) -> Option<u64> {
    let current = totp_step(now);
    let steps = current.saturating_sub(1)..=current.saturating_add(1);
    steps.rev().find(|step| totp_code(secret, *step) == code)
}

#[cfg(test)]
mod tests {
    use super::{matching_step, totp_code, totp_step};
    use crate::clock::Timestamp;
    use proptest::prelude::*;

    /// RFC 6238, appendix B: the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            let step = totp_step(Timestamp::from_millis(seconds * 1000));
            assert_eq!(totp_code(b"12345678901234567890", step), code, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn a_code_is_good_in_its_step_and_the_neighbours_alone(
            secret: [u8; 20], seconds in 90_u64..10_000_000_000, off in -4_i64..=4,
        ) {
            let now = Timestamp::from_millis(seconds * 1000);
            let step = totp_step(now).saturating_add_signed(off);
            let found = matching_step(&secret, totp_code(&secret, step), now);
            if off.abs() <= 1 {
                prop_assert!(found >= Some(step), "a later one with the same code at most");
            } else if let Some(other) = found {
                prop_assert_eq!(totp_code(&secret, other), totp_code(&secret, step), "by chance");
            }
        }
    }
}
