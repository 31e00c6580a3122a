//! A hash of a password, as it is kept. What is in it, and how one is compared, `passwords` knows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What stands for the hash of an account that has no password.
const NONE: &str = "!";

/// A hash of a password, as text with its parameters in it: ours as a PHC string, one that was made elsewhere
/// in the form that it came in. `Debug` hides it: it can be guessed against.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Of an account that has no password: none is right, until one is set.
    #[must_use]
    pub fn none() -> Self {
        Self(NONE.to_owned())
    }

    /// Whether it is of a password.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.0 != NONE
    }

    /// What was hashed, or kept: nothing is checked.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// The text, to keep or to compare with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
