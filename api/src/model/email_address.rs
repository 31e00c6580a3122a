//! E-mail addresses: kept as they were spelt, compared as they are used in practice.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// The most bytes of an address (RFC 5321 §4.5.3.1.3, less the brackets around it).
const MAX_BYTES: usize = 254;
/// The most bytes of what stands before the `@` (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// An address as somebody spelt it, without the blanks around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailAddress(String);

/// It is no address that mail could go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an e-mail address")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Checks an address: something, an `@`, and a host name with a dot in it. Whether mail arrives there, only
    /// a mail can tell. Quoted local parts and addresses of machines, which nobody has, are refused.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let local_is_good = !local.is_empty()
            && local.len() <= MAX_LOCAL_BYTES
            && local.split('.').all(|part| !part.is_empty())
            && local.chars().all(is_allowed_before_the_at);
        let mut labels = domain.split('.');
        let domain_is_good = domain.contains('.')
            && labels.clone().all(is_host_label)
            // The last one is a name: `user@10.0.0.1` is no address.
            && labels.next_back().is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()));
        if text.len() <= MAX_BYTES && local_is_good && domain_is_good {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEmail)
        }
    }

    /// What an engine kept: nothing is checked.
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
    pub fn key(&self) -> EmailKey {
        EmailKey::of(&self.0)
    }
}

/// RFC 5322's atoms, and letters of any script (RFC 6531).
fn is_allowed_before_the_at(c: char) -> bool {
    match c {
        '.' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
        _ => c.is_alphanumeric(),
    }
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c == '-' || c.is_alphanumeric())
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What two spellings of one address have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmailKey(String);

impl EmailKey {
    /// NFKC and lower case, the part before the `@` included: no provider that people use tells `Alice@` from
    /// `alice@`, whatever RFC 5321 allows.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.trim().nfkc().collect::<String>().to_lowercase())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{EmailAddress, EmailKey};

    #[test]
    fn what_people_have_is_an_address() {
        for text in [
            "alice@example.org",
            " Alice.Smith+demo@mail.example.co.uk ",
            "o'neil@example.ie",
            "用户@例子.广告",
            "a@b.c1",
        ] {
            assert!(EmailAddress::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_no_mail_reaches_is_none() {
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "",
            "@",
            "alice",
            "alice@",
            "@example.org",
            "alice@localhost",
            "a@b@c.d",
            "a b@c.de",
            "alice@example..org",
            "alice@-example.org",
            ".alice@example.org",
            "alice.@example.org",
            "alice@10.0.0.1",
            "alice@example.org\nBcc: bob@example.org",
            "a,b@c.de",
            "<a@b.de>",
            &long,
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn case_does_not_tell_addresses_apart() {
        assert_eq!(
            EmailKey::of("Alice@Example.ORG"),
            EmailKey::of(" alice@example.org")
        );
        assert_ne!(
            EmailKey::of("alice+a@example.org"),
            EmailKey::of("alice@example.org")
        );
    }
}
