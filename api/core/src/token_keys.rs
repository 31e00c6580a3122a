//! Use cases for the key pairs that sign access tokens (`SIGNING_ALG=EdDSA`): which are in use, rotation, and what others
//! verify with.
//!
//! All nodes have the same secret, and read what is public from the store: at the start, every few seconds, and when a
//! token names a key that they do not know. The rule is in the model: [`TokenKeyChange::apply`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use password_auth_model::{
    SharedClock, Timestamp, TokenKey, TokenKeyAction, TokenKeyChange, TokenKeyId, TokenKeyRefusal,
    signing_key,
};
use password_auth_store::{Store, StoreError};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use crate::tokens::{AccessTokens, NoRandomness, SigningAlg, TokenKeyPair};

/// Between two reads of the store, so that a key that was retired on one node is refused by all soon.
const REREAD: Duration = Duration::from_secs(10);

/// The least time between two reads because of unknown keys: strangers can invent as many as they like.
const LOOK: Duration = Duration::from_secs(1);

/// Why the keys were not changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// Tokens are signed with the secret.
    #[error(
        "access tokens are signed with the server's secret (SIGNING_ALG=HS256), so there are no keys to rotate: set \
         SIGNING_ALG=EdDSA"
    )]
    NotInUse,
    /// The rule refuses.
    #[error(transparent)]
    Refused(#[from] TokenKeyRefusal),
    /// There is no new key.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a key does at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// It signs.
    Signs,
    /// It is published, and will sign.
    Waits,
    /// It has signed, and still verifies.
    Verifies,
    /// It was made with another secret.
    Foreign,
}

/// A read of the store because of an unknown key.
struct Look {
    began: Instant,
    failed: bool,
}

/// The key pairs of this node, as the store has them: reads, rotates, retires and publishes them.
pub struct TokenKeys {
    tokens: Arc<AccessTokens>,
    store: Arc<dyn Store>,
    clock: SharedClock,
    token_lifetime: Duration,
    /// The last look for an unknown key.
    looked: Mutex<Option<Look>>,
}

impl TokenKeys {
    /// The keys of `tokens`, which last `token_lifetime`.
    #[must_use]
    pub(crate) fn new(
        tokens: Arc<AccessTokens>,
        store: Arc<dyn Store>,
        clock: SharedClock,
        token_lifetime: Duration,
    ) -> Self {
        Self {
            tokens,
            store,
            clock,
            token_lifetime,
            looked: Mutex::default(),
        }
    }

    /// The tokens that are signed with them.
    #[must_use]
    pub(crate) fn tokens(&self) -> &AccessTokens {
        &self.tokens
    }

    /// Prepares a server to sign and verify: reads the keys, and makes the first one.
    ///
    /// # Errors
    /// If the store fails, or the system has no randomness.
    pub async fn prepare(&self) -> Result<(), TokenKeyError> {
        match self.tokens.alg() {
            SigningAlg::Hs256 => Ok(self.reread().await?),
            SigningAlg::EdDsa => self.change(TokenKeyAction::Use).await.map(|_| ()),
        }
    }

    /// Follows changes by other nodes until it is dropped.
    pub async fn follow(self: Arc<Self>) {
        let mut rest = tokio::time::interval(REREAD);
        rest.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rest.tick().await;
            if let Err(error) = self.reread().await {
                tracing::warn!(%error, "the signing keys could not be read again");
            }
        }
    }

    async fn reread(&self) -> Result<(), StoreError> {
        let keys = self.store.token_keys().await?;
        self.tokens.set_pairs(&keys);
        Ok(())
    }

    /// Reads the keys again for a token that names an unknown one. However many callers there are, the store is read at
    /// most once a second; they wait for it.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn look_again(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut looked = self.looked.lock().await;
        if let Some(last) = &*looked {
            if last.began >= asked {
                return if last.failed {
                    Err(StoreError::Busy)
                } else {
                    Ok(())
                };
            }
            tokio::time::sleep(LOOK.saturating_sub(last.began.elapsed())).await;
        }
        let began = Instant::now();
        // Unless it succeeds, also if it is cancelled.
        *looked = Some(Look {
            began,
            failed: true,
        });
        self.reread().await?;
        *looked = Some(Look {
            began,
            failed: false,
        });
        Ok(())
    }

    /// Adds a key that signs `after` this time.
    ///
    /// # Errors
    /// As [`TokenKeyError`] lists.
    pub async fn rotate(&self, after: Duration) -> Result<(), TokenKeyError> {
        self.change_in_use(TokenKeyAction::Rotate(after)).await?;
        tracing::info!(after = ?after, "a new signing key was published");
        Ok(())
    }

    /// Removes a key: its tokens are refused.
    ///
    /// # Errors
    /// As [`TokenKeyError`] lists.
    pub async fn retire(&self, id: TokenKeyId) -> Result<(), TokenKeyError> {
        self.change_in_use(TokenKeyAction::Retire(id)).await?;
        tracing::info!(kid = %id, "a signing key was retired");
        Ok(())
    }

    async fn change_in_use(&self, action: TokenKeyAction) -> Result<(), TokenKeyError> {
        if self.tokens.alg() == SigningAlg::Hs256 {
            return Err(TokenKeyError::NotInUse);
        }
        self.change(action).await
    }

    async fn change(&self, action: TokenKeyAction) -> Result<(), TokenKeyError> {
        let secrets = self.tokens.secrets();
        let change = TokenKeyChange {
            action,
            candidate: TokenKeyPair::candidate(secrets.current())?,
            secrets: secrets
                .all()
                .map(|secret| *secret.kid().as_bytes())
                .collect(),
            token_lifetime: self.token_lifetime,
        };
        let now = self.clock.now();
        let keys = self.store.change_token_keys(change, now).await??;
        self.tokens.set_pairs(&keys);
        Ok(())
    }

    /// All keys in the store with what they do now, in the order in which they sign.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn list(&self) -> Result<Vec<(TokenKey, KeyUse)>, StoreError> {
        let keys = self.store.token_keys().await?;
        self.tokens.set_pairs(&keys);
        let (own, now) = (self.tokens.token_keys(), self.clock.now());
        let mut listed: Vec<_> = keys
            .into_iter()
            .filter(|key| !key.is_over(now))
            .map(|key| (key, use_of(&key, &own, now)))
            .collect();
        listed.sort_by_key(|(key, _)| (key.signs_from, key.id()));
        Ok(listed)
    }

    /// The public keys with which others verify the tokens: the one that signs first. Empty if tokens are signed with
    /// the secret.
    #[must_use]
    pub fn published(&self) -> Vec<TokenKey> {
        if self.tokens.alg() == SigningAlg::Hs256 {
            return Vec::new();
        }
        let (mut keys, now) = (self.tokens.token_keys(), self.clock.now());
        keys.retain(|key| !key.is_over(now));
        let signs = signing_key(&keys, now).map(TokenKey::id);
        keys.sort_by_key(|key| (Some(key.id()) != signs, key.signs_from));
        keys
    }
}

fn use_of(key: &TokenKey, own: &[TokenKey], now: Timestamp) -> KeyUse {
    if !own.contains(key) {
        KeyUse::Foreign
    } else if signing_key(own, now) == Some(key) {
        KeyUse::Signs
    } else if key.stops.is_some_and(|stops| stops <= now) {
        KeyUse::Verifies
    } else {
        KeyUse::Waits
    }
}
