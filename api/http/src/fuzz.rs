//! No header makes its reader panic, and no client gets itself another address than the proxy saw.

use std::net::{IpAddr, Ipv4Addr};

use password_auth_testing::fuzz;
use poem::Request;
use poem::http::header::AUTHORIZATION;
use poem::http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::ProxyTrust;
use crate::caller::bearer;
use crate::strict_json;

fn header(bytes: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(bytes).ok()
}

#[test]
fn fuzz_bearer_header() {
    fuzz("bearer_header", |bytes| {
        let Some(value) = header(bytes) else { return };
        let request = Request::builder().header(AUTHORIZATION, value).finish();
        if let Ok(Some(token)) = bearer(&request) {
            assert!(
                token.len() < bytes.len() && token.trim() == token,
                "{token:?}"
            );
        }
    });
}

#[test]
fn fuzz_forwarded_for() {
    let proxy = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    let stranger = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
    let trust = ProxyTrust::new(vec!["10.0.0.0/8".parse().expect("a network")]);
    fuzz("forwarded_for", |bytes| {
        let Some(claimed) = header(bytes) else { return };
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", claimed);
        assert_eq!(
            trust.client_address(stranger, &headers),
            stranger,
            "not from a proxy"
        );
        let _ = trust.client_address(proxy, &headers);
        // What the proxy appends is what counts, whatever stands before it.
        let appended = [bytes, b", 198.51.100.7"].concat();
        headers.insert(
            "x-forwarded-for",
            HeaderValue::from_bytes(&appended).expect("a value"),
        );
        let seen = trust.client_address(proxy, &headers);
        assert_eq!(seen, IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)));
    });
}

#[test]
fn fuzz_json() {
    fuzz("json", |bytes| {
        let strict = strict_json::from_slice(bytes);
        let lenient = serde_json::from_slice::<Value>(bytes);
        if let Ok(strict) = strict {
            assert_eq!(strict, lenient.expect("the strict one refuses more"));
        }
    });
}
