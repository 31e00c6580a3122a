//! What it looks like: it fits its width in light and dark, and paints before the WASM is there. The
//! pictures are left in `target/e2e` for people to look at.

use serde_json::json;
use thirtyfour::WebDriver;

use crate::support::{Browser, PASSWORD, Page, Popup, Server, expect_accessible, workspace};

async fn emulate(driver: &WebDriver, scheme: &str) {
    emulate_height(driver, scheme, 560).await;
}

async fn emulate_height(driver: &WebDriver, scheme: &str, height: u32) {
    emulate_size(driver, scheme, (360, height), 2).await;
}

async fn emulate_size(driver: &WebDriver, scheme: &str, size: (u32, u32), scale: u32) {
    let (width, height) = size;
    let cdp = driver.cdp();
    cdp.send_raw(
        "Emulation.setEmulatedMedia",
        json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
    )
    .await
    .expect("emulated");
    cdp.send_raw(
        "Emulation.setDeviceMetricsOverride",
        json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": false}),
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
    popup.expect_error_with(&["could not start"]).await;
    assert!(popup.is_shown("username").await && popup.is_shown("login").await);
    expect_accessible(&popup, "a popup that is broken").await;
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
    emulate_height(&browser.driver, "light", 580).await;
    picture(&browser, &popup, "popup-signed-out").await;
    popup.sign_up("alice").await;
    popup.expect_greeting("alice").await;
    emulate_height(&browser.driver, "light", 310).await;
    picture(&browser, &popup, "popup-signed-in").await;
    browser.quit().await;
}

/// What the stores show: as large as they ask for.
const STORE: (u32, u32) = (1280, 800);

/// Shows what `page` shows on a ground of the stores' size, under a sentence, and takes that picture.
async fn store_picture(
    browser: &Browser,
    page: &Page,
    size: (u32, u32),
    name: &str,
    sentence: &str,
) {
    page.focus().await;
    emulate_size(&browser.driver, "light", size, 2).await;
    // The server is the test's own.
    let prepare = "
        document.querySelector('footer')?.remove();
        document.documentElement.style.scrollbarWidth = 'none';
        done(getComputedStyle(document.documentElement).getPropertyValue('--accent'));";
    let accent = page.run(prepare, json!(null)).await;
    let shown = browser.driver.screenshot_as_png_base64().await;
    let ground = browser.new_page().await;
    ground.go("about:blank").await;
    emulate_size(&browser.driver, "light", STORE, 1).await;
    let script = "
        const [picture, width, sentence, accent] = argument;
        document.body.style = 'margin: 0; height: 100vh; display: flex; align-items: center; gap: 80px; box-sizing: border-box; '
            + `padding: 80px; color: #fff; background: linear-gradient(120deg, ${accent}, #171a2b); font: 600 48px/1.25 sans-serif`;
        const text = document.createElement('p');
        text.style = 'flex: 1; margin: 0; text-wrap: balance';
        text.textContent = sentence;
        const image = new Image(width);
        image.style = 'border-radius: 16px; box-shadow: 0 24px 80px #0008';
        image.src = `data:image/png;base64,${picture}`;
        document.body.append(text, image);
        image.decode().then(done);";
    let shown = shown.expect("a picture");
    ground
        .run(script, json!([shown, size.0, sentence, accent]))
        .await;
    let file = workspace().join(format!("target/e2e/store-{name}.png"));
    browser.driver.screenshot(&file).await.expect("a picture");
    let bytes = std::fs::read(&file).expect("the picture");
    // A PNG says its width and height first.
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((number(16), number(20)), STORE, "{name}");
    ground.close().await;
}

/// `./build.sh screenshots` copies them into docs/store/.
#[tokio::test]
async fn the_pictures_for_the_stores_can_be_taken() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    std::fs::create_dir_all(workspace().join("target/e2e")).expect("a folder");
    let popup = browser.popup(&server.url).await;
    let sentence = "Sign in to a server of your own";
    store_picture(&browser, &popup, (360, 580), "1-sign-in", sentence).await;
    popup.sign_up("alice").await;
    popup.expect_greeting("alice").await;
    let sentence = "Stay signed in, on every device, until you sign out";
    store_picture(&browser, &popup, (360, 280), "2-signed-in", sentence).await;
    let options = browser.extension_page(0, "options.html").await;
    options
        .until("document.querySelector('#sessions li') !== null")
        .await;
    emulate_size(&browser.driver, "light", (600, 640), 2).await;
    let scroll =
        "document.getElementById('devicesTitle').scrollIntoView(); scrollBy(0, -48); done()";
    options.run(scroll, json!(null)).await;
    let sentence = "See where you are signed in, and end it there";
    store_picture(&browser, &options, (600, 640), "3-settings", sentence).await;
    browser.quit().await;
}
