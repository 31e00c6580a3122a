//! CORS by exact origins (Fetch §3.2). An origin that is not listed gets no CORS headers, and its request
//! is served all the same: CORS protects the browser's user, it does not guard the server.

use poem::Request;
use poem::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use poem::http::{HeaderMap, HeaderValue, Method};

/// Which origins may read answers. Credentials (cookies) are never allowed: there are none.
#[derive(Clone, Debug)]
pub enum CorsPolicy {
    /// Any: for development.
    Any,
    /// These.
    Exactly(Vec<HeaderValue>),
}

/// What an answer says to the origin that asked.
pub(super) struct CorsAnswer {
    allowed: Option<HeaderValue>,
    preflight: bool,
}

impl CorsPolicy {
    /// Exactly these origins; texts that can not stand in a header are left out.
    #[must_use]
    pub fn exactly<'a>(origins: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Exactly(
            origins
                .into_iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
        )
    }

    /// Whether it is a browser's question before the request itself.
    pub(super) fn is_preflight(&self, request: &Request) -> bool {
        request.method() == Method::OPTIONS
            && request.headers().contains_key(ORIGIN)
            && request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    pub(super) fn answer_for(&self, request: &Request) -> CorsAnswer {
        let origin = request.headers().get(ORIGIN);
        let allowed = match self {
            Self::Any => origin.map(|_| HeaderValue::from_static("*")),
            Self::Exactly(origins) => origin.filter(|origin| origins.contains(origin)).cloned(),
        };
        CorsAnswer {
            allowed,
            preflight: self.is_preflight(request),
        }
    }

    pub(super) fn apply(&self, answer: CorsAnswer, headers: &mut HeaderMap) {
        if matches!(self, Self::Exactly(_)) {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        let Some(origin) = answer.allowed else {
            return;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if answer.preflight {
            let fixed = [
                (
                    ACCESS_CONTROL_ALLOW_METHODS,
                    "GET, POST, PUT, PATCH, DELETE",
                ),
                (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
                (ACCESS_CONTROL_MAX_AGE, "600"),
            ];
            for (name, value) in fixed {
                headers.insert(name, HeaderValue::from_static(value));
            }
        } else {
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("retry-after, www-authenticate, x-request-id"),
            );
        }
    }
}
