//! Headers of every response (OWASP's REST Security and HTTP Headers Cheat Sheets).

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

    /// Keeps a policy and caching headers that the route has set. By default, a response must not run scripts, be
    /// framed or cached.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        let policy = const {
            HeaderValue::from_static(
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            )
        };
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
        let uncached = const { HeaderValue::from_static("no-store") };
        headers.entry(CACHE_CONTROL).or_insert(uncached);
        // Checked when they are compiled, and not byte by byte for each response.
        let fixed = const {
            [
                (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
                (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
                (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            ]
        };
        for (name, value) in fixed {
            headers.insert(name, value);
        }
        if self.https {
            let year = const { HeaderValue::from_static("max-age=31536000") };
            headers.insert(STRICT_TRANSPORT_SECURITY, year);
        }
    }
}
