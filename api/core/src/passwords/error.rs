//! Why there is no hash, or none that can be used.

/// Why there is no hash or no verdict.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The stored hash is none that this server knows, or asks for more than it computes.
    #[error("a stored password hash cannot be used: {0}")]
    Unusable(#[from] UnusableHash),
    /// The algorithm refuses its parameters, or there is no memory for it.
    #[error("a password could not be hashed")]
    NotComputed,
    /// The system has no randomness.
    #[error("the system provides no random bytes: {0}")]
    Randomness(getrandom::Error),
}

/// Why a hash cannot be used. The sentences quote nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// It is of another kind.
    #[error("it is not bcrypt, argon2, PBKDF2-SHA256 or scrypt in a form that this server knows")]
    Unknown,
    /// It is of one kind, and cannot be read.
    #[error("it looks like {0}, but cannot be read")]
    Damaged(&'static str),
    /// Its parameters are beyond what the server computes.
    #[error("it is too expensive: {0}")]
    TooExpensive(&'static str),
}
