//! Headers that every answer carries (OWASP's REST Security and HTTP Headers Cheat Sheets).

use poem::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use poem::http::{HeaderMap, HeaderValue};

pub(super) struct SecurityHeaders {
    https: bool,
}

impl SecurityHeaders {
    pub(super) const fn new(https: bool) -> Self {
        Self { https }
    }

    /// A route's own policy and caching stay; by default nothing may run, frame or keep an answer.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        let defaults = [
            (
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
            (CACHE_CONTROL, "no-store"),
        ];
        for (name, value) in defaults {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        let fixed = [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.https {
            headers.insert(
                STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=31536000"),
            );
        }
    }
}
