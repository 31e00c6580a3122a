//! The web page ([`home`]), the page that asks for a link to choose a new password, and the two that mailed links lead
//! to. Those three are plain forms, without any script. Looking at one does nothing, since mail
//! programs and scanners look at links too; its button does. The token comes in the link's query, which the log never
//! holds, leaves in the form's body, and stands in no other address. The pages tell their origin, and no more, so that
//! browsers name it when they send the form: under the policy of all other answers they would say "null".

pub(super) mod home;
mod render;

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, ConfirmEmailError, NewAccount};
use password_auth_wire::Secret;
use poem::endpoint::BoxEndpoint;
use poem::web::{Data, Query};
use poem::{EndpointExt as _, IntoResponse, Response, get, handler};
use serde::Deserialize;

use self::render::{Form as Page, form, message};
use super::client::RequestClient;
use super::error::Failure;
use super::form::PageForm;

/// Where the page is that asks for a link to choose a new password.
pub(super) const FORGOT_PASSWORD: &str = "/forgot-password";
/// The path of the page for a new password.
pub(super) const RESET_PASSWORD: &str = "/reset-password";
/// The path of the page that confirms an e-mail address.
pub(super) const VERIFY_EMAIL: &str = "/verify-email";

/// The path of the page for somebody who is invited.
pub(super) const JOIN: &str = "/join";

/// What the site calls itself.
#[derive(Clone, Debug)]
pub(super) struct SiteName(pub(super) Arc<str>);

/// The pages, by path.
pub(super) fn pages(
    accounts: &Arc<Accounts>,
    site_name: SiteName,
) -> impl Iterator<Item = (&'static str, BoxEndpoint<'static>)> + use<> {
    let pages = [
        ("/", get(home::home)),
        (FORGOT_PASSWORD, get(ask_for_address).post(request_reset)),
        (RESET_PASSWORD, get(ask_for_password).post(reset_password)),
        (JOIN, get(ask_to_join).post(join)),
        (VERIFY_EMAIL, get(ask_to_confirm).post(confirm_email)),
    ];
    let accounts = Arc::clone(accounts);
    pages.into_iter().map(move |(path, page)| {
        let page = page.data(Arc::clone(&accounts)).data(site_name.clone());
        (path, page.boxed())
    })
}

/// The query of a link. Without a token, the page shows a form that is refused.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Link {
    token: String,
}

/// In a form, a missing field is the same as an empty one.
#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    email: String,
    #[serde(default)]
    username: String,
}

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
fn ask_for_address(Data(site): Data<&SiteName>) -> Response {
    form(site, Page::Address, "", None)
}

/// A form with the token of the link that led to it.
fn linked(site: &SiteName, page: Page, link: poem::Result<Query<Link>>) -> Response {
    let Link { token } = link.map(|Query(link)| link).unwrap_or_default();
    form(site, page, &token, None)
}

#[handler]
fn ask_for_password(Data(site): Data<&SiteName>, link: poem::Result<Query<Link>>) -> Response {
    linked(site, Page::NewPassword, link)
}

#[derive(Deserialize)]
struct Join {
    #[serde(default = "Secret::empty")]
    token: Secret,
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default = "Secret::empty")]
    password: Secret,
}

#[handler]
fn ask_to_join(Data(site): Data<&SiteName>, link: poem::Result<Query<Link>>) -> Response {
    linked(site, Page::Join, link)
}

#[handler]
async fn join(
    Data(accounts): Data<&Arc<Accounts>>,
    Data(site): Data<&SiteName>,
    client: RequestClient,
    PageForm(sent): PageForm<Join>,
) -> Response {
    let Join {
        token,
        username,
        email,
        password,
    } = sent;
    let account = NewAccount {
        username,
        password,
        email: Some(email),
        full_name: None,
    };
    match accounts.register(account, Some(&token), &client).await {
        Ok(_) => message(
            site,
            "Your account was created",
            "You can sign in now. If you have given an e-mail address, a link to confirm it is on its way.",
        ),
        Err(error) => refused(site, Page::Join, token.expose(), &error.into()),
    }
}

#[handler]
fn ask_to_confirm(Data(site): Data<&SiteName>, link: poem::Result<Query<Link>>) -> Response {
    linked(site, Page::Confirmation, link)
}

#[handler]
async fn request_reset(
    Data(accounts): Data<&Arc<Accounts>>,
    Data(site): Data<&SiteName>,
    client: RequestClient,
    PageForm(Address { email, username }): PageForm<Address>,
) -> Response {
    let username = Some(username.trim()).filter(|name| !name.is_empty());
    let asked = accounts.request_password_reset(&email, username, &client);
    match asked.await {
        // Whether there is such an account is not told. Nor is the token, in development either: it is in the mail.
        Ok(_) => message(
            site,
            "Look into your mailbox",
            "If an account has this e-mail address, a link to choose a new password is on its way.",
        ),
        Err(error) => refused(site, Page::Address, "", &error.into()),
    }
}

#[handler]
async fn reset_password(
    Data(accounts): Data<&Arc<Accounts>>,
    Data(site): Data<&SiteName>,
    client: RequestClient,
    PageForm(sent): PageForm<NewPassword>,
) -> Response {
    let NewPassword {
        token,
        new_password,
    } = sent;
    match accounts.reset_password(&token, new_password, &client).await {
        Ok(()) => message(
            site,
            "Your password was changed",
            "You have been signed out on all devices. Sign in with your new password.",
        ),
        Err(error) => refused(site, Page::NewPassword, token.expose(), &error.into()),
    }
}

#[handler]
async fn confirm_email(
    Data(accounts): Data<&Arc<Accounts>>,
    Data(site): Data<&SiteName>,
    client: RequestClient,
    PageForm(Confirmation { token }): PageForm<Confirmation>,
) -> Response {
    match accounts.confirm_email(&token, &client).await {
        Ok(_) | Err(ConfirmEmailError::AlreadyConfirmed) => message(
            site,
            "Your e-mail address was confirmed",
            "You can close this page.",
        ),
        Err(error) => refused(site, Page::Confirmation, token.expose(), &error.into()),
    }
}

/// The page for a failure, with its status and headers. Shows the form again if another try makes sense.
fn refused(site: &SiteName, page: Page, token: &str, failure: &Failure) -> Response {
    let answer = match failure {
        Failure::InvalidOneTimeToken => message(
            site,
            "This link has expired",
            "This link has expired or was already used. Request a new one.",
        ),
        Failure::Uninvited => message(
            site,
            "This invitation has expired",
            "This invitation has expired or was already used. Ask for another one.",
        ),
        Failure::EmailExists if matches!(page, Page::Confirmation) => message(
            site,
            "This address belongs to another account",
            "Another account has already confirmed this address. Nothing was changed.",
        ),
        other => form(
            site,
            page,
            token,
            Some(&other.in_dialect(super::error::Dialect::V1).body().message),
        ),
    };
    render::as_failure(answer, failure).into_response()
}
