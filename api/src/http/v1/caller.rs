//! Who may call: a route states it in one word, the type of its first parameter.

use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaOAuthFlow, MetaOAuthFlows, MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::accounts::Role;
use crate::http::caller::{SCHEME, caller, register_scheme};
use crate::http::error::{Dialect, Failure};
use crate::sessions::Caller;

/// The name of the OAuth2 password flow in the OpenAPI document: Swagger UI's Authorize asks for name and password.
const PASSWORD_FLOW: &str = "password";

/// Where that flow gets its tokens.
const TOKEN_URL: &str = "/api/v1/auth/login/form";

/// Whoever is signed in.
pub(super) struct SignedIn(pub(super) Caller);

/// An admin, as the store says at this moment.
pub(super) struct Admin(pub(super) Caller);

async fn with_one_of(request: &Request, roles: &'static [Role]) -> poem::Result<Caller> {
    let told = |failure: Failure| failure.told_in(Dialect::V1).error();
    let caller = caller(request).await.map_err(told)?;
    if roles.contains(&caller.user.role) {
        Ok(caller)
    } else {
        Err(told(Failure::PermissionDenied(roles)))
    }
}

fn register_schemes(registry: &mut Registry) {
    register_scheme(registry);
    registry.create_security_scheme(
        PASSWORD_FLOW,
        MetaSecurityScheme {
            ty: "oauth2",
            description: Some("Sign in here with name, or e-mail address, and password."),
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

macro_rules! callers {
    ($($name:ident: $roles:expr;)+) => {
        $(
            impl<'a> ApiExtractor<'a> for $name {
                const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

                type ParamType = ();
                type ParamRawType = ();

                fn register(registry: &mut Registry) {
                    register_schemes(registry);
                }

                fn security_schemes() -> Vec<&'static str> {
                    vec![PASSWORD_FLOW, SCHEME]
                }

                async fn from_request(
                    request: &'a Request,
                    _body: &mut RequestBody,
                    _options: ExtractParamOptions<()>,
                ) -> poem::Result<Self> {
                    Ok(Self(with_one_of(request, $roles).await?))
                }
            }
        )+
    };
}

callers! {
    SignedIn: &Role::ALL;
    Admin: &[Role::Admin];
}
