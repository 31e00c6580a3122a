//! Signing in with a second step: the popup and the page ask for it, and may be closed anywhere on the way.

use serde_json::{Value, json};

use crate::support::{
    ActionPopup, AuthenticatorApp, Browser, Canned, PASSWORD, Popup, Proxy, Server, WebPage,
    expect_accessible,
};

const ASKS: &str = "Please enter the code of your second factor.";
const WRONG: &str = "Authentication failed: The code is not valid. Each code works once.";
const TOO_LATE: &str = "Authentication failed: This sign-in took too long. Please begin again.";
const SIGNED_IN: &str = "Authentication successful.";
const SECOND: &str = "POST /api/v1/auth/login/second-factor";

/// A new user with an app, and recovery codes.
pub async fn enrolled(server: &Server, name: &str) -> (AuthenticatorApp, Vec<String>) {
    let credentials = json!({"username": name, "password": PASSWORD});
    server.post("/register", credentials.clone()).await;
    let pair = server.post_for_json("/authenticate", credentials).await;
    let ask = async |path: &str, body: Value| {
        let path = format!("/api/v1/auth/totp/{path}");
        server
            .request("POST", &path, &pair["access_token"], body)
            .await
            .1
    };
    let setup = ask("setup", json!({"password": PASSWORD})).await;
    let app = AuthenticatorApp::of(setup["secret"].as_str().expect("a key"));
    let confirmed = ask("confirm", json!({"code": app.code()})).await;
    let codes = confirmed["recovery_codes"]
        .as_array()
        .expect("a list")
        .iter();
    let codes = codes.map(|code| code.as_str().expect("a code").to_owned());
    (app, codes.collect())
}

/// The second step is shown for that user, and nothing of the first.
async fn expect_second_step(popup: &Popup, name: &str) {
    popup
        .until("!document.getElementById('codeField').hidden")
        .await;
    for (id, is_shown) in [
        ("code", true),
        ("startAgain", true),
        ("login", true),
        ("password", false),
        ("username", false),
        ("register", false),
    ] {
        assert_eq!(popup.is_shown(id).await, is_shown, "{id}");
    }
    assert_eq!(
        popup.element("stepFor").await.text().await.expect("read"),
        name
    );
    assert_eq!(popup.value("password").await, "", "the password is gone");
    expect_accessible(popup, "the second step").await;
}

async fn expect_first_step(popup: &Popup) {
    popup
        .until("!document.getElementById('firstStep').hidden")
        .await;
    assert!(popup.is_shown("username").await && popup.is_shown("password").await);
    assert!(!popup.is_shown("code").await && !popup.is_shown("startAgain").await);
}

async fn expect_nothing_stored(popup: &Popup) {
    for area in ["local", "session"] {
        assert!(popup.stored(area).await["auth_tokens"].is_null(), "{area}");
    }
}

async fn submit(popup: &Popup, code: &str) {
    popup.fill("code", code).await;
    popup.click("login").await;
}

/// Closes the popup, as a click beside it does, and opens it again.
async fn reopened(browser: &Browser, popup: Popup) -> Popup {
    popup.close().await;
    browser.popup_as_it_is().await
}

#[tokio::test]
async fn a_code_and_a_recovery_code_complete_a_sign_in_in_popup_and_page() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    let page = WebPage::open(&browser, &server).await;
    page.click("openDialog").await;
    for (surface, name) in [(&popup, "alice"), (&*page, "bob")] {
        let (app, recovery_codes) = enrolled(&server, name).await;
        for (code, wrong) in [(app.next_code(), "000000"), (recovery_codes[0].clone(), "")] {
            surface.log_in(name, PASSWORD).await;
            surface.expect_success(ASKS).await;
            expect_second_step(surface, name).await;
            surface.until("document.activeElement.id === 'code'").await;
            submit(surface, wrong).await;
            surface
                .expect_error(if wrong.is_empty() { ASKS } else { WRONG })
                .await;
            expect_second_step(surface, name).await;
            submit(surface, &code).await;
            surface.expect_success(SIGNED_IN).await;
            surface.click("logout").await;
            surface.expect_success("Logged out successfully.").await;
            if name == "bob" {
                surface.click("openDialog").await;
            }
            expect_first_step(surface).await;
        }
    }
    let kept = popup.stored("session").await;
    assert!(kept["auth_second_step"].is_null(), "{kept}");
    page.expect_no_violation().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_popup_closed_at_any_step_is_signed_in_or_begins_cleanly() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let (app, recovery_codes) = enrolled(&server, "alice").await;
    let popup = browser.popup(&proxy.url).await;

    // Before the first answer.
    proxy.hold_answers();
    popup.log_in("alice", PASSWORD).await;
    proxy.until_held(1).await;
    let popup = reopened(&browser, popup).await;
    proxy.release_answers();
    expect_first_step(&popup).await;
    expect_nothing_stored(&popup).await;

    // After it: the challenge is kept, the password is not.
    popup.log_in("alice", PASSWORD).await;
    popup.expect_success(ASKS).await;
    let kept = popup.stored("session").await.to_string();
    assert!(kept.contains("auth_second_step") && !kept.contains(PASSWORD));
    let disk = popup.stored("local").await.to_string();
    assert!(
        !disk.contains("challenge") && !disk.contains(PASSWORD),
        "{disk}"
    );
    let popup = reopened(&browser, popup).await;
    expect_second_step(&popup, "alice").await;

    // After typing.
    popup.fill("code", &app.next_code()).await;
    let popup = reopened(&browser, popup).await;
    expect_second_step(&popup, "alice").await;
    assert_eq!(popup.value("code").await, "");

    // After the request, before the answer: the server has used the challenge.
    proxy.hold_answers();
    let held = proxy.held();
    submit(&popup, &app.next_code()).await;
    proxy.until_held(held + 1).await;
    let popup = reopened(&browser, popup).await;
    proxy.release_answers();
    expect_nothing_stored(&popup).await;
    expect_second_step(&popup, "alice").await;
    submit(&popup, &recovery_codes[0]).await;
    popup.expect_error(TOO_LATE).await;
    expect_first_step(&popup).await;
    assert_eq!(popup.value("username").await, "alice");

    // After the answer, before the write, for which another context must wait.
    popup.log_in("alice", PASSWORD).await;
    popup.expect_success(ASKS).await;
    let other = browser.popup_as_it_is().await;
    other
        .run(
            "navigator.locks.request('password-auth.session', () => {
                 done();
                 return new Promise(free => { window.free = free; });
             });",
            Value::Null,
        )
        .await;
    let only_the_next = "performance.clearResourceTimings(); done();";
    popup.run(only_the_next, Value::Null).await;
    submit(&popup, &recovery_codes[0]).await;
    popup
        .run(
            "new PerformanceObserver(list => {
                 if (list.getEntries().filter(one => one.name.endsWith('second-factor')).length) done();
             }).observe({type: 'resource', buffered: true});",
            Value::Null,
        )
        .await;
    let popup = reopened(&browser, popup).await;
    other.run("window.free(); done();", Value::Null).await;
    expect_nothing_stored(&popup).await;
    submit(&popup, &recovery_codes[1]).await;
    popup.expect_error(TOO_LATE).await;
    expect_nothing_stored(&popup).await;

    // And undisturbed, with the code that was not used up.
    popup.fill("password", PASSWORD).await;
    popup.click("login").await;
    popup.expect_success(ASKS).await;
    submit(&popup, &recovery_codes[1]).await;
    popup.expect_success(SIGNED_IN).await;
    let popup = reopened(&browser, popup).await;
    popup.expect_greeting("alice").await;
    browser.quit().await;
}

