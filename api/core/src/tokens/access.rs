//! Access tokens: JWTs as RFC 9068 describes them.

mod by_pair;
mod claims;
mod jwt;
mod own;

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use password_auth_model::{Timestamp, TokenKey};
use password_auth_wire::Secret;

pub use self::claims::{AccessClaims, AccessToken, AccessTokenError, CLIENT_ID};

use self::by_pair::PairTokens;
use self::jwt::{NamedKey, Verifier};
use self::own::OwnTokens;
use super::keys::SigningKeys;

/// How access tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlg {
    /// With the server's secret.
    Hs256,
    /// With a key pair, so that others can verify them.
    EdDsa,
}

/// Signs and verifies access tokens (RFC 9068). Whatever signs now, it verifies with the secrets and with the key pairs.
pub struct AccessTokens {
    alg: SigningAlg,
    issuer: String,
    secrets: SigningKeys,
    /// What the current secret's tokens begin with, and what signs them.
    header: Header,
    signer: EncodingKey,
    /// One for each secret, the current one first. Its tokens cost less to verify than to remember.
    own: Vec<OwnTokens>,
    /// One for each secret, for tokens whose header is not written as ours are.
    verifiers: Vec<Verifier>,
    by_pair: PairTokens,
}

/// What a token says whose signature is right.
#[derive(Clone, Copy)]
struct Verified {
    token: AccessToken,
    /// When its key verifies no more, if that ends.
    until: Option<Timestamp>,
}

impl From<AccessToken> for Verified {
    fn from(token: AccessToken) -> Self {
        Self { token, until: None }
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens")
            .field("alg", &self.alg)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Uses `issuer` as issuer and audience. Key pairs come later, from the store.
    #[must_use]
    pub fn new(keys: &SigningKeys, alg: SigningAlg, issuer: &str) -> Self {
        let verifiers = keys.all().map(|key| {
            let decoding = DecodingKey::from_secret(key.secret());
            Verifier::new(Algorithm::HS256, key.kid().to_string(), decoding, issuer)
        });
        let verifiers: Vec<Verifier> = verifiers.collect();
        let own = keys.all().zip(&verifiers);
        let own = own.map(|(key, verifier)| OwnTokens::new(verifier.start.clone(), key, issuer));
        Self {
            alg,
            issuer: issuer.to_owned(),
            secrets: keys.clone(),
            header: jwt::header(Algorithm::HS256, keys.current().kid().to_string()),
            signer: EncodingKey::from_secret(keys.current().secret()),
            own: own.collect(),
            verifiers,
            by_pair: PairTokens::new(),
        }
    }

    /// The issuer and audience of the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// How tokens are signed.
    #[must_use]
    pub(crate) const fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// The secrets.
    #[must_use]
    pub(crate) const fn secrets(&self) -> &SigningKeys {
        &self.secrets
    }

    /// Uses these key pairs from now on. Those that no secret of ours made are left out.
    pub(crate) fn set_pairs(&self, keys: &[TokenKey]) {
        self.by_pair.set(keys, &self.secrets, &self.issuer);
    }

    /// The key pairs in use.
    #[must_use]
    pub(crate) fn token_keys(&self) -> Vec<TokenKey> {
        self.by_pair.keys()
    }

    /// Signs `claims` at `now`. `None` if there is no key to sign with, or the library fails.
    #[must_use]
    pub fn issue(&self, claims: &AccessClaims, now: Timestamp) -> Option<Secret> {
        match self.alg {
            SigningAlg::Hs256 => {
                let token = jsonwebtoken::encode(&self.header, claims, &self.signer);
                token.ok().map(Secret::new)
            }
            SigningAlg::EdDsa => self.by_pair.issue(claims, now),
        }
    }

    /// Reads `token` as of `now`.
    ///
    /// # Errors
    /// [`AccessTokenError::Expired`] if nothing else is wrong.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessToken, AccessTokenError> {
        let Verified { token, until } = self.read(token)?;
        // A key that was superseded long ago signs nothing any more, so whatever it signed is not ours.
        if until.is_some_and(|until| until <= now) {
            return Err(AccessTokenError::Invalid);
        }
        if token.has_expired(now) {
            return Err(AccessTokenError::Expired);
        }
        Ok(token)
    }

    /// Reads `token`, expired or not, for signing out.
    ///
    /// # Errors
    /// If it is not a token that this server signed.
    pub(crate) fn verify_ignoring_expiry(
        &self,
        token: &str,
    ) -> Result<AccessToken, AccessTokenError> {
        Ok(self.read(token)?.token)
    }

    fn read(&self, token: &str) -> Result<Verified, AccessTokenError> {
        // The header of a key's tokens is always the same, so most tokens are recognized without parsing it.
        if let Some(read) = self.own.iter().find_map(|own| own.read(token)) {
            return read.map(Verified::from);
        }
        if let Some(read) = self.by_pair.read(token) {
            return read;
        }
        let key = NamedKey::of(token).ok_or(AccessTokenError::Invalid)?;
        if let Some(verifier) = self.verifiers.iter().find(|by| by.kid == key.kid) {
            return verifier.read(token).map(Verified::from);
        }
        let unknown = if key.may_be_a_pair {
            AccessTokenError::UnknownKey
        } else {
            AccessTokenError::Invalid
        };
        let read = self.by_pair.read_named(&key.kid, token);
        read.unwrap_or(Err(unknown))
    }
}

#[cfg(test)]
mod tests;
