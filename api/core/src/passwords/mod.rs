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
pub use hash::{PasswordMatch, has_salt, hash, import_hash, is_usable, verify, verify_nobody};
pub use normal::check_new_password;
pub use params::ScryptParams;
pub use policy::{MAX_SCORE, Policy, Strength};
pub use pool::{Busy, HashingError, Load, PasswordHasher, Place, PoolMeasures};
pub use weak::Weak;
