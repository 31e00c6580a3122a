//! Refuses forms that pages of other sites send. A browser sends a form to any site without a preflight (Fetch §2.2.2,
//! a "simple" request), so any page could use up its visitor's sign-in attempts. But the browser says where the page is
//! from, and such forms are refused before anything is counted. JSON needs no such guard: the browser sends a preflight
//! first, which CORS refuses.

use poem::http::header::{HOST, ORIGIN};
use poem::http::{HeaderMap, HeaderValue, Uri};

use super::error::Failure;

/// The origins whose pages may send forms.
#[derive(Clone, Debug)]
pub struct FormPolicy {
    origins: Vec<HeaderValue>,
    dev: bool,
}

impl FormPolicy {
    /// Pages of these origins; in development also pages of this machine and of extensions.
    #[must_use]
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a str>, dev: bool) -> Self {
        let origins = origins
            .into_iter()
            .filter_map(|origin| HeaderValue::from_str(origin).ok())
            .collect();
        Self { origins, dev }
    }

    /// Refuses a form that a page of another site has sent.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Failure> {
        if self.is_cross_site(headers) {
            return Err(Failure::CrossSite);
        }
        Ok(())
    }

    /// Whether the browser says that the page is from another site. A client that says nothing is not a browser.
    fn is_cross_site(&self, headers: &HeaderMap) -> bool {
        let mut sent = headers.get_all(ORIGIN).iter();
        let origin = match (sent.next(), sent.next()) {
            (_, Some(_)) => return true,
            (origin, None) => origin,
        };
        if origin.is_some_and(|origin| self.allows(origin)) {
            return false;
        }
        match (headers.get("sec-fetch-site"), origin) {
            // "none" is a navigation by the user, or a request by an extension with host permission.
            (Some(site), _) => site != "same-origin" && site != "none",
            // Browsers only send `Sec-Fetch-Site` to https or to this machine. Otherwise `Origin` says the same.
            (None, Some(origin)) => !is_of_host(origin, headers),
            (None, None) => false,
        }
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.origins.contains(origin) || (self.dev && is_a_developer_s(origin))
    }
}

/// Whether the origin is the host of the request.
fn is_of_host(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| {
        origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
    });
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    matches!((authority, host), (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host))
}

/// Whether it is a page of this machine or of an extension.
fn is_a_developer_s(origin: &HeaderValue) -> bool {
    let Some(uri) = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.parse::<Uri>().ok())
    else {
        return false;
    };
    match uri.scheme_str() {
        Some("http" | "https") => {
            matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
        }
        Some(scheme) => scheme.ends_with("-extension"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::FormPolicy;
    use poem::http::{HeaderMap, HeaderName, HeaderValue};

    const OWN: &str = "https://auth.example.org";
    const LISTED: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";

    fn is_refused(dev: bool, headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_static("auth.lan:8000"));
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        FormPolicy::new([OWN, LISTED], dev).is_cross_site(&map)
    }

    #[test]
    fn whoever_is_no_browser_and_whoever_is_allowed_may_send_forms() {
        for headers in [
            &[][..],
            &[("origin", OWN)],
            &[("origin", LISTED)],
            &[("origin", OWN), ("sec-fetch-site", "same-origin")],
            &[("origin", LISTED), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            // Our own page, whose origin a policy can hide.
            &[("origin", "null"), ("sec-fetch-site", "same-origin")],
            // If the server does not know its own name.
            &[("origin", "http://auth.lan:8000")],
            &[
                ("origin", "https://auth.lan:8000"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            for dev in [false, true] {
                assert!(!is_refused(dev, headers), "{headers:?}");
            }
        }
    }

    #[test]
    fn pages_of_other_sites_may_not_in_development_neither() {
        for headers in [
            &[("origin", "https://evil.example")][..],
            &[
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "null")],
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            // Another subdomain is another site.
            &[
                ("origin", "https://blog.example.org"),
                ("sec-fetch-site", "same-site"),
            ],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://auth.example.org.evil.example")],
            &[("origin", "http://auth.lan")],
            &[("origin", "http://auth.lan:8001")],
            &[("origin", "https://evil.example"), ("origin", OWN)],
            &[("origin", "")],
            &[("sec-fetch-site", "")],
        ] {
            for dev in [false, true] {
                assert!(is_refused(dev, headers), "{headers:?}");
            }
        }
    }

    #[test]
    fn a_developer_s_pages_and_extensions_may_in_development_alone() {
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "http://[::1]:3000",
            "moz-extension://0f5f3e6a-0000-0000-0000-000000000000",
        ] {
            let headers = [("origin", origin), ("sec-fetch-site", "cross-site")];
            assert!(!is_refused(true, &headers), "{origin}");
            assert!(is_refused(false, &headers), "{origin}");
        }
    }
}
