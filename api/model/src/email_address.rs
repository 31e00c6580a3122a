//! E-mail addresses: which there are, when two are one, and where mail to one goes.
//!
//! One identity decides everything: the local part in NFC, lower-cased, and the domain's lower-case A-labels (UTS 46,
//! non-transitional). Mail goes to that same domain, and to the local part in NFC as it was spelt, so no two
//! addresses that are delivered differently are one here, but for the case of the local part. Pure rules: knows
//! neither the store nor mail.

use std::fmt;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use password_auth_wire::rules::invisible::{is_invisible, joiner_is_spelling};
use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization as _, is_nfkc};

/// The most bytes of an address as it is delivered (RFC 5321 §4.5.3.1.3, less the brackets around it).
const MAX_BYTES: usize = 254;
/// The most bytes of what stands before the `@` (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;
/// The most bytes of text that is looked at: no address that fits into [`MAX_BYTES`] is spelt longer in earnest.
const MAX_TYPED_BYTES: usize = 1024;

/// An address as somebody spelt it, in NFC, without the blanks around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailAddress(String);

/// It is no address that mail could go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Checks an address: something, an `@`, and a host name with a dot in it. Whether mail arrives there, only
    /// a mail can tell. Quoted local parts and addresses of machines, which nobody has, are refused; and so is what
    /// looks like another address: ignorable characters, and a local part that NFKC changes.
    ///
    /// # Errors
    /// If it is none.
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

    /// Where mail to it goes: the local part as it is spelt, and the domain in ASCII, since few mail servers know
    /// SMTPUTF8. `None` of an address that an older version took and that no mail can go to.
    #[must_use]
    pub fn mailbox(&self) -> Option<(String, String)> {
        let (local, domain) = self.0.rsplit_once('@')?;
        Some((local.nfc().collect(), a_labels(domain)?))
    }

    /// How it is compared. Also of what [`parse`](Self::parse) refuses and an older version took.
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

/// What two spellings of one address have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmailKey(String);

impl EmailKey {
    /// The version of this function, and so of every key that an engine keeps. 1 was NFKC and lower case of it all.
    pub const VERSION: u8 = 2;

    /// Lower case before the `@` too: no provider that people use tells `Alice@` from `alice@`, whatever RFC 5321
    /// allows. Lower case can undo NFC (`J` and a caron), hence twice.
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

/// The domain as mail servers know it.
fn a_labels(domain: &str) -> Option<String> {
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    ascii.ok().map(std::borrow::Cow::into_owned)
}

/// As [`a_labels`], of a domain that somebody types: a name with a dot in it. UTS 46 leaves out what is ignorable, and
/// would make one domain of two that a reader takes for two; joiners it checks itself.
fn a_labels_of_typed(domain: &str) -> Option<String> {
    if domain.chars().any(|c| is_invisible(c) && !is_joiner(c)) {
        return None;
    }
    let ascii = a_labels(domain)?;
    // The last label is a name: `user@10.0.0.1` is no address.
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

/// Blanks, controls, and what stands for nothing that everybody agrees on.
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
