//! Secrets that must be read again, such as those of authenticator apps: encrypted with a subkey of the signing key, so
//! that a copy of the store alone does not hold them.
//!
//! A sealed secret is `version, kid, nonce, ciphertext` (AES-256-GCM), bound to its user.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use password_auth_model::{OpaqueBytes, UserId};
use zeroize::Zeroizing;

use super::keys::{Kid, SigningKeys};

const VERSION: u8 = 1;
const NONCE_START: usize = 1 + 8;
const TEXT_START: usize = NONCE_START + NONCE_LEN;

/// Why nothing was sealed: the system provides no random bytes, or the library failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret could not be sealed")]
pub struct SealingError;

/// A secret that was unsealed.
pub(crate) struct Opened {
    /// The secret.
    pub(crate) secret: Zeroizing<Vec<u8>>,
    /// Whether it is sealed with the current key.
    pub(crate) is_current: bool,
}

/// Seals and opens secrets.
pub(crate) struct Seals {
    /// The current key first.
    keys: Vec<(Kid, LessSafeKey)>,
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").finish_non_exhaustive()
    }
}

impl Seals {
    /// Uses a subkey of each of `keys`.
    #[must_use]
    pub(crate) fn new(keys: &SigningKeys) -> Self {
        #[expect(clippy::expect_used, reason = "the key has the length of AES-256")]
        let keys = keys.all().map(|key| {
            let subkey = UnboundKey::new(&AES_256_GCM, &*key.sealing_subkey());
            (key.kid(), LessSafeKey::new(subkey.expect("32 bytes")))
        });
        Self {
            keys: keys.collect(),
        }
    }

    /// Seals `secret` for `user`.
    ///
    /// # Errors
    /// As [`SealingError`] says.
    pub(crate) fn seal(&self, user: UserId, secret: &[u8]) -> Result<OpaqueBytes, SealingError> {
        let (kid, key) = self.keys.first().ok_or(SealingError)?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| SealingError)?;
        let mut text = secret.to_vec();
        let bound = Aad::from(bound_to(user));
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut text)
            .map_err(|_| SealingError)?;
        let sealed = [&[VERSION][..], kid.as_bytes(), &nonce, &text].concat();
        Ok(sealed.into())
    }

    /// Opens what was sealed for `user`. `None` if the key is gone, or it was sealed for somebody else.
    #[must_use]
    pub(crate) fn open(&self, user: UserId, sealed: &OpaqueBytes) -> Option<Opened> {
        let sealed = sealed.as_slice();
        let (head, text) = sealed.split_at_checked(TEXT_START)?;
        if head[0] != VERSION {
            return None;
        }
        let keys = self.keys.iter();
        let (number, (_, key)) = keys
            .enumerate()
            .find(|(_, (kid, _))| kid.as_bytes()[..] == head[1..NONCE_START])?;
        let nonce = Nonce::try_assume_unique_for_key(&head[NONCE_START..]).ok()?;
        let mut secret = Zeroizing::new(text.to_vec());
        let length = {
            let opened = key.open_in_place(nonce, Aad::from(bound_to(user)), &mut secret);
            opened.ok()?.len()
        };
        secret.truncate(length);
        Some(Opened {
            secret,
            is_current: number == 0,
        })
    }
}

fn bound_to(user: UserId) -> Vec<u8> {
    [b"password-auth totp ", &user.as_bytes()[..]].concat()
}

#[cfg(test)]
mod tests {
    use super::Seals;
    use crate::tokens::{SigningKey, SigningKeys};
    use password_auth_model::{OpaqueBytes, UserId};

    fn key(byte: u8) -> SigningKey {
        SigningKey::new(&[byte; 32]).expect("long enough")
    }

    const ALICE: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);

    #[test]
    fn what_is_sealed_opens_for_its_user_with_its_key_alone_and_unchanged() {
        let seals = Seals::new(&SigningKeys::new(key(1), vec![]));
        let sealed = seals.seal(ALICE, b"a secret").expect("sealed");
        let hidden = sealed.as_slice().windows(8).all(|part| part != b"a secret");
        assert!(hidden, "it is not there in plain text");
        let opened = seals.open(ALICE, &sealed).expect("opened");
        assert_eq!(
            (&**opened.secret, opened.is_current),
            (&b"a secret"[..], true)
        );
        assert!(seals.open(BOB, &sealed).is_none());
        let other = Seals::new(&SigningKeys::new(key(2), vec![]));
        assert!(other.open(ALICE, &sealed).is_none());
        let rotated = Seals::new(&SigningKeys::new(key(2), vec![key(1)]));
        assert!(!rotated.open(ALICE, &sealed).expect("opened").is_current);
        for at in 0..sealed.as_slice().len() {
            let mut changed = sealed.as_slice().to_vec();
            changed[at] ^= 1;
            assert!(seals.open(ALICE, &changed.into()).is_none(), "byte {at}");
        }
        assert!(seals.open(ALICE, &OpaqueBytes::from(vec![])).is_none());
    }
}
