//! Second factors as people meet them, in the options page and in the web page: an app, recovery codes, passkeys.

use serde_json::{Value, json};

use crate::options::{type_into, until_said};
use crate::support::{
    AuthenticatorApp, Browser, PASSWORD, Page, Popup, Server, WebPage, expect_accessible,
    extension_origin, have_authenticator,
};

const NEVER: &str = "000000";

/// The options page of a user who has just registered and signed in.
async fn options_of(browser: &Browser, server: &Server, name: &str) -> (Popup, Page) {
    let popup = browser.popup(&server.url).await;
    popup.sign_up(name).await;
    let options = browser.extension_page(0, "options.html").await;
    (popup, options)
}

/// The status of a sign-in with the password, and a code if there is one.
async fn sign_in(server: &Server, name: &str, code: Option<&str>) -> u16 {
    let mut body = json!({"username": name, "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    server.post("/authenticate", body).await
}

async fn text(page: &Page, selector: &str) -> String {
    page.find(selector).await.text().await.expect("read")
}

/// From the first button to the picture: the app that has scanned it.
async fn scan(page: &Page, begin: &str) -> AuthenticatorApp {
    page.press(begin).await;
    type_into(page, "factors-password", PASSWORD).await;
    page.press("Continue").await;
    page.until("document.querySelector('#factors svg.qr path') !== null")
        .await;
    AuthenticatorApp::of(&text(page, "#factors code").await)
}

async fn confirm(page: &Page, code: &str) {
    type_into(page, "factors-code", code).await;
    page.press("Turn on").await;
}

/// The recovery codes that are on the screen.
async fn codes_shown(page: &Page) -> Vec<String> {
    page.until("document.querySelectorAll('#factors .codes li').length === 10")
        .await;
    let codes = text(page, "#factors .codes").await;
    codes.split_whitespace().map(str::to_owned).collect()
}

async fn until_it_says(page: &Page, words: &str) {
    page.until(&format!(
        "document.getElementById('factors').textContent.includes({})",
        json!(words)
    ))
    .await;
}

/// The field is marked as wrong, has the focus, and the message describes it.
async fn expect_wrong(page: &Page, id: &str) {
    page.until(&format!("document.activeElement.id === '{id}'"))
        .await;
    let field = page.find(&format!("#{id}")).await;
    for (attribute, value) in [("aria-invalid", "true"), ("aria-describedby", "status")] {
        let is = field.attr(attribute).await.expect("read");
        assert_eq!(is.as_deref(), Some(value), "{id}");
    }
}

/// Enrols an app, with mistakes on the way; makes new codes; removes the app. On either surface.
async fn go_through_an_app(page: &Page, server: &Server, name: &str) {
    until_it_says(page, "Off. An app on your phone").await;
    page.press("Set up an app").await;
    page.until("document.activeElement.id === 'factors-password'")
        .await;
    type_into(page, "factors-password", "a wrong password").await;
    page.press("Continue").await;
    until_said(page, "The current password is wrong.").await;
    expect_wrong(page, "factors-password").await;
    page.press("Cancel").await;

    let app = scan(page, "Set up an app").await;
    confirm(page, NEVER).await;
    until_said(page, "The code is not valid. Each code works once.").await;
    expect_wrong(page, "factors-code").await;
    assert_eq!(sign_in(server, name, None).await, 200, "not enrolled yet");
    confirm(page, &app.code()).await;
    until_said(page, "The app is on.").await;
    let codes = codes_shown(page).await;
    page.press("Download").await;
    page.press("I have kept them").await;
    until_it_says(page, "On. After your password").await;
    until_it_says(page, "10 left.").await;
    let kept =
        "done(JSON.stringify({...localStorage, ...sessionStorage}) + document.body.outerHTML)";
    let kept = page.run(kept, Value::Null).await.to_string();
    assert!(!kept.contains(&codes[0]) && !kept.contains("otpauth"));

    assert_eq!(sign_in(server, name, None).await, 401);
    assert_eq!(sign_in(server, name, Some(NEVER)).await, 401);
    assert_eq!(sign_in(server, name, Some(&app.next_code())).await, 200);
    assert_eq!(sign_in(server, name, Some(&codes[0])).await, 200);
    assert_eq!(sign_in(server, name, Some(&codes[0])).await, 401);

    page.press("Make new codes").await;
    type_into(page, "factors-password", PASSWORD).await;
    type_into(page, "factors-code", &codes[1]).await;
    page.press("Make new codes").await;
    until_said(page, "New codes were made.").await;
    let newer = codes_shown(page).await;
    page.press("I have kept them").await;
    assert_eq!(sign_in(server, name, Some(&codes[2])).await, 401);

    page.press("Remove the app").await;
    type_into(page, "factors-password", PASSWORD).await;
    type_into(page, "factors-code", &codes[3]).await;
    page.press("Remove the app").await;
    until_said(page, "The code is not valid. Each code works once.").await;
    expect_wrong(page, "factors-code").await;
    type_into(page, "factors-code", &newer[0]).await;
    page.press("Remove the app").await;
    until_said(page, "The app was removed.").await;
    until_it_says(page, "Off. An app on your phone").await;
    assert_eq!(sign_in(server, name, None).await, 200);
}

#[tokio::test]
async fn an_app_is_enrolled_and_removed_in_the_options_page() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (_popup, options) = options_of(&browser, &server, "alice").await;
    go_through_an_app(&options, &server, "alice").await;
    browser.quit().await;
}

#[tokio::test]
async fn an_app_is_enrolled_and_removed_in_the_web_page() {
    let (server, browser) =
        tokio::join!(Server::start(), Browser::start_with_extensions(Vec::new()));
    let page = WebPage::open(&browser, &server).await;
    page.join("alice").await;
    go_through_an_app(&page, &server, "alice").await;
    // An access token that has expired meanwhile is refreshed by the page's own session.
    page.change(json!({"access_token": "void", "access_token_expiry": 1}))
        .await;
    page.press("Set up an app").await;
    type_into(&page, "factors-password", PASSWORD).await;
    page.press("Continue").await;
    page.until("document.querySelector('#factors svg.qr') !== null")
        .await;
    page.click("logout").await;
    page.until("document.getElementById('factors').textContent === ''")
        .await;
    page.expect_no_violation().await;
    browser.quit().await;
}

#[tokio::test]
async fn an_options_page_that_closes_half_way_leaves_a_clean_retry() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (_popup, options) = options_of(&browser, &server, "alice").await;
    let again = async |options: Page| {
        options.close().await;
        browser.extension_page(0, "options.html").await
    };
    // Before the password: nothing has happened.
    options.press("Set up an app").await;
    let options = again(options).await;
    // With the picture on the screen: one goes on…
    let first = scan(&options, "Set up an app").await;
    let options = again(options).await;
    assert_eq!(sign_in(&server, "alice", None).await, 200);
    until_it_says(&options, "An app is not confirmed yet.").await;
    options.press("Enter the code").await;
    confirm(&options, NEVER).await;
    until_said(&options, "The code is not valid. Each code works once.").await;
    let options = again(options).await;
    // …or begins again, and then the first picture is good for nothing.
    let second = scan(&options, "Begin again").await;
    confirm(&options, &first.code()).await;
    until_said(&options, "The code is not valid. Each code works once.").await;
    let options = again(options).await;
    options.press("Enter the code").await;
    confirm(&options, &second.code()).await;
    codes_shown(&options).await;
    // With the codes on the screen, which nobody has kept: the app is on, and makes new ones.
    let options = again(options).await;
    until_it_says(&options, "On. After your password").await;
    assert_eq!(sign_in(&server, "alice", None).await, 401);
    options.press("Make new codes").await;
    type_into(&options, "factors-password", PASSWORD).await;
    type_into(&options, "factors-code", &second.next_code()).await;
    options.press("Make new codes").await;
    let codes = codes_shown(&options).await;
    assert_eq!(sign_in(&server, "alice", Some(&codes[9])).await, 200);
    browser.quit().await;
}

