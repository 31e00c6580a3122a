//! Passwords: how they are hashed, the bounded pool that hashes them, and which are too easy to guess.

mod error;
#[cfg(test)]
mod fuzz;
mod hash;
mod normal;
mod params;
mod policy;
mod pool;
mod slots;
mod stored;
mod weak;
mod window;

pub use error::{HashError, UnusableHash};
pub(crate) use hash::has_salt;
pub use hash::{PasswordMatch, hash, import_hash, is_usable, verify_nobody};
pub(crate) use normal::check_new_password;
pub use params::ScryptParams;
pub use policy::{MAX_SCORE, Policy};
pub use pool::{Busy, HashingError, Load, PasswordHasher, PoolMeasures};
pub use weak::Weak;
