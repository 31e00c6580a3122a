//! Every surface, in every state, light and dark, in each direction of writing, narrow and enlarged: nothing is out of
//! reach, and nothing is wider than its window. The pictures are left in `target/e2e`; `./build.sh screenshots` copies
//! the ones of docs/.

use serde_json::{Value, json};

use crate::options::type_into;
use crate::support::{
    AuthenticatorApp, Browser, Canned, PASSWORD, Page, Popup, Proxy, Server, WebPage,
    expect_accessible, workspace,
};

/// How a surface is looked at.
#[derive(Clone, Copy)]
struct View {
    name: &'static str,
    /// In CSS pixels.
    width: u32,
    scheme: &'static str,
    language: &'static str,
    feature: (&'static str, &'static str),
}

const LIGHT: View = View {
    name: "light",
    width: 360,
    scheme: "light",
    language: "en",
    feature: ("prefers-contrast", "no-preference"),
};

const VIEWS: [View; 4] = [
    // 640 pixels at 200 %.
    View {
        name: "narrow-forced-colors",
        width: 320,
        scheme: "dark",
        language: "de",
        feature: ("forced-colors", "active"),
    },
    LIGHT,
    View {
        name: "dark",
        scheme: "dark",
        language: "de",
        ..LIGHT
    },
    View {
        name: "arabic-more-contrast",
        language: "ar",
        feature: ("prefers-contrast", "more"),
        ..LIGHT
    },
];

