//! How expensive our own hashes are: scrypt (RFC 7914).

use std::fmt;

use scrypt::Params;
use zeroize::Zeroizing;

use super::error::HashError;

/// The most memory that one hash may take.
pub(super) const MAX_MEMORY_BYTES: u64 = 256 << 20;

/// The length of our own hashes.
pub(super) const OUTPUT_BYTES: usize = 32;

/// The most passes of one hash.
const MAX_PARALLELISM: u32 = 16;

/// The cost of a hash: 128 · 2^`log_n` · `r` bytes, filled `p` times one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScryptParams {
    log_n: u8,
    r: u32,
    p: u32,
}

impl ScryptParams {
    /// 32 MiB and three passes. OWASP's Password Storage Cheat Sheet lists several equivalent settings; this one fits a
    /// small machine.
    pub const DEFAULT: Self = Self {
        log_n: 15,
        r: 8,
        p: 3,
    };

    /// The settings in that sheet, as (`log_n`, minimum `p`) for `r` = 8.
    const OWASP: [(u8, u32); 5] = [(17, 1), (16, 2), (15, 3), (14, 5), (13, 10)];

    /// These parameters. `None` if scrypt does not allow them, or they exceed the limits.
    #[must_use]
    pub fn new(log_n: u8, r: u32, p: u32) -> Option<Self> {
        let params = Self { log_n, r, p };
        let fits = log_n > 0
            && log_n < 30
            && r <= 64
            && p <= MAX_PARALLELISM
            && params.memory_bytes() <= MAX_MEMORY_BYTES
            && Params::new(log_n, r, p).is_ok();
        fits.then_some(params)
    }

    /// The bytes that one hash allocates.
    #[must_use]
    pub const fn memory_bytes(self) -> u64 {
        (128 * self.r as u64) << self.log_n
    }

    /// The bytes that all passes fill together.
    pub(super) const fn filled_bytes(self) -> u64 {
        self.memory_bytes() * self.p as u64
    }

    /// Whether they are at least as strong as one of OWASP's settings.
    #[must_use]
    pub fn meets_owasp(self) -> bool {
        Self::OWASP
            .iter()
            .any(|(log_n, p)| self.log_n >= *log_n && self.r >= 8 && self.p >= *p)
    }

    /// scrypt of the password, as long as `output` is.
    pub(super) fn scrypt(
        self,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), HashError> {
        let params = Params::new(self.log_n, self.r, self.p).map_err(|_| HashError::NotComputed)?;
        scrypt::scrypt(&distinct(password), salt, &params, output)
            .map_err(|_| HashError::NotComputed)
    }

    /// As a PHC string names them.
    pub(super) fn phc(self) -> String {
        let Self { log_n, r, p } = self;
        format!("ln={log_n},r={r},p={p}")
    }
}

impl fmt::Display for ScryptParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.memory_bytes() >> 20;
        write!(
            f,
            "N=2^{}, r={}, p={} ({mib} MiB each)",
            self.log_n, self.r, self.p
        )
    }
}

/// The password in a form that HMAC distinguishes. scrypt and PBKDF2 begin with HMAC, which pads its key with NULs (RFC
/// 2104 §2), so a password with NULs at its end would equal the one without. Such a password is marked with the byte
/// 0xFF, which never occurs in UTF-8. All others are unchanged, as imported hashes need.
pub(super) fn distinct(password: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match password.last() {
        Some(0) => [b"\xFF", password, b"\x01"].concat(),
        _ => password.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::ScryptParams;

    #[test]
    fn owasp_s_settings_meet_owasp_and_weaker_ones_do_not() {
        assert!(ScryptParams::DEFAULT.meets_owasp());
        for (log_n, r, p) in [(17, 8, 1), (16, 8, 2), (14, 8, 5), (13, 8, 10), (17, 8, 3)] {
            assert!(ScryptParams::new(log_n, r, p).expect("valid").meets_owasp());
        }
        for (log_n, r, p) in [(15, 8, 2), (12, 8, 16), (17, 4, 1), (4, 8, 1)] {
            assert!(!ScryptParams::new(log_n, r, p).expect("valid").meets_owasp());
        }
    }
}
