//! Who may call, and what it counts as: a route states it in one word, the type of its first parameter.

use std::sync::Arc;

use password_auth_core::rate_limit::{Allowance, Spender};
use password_auth_core::sessions::Caller;
use password_auth_model::{Role, Verdict};
use poem::{Request, RequestBody};
use poem_openapi::registry::Registry;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::caller::{SCHEMES, caller, register_schemes};
use crate::error::{Dialect, Failure};

/// Whoever is signed in, and asks for what grows nothing and costs little, or shows the password, which counts for
/// itself.
pub(super) struct SignedIn(pub(super) Caller);

/// Whoever is signed in, and writes, or asks for what costs much.
pub(super) struct Spending(pub(super) Caller);

/// Whoever is signed in, and looks after their sign-ins. Counted by sign-in: whoever stole one token of an account must
/// not use up what its owner needs to end the theft.
pub(super) struct Minding(pub(super) Caller);

/// An admin, as the store says at this moment. What is theirs alone is a write, or costs much.
pub(super) struct Admin(pub(super) Caller);

/// What a request counts as.
type Counted = fn(&Caller) -> Option<Spender>;

const NOTHING: Counted = |_| None;
const BY_ACCOUNT: Counted = |caller| Some(Spender::Account(caller.user.id));
const BY_SESSION: Counted = |caller| Some(Spender::Session(caller.session));

async fn with_one_of(
    request: &Request,
    roles: &'static [Role],
    counted: Counted,
) -> Result<Caller, Failure> {
    let caller = caller(request).await?;
    if !roles.contains(&caller.user.role) {
        return Err(Failure::PermissionDenied(roles));
    }
    if let Some(spender) = counted(&caller) {
        let allowance = request
            .data::<Arc<Allowance>>()
            .ok_or_else(|| Failure::internal("the routes were built without allowances"))?;
        if let Verdict::Refused(wait) = allowance.spend(spender) {
            return Err(Failure::TooManyAttempts(wait));
        }
    }
    Ok(caller)
}

macro_rules! callers {
    ($($name:ident: $roles:expr, $counted:expr;)+) => {
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
                    let caller = with_one_of(request, $roles, $counted).await;
                    Ok(Self(caller.map_err(|failure| failure.in_dialect(Dialect::V1).error())?))
                }
            }
        )+
    };
}

callers! {
    SignedIn: &Role::ALL, NOTHING;
    Spending: &Role::ALL, BY_ACCOUNT;
    Minding: &Role::ALL, BY_SESSION;
    Admin: &[Role::Admin], BY_ACCOUNT;
}
