//! Access tokens that key pairs sign (`EdDSA`, RFC 8037).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use password_auth_model::{Timestamp, TokenKey, signing_key};
use password_auth_wire::Secret;
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use super::jwt::Verifier;
use super::{AccessClaims, AccessTokenError, Verified};
use crate::tokens::{SigningKeys, TokenKeyPair};

/// How many tokens are remembered. Each takes about 180 bytes once it is there.
const REMEMBERED: usize = 131_072;

/// Signs and verifies with the key pairs in use.
pub(super) struct PairTokens {
    pairs: RwLock<Arc<[Arc<Pair>]>>,
    /// What tokens say whose signature was verified lately, by the hash of the whole token. A client sends the same token
    /// many times, and hashing costs a hundredth of verifying.
    remembered: Cache<[u8; 32], Remembered>,
    /// How often the key pairs changed: what was verified before does not count.
    change: AtomicU64,
}

/// A key pair in use.
struct Pair {
    pair: TokenKeyPair,
    verifier: Verifier,
}

#[derive(Clone, Copy)]
struct Remembered {
    verified: Verified,
    change: u64,
}

impl PairTokens {
    /// Without a key pair.
    pub(super) fn new() -> Self {
        Self {
            pairs: RwLock::new(Arc::default()),
            remembered: Cache::new(REMEMBERED),
            change: AtomicU64::default(),
        }
    }

    /// Uses the pairs of these keys from now on. Those that none of `secrets` made are left out.
    pub(super) fn set(&self, keys: &[TokenKey], secrets: &SigningKeys, issuer: &str) {
        let known = self.pairs();
        let own = keys.iter().filter_map(|key| {
            if let Some(pair) = known.iter().find(|pair| pair.pair.key() == key) {
                return Some(Arc::clone(pair));
            }
            let mut secrets = secrets.all();
            let secret = secrets.find(|secret| *secret.kid().as_bytes() == key.secret)?;
            let pair = TokenKeyPair::of(key, secret);
            if pair.is_none() {
                tracing::error!(kid = %key.id(), "this signing key was not made by this server, and is not used");
            }
            pair.map(|pair| Arc::new(Pair::new(pair, issuer)))
        });
        let own: Arc<[Arc<Pair>]> = own.collect();
        if own.len() == known.len() && own.iter().zip(&*known).all(|(a, b)| Arc::ptr_eq(a, b)) {
            return;
        }
        *self.pairs.write().unwrap_or_else(PoisonError::into_inner) = own;
        self.change.fetch_add(1, Ordering::Release);
    }

    fn pairs(&self) -> Arc<[Arc<Pair>]> {
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&pairs)
    }

    /// The keys of the pairs in use.
    pub(super) fn keys(&self) -> Vec<TokenKey> {
        self.pairs().iter().map(|pair| *pair.pair.key()).collect()
    }

    /// Signs `claims` with the pair that signs at `now`. `None` if there is none.
    pub(super) fn issue(&self, claims: &AccessClaims, now: Timestamp) -> Option<Secret> {
        let pairs = self.pairs();
        let key = signing_key(pairs.iter().map(|pair| pair.pair.key()), now)?;
        let used = pairs.iter().find(|pair| pair.pair.key() == key)?;
        used.issue(claims)
    }

    /// What a token says. `None` if its header is not, byte for byte, the one that a pair's tokens have.
    pub(super) fn read(&self, token: &str) -> Option<Result<Verified, AccessTokenError>> {
        let hash = Sha256::digest(token.as_bytes()).into();
        // Before the pairs are read: what was verified with pairs that are replaced meanwhile does not count.
        let change = self.change.load(Ordering::Acquire);
        let remembered = self.remembered.get(&hash);
        if let Some(of) = remembered.filter(|of| of.change == change) {
            return Some(Ok(of.verified));
        }
        let pairs = self.pairs();
        let mut pairs = pairs.iter();
        let read = pairs
            .find(|pair| token.starts_with(&pair.verifier.start))?
            .read(token);
        if let Ok(verified) = read {
            self.remembered
                .insert(hash, Remembered { verified, change });
        }
        Some(read)
    }

    /// What a token says that names a pair in another way. `None` if no pair has this `kid`.
    pub(super) fn read_named(
        &self,
        kid: &str,
        token: &str,
    ) -> Option<Result<Verified, AccessTokenError>> {
        let pairs = self.pairs();
        let mut pairs = pairs.iter();
        let named = pairs.find(|pair| pair.verifier.kid == kid)?;
        Some(named.read(token))
    }
}

impl Pair {
    fn new(pair: TokenKeyPair, issuer: &str) -> Self {
        let key = pair.key();
        let decoding = DecodingKey::from_ed_der(&key.public);
        let verifier = Verifier::new(Algorithm::EdDSA, key.id().to_string(), decoding, issuer);
        Self { pair, verifier }
    }

    /// The library signs with a key pair in PKCS #8 alone, and ours is computed from a secret.
    fn issue(&self, claims: &AccessClaims) -> Option<Secret> {
        let mut token = self.verifier.start.clone();
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).ok()?, &mut token);
        let signature = self.pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(Secret::new(token))
    }

    fn read(&self, token: &str) -> Result<Verified, AccessTokenError> {
        Ok(Verified {
            token: self.verifier.read(token)?,
            until: self.pair.key().verifies_until(),
        })
    }
}
