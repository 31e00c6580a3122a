//! The key pairs that sign access tokens where others verify them (EdDSA): which one signs, and how long each verifies.
//!
//! Only what is public is stored. The private half is computed from the server's secret and the key's `salt`, so nodes
//! that share the secret share the keys, and whoever reads the store cannot sign.
//!
//! A new key is published before it signs, since others keep the published set for a while. An old one verifies until
//! the last token that it signed has expired.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::clock::Timestamp;

/// How long a new key is published before it signs: twice as long as others may keep the set, and some more for nodes
/// whose clocks differ.
pub const PUBLISHED_BEFORE: Duration = Duration::from_secs(10 * 60);

/// The most keys of one secret that sign or verify. A rotation that would exceed it is refused.
pub const MAX_TOKEN_KEYS: usize = 16;

/// How much longer than its last token a key verifies: nodes learn a bit late that it no longer signs, their clocks
/// differ, and a token is accepted for some seconds after it has expired.
const SLACK: Duration = Duration::from_secs(60);

/// How long a key is kept after its last token has expired: a client that was away may still sign out with a token.
pub const TOKEN_KEYS_KEPT: Duration = Duration::from_secs(400 * 86_400);

/// The id of a key: the `kid` of its tokens. Computed from the public key, so it says nothing about the private one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenKeyId([u8; 8]);

impl fmt::Display for TokenKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Not the id of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a key: an id is 16 hexadecimal digits")]
pub struct NotAKeyId;

impl FromStr for TokenKeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<Self, NotAKeyId> {
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).map_err(|_| NotAKeyId)?;
        (is_hexadecimal && text.len() == 16)
            .then_some(Self(number.to_be_bytes()))
            .ok_or(NotAKeyId)
    }
}

/// A key pair, without its private half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    /// From which, with the secret, the private half is computed. Random.
    pub salt: [u8; 16],
    /// The id of the secret.
    pub secret: [u8; 8],
    /// The public half (RFC 8032).
    pub public: [u8; 32],
    /// When it was made.
    pub created: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// From when on its successor signs.
    pub stops: Option<Timestamp>,
    /// The longest lifetime of the tokens that it signs.
    pub token_lifetime: Duration,
}

/// A new key pair, not in use yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTokenKey {
    /// As in [`TokenKey`].
    pub salt: [u8; 16],
    /// As in [`TokenKey`].
    pub secret: [u8; 8],
    /// As in [`TokenKey`].
    pub public: [u8; 32],
}

/// A change of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKeyChange {
    /// What to do.
    pub action: TokenKeyAction,
    /// Added if the action needs another key.
    pub candidate: NewTokenKey,
    /// The ids of the secrets that the server has. Keys of other secrets belong to others.
    pub secrets: Vec<[u8; 8]>,
    /// How long the server's access tokens last.
    pub token_lifetime: Duration,
}

/// What to do with the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKeyAction {
    /// Have one that signs, for a server that starts.
    Use,
    /// Add one that signs after this time.
    Rotate(Duration),
    /// Remove one: its tokens are refused from now on. If it signs, the next one signs at once.
    Retire(TokenKeyId),
}

/// Why the keys were not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenKeyRefusal {
    /// There is no such key.
    #[error("there is no key with this id: `keys list` shows them")]
    Unknown,
    /// There are too many keys.
    #[error("there are {MAX_TOKEN_KEYS} keys: wait until old ones have expired, or retire some")]
    TooMany,
}

impl NewTokenKey {
    const fn signing_from(self, signs_from: Timestamp, now: Timestamp) -> TokenKey {
        TokenKey {
            salt: self.salt,
            secret: self.secret,
            public: self.public,
            created: now,
            signs_from,
            stops: None,
            token_lifetime: Duration::ZERO,
        }
    }
}

impl TokenKey {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> TokenKeyId {
        let digest = Sha256::digest(self.public);
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        TokenKeyId(id)
    }

    /// Until when it verifies. `None`: no end is known.
    #[must_use]
    pub fn verifies_until(&self) -> Option<Timestamp> {
        let stops = self.stops?;
        Some(stops.plus(self.token_lifetime).plus(SLACK))
    }