#[tokio::test]
async fn the_real_popup_goes_on_where_it_was() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (app, _) = enrolled(&server, "alice").await;
    let _tab = browser.popup(&server.url).await;
    let mut popup = ActionPopup::open(&browser).await;
    popup.fill("username", "alice").await;
    popup.fill("password", PASSWORD).await;
    popup.click("login").await;
    popup.expect_status(ASKS).await;
    popup.close().await;
    let mut popup = ActionPopup::open(&browser).await;
    popup.until_shown("code").await;
    popup.fill("code", &app.next_code()).await;
    popup.click("login").await;
    popup.expect_status(SIGNED_IN).await;
    popup.close().await;
    browser.quit().await;
}

#[tokio::test]
async fn a_step_that_is_left_or_too_old_or_another_server_s_leads_back_to_the_password() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (proxy, stranger) = tokio::join!(Proxy::start(&server.url), Proxy::start(&server.url));
    let (_, recovery_codes) = enrolled(&server, "alice").await;
    let popup = browser.popup(&proxy.url).await;
    let begin = async || {
        popup.log_in("alice", PASSWORD).await;
        popup.expect_success(ASKS).await;
    };

    begin().await;
    popup.click("startAgain").await;
    expect_first_step(&popup).await;
    assert!(popup.stored("session").await["auth_second_step"].is_null());
    popup
        .until("document.activeElement.id === 'password'")
        .await;

    begin().await;
    let age = "
        chrome.storage.session.get('auth_second_step').then(async ({auth_second_step}) => {
            await chrome.storage.session.set({auth_second_step: {...auth_second_step, ends: argument}});
            done();
        });";
    popup.run(age, json!(1)).await;
    expect_first_step(&popup).await;
    // Also if it is noticed at the last moment, or the clock is wrong.
    begin().await;
    popup.fill("code", &recovery_codes[0]).await;
    let at_the_last_moment = "
        Date.now = () => 4e12;
        document.getElementById('login').click();
        done();";
    popup.run(at_the_last_moment, Value::Null).await;
    popup.expect_error(TOO_LATE).await;
    popup.reload().await;
    expect_second_step(&popup, "alice").await;
    popup.click("startAgain").await;
    expect_first_step(&popup).await;

    begin().await;
    popup.set_server(&stranger.url).await;
    expect_first_step(&popup).await;
    popup.set_server(&proxy.url).await;
    expect_second_step(&popup, "alice").await;
    submit(&popup, &recovery_codes[0]).await;
    popup.expect_success(SIGNED_IN).await;
    assert_eq!((stranger.count(SECOND), proxy.count(SECOND)), (0, 1));
    browser.quit().await;
}

#[tokio::test]
async fn a_wait_is_told_at_the_second_step_and_staying_is_as_it_was_chosen() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let (app, _) = enrolled(&server, "alice").await;
    let popup = browser.popup(&proxy.url).await;
    popup.click("staySignedIn").await;
    popup.log_in("alice", PASSWORD).await;
    popup.expect_success(ASKS).await;
    proxy.answer_with(Some(Canned {
        status: "429 Too Many Requests\r\nretry-after: 11",
        content_type: "application/json",
        body: r#"{"status":"error","code":"too_many_attempts","message":"Too many attempts. Please try again later.","detail":""}"#,
    }));
    submit(&popup, "123456").await;
    popup
        .expect_error("Authentication failed: Too many attempts. Please try again later. You can try again in 11 s.")
        .await;
    expect_second_step(&popup, "alice").await;
    proxy.answer_with(None);
    let popup = reopened(&browser, popup).await;
    submit(&popup, &app.next_code()).await;
    popup.expect_success(SIGNED_IN).await;
    assert!(popup.stored("local").await["auth_tokens"].is_null());
    assert!(popup.stored("session").await["auth_tokens"].is_object());
    browser.quit().await;
}
