//! A string that must not be printed.

use serde::{Deserialize, Serialize};

/// A secret: a password or a token.
///
/// `Debug` hides it. It has no `Display`; reading it takes a call to [`Secret::expose`], which is easy to search for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(poem_openapi::NewType),
    oai(from_parameter = false, to_header = false, example = false)
)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The empty text, for a field that a form omits.
    #[must_use]
    pub const fn empty() -> Self {
        Self(String::new())
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text itself, for a container that hides it too.
    #[must_use]
    pub fn into_exposed(self) -> String {
        self.0
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_hides_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2!")), "Secret(…)");
    }
}
