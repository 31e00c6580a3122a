//! The OpenAPI document and Swagger UI. Both are part of the binary and work offline.

mod document;

use std::sync::{Arc, LazyLock, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use password_auth_core::accounts::Registration;
use poem::http::HeaderValue;
use poem::http::header::CONTENT_SECURITY_POLICY;
use poem::{Endpoint, Response, endpoint::make_sync};
use poem_openapi::{OpenApi, OpenApiService};
use sha2::{Digest as _, Sha256};

use self::document::document;
pub(super) use self::document::nothing;

/// The API with its description, from which [`document()`] builds the document.
pub(super) fn describe<T: OpenApi>(api: T, registration: Registration) -> OpenApiService<T, ()> {
    let joining = match registration {
        Registration::Open => "Everybody may register.",
        Registration::Invite => "Only those who have an invitation may register.",
        Registration::Closed => "Registration is closed, except with an invitation.",
    };
    OpenApiService::new(api, "Password Auth", env!("CARGO_PKG_VERSION"))
        .server("/")
        .description(format!(
            "Accounts and sign-in for browser extensions. {joining} Every error has the same body: `code` is \
             for programs, `message` is for people, and `detail` repeats `message` for clients \
             written for FastAPI."
        ))
}

/// The document, made when somebody asks for it, so that it does not delay the start, and kept.
#[derive(Clone)]
pub(super) struct Document(Arc<LazyLock<Bytes, Box<dyn FnOnce() -> Bytes + Send>>>);

impl Document {
    pub(super) fn of<T: OpenApi + Send + 'static>(service: OpenApiService<T, ()>) -> Self {
        let make = move || Bytes::from(document(&service));
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }

    fn json(&self) -> &Bytes {
        &self.0
    }
}

/// `GET /openapi.json`.
pub(super) fn openapi_json(document: Document) -> impl Endpoint<Output = Response> {
    make_sync(move |_| {
        Response::builder()
            .content_type("application/json; charset=utf-8")
            .body(document.json().clone())
    })
}

/// `GET /docs`: the only page with scripts. Its policy allows exactly these scripts.
pub(super) fn swagger_ui(document: Document) -> impl Endpoint<Output = Response> {
    let page = OnceLock::new();
    make_sync(move |_| {
        let (html, policy): &(Bytes, HeaderValue) = page.get_or_init(|| {
            let html = swagger_ui_html(document.json());
            let policy = policy(&html);
            (html.into(), policy)
        });
        let mut response = Response::builder()
            .content_type("text/html; charset=utf-8")
            .body(html.clone());
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy.clone());
        response
    })
}

/// poem-openapi's page, for an API without routes, with the document in place of that one's. The page has two megabytes,
/// so they are copied no more often than they have to be.
fn swagger_ui_html(document: &[u8]) -> String {
    let nothing = OpenApiService::new((), "", "");
    let page = nothing.swagger_ui_html();
    let document = str::from_utf8(document).unwrap_or_default();
    let (before, after) = page.split_once(&nothing.spec()).unwrap_or((&page, ""));
    ["<!doctype html>", before, document, after].concat()
}

/// Allows the page's own scripts by their hashes (CSP3 §2.3.1), and what else Swagger UI needs: inline styles, `data:`
/// images, and requests to this server.
fn policy(html: &str) -> HeaderValue {
    let hashes: Vec<String> = inline_scripts(html)
        .map(|script| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script))))
        .collect();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        hashes.join(" ")
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The scripts as a browser finds them: a tag inside a script is not a tag.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let (_, tag) = rest.split_once("<script")?;
        let (_, content) = tag.split_once('>')?;
        let script;
        (script, rest) = content.split_once("</script>")?;
        Some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::inline_scripts;

    #[test]
    fn each_inline_script_is_found_as_the_browser_sees_it() {
        let html = "<script charset=\"UTF-8\">let tag = '<script>';</script><p>x</p>\n<script>\ntwo\n</script>";
        assert_eq!(
            inline_scripts(html).collect::<Vec<_>>(),
            ["let tag = '<script>';", "\ntwo\n"]
        );
    }
}
