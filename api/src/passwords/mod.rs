//! Passwords: how they are hashed, and the bounded pool that hashes them.

mod hash;
mod pool;

pub use hash::{HashError, PasswordHash, ScryptParams, Verdict, hash, verify, verify_nobody};
pub use pool::{Busy, HashingError, PasswordHasher};
