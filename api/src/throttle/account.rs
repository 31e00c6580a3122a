//! The key under which an account's tries are counted.

use sha2::{Digest, Sha256};

use crate::accounts::UsernameKey;

/// A digest of the name that was tried, so that the store holds no name that nobody registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountKey([u8; 16]);

impl AccountKey {
    /// The key for tries at signing in as `name`, whether there is such a user or not.
    #[must_use]
    pub fn sign_in(name: &UsernameKey) -> Self {
        let digest = Sha256::new()
            .chain_update(b"sign-in\0")
            .chain_update(name.as_str())
            .finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}
