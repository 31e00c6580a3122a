//! scrypt (RFC 7914): ours and passlib's, which are PHC strings, and Django's.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use scrypt::phc::{Output, PasswordHash};

use super::{MAX_FILLED_BYTES, decimal};
use crate::passwords::error::{HashError, UnusableHash};
use crate::passwords::params::{OUTPUT_BYTES, ScryptParams};

const DAMAGED: UnusableHash = UnusableHash::Damaged("scrypt");
const TOO_EXPENSIVE: UnusableHash = UnusableHash::TooExpensive(
    "the limit for scrypt is 256 MiB of memory, 2 GiB filled in all passes, and r = 64",
);

pub(in crate::passwords) struct ScryptHash {
    params: ScryptParams,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
    phc: bool,
}

impl ScryptHash {
    /// `$scrypt$ln=16,r=8,p=1$SALT$HASH`.
    pub(super) fn phc(text: &str) -> Result<Self, UnusableHash> {
        let parsed = PasswordHash::new(text).map_err(|_| DAMAGED)?;
        // Not by scrypt's own reader, which multiplies `r` and `p` before anybody has bounded them.
        let number = |name| parsed.params.get_decimal(name).ok_or(DAMAGED);
        let (log_n, r, p) = (number("ln")?, number("r")?, number("p")?);
        if parsed.params.iter().count() > 3 {
            return Err(DAMAGED);
        }
        let (Some(salt), Some(output)) = (parsed.salt, parsed.hash) else {
            return Err(DAMAGED);
        };
        Ok(Self {
            params: u8::try_from(log_n)
                .ok()
                .and_then(|log_n| ScryptParams::new(log_n, r, p))
                .ok_or(TOO_EXPENSIVE)?,
            salt: salt.to_vec(),
            output: output.as_bytes().to_vec(),
            phc: true,
        })
    }

    /// `scrypt$N$SALT$R$P$HASH`: `N` itself, the salt as it is, and 64 bytes.
    pub(super) fn django(text: &str) -> Result<Self, UnusableHash> {
        let mut parts = text.split('$').skip(1);
        let mut next = || parts.next().ok_or(DAMAGED);
        let (n, salt, r, p, output) = (next()?, next()?, next()?, next()?, next()?);
        if next().is_ok() {
            return Err(DAMAGED);
        }
        let number = |text| decimal::<u32>(text).ok_or(DAMAGED);
        let (n, r, p) = (number(n)?, number(r)?, number(p)?);
        let log_n = n.is_power_of_two().then_some(n.ilog2()).ok_or(DAMAGED)?;
        let output = BASE64_STANDARD.decode(output).map_err(|_| DAMAGED)?;
        if !(Output::MIN_LENGTH..=Output::MAX_LENGTH).contains(&output.len()) {
            return Err(DAMAGED);
        }
        Ok(Self {
            params: u8::try_from(log_n)
                .ok()
                .and_then(|log_n| ScryptParams::new(log_n, r, p))
                .ok_or(TOO_EXPENSIVE)?,
            salt: salt.as_bytes().to_vec(),
            output,
            phc: false,
        })
    }

    /// Our own settings may be more expensive than imported hashes.
    pub(super) fn check_import(&self) -> Result<(), UnusableHash> {
        if self.params.filled_bytes() > MAX_FILLED_BYTES {
            return Err(TOO_EXPENSIVE);
        }
        Ok(())
    }

    pub(super) fn compute(&self, password: &[u8], output: &mut [u8]) -> Result<(), HashError> {
        self.params.scrypt(password, &self.salt, output)
    }

    pub(super) fn is_ours_of(&self, params: ScryptParams) -> bool {
        self.phc && self.params == params && self.output.len() == OUTPUT_BYTES
    }
}
