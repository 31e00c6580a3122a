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

/// What the templates show.
struct Shown<'a> {
    site: &'a str,
    style: &'static str,
    /// The token of the link that led to the form.
    token: &'a str,
    /// The problem of the last attempt, if there was one.
    problem: Option<&'a str>,
    /// The fewest characters of a password.
    fewest: usize,
}

impl<'a> Shown<'a> {
    fn on(SiteName(site): &'a SiteName, token: &'a str, problem: Option<&'a str>) -> Self {
        Self {
            site,
            style: STYLE,
            token,
            problem,
            fewest: PASSWORD_MIN_CHARS,
        }
    }
}

macro_rules! forms {
    ($($(#[$doc:meta])+ $form:ident: $title:literal, $path:literal;)+) => {
        /// Which form.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Form {
            $($(#[$doc])+ $form,)+
        }

        /// A form, with the problem of the last attempt if there was one.
        pub(super) fn form(
            site: &SiteName,
            form: Form,
            token: &str,
            problem: Option<&str>,
        ) -> Response {
            let it = &Shown::on(site, token, problem);
            match form {
                $(Form::$form => {
                    #[derive(Template)]
                    #[template(path = $path)]
                    struct Filled<'a> {
                        title: &'static str,
                        it: &'a Shown<'a>,
                    }
                    page(&Filled { title: $title, it })
                })+
            }
        }
    };
}

forms! {
    /// Asks for the e-mail address of an account.
    Address: "Forgot your password?", "pages/address.html";
    /// Asks for a new password.
    NewPassword: "Choose a new password", "pages/new_password.html";
    /// Only has a button.
    Confirmation: "Confirm your e-mail address", "pages/confirmation.html";
    /// Registers.
    Join: "Create an account", "pages/join.html";
}

#[derive(Template)]
#[template(path = "pages/told.html")]
struct MessagePage<'a> {
    title: &'static str,
    it: &'a Shown<'a>,
    sentence: &'static str,
}

/// A page with a message.
pub(super) fn message(site: &SiteName, title: &'static str, sentence: &'static str) -> Response {
    page(&MessagePage {
        title,
        it: &Shown::on(site, "", None),
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
