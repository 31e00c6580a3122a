//! No header and no body makes its reader panic, and no client gets itself another address than the proxy saw.

use std::net::{IpAddr, Ipv4Addr};

use password_auth_testing::fuzz;
use percent_encoding::percent_decode;
use poem::Request;
use poem::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use poem::http::uri::Authority;
use poem::http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::ProxyTrust;
use crate::caller::bearer;
use crate::form;
use crate::media_type::{self, MediaType};
use crate::middleware::is_host;
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
                token.len() < bytes.len() && token.trim_ascii() == token,
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
    fuzz("forwarded_for", move |bytes| {
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
fn fuzz_hosts() {
    fuzz("hosts", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if is_host(&text) {
            let authority: Authority = text.parse().expect("a client can write it");
            assert!(!text.contains('@') && authority.as_str() == text, "{text}");
        }
    });
}

/// The media type, and what the body is encoded with.
#[test]
fn fuzz_media_types() {
    fuzz("media_types", |bytes| {
        let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
        let (kind, coding) = (lines.next().and_then(header), lines.next().and_then(header));
        let mut request = Request::builder();
        for (name, value) in [(CONTENT_TYPE, &kind), (CONTENT_ENCODING, &coding)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let request = request.finish();
        for expected in [MediaType::Json, MediaType::Form] {
            if media_type::check(&request, expected).is_err() {
                continue;
            }
            let kind = kind.as_ref().and_then(|kind| kind.to_str().ok());
            let kind = kind.expect("there is one").to_ascii_lowercase();
            assert!(kind.trim_start().starts_with("application/"), "{kind}");
            let rest = coding.iter().flat_map(|coding| coding.as_bytes());
            let rest: Vec<u8> = rest.map(u8::to_ascii_lowercase).collect();
            let rest = String::from_utf8(rest).expect("ASCII");
            let rest = rest.replace("identity", "");
            assert_eq!(rest.trim_matches([' ', '\t', ',']), "", "it is encoded");
        }
    });
}

#[test]
fn fuzz_json() {
    fuzz("json", |bytes| {
        let strict = strict_json::from_slice(bytes);
        let Ok(lenient) = serde_json::from_slice::<Value>(bytes) else {
            assert!(strict.is_err(), "the strict one refuses more");
            return;
        };
        let is_unambiguous = names_in_text(bytes) == names_in(&lenient);
        assert_eq!(strict.ok(), is_unambiguous.then_some(lenient));
    });
}

/// As many names as the text of valid JSON has.
fn names_in_text(text: &[u8]) -> usize {
    let (mut names, mut is_quoted, mut is_escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b':' if !is_quoted => names += 1,
            _ => {}
        }
    }
    names
}

fn names_in(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(names_in).sum(),
        Value::Object(object) => object.values().map(|value| 1 + names_in(value)).sum(),
        _ => 0,
    }
}

#[derive(Deserialize)]
struct SignIn {
    username: String,
    password: String,
}

#[test]
fn fuzz_forms() {
    fuzz("forms", |bytes| {
        let Ok(SignIn { username, password }) = form::decode(bytes) else {
            return;
        };
        let sent: Vec<u8> = percent_decode(bytes).collect();
        let replaced = [username, password]
            .iter()
            .any(|text| text.contains('\u{fffd}'));
        let is_sent = String::from_utf8(sent).expect("valid").contains('\u{fffd}');
        assert!(
            is_sent || !replaced,
            "different passwords would be the same"
        );
    });
}
