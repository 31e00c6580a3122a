//! Access tokens: JWTs as RFC 9068 describes them.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use password_auth_model::{Generation, Party, SessionId, Timestamp, TokenId, UserId};
use password_auth_wire::Secret;
use serde::{Deserialize, Serialize};

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
}

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
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, AccessTokenError> {
        let claims = self.verify_ignoring_expiry(token)?;
        if now.as_secs() >= claims.exp.saturating_add(LEEWAY.as_secs()) {
            return Err(AccessTokenError::Expired);
        }
        Ok(claims)
    }

    /// Reads `token`, expired or not, for signing out.
    ///
    /// # Errors
    /// If it is not a token that this server signed.
    pub fn verify_ignoring_expiry(&self, token: &str) -> Result<AccessClaims, AccessTokenError> {
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
