//! Signing in with a passkey: as the only step and as the second one, in the page and in the extension, with the browser's
//! virtual authenticator. An IP address has no passkeys, so the server is reached as `localhost`.

use serde_json::{Value, json};

use crate::support::{
    ActionPopup, Browser, PASSWORD, Popup, Proxy, Server, WebPage, expect_accessible,
    extension_origin, have_authenticator,
};

const SIGNED_IN: &str = "Authentication successful.";
const NONE_CHOSEN: &str = "No passkey was used. You can try again, or sign in with your password.";

/// A server that takes passkeys from the extension too.
async fn server() -> Server {
    Server::start_with(vec![("ALLOWED_ORIGINS", extension_origin())]).await
}

/// Registers a user, who gets a passkey on the page's device.
async fn with_passkey(page: &Popup, server: &Server, name: &str) {
    let credentials = json!({"username": name, "password": PASSWORD});
    server.post("/register", credentials.clone()).await;
    let pair = server.post_for_json("/authenticate", credentials).await;
    let script = "
        const post = async (path, body) => {
            const headers = {authorization: `Bearer ${argument.token}`, 'content-type': 'application/json'};
            const init = {method: 'POST', headers, body: JSON.stringify(body)};
            return (await fetch(`${argument.server}/api/v1/auth/passkeys${path}`, init)).json();
        };
        (async () => {
            const options = await post('/register/options', {password: argument.password});
            const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
            const credential = await navigator.credentials.create({publicKey});
            done(await post('', {name: 'Device', credential: credential.toJSON()}));
        })().catch(error => done(String(error)));";
    let argument =
        json!({"token": pair["access_token"], "server": server.localhost(), "password": PASSWORD});
    let added = page.run(script, argument).await;
    assert_eq!(added["name"], "Device", "{added}");
}

/// Leaves, and comes back by the passkey alone, and then as the second step.
async fn expect_both_ways(surface: &Popup, name: &str, open: &[&str]) {
    let ready = async || {
        for id in open {
            surface.click(id).await;
        }
        surface
            .until("document.getElementById('passkey').checkVisibility()")
            .await;
    };
    let leave = async || {
        surface.click("logout").await;
        surface.expect_success("Logged out successfully.").await;
    };
    ready().await;
    surface.click("passkey").await;
    surface.expect_success(SIGNED_IN).await;
    leave().await;
    ready().await;
    surface.log_in(name, PASSWORD).await;
    surface
        .expect_success("Please confirm with your passkey.")
        .await;
    // There is no other factor.
    assert!(!surface.is_shown("code").await && !surface.is_shown("login").await);
    surface
        .until("document.activeElement.id === 'passkey'")
        .await;
    expect_accessible(surface, "a passkey as the second step").await;
    surface.click("passkey").await;
    surface.expect_success(SIGNED_IN).await;
    leave().await;
}

#[tokio::test]
async fn a_passkey_signs_in_at_the_page_alone_and_as_the_second_step() {
    let (server, browser) = tokio::join!(server(), Browser::start());
    let page = WebPage::open_at(&browser, &server.localhost()).await;
    have_authenticator(&browser, &page).await;
    with_passkey(&page, &server, "alice").await;
    expect_both_ways(&page, "alice", &["openDialog"]).await;
    page.expect_no_violation().await;
    // At an address that the passkeys are not bound to, none is offered.
    let elsewhere = WebPage::open(&browser, &server).await;
    elsewhere.click("openDialog").await;
    elsewhere.log_in("alice", PASSWORD).await;
    elsewhere
        .expect_success("Please confirm with your passkey.")
        .await;
    assert!(!elsewhere.is_shown("passkey").await);
    assert!(elsewhere.is_shown("startAgain").await);
    browser.quit().await;
}

#[tokio::test]
async fn a_passkey_signs_in_at_the_extension_alone_and_as_the_second_step() {
    let (server, browser) = tokio::join!(server(), Browser::start());
    let popup = browser.popup(&server.localhost()).await;
    have_authenticator(&browser, &popup).await;
    with_passkey(&popup, &server, "alice").await;
    expect_both_ways(&popup, "alice", &[]).await;
    popup.click("staySignedIn").await;
    popup.click("passkey").await;
    popup.expect_success(SIGNED_IN).await;
    assert!(popup.stored("local").await["auth_tokens"].is_null());
    let pair = popup.stored("session").await["auth_tokens"].clone();
    let sessions = server
        .get_for_json("/api/v1/auth/sessions", &pair["access_token"])
        .await;
    assert!(sessions.is_array(), "{sessions}");
    browser.quit().await;
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_passkey_is_said_and_nothing_is_kept() {
    let (server, browser) = tokio::join!(server(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser
        .popup(&proxy.url.replace("127.0.0.1", "localhost"))
        .await;
    have_authenticator(&browser, &popup).await;
    popup
        .until("document.getElementById('passkey').checkVisibility()")
        .await;
    // The device knows none, or its user closes the dialog: the browser does not tell which.
    popup.click("passkey").await;
    popup.expect_error(NONE_CHOSEN).await;
    // The browser refuses the domain.
    popup
        .run(
            "navigator.credentials.get = async () => { throw new DOMException('no', 'SecurityError'); }; done()",
            Value::Null,
        )
        .await;
    popup.click("passkey").await;
    popup
        .expect_error("The browser does not allow passkeys of this server here.")
        .await;
    // What the server refuses.
    popup
        .run(
            "navigator.credentials.get = async () => ({toJSON: () => ({id: 'AQID', rawId: 'AQID', type: 'public-key',
                 response: {clientDataJSON: 'e30', authenticatorData: 'AQID', signature: 'AQID'}})}); done()",
            Value::Null,
        )
        .await;
    popup.click("passkey").await;
    popup
        .expect_error("Authentication failed: The passkey was not accepted.")
        .await;
    assert!(popup.stored("local").await["auth_tokens"].is_null());
    // Closed between the server's answer and the dialog's, nothing is left.
    popup
        .run(
            "navigator.credentials.get = () => new Promise(() => {}); done()",
            Value::Null,
        )
        .await;
    popup.click("passkey").await;
    popup.close().await;
    let popup = browser.popup_as_it_is().await;
    popup.click("accessProtected").await;
    popup.expect_error("No tokens found. Please login.").await;
    browser.quit().await;
}

/// The browser's dialog takes the focus, and the popup below the button would close.
#[tokio::test]
async fn the_real_popup_leaves_the_passkey_to_a_tab() {
    let (server, browser) = tokio::join!(server(), Browser::start());
    let tab = browser.popup(&server.localhost()).await;
    tab.until("document.getElementById('passkey').checkVisibility()")
        .await;
    let mut popup = ActionPopup::open(&browser).await;
    popup.until_shown("passkey").await;
    popup.click("passkey").await;
    popup.until_a_tab_took_over().await;
    browser.quit().await;
}
