//! Key pairs for signatures that others can verify: Ed25519 (RFC 8032), `EdDSA` in a JWT (RFC 8037).

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use password_auth_model::{NewTokenKey, TokenKey};

use super::keys::SigningKey;

/// A key pair with its private half, computed from the server's secret.
pub(crate) struct TokenKeyPair {
    key: TokenKey,
    pair: Ed25519KeyPair,
}

impl fmt::Debug for TokenKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKeyPair")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The system provides no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system provides no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

impl TokenKeyPair {
    /// The public half of a new key pair of `secret`.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub(crate) fn candidate(secret: &SigningKey) -> Result<NewTokenKey, NoRandomness> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(NoRandomness)?;
        Ok(NewTokenKey {
            salt,
            secret: *secret.kid().as_bytes(),
            public: pair(secret, &salt).map_or([0; 32], |pair| public(&pair)),
        })
    }

    /// The key pair of `key`, if `secret` made it.
    #[must_use]
    pub(crate) fn of(key: &TokenKey, secret: &SigningKey) -> Option<Self> {
        let pair = pair(secret, &key.salt)?;
        // Whoever can write to the store must not be able to add a key of their own.
        (public(&pair) == key.public).then_some(Self { key: *key, pair })
    }

    /// What is public about it.
    #[must_use]
    pub(crate) const fn key(&self) -> &TokenKey {
        &self.key
    }

    /// Signs.
    #[must_use]
    pub(crate) fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        self.pair.sign(message)
    }
}

fn pair(secret: &SigningKey, salt: &[u8; 16]) -> Option<Ed25519KeyPair> {
    // Only fails for a seed of another length.
    Ed25519KeyPair::from_seed_unchecked(&*secret.token_key_seed(salt)).ok()
}

fn public(pair: &Ed25519KeyPair) -> [u8; 32] {
    pair.public_key().as_ref().try_into().unwrap_or([0; 32])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use password_auth_model::{Timestamp, TokenKey, TokenKeyAction, TokenKeyChange};

    use super::TokenKeyPair;
    use crate::tokens::SigningKey;

    fn key_of(secret: &SigningKey) -> TokenKey {
        let change = TokenKeyChange {
            action: TokenKeyAction::Use,
            candidate: TokenKeyPair::candidate(secret).expect("randomness"),
            secrets: vec![*secret.kid().as_bytes()],
            token_lifetime: Duration::from_secs(900),
        };
        let keys = change.apply(&[], Timestamp::from_millis(0));
        keys.expect("a key")[0]
    }

    #[test]
    fn nodes_with_one_secret_compute_one_key_and_others_none() {
        let secret = SigningKey::new(&[1; 32]).expect("long enough");
        let other = SigningKey::new(&[2; 32]).expect("long enough");
        let key = key_of(&secret);
        let signed = |pair: &TokenKeyPair| pair.sign(b"message").as_ref().to_vec();
        let [first, second] = [0, 1].map(|_| TokenKeyPair::of(&key, &secret).expect("its own"));
        assert_eq!(signed(&first), signed(&second));
        assert!(TokenKeyPair::of(&key, &other).is_none());
        let planted = TokenKey {
            public: key_of(&other).public,
            ..key
        };
        assert!(TokenKeyPair::of(&planted, &secret).is_none());
    }

    #[test]
    fn debug_shows_no_private_key() {
        let secret = SigningKey::new(&[1; 32]).expect("long enough");
        let key = key_of(&secret);
        let seed = secret.token_key_seed(&key.salt);
        let pair = TokenKeyPair::of(&key, &secret).expect("its own");
        let shown = format!("{pair:?}");
        assert!(!shown.contains(&format!("{:?}", &seed[..4]).replace(['[', ']'], "")));
    }
}