#[tokio::test]
async fn a_confirmation_whose_answer_was_lost_is_told_as_done() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (popup, options) = options_of(&browser, &server, "alice").await;
    let app = scan(&options, "Set up an app").await;
    let token = popup.stored("local").await["auth_tokens"]["access_token"].clone();
    let code = app.code();
    let confirmation = json!({"code": code});
    let path = "/api/v1/auth/totp/confirm";
    let (status, _) = server.request("POST", path, &token, confirmation).await;
    assert_eq!(status, 200);
    confirm(&options, &code).await;
    until_said(
        &options,
        "The app is on already. If you have not kept its recovery codes, make new ones.",
    )
    .await;
    until_it_says(&options, "On. After your password").await;
    browser.quit().await;
}

#[tokio::test]
async fn a_password_change_with_a_second_factor_asks_to_sign_in_again() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (popup, options) = options_of(&browser, &server, "alice").await;
    let app = scan(&options, "Set up an app").await;
    confirm(&options, &app.code()).await;
    let codes = codes_shown(&options).await;
    type_into(&options, "currentPassword", PASSWORD).await;
    type_into(&options, "newPassword", "staple of another kind").await;
    options.click_on("#passwordForm button").await;
    until_said(
        &options,
        "Password changed. Please sign in again by the extension's button: your second factor is needed.",
    )
    .await;
    // Nothing of the account is left on the page, the codes above all.
    options
        .until("document.getElementById('factors').textContent === ''")
        .await;
    popup.until_no_tokens_are_stored().await;
    let again =
        json!({"username": "alice", "password": "staple of another kind", "code": codes[0]});
    assert_eq!(server.post("/authenticate", again).await, 200);
    browser.quit().await;
}

