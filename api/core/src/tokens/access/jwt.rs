//! The form of a token (RFC 7519), and the library that reads those that are not written as ours are.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use password_auth_model::TokenKeyId;

use super::{AccessClaims, AccessToken, AccessTokenError};

/// The `typ` header of an access token (RFC 9068 §2.1), so that no other JWT passes for one.
const TYP: &str = "at+jwt";

/// What verifies the tokens of one key.
pub(super) struct Verifier {
    pub(super) kid: String,
    /// How its tokens begin: the encoded header and the dot after it.
    pub(super) start: String,
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    pub(super) fn new(alg: Algorithm, kid: String, key: DecodingKey, issuer: &str) -> Self {
        let header = serde_json::to_vec(&header(alg, kid.clone())).unwrap_or_default();
        Self {
            kid,
            start: URL_SAFE_NO_PAD.encode(header) + ".",
            key,
            validation: validation(alg, issuer),
        }
    }

    /// What the token says, expired or not.
    pub(super) fn read(&self, token: &str) -> Result<AccessToken, AccessTokenError> {
        jsonwebtoken::decode::<AccessClaims>(token, &self.key, &self.validation)
            .map(|data| data.claims.into())
            .map_err(|_| AccessTokenError::Invalid)
    }
}

/// The key that the header of a token names.
pub(super) struct NamedKey {
    pub(super) kid: String,
    pub(super) may_be_a_pair: bool,
}

impl NamedKey {
    /// `None` if it is not the header of an access token.
    pub(super) fn of(token: &str) -> Option<Self> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // Critical extensions must be understood (RFC 7515 §4.1.11), and none is supported.
        let ours = header.typ.as_deref() == Some(TYP) && header.crit.is_none();
        let kid = header.kid.filter(|_| ours)?;
        let is_id = kid.parse::<TokenKeyId>().is_ok();
        Some(Self {
            kid,
            may_be_a_pair: is_id && header.alg == Algorithm::EdDSA,
        })
    }
}

pub(super) fn header(alg: Algorithm, kid: String) -> Header {
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
    // `AccessToken::has_expired` compares `exp` with our own clock.
    validation.validate_exp = false;
    validation
}
