//! Access tokens: JWTs as RFC 9068 describes them.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use password_auth_model::{Generation, Party, SessionId, Timestamp, TokenId, UserId};
use password_auth_wire::Secret;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::keys::{SigningKey, SigningKeys};

/// How long after `exp` a token is still accepted, since clocks differ.
pub const LEEWAY: Duration = Duration::from_secs(5);

/// The `client_id` of every token: the extension is the only kind of client.
pub const CLIENT_ID: &str = "password-auth-extension";

/// The `typ` header of an access token (RFC 9068 §2.1), so that no other JWT passes for one.
const TYP: &str = "at+jwt";

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
    pub expires: u64,
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
    /// Anything else.
    #[error("not an access token of this server")]
    Invalid,
}

struct Verifier {
    kid: String,
    key: DecodingKey,
}

/// Signs and verifies access tokens.
pub struct AccessTokens {
    header: Header,
    signer: EncodingKey,
    verifiers: Vec<Verifier>,
    validation: Validation,
    issuer: String,
    /// What tokens say whose signature was verified lately, by the hash of the whole token. A client sends the same
    /// token many times, and hashing costs a tenth of verifying and parsing.
    verified: Cache<[u8; 32], AccessToken>,
}

/// How many verified tokens are remembered. Each takes about 150 bytes once it is there.
const REMEMBERED: usize = 131_072;

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Uses `issuer` as issuer and audience.
    #[must_use]
    pub fn new(keys: &SigningKeys, issuer: &str) -> Self {
        let header = Header {
            typ: Some(TYP.to_owned()),
            kid: Some(keys.current().kid().to_string()),
            ..Header::new(Algorithm::HS256)
        };
        Self {
            header,
            signer: EncodingKey::from_secret(keys.current().secret()),
            verifiers: keys.all().map(Verifier::new).collect(),
            validation: validation(issuer),
            issuer: issuer.to_owned(),
            verified: Cache::new(REMEMBERED),
        }
    }

    /// The issuer and audience of the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Signs `claims`. `None` only if the signing library fails.
    #[must_use]
    pub fn issue(&self, claims: &AccessClaims) -> Option<Secret> {
        jsonwebtoken::encode(&self.header, claims, &self.signer)
            .ok()
            .map(Secret::new)
    }

    /// Reads `token` as of `now`.
    ///
    /// # Errors
    /// [`AccessTokenError::Expired`] if nothing else is wrong.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessToken, AccessTokenError> {
        let token = self.verify_ignoring_expiry(token)?;
        if now.as_secs() >= token.expires.saturating_add(LEEWAY.as_secs()) {
            return Err(AccessTokenError::Expired);
        }
        Ok(token)
    }

    /// Reads `token`, expired or not, for signing out.
    ///
    /// # Errors
    /// If it is not a token that this server signed.
    pub fn verify_ignoring_expiry(&self, token: &str) -> Result<AccessToken, AccessTokenError> {
        let hash = Sha256::digest(token.as_bytes()).into();
        if let Some(verified) = self.verified.get(&hash) {
            return Ok(verified);
        }
        let verified = AccessToken::from(self.claims(token)?);
        self.verified.insert(hash, verified);
        Ok(verified)
    }

    /// The claims of `token`, expired or not.
    ///
    /// # Errors
    /// If it is not a token that this server signed.
    pub fn claims(&self, token: &str) -> Result<AccessClaims, AccessTokenError> {
        // Try each key, the signing key first: looking up the `kid` first would parse the header twice.
        let (verifier, data) = self
            .verifiers
            .iter()
            .find_map(|verifier| {
                let data =
                    jsonwebtoken::decode::<AccessClaims>(token, &verifier.key, &self.validation);
                data.ok().map(|data| (verifier, data))
            })
            .ok_or(AccessTokenError::Invalid)?;
        // Critical extensions must be understood (RFC 7515 §4.1.11), and none is supported.
        let ours = data.header.typ.as_deref() == Some(TYP)
            && data.header.kid.as_deref() == Some(&*verifier.kid)
            && data.header.crit.is_none();
        ours.then_some(data.claims).ok_or(AccessTokenError::Invalid)
    }
}

impl Verifier {
    fn new(key: &SigningKey) -> Self {
        Self {
            kid: key.kid().to_string(),
            key: DecodingKey::from_secret(key.secret()),
        }
    }
}

/// The library's defaults accept a token without `iss` or `aud`, and use the system's clock.
fn validation(issuer: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[issuer]);
    validation.required_spec_claims =
        HashSet::from(["iss", "aud", "sub", "exp"].map(str::to_owned));
    // `verify` compares `exp` with its own clock.
    validation.validate_exp = false;
    validation
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AccessClaims, AccessToken, AccessTokenError, AccessTokens, CLIENT_ID, LEEWAY};
    use crate::tokens::{SigningKey, SigningKeys};
    use password_auth_model::{Generation, SessionId, Timestamp, TokenId, UserId};

    fn tokens() -> AccessTokens {
        let key = SigningKey::random().expect("a key");
        AccessTokens::new(&SigningKeys::new(key, Vec::new()), "tests")
    }

    fn claims(now: Timestamp) -> AccessClaims {
        AccessClaims {
            iss: "tests".to_owned(),
            aud: "tests".to_owned(),
            client_id: CLIENT_ID.to_owned(),
            sub: UserId::new(now),
            preferred_username: "alice".to_owned(),
            sid: SessionId::new(now),
            generation: Generation(3),
            epoch: 1,
            party: None,
            jti: TokenId::new(now),
            iat: now.as_secs(),
            exp: now.as_secs() + 900,
        }
    }

    #[test]
    fn a_remembered_token_says_the_same_and_still_expires() {
        let (tokens, now) = (tokens(), Timestamp::from_millis(1_767_225_600_000));
        let claims = claims(now);
        let token = tokens.issue(&claims).expect("signed");
        let first = tokens.verify(token.expose(), now).expect("valid");
        assert_eq!(first, AccessToken::from(claims));
        assert_eq!(tokens.verify(token.expose(), now), Ok(first));
        let end = now.plus(Duration::from_secs(900) + LEEWAY);
        let last = end.minus(Duration::from_secs(1));
        assert_eq!(tokens.verify(token.expose(), last), Ok(first));
        let late = tokens.verify(token.expose(), end);
        assert_eq!(late, Err(AccessTokenError::Expired));
    }

    #[test]
    fn a_token_that_differs_in_one_byte_from_a_remembered_one_is_verified_by_itself() {
        let (tokens, now) = (tokens(), Timestamp::from_millis(1_767_225_600_000));
        let token = tokens.issue(&claims(now)).expect("signed");
        tokens.verify(token.expose(), now).expect("valid");
        let bytes = token.expose().as_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("a text");
            let refused = tokens.verify(&changed, now);
            assert_eq!(refused, Err(AccessTokenError::Invalid), "byte {at}");
        }
        let other = AccessTokens::new(
            &SigningKeys::new(SigningKey::random().expect("a key"), Vec::new()),
            "tests",
        );
        assert!(other.verify(token.expose(), now).is_err());
    }
}
