//! Checks of a request's head that hyper does not make: RFC 9112 on `Host` and `Transfer-Encoding`. A proxy could
//! interpret an invalid head differently than this server.

use std::net::Ipv6Addr;

use poem::Request;
use poem::http::header::{HOST, TRANSFER_ENCODING};
use poem::http::{HeaderMap, Version};

use crate::error::Failure;

/// Refuses a head that breaks a rule.
pub(super) fn check(request: &Request) -> Result<(), Failure> {
    check_host(request.headers(), request.version())?;
    check_transfer_codings(request.headers())
}

/// There must be exactly one valid host (RFC 9112 §3.2). Only HTTP/1.0 may omit it.
fn check_host(headers: &HeaderMap, version: Version) -> Result<(), Failure> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if version < Version::HTTP_11 => Ok(()),
        (Some(host), None) if host.to_str().is_ok_and(is_host) => Ok(()),
        _ => Err(Failure::Unreadable),
    }
}

/// A name or an address, with an optional port (the part of RFC 3986 §3.2.2 that clients use).
pub(crate) fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (text, ""),
    };
    let has_port = port.is_empty()
        || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok());
    let is_name = match name.strip_prefix('[') {
        Some(bracketed) => bracketed
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            !name.is_empty() && name.bytes().all(plain)
        }
    };
    has_port && is_name
}

/// Only `chunked` is supported: a body with another coding would be read without decoding it (RFC 9112 §6.1).
fn check_transfer_codings(headers: &HeaderMap) -> Result<(), Failure> {
    let lists = headers.get_all(TRANSFER_ENCODING).iter();
    let mut chunked = 0;
    for list in lists {
        let list = list.to_str().map_err(|_| Failure::Unreadable)?;
        for coding in list.split(',').map(str::trim).filter(|c| !c.is_empty()) {
            if !coding.eq_ignore_ascii_case("chunked") {
                return Err(Failure::UnknownTransferCoding);
            }
            chunked += 1;
        }
    }
    if chunked > 1 {
        return Err(Failure::Unreadable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn a_host_is_a_name_or_an_address_and_maybe_a_port() {
        for host in [
            "auth.example.org",
            "auth.example.org:8000",
            "auth.example.org:",
            "localhost",
            "my_host",
            "xn--bcher-kva.example",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:8000",
        ] {
            assert!(is_host(host), "{host}");
        }
        for text in [
            "",
            " ",
            ":80",
            "a b",
            "a,b",
            "a/b",
            "a?b",
            "user@host",
            "host:port",
            "host:+80",
            "host:99999",
            "host:80:80",
            "::1",
            "[::1",
            "[::1]x",
            "[host]",
            "[]",
            "<script>",
        ] {
            assert!(!is_host(text), "{text}");
        }
    }
}
