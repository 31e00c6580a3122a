//! Origins: scheme, host and port.

use hyper::Uri;

/// Scheme, host and port as browsers send them in `Origin` (RFC 6454): lower case, no path, no default
/// port. `None` if that is not what it is.
pub(super) fn origin(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if scheme.is_empty()
        || !scheme.chars().all(letters)
        || authority.contains(['/', '?', '#', '@', '*', ' '])
    {
        return None;
    }
    let host: Uri = format!("http://{authority}/").parse().ok()?;
    host.host().filter(|host| !host.is_empty())?;
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let authority = match authority.strip_suffix(default_port) {
        Some(host) if !default_port.is_empty() => host,
        _ => authority,
    };
    Some(format!("{scheme}://{authority}"))
}

/// A mistaken URL for a message; one that may hold a password is not repeated.
pub(super) fn quoted(url: &str) -> String {
    if url.contains('@') {
        "one with a user in it".to_owned()
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
