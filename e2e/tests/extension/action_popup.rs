//! The real popup below the toolbar's button, not its page in a tab.

use crate::support::{ActionPopup, Browser, PASSWORD, Proxy, Server};

#[tokio::test]
async fn the_real_popup_signs_in_and_is_signed_in_when_it_opens_again() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let _tab = browser.popup(&server.url).await;
    let mut popup = ActionPopup::open(&browser).await;
    popup.fill("username", "alice").await;
    popup.fill("password", PASSWORD).await;
    popup.click("register").await;
    popup.expect_status("Registration successful.").await;
    popup.fill("password", PASSWORD).await;
    popup.click("login").await;
    popup.expect_status("Authentication successful.").await;
    popup.close().await;

    let mut popup = ActionPopup::open(&browser).await;
    popup.click("accessProtected").await;
    popup.expect_status("Hello, alice!").await;
    popup.close().await;
    browser.quit().await;
}

#[tokio::test]
async fn the_real_popup_may_close_in_the_middle_of_a_refresh() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let tab = browser.popup(&proxy.url).await;
    tab.sign_up("alice").await;
    tab.let_access_token_expire().await;
    proxy.hold_answers();
    let mut popup = ActionPopup::open(&browser).await;
    popup.click("accessProtected").await;
    proxy.until_held(1).await;
    popup.close().await;
    proxy.release_answers();
    let mut popup = ActionPopup::open(&browser).await;
    popup.click("accessProtected").await;
    popup.expect_status("Hello, alice!").await;
    popup.close().await;
    browser.quit().await;
}
