//! scrypt hashes (RFC 7914) as PHC strings, parameters inside.

use std::fmt;

use scrypt::Params;
use scrypt::phc::{self, Salt};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The most memory that a stored hash may ask for: a hash that somebody imported must not choose how
/// much the server allocates.
const MAX_MEMORY_BYTES: u64 = 256 << 20;
const MAX_PARALLELISM: u32 = 16;
const OUTPUT_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// A hash of a password, as a PHC string. `Debug` hides it: it can be guessed against.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// What an engine kept.
    pub(crate) const fn from_store(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, for an engine to keep.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// How expensive a hash is. One takes 128 · 2^`log_n` · `r` bytes, `p` times one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScryptParams {
    log_n: u8,
    r: u32,
    p: u32,
}

impl ScryptParams {
    /// 32 MiB and three passes: of the settings that OWASP's Password Storage Cheat Sheet lists as equal,
    /// one that fits a small machine.
    pub const DEFAULT: Self = Self {
        log_n: 15,
        r: 8,
        p: 3,
    };

    /// What that sheet lists, least memory last, as (`log_n`, least `p`) for `r` = 8.
    const OWASP: [(u8, u32); 5] = [(17, 1), (16, 2), (15, 3), (14, 5), (13, 10)];

    /// These parameters; `None` if scrypt does not allow them, or they exceed what this server computes.
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

    /// Bytes that one hash allocates.
    #[must_use]
    pub const fn memory_bytes(self) -> u64 {
        (128 * self.r as u64) << self.log_n
    }

    /// Whether they are at least as hard as one of the settings that OWASP lists.
    #[must_use]
    pub fn meets_owasp(self) -> bool {
        Self::OWASP
            .iter()
            .any(|(log_n, p)| self.log_n >= *log_n && self.r >= 8 && self.p >= *p)
    }

    fn scrypt(
        self,
        password: &[u8],
        salt: &[u8],
    ) -> Result<Zeroizing<[u8; OUTPUT_BYTES]>, HashError> {
        let params = Params::new(self.log_n, self.r, self.p).map_err(|_| HashError::Unusable)?;
        let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
        scrypt::scrypt(&distinct(password), salt, &params, &mut *output)
            .map_err(|_| HashError::Unusable)?;
        Ok(output)
    }
}

/// The password, such that no two are alike to scrypt. It begins with HMAC, which pads its key with NULs
/// (RFC 2104 §2), so a password and the same with a NUL behind it would be one. Passwords are UTF-8, in
/// which the byte 0xFF never occurs; every other password goes in as it is, as hashes made elsewhere need.
fn distinct(password: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match password.last() {
        Some(0) => [b"\xFF", password, b"\x01"].concat(),
        _ => password.to_vec(),
    })
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

/// What comparing a password with a hash says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Right,
    /// It is the password, and the hash was made with other parameters than today's.
    RightButOutdated,
    /// It is not.
    Wrong,
}

/// Why there is no hash or no verdict.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The stored hash is none of ours, or asks for more than this server computes.
    #[error("a stored password hash can not be used")]
    Unusable,
    /// The system has no randomness.
    #[error("no random bytes from the system: {0}")]
    Randomness(getrandom::Error),
}

/// Hashes a password with a fresh random salt. Takes its time: see the pool.
///
/// # Errors
/// If the system has no randomness.
pub fn hash(password: &[u8], params: ScryptParams) -> Result<PasswordHash, HashError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(HashError::Randomness)?;
    let output = params.scrypt(password, &salt)?;
    let salt = Salt::new(&salt).map_err(|_| HashError::Unusable)?;
    let output = phc::Output::new(&*output).map_err(|_| HashError::Unusable)?;
    let ScryptParams { log_n, r, p } = params;
    Ok(PasswordHash(format!(
        "$scrypt$ln={log_n},r={r},p={p}${salt}${output}"
    )))
}

/// Compares a password with a stored hash, in a time that does not depend on where they differ.
///
/// # Errors
/// If the stored hash can not be used.
pub fn verify(
    password: &[u8],
    stored: &PasswordHash,
    today: ScryptParams,
) -> Result<Verdict, HashError> {
    let parsed = phc::PasswordHash::new(&stored.0).map_err(|_| HashError::Unusable)?;
    if parsed.algorithm != scrypt::phc::ALG_ID {
        return Err(HashError::Unusable);
    }
    let params = Params::try_from(&parsed.params)
        .ok()
        .and_then(|p| ScryptParams::new(p.log_n(), p.r(), p.p()))
        .ok_or(HashError::Unusable)?;
    let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
        return Err(HashError::Unusable);
    };
    let output = params.scrypt(password, &salt)?;
    if !bool::from(output.ct_eq(expected.as_bytes())) {
        return Ok(Verdict::Wrong);
    }
    Ok(if params == today {
        Verdict::Right
    } else {
        Verdict::RightButOutdated
    })
}

/// Costs what [`verify`] costs, for a name that nobody has.
///
/// # Errors
/// As [`verify`].
pub fn verify_nobody(password: &[u8], today: ScryptParams) -> Result<Verdict, HashError> {
    // A hash as anybody has one, so that it is read, computed and compared in the same way; of what, nobody knows.
    const SALT_AND_OUTPUT: &str =
        "bm9ib2R5IGhhcyB0aGlzLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let ScryptParams { log_n, r, p } = today;
    let nobodys = PasswordHash(format!("$scrypt$ln={log_n},r={r},p={p}${SALT_AND_OUTPUT}"));
    verify(password, &nobodys, today).map(|_| Verdict::Wrong)
}

#[cfg(test)]
mod tests {
    use super::{HashError, PasswordHash, ScryptParams, Verdict, hash, verify, verify_nobody};

    fn cheap() -> ScryptParams {
        ScryptParams::new(4, 8, 1).expect("valid")
    }

    #[test]
    fn every_byte_counts_nul_included() {
        let stored = hash(b"pass\0word", cheap()).expect("hashed");
        let check = |password: &[u8]| verify(password, &stored, cheap()).expect("verified");
        assert_eq!(check(b"pass\0word"), Verdict::Right);
        for wrong in [&b"pass"[..], b"pass\0", b"pass\0worD", b"pass\0word\0", b""] {
            assert_eq!(check(wrong), Verdict::Wrong);
        }
    }

    #[test]
    fn a_hash_of_other_parameters_verifies_and_is_outdated() {
        let stored = hash(b"password", ScryptParams::new(5, 8, 1).expect("valid")).expect("hashed");
        assert_eq!(
            verify(b"password", &stored, cheap()).expect("verified"),
            Verdict::RightButOutdated
        );
    }

    #[test]
    fn a_published_hash_verifies() {
        // passlib's documentation of scrypt.
        let stored = PasswordHash(
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E".into(),
        );
        assert_eq!(
            verify(b"password", &stored, cheap()).expect("verified"),
            Verdict::RightButOutdated
        );
    }

    #[test]
    fn a_hash_that_asks_for_a_terabyte_is_refused_at_once() {
        for params in ["ln=40,r=8,p=1", "ln=20,r=1000,p=1", "ln=4,r=8,p=100000"] {
            let stored = PasswordHash(format!(
                "$scrypt${params}$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
            ));
            assert!(
                matches!(
                    verify(b"password", &stored, cheap()),
                    Err(HashError::Unusable)
                ),
                "{params}"
            );
        }
    }

    #[test]
    fn nobody_is_never_right() {
        assert_eq!(
            verify_nobody(b"", cheap()).expect("computed"),
            Verdict::Wrong
        );
    }

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
