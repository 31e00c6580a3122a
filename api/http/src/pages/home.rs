//! The web page at `/`: a place to sign in, with the same client as the extension's, compiled to WASM. Its files are
//! embedded by `build.rs`; a server that was built without them redirects to `/docs`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH};
use poem::http::{HeaderValue, StatusCode};
use poem::web::{Data, Redirect};
use poem::{IntoResponse as _, Request, Response, handler};
use sha2::{Digest as _, Sha256};

use super::SiteName;
use crate::error::{Dialect, Failure};

/// The paths of the page's files start with this.
pub(crate) const FILES: &str = "/page/";

/// What the log calls the path of a file.
pub(crate) const FILE: &str = "/page/*name";

static EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The page loads and asks only this server, runs no inline script, and cannot be framed.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);

struct File {
    content_type: &'static str,
    content: &'static [u8],
    tag: HeaderValue,
}

static BY_NAME: LazyLock<BTreeMap<&str, File>> = LazyLock::new(|| {
    let embedded = |&(name, content): &(&'static str, &'static [u8])| {
        let digest = STANDARD.encode(Sha256::digest(content));
        let kept = File {
            content_type: content_type(name),
            content,
            tag: HeaderValue::from_str(&format!("\"{digest}\""))
                .unwrap_or(HeaderValue::from_static("\"\"")),
        };
        (name, kept)
    };
    EMBEDDED.iter().map(embedded).collect()
});

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[derive(Template)]
#[template(path = "pages/home.html")]
struct Home<'a> {
    site_name: &'a str,
}

/// The page.
#[handler]
pub(super) fn home(Data(SiteName(site_name)): Data<&SiteName>) -> Response {
    if EMBEDDED.is_empty() {
        return Redirect::temporary("/docs").into_response();
    }
    let html = match (Home { site_name }).render() {
        Ok(html) => html,
        Err(error) => return Failure::internal(error).in_dialect(Dialect::V1).response(),
    };
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(CONTENT_SECURITY_POLICY, POLICY)
        .body(html)
}

/// A file of the page. Browsers keep it, and ask whether it is still the same.
#[handler]
pub(crate) fn page_file(request: &Request) -> Result<Response, Failure> {
    let name = request.uri().path().strip_prefix(FILES);
    let found = name.and_then(|name| BY_NAME.get(name));
    let found = found.ok_or(Failure::NotFound)?;
    let known = request.headers().get(IF_NONE_MATCH) == Some(&found.tag);
    let answer = Response::builder()
        .header(CACHE_CONTROL, "no-cache")
        .header(ETAG, &found.tag);
    Ok(if known {
        answer.status(StatusCode::NOT_MODIFIED).finish()
    } else {
        answer.content_type(found.content_type).body(found.content)
    })
}
