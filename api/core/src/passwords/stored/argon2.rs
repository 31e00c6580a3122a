//! argon2 (RFC 9106): PHC strings of all three variants, as every library writes them.

use argon2::{Algorithm, Argon2, Params, Version};
use scrypt::phc::PasswordHash;

use super::MAX_FILLED_BYTES;
use crate::passwords::error::{HashError, UnusableHash};
use crate::passwords::params::MAX_MEMORY_BYTES;

const DAMAGED: UnusableHash = UnusableHash::Damaged("argon2");
const TOO_EXPENSIVE: UnusableHash = UnusableHash::TooExpensive(
    "argon2 may take 256 MiB, and fill 2 GiB in all its passes together",
);

pub(in crate::passwords) struct Argon2Hash {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl Argon2Hash {
    /// `$argon2id$v=19$m=65536,t=3,p=4$SALT$HASH`; without `v` it is of the first version.
    pub(super) fn phc(text: &str) -> Result<Self, UnusableHash> {
        let parsed = PasswordHash::new(text).map_err(|_| DAMAGED)?;
        let algorithm = Algorithm::new(parsed.algorithm.as_str()).map_err(|_| DAMAGED)?;
        let version = match parsed.version {
            Some(0x13) => Version::V0x13,
            Some(0x10) | None => Version::V0x10,
            Some(_) => return Err(DAMAGED),
        };
        let (mut memory, mut passes, mut lanes) = (None, None, None);
        for (name, value) in parsed.params.iter() {
            let slot = match name.as_str() {
                "m" => &mut memory,
                "t" => &mut passes,
                "p" => &mut lanes,
                // A key or other data that went in: nobody could verify it.
                _ => return Err(DAMAGED),
            };
            *slot = Some(value.decimal().map_err(|_| DAMAGED)?);
        }
        let (Some(memory), Some(passes), Some(lanes)) = (memory, passes, lanes) else {
            return Err(DAMAGED);
        };
        let (Some(salt), Some(output)) = (parsed.salt, parsed.hash) else {
            return Err(DAMAGED);
        };
        let bytes = u64::from(memory) << 10;
        if bytes > MAX_MEMORY_BYTES || bytes.saturating_mul(passes.into()) > MAX_FILLED_BYTES {
            return Err(TOO_EXPENSIVE);
        }
        let output = output.as_bytes().to_vec();
        let params = Params::new(memory, passes, lanes, Some(output.len())).map_err(|_| DAMAGED)?;
        Ok(Self {
            argon2: Argon2::new(algorithm, version, params),
            salt: salt.to_vec(),
            output,
        })
    }

    pub(super) fn compute(&self, password: &[u8], output: &mut [u8]) -> Result<(), HashError> {
        self.argon2
            .hash_password_into(password, &self.salt, output)
            .map_err(|_| HashError::NotComputed)
    }
}
