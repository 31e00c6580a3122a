//! For a poem server of your own: whose request it is. It verifies the access tokens of a Password Auth server with that
//! server's public keys, so the server must sign with `SIGNING_ALG=EdDSA`.
//!
//! ```no_run
//! use password_auth_guard::{Caller, Guard};
//! use poem::{EndpointExt as _, Route, get, handler};
//!
//! #[handler]
//! fn notes(caller: Caller) -> String {
//!     format!("A note of {}", caller.username)
//! }
//!
//! let app = Route::new().at("/notes", get(notes)).data(Guard::new("http://127.0.0.1:8000"));
//! ```
//!
//! A sign-out counts when the token expires. Where it must count at once, ask the server: `docs/guard.md`.

mod caller;
mod keys;

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;

pub use self::caller::Caller;
use self::keys::Keys;

/// What the server signs as `iss` and `aud`, unless its setting `ISSUER` says otherwise.
const ISSUER: &str = "password-auth";

/// The `typ` of an access token (RFC 9068 §2.1), so that no other JWT passes for one.
const TYP: &str = "at+jwt";

/// How long after `exp` a token is still accepted, since clocks differ: seconds.
const LEEWAY: u64 = 5;

/// Verifies access tokens. It is cheap to clone, and all clones share the keys.
#[derive(Clone, Debug)]
pub struct Guard {
    keys: Arc<Keys>,
    validation: Validation,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has no `Authorization` header.
    #[error("no access token")]
    Missing,
    /// Its token has expired.
    #[error("the access token has expired")]
    Expired,
    /// Anything else is wrong with the header, or with its token.
    #[error("not an access token of the server")]
    Invalid,
    /// The server's keys are not known, and cannot be asked for.
    #[error("the keys of the sign-in server cannot be had")]
    NoKeys,
}

/// What is read of a token. Its issuer, audience and expiry are compared beside this.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    preferred_username: String,
    sid: String,
}

impl Guard {
    /// For tokens of the Password Auth server at this address.
    #[must_use]
    pub fn new(server: &str) -> Self {
        Self {
            keys: Arc::new(Keys::new(server)),
            validation: validation(ISSUER),
        }
    }

    /// For tokens of another `ISSUER`.
    #[must_use]
    pub fn with_issuer(self, issuer: &str) -> Self {
        Self {
            validation: validation(issuer),
            ..self
        }
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// It is not valid, or the keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Caller, Refused> {
        let header = decode_header(token).map_err(|_| Refused::Invalid)?;
        // The algorithm is ours to choose, never the token's.
        let ours = header.alg == Algorithm::EdDSA
            && header.typ.as_deref() == Some(TYP)
            && header.crit.is_none();
        let kid = header.kid.filter(|_| ours).ok_or(Refused::Invalid)?;
        let key = self.keys.key(&kid).await?.ok_or(Refused::Invalid)?;
        let claims = decode::<Claims>(token, &key, &self.validation);
        let Claims {
            sub,
            preferred_username,
            sid,
        } = claims
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Refused::Expired,
                _ => Refused::Invalid,
            })?
            .claims;
        Ok(Caller {
            user_id: sub,
            username: preferred_username,
            session_id: sid,
        })
    }
}

fn validation(issuer: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[issuer]);
    validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    validation.leeway = LEEWAY;
    validation
}
