//! What the tests use: a browser with the extension, a server, a proxy between the two, and helpers for the
//! popup.

mod app;
mod authenticator;
mod axe;
mod browser;
mod devtools;
mod firefox;
mod page;
mod popup;
mod proxy;
mod server;
mod web;

pub use app::{App, copy, npm_package};
pub use authenticator::{App as AuthenticatorApp, have_authenticator};
pub use axe::expect_accessible;
pub use browser::{Browser, extension_dir, extension_origin};
pub use devtools::ActionPopup;
pub use firefox::{Firefox, ID as FIREFOX_ID};
pub use page::Page;
pub use popup::Popup;
pub use proxy::{Canned, Proxy};
pub use server::Server;
pub use web::WebPage;

/// A password that every rule allows.
pub const PASSWORD: &str = "correct horse battery";

/// What `future` comes to. A test that waits for `what` in vain fails, and does not hang.
async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(browser::TIMEOUT, future).await;
    result.unwrap_or_else(|_| panic!("not within {:?}: {what}", browser::TIMEOUT))
}

/// A setting that `build.sh` hands over.
pub fn setting(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}

pub use password_auth_e2e::workspace;
