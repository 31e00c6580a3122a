//! Who may call a route, and which limit a call counts against: the type of the route's first parameter says it.

use password_auth_core::rate_limit::Spender;
use password_auth_core::sessions::Caller;
use password_auth_model::{Role, Verdict};
use poem::Request;

use crate::caller::{by_bearer, caller};
use crate::context::RequestContext;
use crate::error::Failure;

/// Any signed-in user. For cheap reads, and for requests with the password, which are counted on their own.
pub(super) struct SignedIn(pub(super) Caller);

/// Any signed-in user. For writes and expensive reads, counted by account.
pub(super) struct Spending(pub(super) Caller);

/// Any signed-in user, managing their sessions. Counted by session: a thief with one token must not use up the limit
/// that the owner needs to end the theft.
pub(super) struct Minding(pub(super) Caller);

/// A user who is an admin at this moment. Counted by account: admin routes write or are expensive.
pub(super) struct Admin(pub(super) Caller);

/// The limit that a request counts against.
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
        let services = &RequestContext::of(request)?.services;
        if let Verdict::Refused(wait) = services.allowance.spend(spender) {
            return Err(Failure::TooManyAttempts(wait));
        }
    }
    Ok(caller)
}

by_bearer!(SignedIn, optional: false, |request| {
    with_one_of(request, &Role::ALL, NOTHING).await?
});
by_bearer!(Spending, optional: false, |request| {
    with_one_of(request, &Role::ALL, BY_ACCOUNT).await?
});
by_bearer!(Minding, optional: false, |request| {
    with_one_of(request, &Role::ALL, BY_SESSION).await?
});
by_bearer!(Admin, optional: false, |request| {
    with_one_of(request, &[Role::Admin], BY_ACCOUNT).await?
});