/// Signs in by a passkey alone, from the page, as the API is used; the status.
async fn sign_in_by_passkey(page: &Page, url: &str) -> Value {
    let script = "
        const post = (path, body) => fetch(argument + '/api/v1/auth/passkeys/' + path, {
            method: 'POST', headers: {'content-type': 'application/json'}, body: body && JSON.stringify(body)});
        (async () => {
            const options = await (await post('login/options')).json();
            const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
            const credential = await navigator.credentials.get({publicKey});
            return (await post('login', {challenge: options.challenge, credential})).status;
        })().then(done, error => done(String(error)));";
    page.run(script, json!(url)).await
}

/// Adds a passkey, signs in by it, renames it, and removes it. On either surface.
async fn go_through_a_passkey(page: &Page, server: &Server, url: &str, name: &str) {
    page.press("Add a passkey").await;
    type_into(page, "factors-name", "Laptop").await;
    type_into(page, "factors-password", "a wrong password").await;
    page.press("Continue").await;
    until_said(page, "The current password is wrong.").await;
    expect_wrong(page, "factors-password").await;
    type_into(page, "factors-password", PASSWORD).await;
    page.press("Continue").await;
    until_said(page, "Laptop was added.").await;
    until_it_says(page, "Not used yet").await;
    expect_accessible(page, "a passkey").await;
    assert_eq!(sign_in(server, name, None).await, 401);
    assert_eq!(sign_in_by_passkey(page, url).await, 200);

    // The device has one already.
    page.press("Add a passkey").await;
    type_into(page, "factors-password", PASSWORD).await;
    page.press("Continue").await;
    until_said(page, "This device or key has a passkey of yours already.").await;
    page.press("Cancel").await;
    until_it_says(page, "Last used").await;

    page.press("Rename").await;
    type_into(page, "factors-name", "Old laptop").await;
    page.press("Rename").await;
    until_said(page, "The passkey was renamed.").await;
    until_it_says(page, "Old laptop").await;

    page.press("Remove").await;
    expect_accessible(page, "a passkey that goes").await;
    type_into(page, "factors-password", "a wrong password").await;
    page.press("Remove").await;
    until_said(page, "The current password is wrong.").await;
    page.press("Confirm with a passkey").await;
    until_said(
        page,
        "The passkey was removed here. Your device may still list it: remove it there too.",
    )
    .await;
    assert_eq!(sign_in(server, name, None).await, 200);
    assert_eq!(sign_in_by_passkey(page, url).await, 401);
}

#[tokio::test]
async fn a_passkey_is_added_used_renamed_and_removed_in_the_options_page() {
    let listed = vec![("ALLOWED_ORIGINS", extension_origin())];
    let (server, browser) = tokio::join!(Server::start_with(listed), Browser::start());
    let (_popup, options) = options_of(&browser, &server, "alice").await;
    have_authenticator(&browser, &options).await;
    go_through_a_passkey(&options, &server, &server.url, "alice").await;
    browser.quit().await;
}

