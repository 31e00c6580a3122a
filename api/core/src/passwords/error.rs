//! Errors of hashing and of stored hashes.

/// Why hashing or comparing failed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The stored hash has an unknown form, or exceeds the limits.
    #[error("a stored password hash cannot be used: {0}")]
    Unusable(#[from] UnusableHash),
    /// The algorithm refused its parameters, or there is not enough memory.
    #[error("a password could not be hashed")]
    NotComputed,
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Randomness(getrandom::Error),
}

/// Why a hash cannot be used. The sentences never quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// It has an unknown form.
    #[error("it is not bcrypt, argon2, PBKDF2-SHA256 or scrypt in a form that this server knows")]
    Unknown,
    /// It looks like a known form, but cannot be parsed.
    #[error("it looks like {0}, but cannot be read")]
    Damaged(&'static str),
    /// Its parameters exceed the limits.
    #[error("it is too expensive: {0}")]
    TooExpensive(&'static str),
}