async fn emulate(browser: &Browser, page: &Page, view: View, height: u32) {
    page.focus().await;
    let cdp = browser.driver.cdp();
    let (feature, value) = view.feature;
    let features = json!({"features": [
        {"name": "prefers-color-scheme", "value": view.scheme},
        {"name": feature, "value": value},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]});
    cdp.send_raw("Emulation.setEmulatedMedia", features)
        .await
        .expect("emulated");
    let metrics =
        json!({"width": view.width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    cdp.send_raw("Emulation.setDeviceMetricsOverride", metrics)
        .await
        .expect("emulated");
    let speak = "localStorage.setItem('language', argument); done()";
    page.run(speak, json!(view.language)).await;
    page.reload().await;
    page.until_revealed().await;
}

/// Checks the page as it is, and takes its picture.
async fn check(browser: &Browser, page: &Page, view: View, state: &str) {
    let name = format!("{state}-{}", view.name);
    expect_accessible(page, &name).await;
    let overflow = "
        const boxes = [document.documentElement, ...document.querySelectorAll('dialog[open]')];
        done(Math.max(...boxes.map(box => box.scrollWidth - box.clientWidth)));";
    assert_eq!(
        page.run(overflow, Value::Null).await,
        0,
        "{name} is too wide"
    );
    expect_message_in_its_place(page, &name).await;
    let folder = workspace().join("target/e2e");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{name}.png"));
    browser.driver.screenshot(&file).await.expect("a picture");
}

/// A message covers nothing that can be read or used.
async fn expect_message_in_its_place(page: &Page, state: &str) {
    let script = "
        const status = document.getElementById('status');
        const box = status.getBoundingClientRect();
        const covers = other => {
            const {left, right, top, bottom} = other.getBoundingClientRect();
            const apart = right <= box.left || left >= box.right || bottom <= box.top || top >= box.bottom;
            return other !== status && other.checkVisibility({visibilityProperty: true}) && !apart
                && !other.classList.contains('announced');
        };
        const where = document.querySelector('dialog[open]') ?? document;
        const others = where.querySelectorAll('a, button, input, select, summary, label, p, li, h1, h2, h3, img, svg');
        done(status.textContent ? [...others].filter(covers).map(one => one.outerHTML) : []);";
    let covered = page.run(script, Value::Null).await;
    assert_eq!(covered, json!([]), "{state}: {covered:#}");
}

/// Waits for any message of that kind, in whatever language. It is in view.
async fn until_said(page: &Page, kind: &str) {
    page.until(&format!(
        "document.getElementById('status').classList.contains('{kind}')"
    ))
    .await;
    let script = "
        const {top, bottom, height} = document.getElementById('status').getBoundingClientRect();
        // Scrolling rounds.
        done([height > 0 && top >= -1 && bottom <= innerHeight + 1, top, bottom, innerHeight]);";
    let seen = page.run(script, Value::Null).await;
    assert_eq!(seen[0], true, "out of view: {seen}");
}

/// An app on its way to be enrolled, and then the recovery codes. Labels are in the view's language.
async fn check_factors(browser: &Browser, page: &Page, view: View, surface: &str) {
    page.click_on("#factors h3 ~ button").await;
    let password = page.find("#factors-password").await;
    password.send_keys(PASSWORD).await.expect("typed");
    page.click_on("#factors form [type=submit]").await;
    let key = page.find("#factors code").await.text().await.expect("read");
    check(browser, page, view, &format!("{surface}-enrolling")).await;
    let code = page.find("#factors-code").await;
    code.send_keys("000000").await.expect("typed");
    page.click_on("#factors form [type=submit]").await;
    until_said(page, "error").await;
    check(browser, page, view, &format!("{surface}-code-refused")).await;
    code.clear().await.expect("cleared");
    let right = AuthenticatorApp::of(&key).code();
    code.send_keys(right).await.expect("typed");
    page.click_on("#factors form [type=submit]").await;
    page.find("#factors .codes").await;
    check(browser, page, view, &format!("{surface}-recovery-codes")).await;
    page.click_on("#factors section > button").await;
    page.until("document.querySelectorAll('#factors h3').length >= 2")
        .await;
    check(browser, page, view, &format!("{surface}-enrolled")).await;
}

async fn sign_in(popup: &Popup, name: &str, in_view: &str) {
    popup.register(&format!("{name} {in_view}"), PASSWORD).await;
    until_said(popup, "success").await;
    popup.log_in(&format!("{name} {in_view}"), PASSWORD).await;
    popup
        .until("!document.getElementById('signedIn').hidden")
        .await;
    until_said(popup, "success").await;
}

const SECOND_FACTOR: Canned = Canned {
    status: "401 Unauthorized",
    content_type: "application/json",
    body: r#"{"status":"error","code":"second_factor_required","message":"A code.","detail":"A code.","challenge":"c1","methods":["totp","passkey"]}"#,
};

#[tokio::test]
async fn the_popup_is_accessible_and_fits_in_every_state() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    for view in VIEWS {
        emulate(&browser, &popup, view, 560).await;
        check(&browser, &popup, view, "popup-signed-out").await;
        popup.log_in("nobody", "a wrong password").await;
        until_said(&popup, "error").await;
        check(&browser, &popup, view, "popup-refused").await;
        popup.click_on("#emailDisclosure summary").await;
        popup.fill("password", "password1").await;
        popup
            .until("document.getElementById('strength').innerText.trim() !== ''")
            .await;
        check(&browser, &popup, view, "popup-registering").await;
        popup.click_on("#emailDisclosure summary").await;
        for (mode, state) in [("invite", "popup-invited"), ("closed", "popup-closed")] {
            let offer = "
                Object.assign(document.getElementById('credentials').dataset, {registration: argument, passkeys: 'true'});
                done();";
            popup.run(offer, json!(mode)).await;
            check(&browser, &popup, view, state).await;
        }
        proxy.answer_with(Some(SECOND_FACTOR));
        popup.click("login").await;
        popup
            .until("!document.getElementById('codeField').hidden")
            .await;
        until_said(&popup, "success").await;
        check(&browser, &popup, view, "popup-second-factor").await;
        proxy.answer_with(None);
        popup.click("startAgain").await;
        popup.reload().await;
        sign_in(&popup, "somebody with a long name", view.name).await;
        popup.click("accessProtected").await;
        popup
            .until("document.getElementById('status').textContent.startsWith('Hello')")
            .await;
        check(&browser, &popup, view, "popup-signed-in").await;
        popup.click("logout").await;
        popup
            .until("document.getElementById('signedIn').hidden")
            .await;
    }
    browser.quit().await;
}

#[tokio::test]
async fn the_options_page_is_accessible_and_fits_in_every_state() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    let options = browser.extension_page(0, "options.html").await;
    for view in VIEWS {
        emulate(&browser, &options, view, 1500).await;
        check(&browser, &options, view, "options-signed-out").await;
        popup.focus().await;
        popup.reload().await;
        sign_in(&popup, "alice", view.name).await;
        let elsewhere = json!({"username": format!("alice {}", view.name), "password": PASSWORD});
        server.post("/authenticate", elsewhere).await;
        options.reload().await;
        options
            .until("document.querySelectorAll('#sessions li').length === 2")
            .await;
        options.find("#factors h3").await;
        check(&browser, &options, view, "options-signed-in").await;
        options.click_on("#emailForm button[type=submit]").await;
        until_said(&options, "error").await;
        check(&browser, &options, view, "options-refused").await;
        type_into(&options, "newPassword", "password1").await;
        options
            .until("document.getElementById('strength').innerText.trim() !== ''")
            .await;
        check(&browser, &options, view, "options-changing-password").await;
        check_factors(&browser, &options, view, "in-options").await;
        popup.click("logout").await;
        popup
            .until("document.getElementById('signedIn').hidden")
            .await;
        options
            .until("document.getElementById('account').hidden")
            .await;
    }
    browser.quit().await;
}

#[tokio::test]
async fn the_web_page_is_accessible_and_fits_in_every_state() {
    let (server, browser) =
        tokio::join!(Server::start(), Browser::start_with_extensions(Vec::new()));
    let page = WebPage::open(&browser, &server).await;
    for view in VIEWS {
        emulate(&browser, &page, view, 640).await;
        check(&browser, &page, view, "page-signed-out").await;
        page.click("openDialog").await;
        check(&browser, &page, view, "page-dialog").await;
        page.log_in("nobody", "a wrong password").await;
        until_said(&page, "error").await;
        check(&browser, &page, view, "page-refused").await;
        sign_in(&page, "alice", view.name).await;
        page.click("accessProtected").await;
        page.until("document.getElementById('status').textContent.startsWith('Hello')")
            .await;
        page.find("#factors h3").await;
        check(&browser, &page, view, "page-signed-in").await;
        check_factors(&browser, &page, view, "page").await;
        page.click("logout").await;
        page.until("document.getElementById('signedIn').hidden")
            .await;
    }
    page.expect_no_violation().await;
    browser.quit().await;
}
