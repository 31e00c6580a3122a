//! E-mail addresses: which are valid, when two are the same, and where their mail goes.
//!
//! Two addresses are the same if they have the same key: the local part in NFC and lower case, and the lower-case
//! A-labels of the domain (UTS 46, non-transitional). Mail goes to that domain, and to the local part in NFC as it was
//! spelt. So two addresses with the same key are delivered to the same mailbox, except where a server distinguishes the
//! case of the local part. Pure rules: knows neither the store nor mail.

use std::fmt;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use password_auth_wire::rules::invisible::{is_invisible, joiner_is_spelling};
use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization as _, is_nfkc};

/// The most bytes of an address as it is delivered (RFC 5321 §4.5.3.1.3, less the brackets around it).
const MAX_BYTES: usize = 254;
/// The most bytes before the `@` (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;
/// The most bytes of input that is parsed. No real address that fits into [`MAX_BYTES`] is longer.
const MAX_TYPED_BYTES: usize = 1024;

/// An address as it was spelt, in NFC and trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailAddress(String);

/// The text is not an address that mail could be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Checks an address: a local part, an `@`, and a host name with a dot. Only a mail shows whether it is delivered.
    /// Quoted local parts and IP addresses, which nobody uses, are refused. So are addresses that look like another
    /// one: with ignorable characters, or a local part that NFKC changes.
    ///
    /// # Errors
    /// If it is not a valid address.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > MAX_TYPED_BYTES {
            return Err(InvalidEmail);
        }
        let text: String = text.nfc().collect();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let domain = a_labels_of_typed(domain).ok_or(InvalidEmail)?;
        let fits = local.len() <= MAX_LOCAL_BYTES && local.len() + 1 + domain.len() <= MAX_BYTES;
        if fits && is_local_part(local) {
            Ok(Self(text))
        } else {
            Err(InvalidEmail)
        }
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

    /// The address for delivery: the local part as it is spelt, and the domain in ASCII, since few mail servers support
    /// SMTPUTF8. `None` for an address that an older version accepted and that no mail can be sent to.
    #[must_use]
    pub fn mailbox(&self) -> Option<(String, String)> {
        let (local, domain) = self.0.rsplit_once('@')?;
        Some((local.nfc().collect(), a_labels(domain)?))
    }

    /// The key for comparisons. Also for addresses that an older version accepted and [`parse`](Self::parse) refuses.
    #[must_use]
    pub fn key(&self) -> EmailKey {
        EmailKey::of(&self.0)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key under which all spellings of an address are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmailKey(String);

impl EmailKey {
    /// The version of the function that makes keys, and so of all stored keys. Version 1 was NFKC and lower case of the
    /// whole address.
    pub const VERSION: u8 = 2;

    /// The local part is lower-cased too: no common provider distinguishes `Alice@` from `alice@`, although RFC 5321
    /// allows it. Lower-casing can undo NFC (`J` and a caron), so NFC is applied twice.
    pub fn of(text: &str) -> Self {
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Self(text.nfc().collect());
        };
        let local = local.nfc().collect::<String>().to_lowercase();
        let local: String = local.nfc().collect();
        let domain = a_labels(domain).unwrap_or_else(|| domain.to_lowercase());
        Self(format!("{local}@{domain}"))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The domain in ASCII, as mail servers know it.
fn a_labels(domain: &str) -> Option<String> {
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    ascii.ok().map(std::borrow::Cow::into_owned)
}

/// Like [`a_labels`], for a domain that a user types: it must have a dot. UTS 46 drops ignorable characters, so that
/// two domains that look different would be the same; they are refused here. UTS 46 checks joiners itself.
fn a_labels_of_typed(domain: &str) -> Option<String> {
    if domain.chars().any(|c| is_invisible(c) && !is_joiner(c)) {
        return None;
    }
    let ascii = a_labels(domain)?;
    // The last label must be a name: `user@10.0.0.1` is not an address.
    let (_, last) = ascii.rsplit_once('.')?;
    (!last.bytes().all(|byte| byte.is_ascii_digit())).then_some(ascii)
}

/// A local part in NFC: RFC 5322's atoms, and characters of any script (RFC 6531).
fn is_local_part(local: &str) -> bool {
    let atoms_are_good = local
        .split('.')
        .all(|atom| atom.chars().next().is_some_and(|first| !is_mark(first)));
    atoms_are_good
        && local.chars().all(is_allowed_before_the_at)
        && is_nfkc(local)
        && local.char_indices().all(|(at, c)| {
            let (before, after) = (&local[..at], &local[at + c.len_utf8()..]);
            !is_invisible(c) || joiner_is_spelling(before, c, after)
        })
}

fn is_allowed_before_the_at(c: char) -> bool {
    match c {
        '.' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
        _ => is_joiner(c) || !is_blank_or_unknown(c),
    }
}

const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

fn is_mark(c: char) -> bool {
    use GeneralCategory as Is;
    let category = CodePointMapData::<Is>::new().get(c);
    matches!(
        category,
        Is::NonspacingMark | Is::SpacingMark | Is::EnclosingMark
    )
}

/// Blanks, control characters, and unassigned or private-use characters.
fn is_blank_or_unknown(c: char) -> bool {
    use GeneralCategory as Is;
    matches!(
        CodePointMapData::<Is>::new().get(c),
        Is::Control
            | Is::Format
            | Is::Surrogate
            | Is::PrivateUse
            | Is::Unassigned
            | Is::SpaceSeparator
            | Is::LineSeparator
            | Is::ParagraphSeparator
    )
}

#[cfg(test)]
mod tests;
