//! Access tokens: JWTs as RFC 9068 describes them.

mod own;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use password_auth_model::{
    Generation, Party, SessionId, Timestamp, TokenId, TokenKey, TokenKeyId, UserId, signing_key,
};
use password_auth_wire::Secret;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::own::OwnTokens;
use super::key_pair::TokenKeyPair;
use super::keys::SigningKeys;

/// How long after `exp` a token is still accepted, since clocks differ.
const LEEWAY: Duration = Duration::from_secs(5);

/// The `client_id` of every token: the extension is the only kind of client.
pub const CLIENT_ID: &str = "password-auth-extension";

/// The `typ` header of an access token (RFC 9068 §2.1), so that no other JWT passes for one.
const TYP: &str = "at+jwt";

/// How access tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlg {
    /// With the server's secret.
    Hs256,
    /// With a key pair, so that others can verify them.
    EdDsa,
}

/// The claims of an access token. All are required, except the [party](Self::party).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The issuer.
    pub iss: String,
    /// The audience: the same.
    pub aud: String,
    /// The kind of client.
    pub client_id: String,
    /// The user.
    pub sub: UserId,
    /// The user's name, as registered.
    pub preferred_username: String,
    /// The session.
    pub sid: SessionId,
    /// The generation of the refresh token that it came with.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The session's epoch when it was issued.
    pub epoch: u32,
    /// The client that it was issued to, as the session remembers clients. Older versions did not write it, and their
    /// tokens are valid until they expire.
    #[serde(default)]
    pub party: Option<Party>,
    /// Its own identifier.
    pub jti: TokenId,
    /// When it was issued: seconds since the Unix epoch.
    pub iat: u64,
    /// When it expires: seconds since the Unix epoch.
    pub exp: u64,
}

/// What a valid access token says: whose it is, and which session's. Whether the session counts is the store's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The generation of the refresh token that it came with.
    pub generation: Generation,
    /// The session's epoch when it was issued.
    pub epoch: u32,
    /// The client that it was issued to.
    pub party: Option<Party>,
    /// When it expires: seconds since the Unix epoch.
    expires: u64,
}

impl AccessToken {
    /// Whether it is no longer accepted.
    #[must_use]
    pub const fn has_expired(&self, now: Timestamp) -> bool {
        now.as_secs() >= self.expires.saturating_add(LEEWAY.as_secs())
    }
}

impl From<AccessClaims> for AccessToken {
    fn from(claims: AccessClaims) -> Self {
        Self {
            user: claims.sub,
            session: claims.sid,
            generation: claims.generation,
            epoch: claims.epoch,
            party: claims.party,
            expires: claims.exp,
        }
    }
}

/// Why an access token is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// It has expired.
    #[error("the access token has expired")]
    Expired,
    /// A key pair signed it that this node does not know. Another node may have added it a moment ago.
    #[error("no key is known that signed the access token")]
    UnknownKey,
    /// Anything else.
    #[error("not an access token of this server")]
    Invalid,
}

/// What verifies the tokens of one key.
struct Verifier {
    kid: String,
    /// How its tokens begin: the encoded header and the dot after it.
    start: String,
    key: DecodingKey,
}

/// A key pair in use.
struct Pair {
    pair: TokenKeyPair,
    verifier: Verifier,
}

/// Signs and verifies access tokens.
pub struct AccessTokens {
    alg: SigningAlg,
    secrets: SigningKeys,
    /// One for each secret, the current one first.
    own: Vec<OwnTokens>,
    verifiers: Vec<Verifier>,
    pairs: RwLock<Arc<[Arc<Pair>]>>,
    by_secret: Validation,
    by_pair: Validation,
    issuer: String,
    /// What tokens say that a key pair signed, and whose signature was verified lately, by the hash of the whole token. A
    /// client sends the same token many times, and hashing costs a hundredth of verifying. A secret's tokens cost less
    /// to verify than to remember.
    verified: Cache<[u8; 32], Verified>,
    /// How often the key pairs changed: what was verified before does not count.
    change: AtomicU64,
}

/// A token whose signature was verified.
#[derive(Clone, Copy)]
struct Verified {
    token: AccessToken,
    /// When its key verifies no more.
    until: Option<Timestamp>,
    change: u64,
}

