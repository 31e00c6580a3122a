//! Origins: scheme, host and port.

use url::Url;

/// Scheme, host and port as browsers send them in `Origin` (RFC 6454). For http and https, in the form of the URL
/// standard (lower case, no default port, the shortest IPv6). For other schemes, which extensions use, the host is
/// unchanged. `None` if it is not an origin, or the port is not valid.
pub(super) fn origin(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let (scheme, authority) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let letters = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let starts_with_letter = scheme.starts_with(|c: char| c.is_ascii_lowercase());
    let no_authority = |c: char| "/\\?#@*<>\"".contains(c) || c.is_whitespace() || c.is_control();
    if !starts_with_letter
        || !scheme.chars().all(letters)
        || authority.is_empty()
        || authority.contains(no_authority)
    {
        return None;
    }
    if let Some((_, port)) = authority.rsplit_once(':')
        && !port.is_empty()
        && !port.ends_with(']')
        && !is_port(port)
    {
        return None;
    }
    match &*scheme {
        "http" | "https" => {
            let url = Url::parse(&format!("{scheme}://{authority}/")).ok()?;
            Some(url.origin().ascii_serialization())
        }
        _ => authority
            .is_ascii()
            .then(|| format!("{scheme}://{authority}")),
    }
}

/// A port from 1 to 65535.
fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A wrong URL, for a message. Does not repeat a URL that may contain a password.
pub(super) fn quoted(url: &str) -> String {
    if url.contains('@') {
        "one that contains a user name".to_owned()
    } else {
        format!("{url:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for (text, expected) in [
            ("https://App.Example.org/", Some("https://app.example.org")),
            (
                "https://app.example.org:443",
                Some("https://app.example.org"),
            ),
            ("http://127.0.0.1:8000", Some("http://127.0.0.1:8000")),
            ("http://[::1]:8000", Some("http://[::1]:8000")),
            (
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
                Some("chrome-extension://abcdefghijklmnopabcdefghijklmnop"),
            ),
            (
                "safari-web-extension://A1B2C3D4-E5F6-47A8-89B0-C1D2E3F4A5B6",
                Some("safari-web-extension://A1B2C3D4-E5F6-47A8-89B0-C1D2E3F4A5B6"),
            ),
            (
                "safari-web-extension://A1B2",
                Some("safari-web-extension://A1B2"),
            ),
            ("http://[0:0:0:0:0:0:0:1]:3000", Some("http://[::1]:3000")),
            ("https://[2001:DB8::0:1]:443", Some("https://[2001:db8::1]")),
            (
                "https://[::ffff:192.0.2.1]",
                Some("https://[::ffff:c000:201]"),
            ),
            ("HTTP://LOCALHOST:08080", Some("http://localhost:8080")),
            (
                "https://bücher.example",
                Some("https://xn--bcher-kva.example"),
            ),
            ("https://example.org:80", Some("https://example.org:80")),
            ("https://example.org:", Some("https://example.org")),
            ("https://example.org:99999", None),
            ("https://example.org:65536", None),
            ("https://example.org:0", None),
            ("https://example.org:abc", None),
            ("https://example.org:-1", None),
            ("https://example.org:80:80", None),
            ("https://::1", None),
            ("https://[::1", None),
            ("https://[::g]", None),
            ("https://:443", None),
            ("https://exa mple.org", None),
            ("https://user@example.org", None),
            ("https://example.org\\path", None),
            ("moz-extension://abc:99999", None),
            ("://example.org", None),
            ("*", None),
            ("null", None),
            ("https://", None),
            ("https://*.example.org", None),
            ("https://example.org/path", None),
            ("example.org", None),
        ] {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        }
    }
}
