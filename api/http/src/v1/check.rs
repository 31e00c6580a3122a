//! For services that are guarded by this server: a check for proxies, and the keys with which to verify tokens.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use password_auth_core::token_keys::TokenKeys;
use password_auth_model::TokenKey;
use password_auth_wire::v1::{Jwk, JwkSet, Role as WireRole};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::Tag;
use super::docs::{CheckRoute, KeysRoute};
use super::views::{self, AuthHeaders};
use crate::caller::Authenticated;
use crate::error::Failure;
use crate::route::{RouteResult, Success};

pub(crate) struct CheckApi {
    pub(super) token_keys: Arc<TokenKeys>,
}

#[OpenApi(tag = "Tag::Guard")]
impl CheckApi {
    /// Check an access token, for a proxy
    ///
    /// For `auth_request` of nginx and `forward_auth` of Caddy or Traefik. Let the proxy copy the headers to the request,
    /// in place of what the client sent. `X-Auth-Username` is percent-encoded UTF-8.
    #[oai(path = "/api/v1/auth/check", method = "get", operation_id = "v1_check")]
    async fn check(
        &self,
        request: &Request,
        caller: Authenticated,
        /// The role that the user needs at least: `guest`, `user` or `admin`.
        role: Query<Option<WireRole>>,
    ) -> RouteResult<CheckRoute> {
        check_query(request.uri().query().unwrap_or_default())?;
        let who = caller.0;
        if let Some(needed) = role.0 {
            let allowed = views::role(needed).and_above();
            if !allowed.contains(&who.role) {
                return Err(Failure::PermissionDenied(allowed).into());
            }
        }
        Ok(Success(AuthHeaders {
            user_id: who.user.to_string(),
            username: percent_encoded(who.username.as_str()),
            role: who.role.to_string(),
        }))
    }

    /// Get the keys with which to verify access tokens
    ///
    /// A JWK set (RFC 7517) with the key that signs, those that will sign next, and those whose tokens have not expired
    /// yet. Empty unless the server signs with `SIGNING_ALG=EdDSA`. A service that verifies tokens by itself does not know
    /// of sign-outs until the token expires.
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "jwks")]
    async fn keys(&self) -> RouteResult<KeysRoute> {
        let keys = self.token_keys.published();
        Ok(Success(JwkSet {
            keys: keys.iter().map(jwk).collect(),
        }))
    }
}

/// Refuses a second `role`, and names that were meant to be it (`Role`, `role[]`, `roles`): a misspelled check must not let
/// everybody in. Other names are ignored: some proxies pass on the query of the request that they ask about.
fn check_query(query: &str) -> Result<(), Failure> {
    let parameters: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|_| Failure::Unreadable)?;
    let looks_like_role = |name: &str| {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters
            .collect::<String>()
            .to_lowercase()
            .starts_with("role")
    };
    let mut roles = parameters.iter().filter(|(name, _)| looks_like_role(name));
    if roles.next().is_none_or(|(name, _)| name == "role") && roles.next().is_none() {
        return Ok(());
    }
    let message = "The parameter is called role, and is given once.";
    Err(Failure::of_field("role", "unknown_parameter", message))
}

fn jwk(key: &TokenKey) -> Jwk {
    Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        usage: "sig".to_owned(),
        alg: "EdDSA".to_owned(),
        kid: key.id().to_string(),
        x: URL_SAFE_NO_PAD.encode(key.public),
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
fn percent_encoded(text: &str) -> String {
    const RESERVED: AsciiSet = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(text, &RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_name_in_a_header_is_ascii_and_can_be_decoded() {
        assert_eq!(percent_encoded("alice-1._~"), "alice-1._~");
        assert_eq!(
            percent_encoded("Ünï 😀%"),
            "%C3%9Cn%C3%AF%20%F0%9F%98%80%25"
        );
    }
}