/// How many verified tokens are remembered. Each takes about 180 bytes once it is there.
const REMEMBERED: usize = 131_072;

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens")
            .field("alg", &self.alg)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Uses `issuer` as issuer and audience. Key pairs are [added](Self::set_pairs) later.
    #[must_use]
    pub fn new(keys: &SigningKeys, alg: SigningAlg, issuer: &str) -> Self {
        let verifiers = keys.all().map(|key| {
            let decoding = DecodingKey::from_secret(key.secret());
            Verifier::new(Algorithm::HS256, key.kid().to_string(), decoding)
        });
        let verifiers: Vec<Verifier> = verifiers.collect();
        let own = keys.all().zip(&verifiers);
        let own = own.map(|(key, verifier)| OwnTokens::new(verifier.start.clone(), key, issuer));
        Self {
            alg,
            secrets: keys.clone(),
            own: own.collect(),
            verifiers,
            pairs: RwLock::new(Arc::default()),
            by_secret: validation(Algorithm::HS256, issuer),
            by_pair: validation(Algorithm::EdDSA, issuer),
            issuer: issuer.to_owned(),
            verified: Cache::new(REMEMBERED),
            change: AtomicU64::default(),
        }
    }

    /// The issuer and audience of the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// How tokens are signed.
    #[must_use]
    pub const fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// The secrets.
    #[must_use]
    pub const fn secrets(&self) -> &SigningKeys {
        &self.secrets
    }

    /// Uses these key pairs from now on. Those that no secret of ours made are left out.
    pub fn set_pairs(&self, keys: &[TokenKey]) {
        let known = self.pairs();
        let own = keys.iter().filter_map(|key| {
            if let Some(pair) = known.iter().find(|pair| pair.pair.key() == key) {
                return Some(Arc::clone(pair));
            }
            let mut secrets = self.secrets.all();
            let secret = secrets.find(|secret| *secret.kid().as_bytes() == key.secret)?;
            let pair = TokenKeyPair::of(key, secret);
            if pair.is_none() {
                tracing::error!(kid = %key.id(), "this signing key was not made by this server, and is not used");
            }
            pair.map(|pair| Arc::new(Pair::new(pair)))
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

    /// The key pairs in use.
    #[must_use]
    pub fn token_keys(&self) -> Vec<TokenKey> {
        self.pairs().iter().map(|pair| *pair.pair.key()).collect()
    }

    /// Signs `claims` at `now`. `None` only if there is no key or the signing library fails.
    #[must_use]
    pub fn issue(&self, claims: &AccessClaims, now: Timestamp) -> Option<Secret> {
        if self.alg == SigningAlg::Hs256 {
            return self.own.first()?.issue(claims).map(Secret::new);
        }
        let pairs = self.pairs();
        let key = signing_key(pairs.iter().map(|pair| pair.pair.key()), now)?;
        let used = pairs.iter().find(|pair| pair.pair.key() == key)?;
        let Pair { pair, verifier } = &**used;
        let mut token = verifier.start.clone();
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims).ok()?, &mut token);
        let signature = pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(Secret::new(token))
    }

    /// Reads `token` as of `now`.
    ///
    /// # Errors
    /// [`AccessTokenError::Expired`] if nothing else is wrong.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessToken, AccessTokenError> {
        let verified = self.remembered(token)?;
        // A key that was superseded long ago signs nothing any more, so whatever it signed is not ours.
        if verified.until.is_some_and(|until| until <= now) {
            return Err(AccessTokenError::Invalid);
        }
        if verified.token.has_expired(now) {
            return Err(AccessTokenError::Expired);
        }
        Ok(verified.token)
    }

    /// Reads `token`, expired or not, for signing out.
    ///
    /// # Errors
    /// If it is not a token that this server signed.
    pub fn verify_ignoring_expiry(&self, token: &str) -> Result<AccessToken, AccessTokenError> {
        Ok(self.remembered(token)?.token)
    }

    fn remembered(&self, token: &str) -> Result<Verified, AccessTokenError> {
        let mut own = self.own.iter();
        if let Some(read) = own.find_map(|own| own.read(token, &self.issuer)) {
            return Ok(Verified {
                token: read?,
                until: None,
                change: 0,
            });
        }
        let hash = Sha256::digest(token.as_bytes()).into();
        // Before the key pairs are read: what was verified with pairs that are replaced meanwhile does not count.
        let change = self.change.load(Ordering::Acquire);
        let remembered = self.verified.get(&hash);
        if let Some(verified) = remembered.filter(|verified| verified.change == change) {
            return Ok(verified);
        }
        let (claims, key) = self.read(token)?;
        let verified = Verified {
            token: AccessToken::from(claims),
            until: key.and_then(|key| key.verifies_until()),
            change,
        };
        self.verified.insert(hash, verified);
        Ok(verified)
    }

    /// The claims of a token, expired or not, and the key pair that signed them.
    fn read(&self, token: &str) -> Result<(AccessClaims, Option<TokenKey>), AccessTokenError> {
        let by_secret = |verifier: &Verifier| Ok((verifier.decode(token, &self.by_secret)?, None));
        let by_pair = |pair: &Pair| {
            let claims = pair.verifier.decode(token, &self.by_pair)?;
            Ok((claims, Some(*pair.pair.key())))
        };
        // The header of a key's tokens is always the same, so most tokens are recognized without parsing it.
        let pairs = self.pairs();
        if let Some(pair) = pairs.iter().find(|pair| pair.verifier.made(token)) {
            return by_pair(pair);
        }
        let kid = kid_of(token).ok_or(AccessTokenError::Invalid)?;
        if let Some(verifier) = self.verifiers.iter().find(|by| by.kid == kid.text) {
            return by_secret(verifier);
        }
        if let Some(pair) = pairs.iter().find(|pair| pair.verifier.kid == kid.text) {
            return by_pair(pair);
        }
        Err(if kid.may_be_a_pair_s {
            AccessTokenError::UnknownKey
        } else {
            AccessTokenError::Invalid
        })
    }
}

