//! What it looks like: it fits its width in light and dark, and paints before the WASM is there. The
//! pictures are left in `target/e2e` for people to look at.

use serde_json::json;
use thirtyfour::WebDriver;

use crate::support::{Browser, PASSWORD, Popup, Server, workspace};

async fn emulate(driver: &WebDriver, scheme: &str) {
    emulate_height(driver, scheme, 560).await;
}

async fn emulate_height(driver: &WebDriver, scheme: &str, height: u32) {
    let cdp = driver.cdp();
    cdp.send_raw(
        "Emulation.setEmulatedMedia",
        json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
    )
    .await
    .expect("emulated");
    cdp.send_raw(
        "Emulation.setDeviceMetricsOverride",
        json!({"width": 360, "height": height, "deviceScaleFactor": 2, "mobile": false}),
    )
    .await
    .expect("emulated");
}

async fn picture(browser: &Browser, popup: &Popup, name: &str) {
    let fits = popup
        .run(
            "done(document.documentElement.scrollWidth <= document.documentElement.clientWidth)",
            json!(null),
        )
        .await;
    assert_eq!(fits, true, "{name} is wider than the popup");
    let folder = workspace().join("target/e2e");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{name}.png"));
    browser.driver.screenshot(&file).await.expect("a picture");
}

#[tokio::test]
async fn it_fits_360_pixels_signed_out_and_in_light_and_dark() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    for scheme in ["light", "dark"] {
        emulate(&browser.driver, scheme).await;
        picture(&browser, &popup, &format!("{scheme}-signed-out")).await;
        popup.log_in("nobody", "a wrong password").await;
        popup
            .expect_error("Authentication failed: Invalid credentials.")
            .await;
        picture(&browser, &popup, &format!("{scheme}-error")).await;
        let name = format!("somebody with rather a long name, in {scheme} colours");
        popup.register(&name, PASSWORD).await;
        popup.expect_success("Registration successful.").await;
        popup.log_in(&name, PASSWORD).await;
        popup.expect_success("Authentication successful.").await;
        popup
            .until("!document.getElementById('logout').hidden")
            .await;
        picture(&browser, &popup, &format!("{scheme}-signed-in")).await;
        popup.click("logout").await;
        popup.expect_success("Logged out successfully.").await;
    }
    browser.quit().await;
}

#[tokio::test]
async fn the_page_is_there_before_the_wasm_and_what_was_clicked_meanwhile_is_done() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    // A page that has no way to load its WASM yet.
    let cdp = browser.driver.cdp();
    cdp.send_raw("Network.enable", json!({}))
        .await
        .expect("enabled");
    cdp.send_raw("Network.setBlockedURLs", json!({"urls": ["*.wasm"]}))
        .await
        .expect("blocked");
    popup.reload().await;
    assert!(popup.is_shown("username").await && popup.is_shown("login").await);
    popup.expect_error_with(&["could not start"]).await;
    cdp.send_raw("Network.setBlockedURLs", json!({"urls": []}))
        .await
        .expect("unblocked");
    // As early as a page can be clicked: while it is parsed.
    popup
        .run_first("document.addEventListener('DOMContentLoaded', () => document.getElementById('accessProtected').click())")
        .await;
    popup.reload().await;
    popup.expect_error("No tokens found. Please login.").await;
    browser.quit().await;
}

/// `./build.sh screenshots` copies them into docs/.
#[tokio::test]
async fn the_pictures_of_the_readme_can_be_taken() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    emulate_height(&browser.driver, "light", 520).await;
    picture(&browser, &popup, "popup-signed-out").await;
    popup.register("alice", PASSWORD).await;
    popup.expect_success("Registration successful.").await;
    popup.log_in("alice", PASSWORD).await;
    popup.expect_success("Authentication successful.").await;
    popup.click("accessProtected").await;
    popup.expect_success("Hello, alice!").await;
    emulate_height(&browser.driver, "light", 290).await;
    picture(&browser, &popup, "popup-signed-in").await;
    browser.quit().await;
}
