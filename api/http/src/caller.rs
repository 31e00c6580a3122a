//! Finds the caller from the `Authorization` header.
//!
//! poem-openapi's own bearer scheme responds to a missing header without a challenge, and cannot be customized.

use password_auth_core::sessions::{Caller, Sessions};
use password_auth_model::Identity;
use password_auth_wire::Secret;
use poem::Request;
use poem::http::header::AUTHORIZATION;
use poem_openapi::registry::{MetaOAuthFlow, MetaOAuthFlows, MetaSecurityScheme, Registry};

use super::context::RequestContext;
use super::error::Failure;

/// The names of the schemes in the OpenAPI document: Swagger UI's Authorize asks for name and password, or for a token.
pub(super) const SCHEMES: [&str; 2] = [PASSWORD_FLOW, BEARER];

const PASSWORD_FLOW: &str = "password";
const BEARER: &str = "bearer";

/// The token endpoint of the password flow.
const TOKEN_URL: &str = "/api/v1/auth/login/form";

/// Extractor: the route returns 401 unless there is a valid access token, before it reads anything else.
pub(super) struct Authenticated(pub(super) Identity);

/// Extractor: the bearer token, unchecked, if there is one. For signing out, which also accepts expired tokens and
/// refresh tokens.
pub(super) struct MaybeBearer(pub(super) Result<Option<Secret>, Failure>);

/// The token of the header (RFC 6750 §2.1); the scheme's name compares without case (RFC 9110 §11.1).
pub(super) fn bearer(request: &Request) -> Result<Option<&str>, Failure> {
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(Failure::InvalidToken);
    }
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    // Not `HeaderValue::to_str`, which looks at each byte by itself. What is not ASCII is no token either.
    let value = std::str::from_utf8(value.as_bytes());
    let value = value.map_err(|_| Failure::InvalidToken)?.trim_ascii();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Some(token.trim_ascii_start()))
        }
        _ if value.is_empty() => Ok(None),
        _ => Err(Failure::InvalidToken),
    }
}

/// The token of the header, and what reads it.
fn authorized(request: &Request) -> Result<(&str, &Sessions), Failure> {
    let token = bearer(request)?.ok_or(Failure::MissingToken)?;
    Ok((token, &RequestContext::of(request)?.services.sessions))
}

/// The caller, if the access token is valid.
pub(super) async fn caller(request: &Request) -> Result<Caller, Failure> {
    let (token, sessions) = authorized(request)?;
    Ok(sessions.authenticate(token).await?)
}

/// The same, for routes that need to know no more than who asks.
async fn identity(request: &Request) -> Result<Identity, Failure> {
    let (token, sessions) = authorized(request)?;
    Ok(sessions.identify(token).await?)
}

pub(super) fn register_schemes(registry: &mut Registry) {
    registry.create_security_scheme(
        BEARER,
        MetaSecurityScheme {
            ty: "http",
            description: Some(
                "The `access_token` from a sign-in. Paste only the token: Swagger UI adds the word Bearer.",
            ),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: Some("JWT"),
            flows: None,
            openid_connect_url: None,
        },
    );
    registry.create_security_scheme(
        PASSWORD_FLOW,
        MetaSecurityScheme {
            ty: "oauth2",
            description: Some("Sign in with your user name or e-mail address and your password."),
            name: None,
            key_in: None,
            scheme: None,
            bearer_format: None,
            flows: Some(MetaOAuthFlows {
                implicit: None,
                password: Some(MetaOAuthFlow {
                    authorization_url: None,
                    token_url: Some(TOKEN_URL),
                    refresh_url: None,
                    scopes: Vec::new(),
                }),
                client_credentials: None,
                authorization_code: None,
            }),
            openid_connect_url: None,
        },
    );
}

/// Makes a type an extractor that stands in the OpenAPI document as a route's security.
macro_rules! by_bearer {
    ($name:ident, optional: $optional:literal, |$request:ident| $read:expr) => {
        impl<'a> poem_openapi::ApiExtractor<'a> for $name {
            const TYPES: &'static [poem_openapi::ApiExtractorType] =
                &[poem_openapi::ApiExtractorType::SecurityScheme];

            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut poem_openapi::registry::Registry) {
                $crate::caller::register_schemes(registry);
            }

            fn security_schemes() -> Vec<&'static str> {
                $crate::caller::SCHEMES.to_vec()
            }

            fn has_security_fallback() -> bool {
                $optional
            }

            async fn from_request(
                $request: &'a poem::Request,
                _body: &mut poem::RequestBody,
                _options: poem_openapi::ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                Ok(Self($read))
            }
        }
    };
}

pub(crate) use by_bearer;

by_bearer!(Authenticated, optional: false, |request| identity(request).await?);
by_bearer!(MaybeBearer, optional: true, |request| {
    bearer(request).map(|token| token.map(Secret::new))
});
