//! The two pages that mailed links lead to: plain forms, without any script. Looking at one does nothing, since mail
//! programs and scanners look at links too; its button does. The token comes in the link's query, which the log never
//! holds, leaves in the form's body, and stands in no other address. The pages tell their origin, and no more, so that
//! browsers name it when they send the form: under the policy of all other answers they would say "null".

mod render;

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_wire::Secret;
use poem::web::{Data, Query};
use poem::{Endpoint, EndpointExt, IntoResponse, Response, Route, get, handler};
use serde::Deserialize;

use self::render::{Form as Page, form, message};
use super::client::RequestClient;
use super::error::Failure;
use super::form::PageForm;

/// Where the page for a new password is.
pub(super) const RESET_PASSWORD: &str = "/reset-password";
/// Where the page is that confirms an e-mail address.
pub(super) const VERIFY_EMAIL: &str = "/verify-email";

/// Adds the pages.
pub(super) fn with_pages(
    route: Route,
    accounts: &Arc<Accounts>,
) -> impl Endpoint<Output = Response> + use<> {
    route
        .at(RESET_PASSWORD, get(ask_for_password).post(reset_password))
        .at(VERIFY_EMAIL, get(ask_to_confirm).post(confirm_email))
        .data(Arc::clone(accounts))
}

/// What a link carries. One without a token shows a form that is refused.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Link {
    token: String,
}

/// In a form, what is missing and what is empty are the same.
#[derive(Deserialize)]
struct NewPassword {
    #[serde(default = "Secret::empty")]
    token: Secret,
    #[serde(default = "Secret::empty")]
    new_password: Secret,
}

#[derive(Deserialize)]
struct Confirmation {
    #[serde(default = "Secret::empty")]
    token: Secret,
}

#[handler]
fn ask_for_password(link: poem::Result<Query<Link>>) -> Response {
    let Link { token } = link.map(|Query(link)| link).unwrap_or_default();
    form(Page::NewPassword, &token, None)
}

#[handler]
fn ask_to_confirm(link: poem::Result<Query<Link>>) -> Response {
    let Link { token } = link.map(|Query(link)| link).unwrap_or_default();
    form(Page::Confirmation, &token, None)
}

#[handler]
async fn reset_password(
    Data(accounts): Data<&Arc<Accounts>>,
    client: RequestClient,
    PageForm(sent): PageForm<NewPassword>,
) -> Response {
    let NewPassword {
        token,
        new_password,
    } = sent;
    match accounts.reset_password(&token, new_password, &client).await {
        Ok(()) => message(
            "Your password is changed",
            "Wherever you were signed in, you are signed out. Sign in with the new password.",
        ),
        Err(error) => refused(Page::NewPassword, token.expose(), &error.into()),
    }
}

#[handler]
async fn confirm_email(
    Data(accounts): Data<&Arc<Accounts>>,
    client: RequestClient,
    PageForm(Confirmation { token }): PageForm<Confirmation>,
) -> Response {
    match accounts.confirm_email(&token, &client).await {
        Ok(_) => message(
            "Your e-mail address is confirmed",
            "You can close this page.",
        ),
        Err(error) => refused(Page::Confirmation, token.expose(), &error.into()),
    }
}

/// The status, headers and sentence of a failure, and the form again where another try makes sense.
fn refused(page: Page, token: &str, failure: &Failure) -> Response {
    let answer = match failure {
        Failure::InvalidOneTimeToken => message(
            "This link is not good any more",
            "It was used already, or is too old, or a newer change has made it void. Ask for a new one where you asked for this one.",
        ),
        Failure::EmailExists => message(
            "This address belongs to another account",
            "Somebody has confirmed it for another account. Nothing was changed.",
        ),
        other => form(
            page,
            token,
            Some(&other.in_dialect(super::error::Dialect::V1).body().message),
        ),
    };
    render::as_failure(answer, failure).into_response()
}
