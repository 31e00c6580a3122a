//! Full names.

use std::fmt;

use password_auth_wire::rules::{Violation, check_full_name};
use serde::{Deserialize, Deserializer, Serialize};

/// A full name, trimmed and never blank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullName(String);

impl FullName {
    /// Checks a full name. A blank text is no name.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn parse(text: &str) -> Result<Option<Self>, Violation> {
        check_full_name(text)?;
        Ok(Self::from_store(text.trim().to_owned()))
    }

    /// A name from the store. Versions before 0.2 could store a blank text, which is no name.
    pub fn from_store(text: String) -> Option<Self> {
        (!text.trim().is_empty()).then_some(Self(text))
    }

    /// Like [`from_store`](Self::from_store), for records that contain one.
    pub fn deserialize_kept<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Self>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.and_then(Self::from_store))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use password_auth_wire::rules::Violation;

    use super::FullName;

    #[test]
    fn a_blank_text_is_no_name_and_blanks_around_one_go() {
        for blank in ["", " ", "\u{3000}\t"] {
            assert_eq!(FullName::parse(blank), Ok(None), "{blank:?}");
            assert_eq!(FullName::from_store(blank.to_owned()), None, "{blank:?}");
        }
        let name = FullName::parse(" Alice Liddell ").expect("a name");
        assert_eq!(name.expect("one").as_str(), "Alice Liddell");
        assert_eq!(
            FullName::parse("a\u{202E}b"),
            Err(Violation::FullNameInvisible)
        );
    }
}