#[tokio::test]
async fn a_passkey_is_added_used_renamed_and_removed_in_the_web_page() {
    let (server, browser) =
        tokio::join!(Server::start(), Browser::start_with_extensions(Vec::new()));
    let page = WebPage::open_at(&browser, &server.localhost()).await;
    page.join("alice").await;
    have_authenticator(&browser, &page).await;
    go_through_a_passkey(&page, &server, &server.localhost(), "alice").await;
    page.expect_no_violation().await;
    browser.quit().await;
}

#[tokio::test]
async fn where_passkeys_do_not_work_it_is_said_where_they_do_or_nothing_is_offered() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    // By its number, where the passkeys of development are not.
    let page = WebPage::open(&browser, &server).await;
    page.join("alice").await;
    let there = format!("In this browser they work at {}.", server.localhost());
    until_it_says(&page, &there).await;
    // An extension that the server does not know.
    let (_popup, options) = options_of(&browser, &server, "bob").await;
    have_authenticator(&browser, &options).await;
    options.press("Add a passkey").await;
    type_into(&options, "factors-password", PASSWORD).await;
    options.press("Continue").await;
    let unknown = format!(
        "The server did not accept the passkey. Its operator must list {} in WEBAUTHN_ORIGINS.",
        extension_origin()
    );
    until_said(&options, &unknown).await;
    assert_eq!(sign_in(&server, "bob", None).await, 200);
    // A browser without passkeys.
    options
        .run_first("delete globalThis.PublicKeyCredential")
        .await;
    options.reload().await;
    until_it_says(&options, "Off. An app on your phone").await;
    let shown = text(&options, "#factors").await;
    assert!(!shown.contains("asskey"), "{shown}");
    browser.quit().await;
}

#[tokio::test]
async fn a_stolen_access_token_changes_no_factor() {
    let listed = vec![("ALLOWED_ORIGINS", extension_origin())];
    let (server, browser) = tokio::join!(Server::start_with(listed), Browser::start());
    let (popup, options) = options_of(&browser, &server, "alice").await;
    have_authenticator(&browser, &options).await;
    let app = scan(&options, "Set up an app").await;
    confirm(&options, &app.code()).await;
    let codes = codes_shown(&options).await;
    options.press("I have kept them").await;
    options.press("Add a passkey").await;
    type_into(&options, "factors-password", PASSWORD).await;
    options.press("Continue").await;
    until_said(&options, "Passkey was added.").await;

    let stolen = popup.stored("local").await["auth_tokens"]["access_token"].clone();
    let before = server.get_for_json("/api/v1/auth/factors", &stolen).await;
    let passkey = format!(
        "/api/v1/auth/passkeys/{}",
        before["passkeys"][0]["id"].as_str().expect("an id")
    );
    let guess = json!({"password": "a guess"});
    let guess_and_code = json!({"password": "a guess", "code": codes[0]});
    for (method, path, body, status, code) in [
        ("DELETE", &*passkey, json!({}), 403, "proof_required"),
        (
            "POST",
            "/api/v1/auth/totp/setup",
            guess.clone(),
            400,
            "wrong_password",
        ),
        (
            "POST",
            "/api/v1/auth/passkeys/register/options",
            guess.clone(),
            400,
            "wrong_password",
        ),
        ("POST", "/api/v1/auth/proof", guess, 400, "wrong_password"),
        (
            "DELETE",
            "/api/v1/auth/totp",
            guess_and_code.clone(),
            400,
            "wrong_password",
        ),
        (
            "POST",
            "/api/v1/auth/recovery-codes",
            guess_and_code,
            400,
            "wrong_password",
        ),
    ] {
        let (was, told) = server.request(method, path, &stolen, body).await;
        assert_eq!((was, &told["code"]), (status, &json!(code)), "{path}");
    }
    let after = server.get_for_json("/api/v1/auth/factors", &stolen).await;
    assert_eq!(before, after);
    browser.quit().await;
}
