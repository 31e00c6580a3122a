//! Who may call: a route states it in one word, the type of its first parameter.

use poem::{Request, RequestBody};
use poem_openapi::registry::Registry;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::accounts::Role;
use crate::http::caller::{SCHEMES, caller, register_schemes};
use crate::http::error::{Dialect, Failure};
use crate::sessions::Caller;

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
                    SCHEMES.to_vec()
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
