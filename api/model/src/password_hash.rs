//! A password hash, as it is stored. `passwords` knows what is in it and how to compare one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Marks an account without a password.
const NONE: &str = "!";

/// A password hash as text, with its parameters: a PHC string or, if it was imported, its original form. `Debug` hides
/// it, since passwords can be guessed against it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// For an account without a password: no password is right until one is set.
    #[must_use]
    pub fn none() -> Self {
        Self(NONE.to_owned())
    }

    /// Whether there is a password.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.0 != NONE
    }

    /// A hash that was computed or stored. It is not checked.
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
