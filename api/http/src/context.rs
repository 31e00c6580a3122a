//! What the extractors of all routes need beside the request. `middleware` gives it to each request as one value: poem
//! keeps each value of a request in memory of its own.

use std::net::IpAddr;
use std::sync::Arc;

use password_auth_core::rate_limit::Allowance;
use password_auth_core::sessions::Sessions;
use poem::Request;

use super::cross_site::FormPolicy;
use super::error::Failure;

/// What a request came with, and what answers it.
#[derive(Clone)]
pub(super) struct RequestContext {
    /// The client's address, as `middleware` determined it.
    pub(super) client: IpAddr,
    pub(super) services: Arc<Services>,
}

/// The same for all requests.
pub(super) struct Services {
    pub(super) sessions: Arc<Sessions>,
    pub(super) allowance: Arc<Allowance>,
    pub(super) forms: FormPolicy,
}

impl RequestContext {
    pub(super) fn of(request: &Request) -> Result<&Self, Failure> {
        request
            .data::<Self>()
            .ok_or_else(|| Failure::internal("the routes were called without the middleware"))
    }
}
