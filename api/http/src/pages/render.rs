//! The HTML of the pages, and the headers that keep the token from leaking.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use password_auth_wire::rules::PASSWORD_MIN_CHARS;
use poem::Response;
use poem::http::header::CONTENT_SECURITY_POLICY;
use poem::http::{HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};

use super::super::error::{AnsweredCode, Dialect, Failure};
use super::SiteName;

/// The style of each page. The policy allows it by its hash.
const STYLE: &str = include_str!("page.css");

/// Pages load nothing, run nothing, cannot be framed, and send forms only to this server.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Which form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Asks for the e-mail address of an account.
    Address,
    /// Asks for a new password.
    NewPassword,
    /// Only has a button.
    Confirmation,
    /// Registers.
    Join,
}

#[derive(Template)]
#[template(path = "pages/address.html")]
struct Address<'a> {
    title: &'static str,
    site: &'a str,
    style: &'static str,
    problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "pages/new_password.html")]
struct NewPassword<'a> {
    title: &'static str,
    site: &'a str,
    style: &'static str,
    token: &'a str,
    problem: Option<&'a str>,
    fewest: usize,
}

#[derive(Template)]
#[template(path = "pages/join.html")]
struct Join<'a> {
    title: &'static str,
    site: &'a str,
    style: &'static str,
    token: &'a str,
    problem: Option<&'a str>,
    fewest: usize,
}

#[derive(Template)]
#[template(path = "pages/confirmation.html")]
struct Confirmation<'a> {
    title: &'static str,
    site: &'a str,
    style: &'static str,
    token: &'a str,
    problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "pages/told.html")]
struct MessagePage<'a> {
    title: &'static str,
    site: &'a str,
    style: &'static str,
    sentence: &'static str,
}

/// A form, with the problem of the last attempt if there was one.
pub(super) fn form(site: &SiteName, form: Form, token: &str, problem: Option<&str>) -> Response {
    let site = &*site.0;
    match form {
        Form::Address => page(&Address {
            title: "Forgot your password?",
            site,
            style: STYLE,
            problem,
        }),
        Form::NewPassword => page(&NewPassword {
            title: "Choose a new password",
            site,
            style: STYLE,
            token,
            problem,
            fewest: PASSWORD_MIN_CHARS,
        }),
        Form::Join => page(&Join {
            title: "Create an account",
            site,
            style: STYLE,
            token,
            problem,
            fewest: PASSWORD_MIN_CHARS,
        }),
        Form::Confirmation => page(&Confirmation {
            title: "Confirm your e-mail address",
            site,
            style: STYLE,
            token,
            problem,
        }),
    }
}

/// A page with a message.
pub(super) fn message(site: &SiteName, title: &'static str, sentence: &'static str) -> Response {
    let site = &*site.0;
    page(&MessagePage {
        title,
        site,
        style: STYLE,
        sentence,
    })
}

/// The page, with the status and headers of the failure.
pub(super) fn as_failure(mut page: Response, failure: &Failure) -> Response {
    let told = failure.in_dialect(Dialect::V1);
    // A page that could not be rendered already has an error status.
    if page.status() == StatusCode::OK {
        page.set_status(told.status());
    }
    if let Some((name, value)) = told.header() {
        page.headers_mut().insert(name, value);
    }
    page.set_data(AnsweredCode(failure.code()));
    page
}

fn page(template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return Failure::internal(error).in_dialect(Dialect::V1).response(),
    };
    let mut response = Response::builder()
        .content_type("text/html; charset=utf-8")
        .body(html);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}
