//! CORS by exact origins (Fetch §3.2). An origin that is not listed gets no CORS headers, but its request is served:
//! CORS protects the user of the browser, not the server.

use poem::Request;
use poem::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use poem::http::{HeaderMap, HeaderValue, Method};

/// The origins that may read responses. Credentials (cookies) are never allowed: there are none.
#[derive(Clone, Debug)]
pub enum CorsPolicy {
    /// Any origin, for development.
    Any,
    /// Only these.
    Exactly(Vec<HeaderValue>),
}

/// The CORS headers for the origin of a request.
pub(super) struct CorsAnswer {
    allowed: Option<HeaderValue>,
    preflight: bool,
}

impl CorsAnswer {
    /// Whether the request only asks what is allowed.
    pub(super) const fn is_preflight(&self) -> bool {
        self.preflight
    }
}

impl CorsPolicy {
    /// Exactly these origins. Texts that are not valid in a header are omitted.
    #[must_use]
    pub fn exactly<'a>(origins: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Exactly(
            origins
                .into_iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
        )
    }

    pub(super) fn answer_for(&self, request: &Request) -> CorsAnswer {
        let origin = request.headers().get(ORIGIN);
        let allowed = match self {
            Self::Any => origin.map(|_| HeaderValue::from_static("*")),
            Self::Exactly(origins) => origin.filter(|origin| origins.contains(origin)).cloned(),
        };
        CorsAnswer {
            allowed,
            preflight: is_preflight(request),
        }
    }

    pub(super) fn apply(&self, answer: CorsAnswer, headers: &mut HeaderMap) {
        if matches!(self, Self::Exactly(_)) {
            headers.append(VARY, const { HeaderValue::from_static("Origin") });
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
            let exposed =
                const { HeaderValue::from_static("retry-after, www-authenticate, x-request-id") };
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