impl Pair {
    fn new(pair: TokenKeyPair) -> Self {
        let key = pair.key();
        let decoding = DecodingKey::from_ed_der(&key.public);
        let verifier = Verifier::new(Algorithm::EdDSA, key.id().to_string(), decoding);
        Self { pair, verifier }
    }
}

impl Verifier {
    fn new(alg: Algorithm, kid: String, key: DecodingKey) -> Self {
        let header = serde_json::to_vec(&header(alg, kid.clone())).unwrap_or_default();
        Self {
            kid,
            start: URL_SAFE_NO_PAD.encode(header) + ".",
            key,
        }
    }

    fn made(&self, token: &str) -> bool {
        token.starts_with(&self.start)
    }

    fn decode(
        &self,
        token: &str,
        validation: &Validation,
    ) -> Result<AccessClaims, AccessTokenError> {
        let data = jsonwebtoken::decode::<AccessClaims>(token, &self.key, validation);
        data.map(|data| data.claims)
            .map_err(|_| AccessTokenError::Invalid)
    }
}

/// The key that a token names.
struct NamedKey {
    text: String,
    may_be_a_pair_s: bool,
}

/// The key that the token's header names, if it is the header of an access token.
fn kid_of(token: &str) -> Option<NamedKey> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    // Critical extensions must be understood (RFC 7515 §4.1.11), and none is supported.
    let ours = header.typ.as_deref() == Some(TYP) && header.crit.is_none();
    let text = header.kid.filter(|_| ours)?;
    let is_id = text.parse::<TokenKeyId>().is_ok();
    Some(NamedKey {
        text,
        may_be_a_pair_s: is_id && header.alg == Algorithm::EdDSA,
    })
}

fn header(alg: Algorithm, kid: String) -> Header {
    Header {
        typ: Some(TYP.to_owned()),
        kid: Some(kid),
        ..Header::new(alg)
    }
}

/// The library's defaults accept a token without `iss` or `aud`, and use the system's clock.
fn validation(alg: Algorithm, issuer: &str) -> Validation {
    let mut validation = Validation::new(alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[issuer]);
    validation.required_spec_claims =
        HashSet::from(["iss", "aud", "sub", "exp"].map(str::to_owned));
    // `verify` compares `exp` with its own clock.
    validation.validate_exp = false;
    validation
}

#[cfg(test)]
mod tests;
