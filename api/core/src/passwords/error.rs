//! Why there is no hash, or none that can be used.

/// Why there is no hash or no verdict.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The stored hash is none that this server knows, or asks for more than it computes.
    #[error("a stored password hash can not be used: {0}")]
    Unusable(#[from] UnusableHash),
    /// The algorithm refuses its parameters, or there is no memory for it.
    #[error("a password could not be hashed")]
    NotComputed,
    /// The system has no randomness.
    #[error("no random bytes from the system: {0}")]
    Randomness(getrandom::Error),
}

/// Why a hash can not be used. The sentences quote nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// It is of another kind.
    #[error(
        "it is none of bcrypt, argon2, PBKDF2-SHA256 or scrypt in a form that this server knows"
    )]
    Unknown,
    /// It is of one kind, and can not be read.
    #[error("it looks like {0}, and can not be read")]
    Damaged(&'static str),
    /// Its parameters are beyond what the server computes.
    #[error("it is too expensive: {0}")]
    TooExpensive(&'static str),
}
