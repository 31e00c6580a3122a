//! Passwords: how they are hashed, the bounded pool that hashes them, and which are too easy to guess.

mod hash;
mod params;
mod policy;
mod pool;
mod stored;

pub use hash::{HashError, Verdict, hash, import_hash, verify, verify_nobody};
pub use params::ScryptParams;
pub use policy::{MAX_SCORE, Policy, Weak};
pub use pool::{Busy, HashingError, PasswordHasher};
pub use stored::UnusableHash;

pub use crate::model::PasswordHash;
