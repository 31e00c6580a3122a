//! User names: they keep their spelling and are compared by one function.

use std::fmt;

use password_auth_wire::rules::{Violation, check_new_username};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// A user name in the spelling of its user, trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Username(String);

impl Username {
    /// Checks a name that a user chooses.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, Violation> {
        check_new_username(text)?;
        // A name that becomes an address by normalisation counts as one.
        if text.nfkc().any(|c| c == '@') {
            return Err(Violation::UsernameIsAddress);
        }
        Ok(Self(text.trim().to_owned()))
    }

    /// A name from the store. It is not checked again.
    #[must_use]
    pub const fn from_store(text: String) -> Self {
        Self(text)
    }

    /// The spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How it is compared.
    #[must_use]
    pub fn key(&self) -> UsernameKey {
        UsernameKey::of(&self.0)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key under which all spellings of a name are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UsernameKey(String);

impl UsernameKey {
    /// The version of [`UsernameKey::of`]. Keys are stored: if the function changes, raise the version and compute the
    /// stored keys again.
    pub const VERSION: u8 = 1;

    /// Blanks trimmed, NFKC, case folded (Unicode's compatibility caseless match, D146).
    #[must_use]
    pub fn of(text: &str) -> Self {
        let normal: String = text.trim().nfd().collect();
        let folded = caseless::default_case_fold_str(&normal);
        let compatible: String = folded.nfkd().collect();
        let folded = caseless::default_case_fold_str(&compatible);
        Self(folded.nfkc().collect())
    }

    /// A name from the store. It is not checked again.
    #[must_use]
    pub const fn from_store(text: String) -> Self {
        Self(text)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Username, UsernameKey};

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for (a, b) in [
            ("alice", " ALICE\t"),
            ("Straße", "STRASSE"),
            ("ﬁne", "FINE"),
            ("e\u{301}", "É"),
            ("Ａlice", "alice"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ] {
            assert_eq!(UsernameKey::of(a), UsernameKey::of(b), "{a} {b}");
        }
    }

    #[test]
    fn other_names_have_other_keys() {
        assert_ne!(UsernameKey::of("alice"), UsernameKey::of("a lice"));
        assert_ne!(UsernameKey::of("???"), UsernameKey::of("??"));
        assert_ne!(UsernameKey::of("😀"), UsernameKey::of("😁"));
    }

    #[test]
    fn the_spelling_is_kept_without_the_blanks_around_it() {
        let name = Username::parse("  Ünï 😀 ").expect("a name");
        assert_eq!(name.as_str(), "Ünï 😀");
    }
}