    /// Whether every token that it signed has expired.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.verifies_until().is_some_and(|until| until <= now)
    }

    /// Whether it is not kept any more.
    #[must_use]
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        let stops = self.stops.map(|stops| stops.plus(self.token_lifetime));
        stops.is_some_and(|stops| stops.plus(TOKEN_KEYS_KEPT) <= now)
    }

    fn has_stopped(&self, now: Timestamp) -> bool {
        self.stops.is_some_and(|stops| stops <= now)
    }
}

/// The key of these that signs at `now`. If none signs yet, since this node's clock is behind, the first that will.
#[must_use]
pub fn signing_key<'a>(
    keys: impl IntoIterator<Item = &'a TokenKey> + Clone,
    now: Timestamp,
) -> Option<&'a TokenKey> {
    let place = |key: &&TokenKey| (key.signs_from, key.id());
    let may_sign = |key: &&TokenKey| !key.has_stopped(now);
    let signs = keys.clone().into_iter().filter(may_sign);
    let signing = signs.filter(|key| key.signs_from <= now).max_by_key(place);
    signing.or_else(|| keys.into_iter().filter(may_sign).min_by_key(place))
}

impl TokenKeyChange {
    /// The keys after the change, for an engine to write in place of `before`.
    ///
    /// # Errors
    /// As [`TokenKeyRefusal`] lists.
    pub fn apply(
        &self,
        before: &[TokenKey],
        now: Timestamp,
    ) -> Result<Vec<TokenKey>, TokenKeyRefusal> {
        let (mut own, mut others): (Vec<TokenKey>, Vec<TokenKey>) = before
            .iter()
            .copied()
            .filter(|key| !key.is_forgotten(now))
            .partition(|key| self.secrets.contains(&key.secret));
        match self.action {
            TokenKeyAction::Use => {}
            TokenKeyAction::Rotate(after) => {
                let in_use = own.iter().filter(|key| !key.is_over(now));
                if in_use.count() >= MAX_TOKEN_KEYS {
                    return Err(TokenKeyRefusal::TooMany);
                }
                let is_first = own.iter().all(|key| key.has_stopped(now));
                let after = if is_first { Duration::ZERO } else { after };
                own.push(self.candidate.signing_from(now.plus(after), now));
            }
            TokenKeyAction::Retire(id) => {
                let count = own.len() + others.len();
                own.retain(|key| key.id() != id);
                others.retain(|key| key.id() != id);
                if own.len() + others.len() == count {
                    return Err(TokenKeyRefusal::Unknown);
                }
            }
        }
        self.have_one_that_signs(&mut own, now);
        self.link(&mut own, now);
        own.extend(others);
        Ok(own)
    }

    /// If no key signs, the next one signs now; if there is none, the candidate.
    fn have_one_that_signs(&self, own: &mut Vec<TokenKey>, now: Timestamp) {
        let mut may_sign: Vec<_> = own.iter_mut().filter(|key| !key.has_stopped(now)).collect();
        if may_sign.iter().any(|key| key.signs_from <= now) {
            return;
        }
        may_sign.sort_by_key(|key| (key.signs_from, key.id()));
        match may_sign.into_iter().next() {
            Some(next) => next.signs_from = now,
            None => own.push(self.candidate.signing_from(now, now)),
        }
    }

    /// Each key signs until the next one does. All of them sign tokens of the longest lifetime.
    fn link(&self, own: &mut [TokenKey], now: Timestamp) {
        own.sort_by_key(|key| (key.signs_from, key.id()));
        let mut next = None;
        let may_sign = own.iter().filter(|key| !key.has_stopped(now));
        let longest = may_sign.map(|key| key.token_lifetime).max();
        let longest = longest.unwrap_or_default().max(self.token_lifetime);
        for key in own.iter_mut().rev().filter(|key| !key.has_stopped(now)) {
            key.stops = next;
            key.token_lifetime = longest;
            next = Some(key.signs_from);
        }
    }
}

#[cfg(test)]
mod tests;
