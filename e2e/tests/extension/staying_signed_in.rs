//! Staying signed in: refreshes, races, restarts.

use serde_json::json;

use crate::support::{Browser, PASSWORD, Popup, Proxy, Server};

#[tokio::test]
async fn an_access_token_that_is_due_is_refreshed_silently() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    popup.sign_up("alice").await;
    let before = popup.stored("local").await["auth_tokens"].clone();
    popup.let_access_token_expire().await;
    popup.expect_greeting("alice").await;
    assert_eq!(proxy.count("POST /refresh"), 1);
    assert_eq!(
        proxy.count("GET /protected"),
        1,
        "no request with a token known to be due"
    );
    let after = popup.stored("local").await["auth_tokens"].clone();
    assert_ne!(before["refresh_token"], after["refresh_token"]);
    browser.quit().await;
}

#[tokio::test]
async fn a_401_is_answered_by_one_refresh_and_one_retry() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    popup.sign_up("alice").await;
    popup
        .change_tokens(json!({"access_token": "no.longer.good"}))
        .await;
    popup.expect_greeting("alice").await;
    assert_eq!(proxy.count("GET /protected"), 2);
    assert_eq!(proxy.count("POST /refresh"), 1);
    browser.quit().await;
}

#[tokio::test]
async fn many_contexts_that_refresh_at_once_send_one_refresh_and_all_get_on() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let first = browser.popup(&proxy.url).await;
    first.sign_up("alice").await;
    let mut popups = vec![first];
    for _ in 0..7 {
        popups.push(browser.popup_as_it_is().await);
    }
    popups[0].let_access_token_expire().await;
    // Every refresh waits until each context has asked for what is protected.
    proxy.hold_answers();
    for popup in &popups {
        popup.click("accessProtected").await;
    }
    proxy.until_held(1).await;
    proxy.release_answers();
    for popup in &popups {
        popup.expect_success("Hello, alice!").await;
    }
    assert_eq!(proxy.count("POST /refresh"), 1);
    browser.quit().await;
}

#[tokio::test]
async fn a_popup_that_closes_in_the_middle_of_a_refresh_loses_nothing() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let first = browser.popup(&proxy.url).await;
    first.sign_up("alice").await;
    for round in 1..=3 {
        first.let_access_token_expire().await;
        proxy.hold_answers();
        let popup = browser.popup_as_it_is().await;
        popup.click("accessProtected").await;
        // The server has rotated; the answer does not reach the popup any more.
        proxy.until_held(round).await;
        popup.close().await;
        proxy.release_answers();
        let popup = browser.popup_as_it_is().await;
        popup.expect_greeting("alice").await;
        popup.close().await;
    }
    first.expect_greeting("alice").await;
    browser.quit().await;
}

#[tokio::test]
async fn reopened_the_popup_knows_who_is_signed_in_and_other_contexts_follow() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    let other = browser.popup_as_it_is().await;
    popup.sign_up("Alice").await;
    let names_alice = "document.getElementById('who').textContent === 'Alice'";
    other.until(names_alice).await;
    popup.close().await;
    let reopened = browser.popup_as_it_is().await;
    reopened.until(names_alice).await;
    assert!(reopened.is_shown("logout").await);
    reopened.click("logout").await;
    reopened.expect_success("Logged out successfully.").await;
    other
        .until("document.getElementById('logout').hidden")
        .await;
    other.click("accessProtected").await;
    other.expect_error("No tokens found. Please login.").await;
    browser.quit().await;
}

#[tokio::test]
async fn a_restarted_browser_is_signed_in_only_if_the_user_chose_to_stay() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    let browser = browser.restart().await;
    let popup = browser.popup_as_it_is().await;
    popup.expect_greeting("alice").await;
    popup.click("logout").await;
    popup.expect_success("Logged out successfully.").await;

    popup.click("staySignedIn").await;
    popup.log_in("alice", PASSWORD).await;
    popup.expect_success("Authentication successful.").await;
    assert!(popup.stored("local").await["auth_tokens"].is_null());
    assert!(popup.stored("session").await["auth_tokens"].is_object());
    popup.expect_greeting("alice").await;
    let browser = browser.restart().await;
    let popup = browser.popup_as_it_is().await;
    popup.until_offers_are_shown().await;
    popup.click("accessProtected").await;
    popup.expect_error("No tokens found. Please login.").await;
    assert!(popup.is_shown("login").await);
    browser.quit().await;
}

#[tokio::test]
async fn a_restarted_server_signs_nobody_out() {
    let (mut server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    server.stop().await;
    server.start_again().await;
    popup.expect_greeting("alice").await;
    popup.let_access_token_expire().await;
    server.stop().await;
    server.start_again().await;
    popup.expect_greeting("alice").await;
    browser.quit().await;
}

#[tokio::test]
async fn a_refresh_that_is_refused_for_good_signs_out_and_says_why() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    end_session_elsewhere(&server, &popup).await;
    popup.click("accessProtected").await;
    popup
        .expect_error("Failed to refresh token: Invalid refresh token.")
        .await;
    popup
        .until("document.getElementById('logout').hidden")
        .await;
    assert!(popup.stored("local").await["auth_tokens"].is_null());
    assert!(popup.is_shown("login").await);
    browser.quit().await;
}

async fn end_session_elsewhere(server: &Server, popup: &Popup) {
    let tokens = popup.stored("local").await["auth_tokens"].clone();
    let logout = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(server.post("/logout", logout).await, 200);
}
