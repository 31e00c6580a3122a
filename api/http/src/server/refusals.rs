//! What is refused before there is a request: by hyper, for want of places, for its headers. The body and the headers are
//! those of all errors.

use std::io::Write as _;
use std::time::Duration;

use poem::Response;
use poem::http::header::{CACHE_CONTROL, CONNECTION, X_CONTENT_TYPE_OPTIONS};
use poem::http::{HeaderValue, StatusCode};
use tokio::net::TcpStream;

use crate::error::{Dialect, Failure};

/// hyper itself responds to a head that it cannot parse, without a body, and offers no hook. Its responses can be
/// recognized: all of ours have `x-request-id`.
pub(super) fn in_place_of(buffer: &[u8]) -> Option<Vec<u8>> {
    const LONGEST: usize = 256;
    let head = std::str::from_utf8(buffer.get(..buffer.len().min(LONGEST))?).ok()?;
    let bare = buffer.len() < LONGEST
        && head.starts_with("HTTP/1.1 4")
        && head.contains("content-length: 0\r\n")
        && !head.contains("x-request-id:");
    if !bare {
        return None;
    }
    let (status_line, _) = head.split_once("\r\n")?;
    let failure = match status_line.get(9..12)? {
        "414" | "431" => Failure::PayloadTooLarge,
        _ => Failure::Unreadable,
    };
    tracing::event!(
        target: "password_auth::request",
        tracing::Level::INFO,
        http.status = status_line.get(9..12),
        "refused bytes that are not an HTTP request"
    );
    Some(last_words(status_line, &failure))
}

/// A response without a route, after which the connection ends.
fn last_words(status_line: &str, failure: &Failure) -> Vec<u8> {
    let told = failure.in_dialect(Dialect::Demo);
    let body = serde_json::to_string(&told.body()).unwrap_or_default();
    let mut head = status_line.to_owned();
    if let Some((name, value)) = told.header() {
        head += &format!("\r\n{name}: {}", value.to_str().unwrap_or_default());
    }
    format!(
        "{head}\r\ncontent-type: application/json; charset=utf-8\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Refuses a connection with a 503, as far as the socket accepts it at once.
pub(super) fn refuse(stream: TcpStream) {
    let busy = Failure::Unavailable(Duration::from_secs(1));
    let answer = last_words("HTTP/1.1 503 Service Unavailable", &busy);
    // Not through the runtime, which does not know yet that the socket is writable.
    if let Ok(mut stream) = stream.into_std() {
        stream.write_all(&answer).ok();
    }
}

/// As what hyper refuses is answered.
pub(super) fn too_many_headers() -> Response {
    let mut response = Failure::PayloadTooLarge
        .in_dialect(Dialect::Demo)
        .response();
    response.set_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    tracing::event!(
        target: "password_auth::request",
        tracing::Level::INFO,
        http.status = response.status().as_u16(),
        "refused a request with too many headers"
    );
    response
}

#[cfg(test)]
mod tests {
    use super::in_place_of;

    #[test]
    fn hyper_s_bare_answer_gets_our_body_and_ours_stays() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let replaced = String::from_utf8(in_place_of(bare).expect("replaced")).expect("text");
        assert!(replaced.starts_with("HTTP/1.1 431 "), "{replaced}");
        assert!(
            replaced.contains(r#""code":"payload_too_large""#),
            "{replaced}"
        );
        let ours = b"HTTP/1.1 404 Not Found\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n";
        assert!(in_place_of(ours).is_none());
        assert!(in_place_of(b"{\"status\":\"ok\"}").is_none());
    }
}
