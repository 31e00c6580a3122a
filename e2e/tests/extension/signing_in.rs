//! Every row of the popup's contract when all goes well, and when the user makes a mistake.

use serde_json::json;
use thirtyfour::Key;

use crate::support::{Browser, PASSWORD, Proxy, Server};

#[tokio::test]
async fn a_user_registers_logs_in_is_greeted_and_logs_out() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    assert!(!popup.is_shown("logout").await);

    popup.register("Alice", PASSWORD).await;
    popup.expect_success("Registration successful.").await;
    assert_eq!(popup.value("password").await, "", "the password is cleared");
    assert_eq!(popup.value("username").await, "Alice", "the name is kept");

    popup.log_in("alice", PASSWORD).await;
    popup.expect_success("Authentication successful.").await;
    popup
        .until("!document.getElementById('logout').hidden")
        .await;
    assert!(popup.is_shown("logout").await);
    let page = popup.element("signedIn").await.text().await.expect("read");
    assert!(
        page.contains("Alice"),
        "who is signed in, as registered: {page}"
    );

    popup.expect_greeting("Alice").await;

    let tokens = popup.stored("local").await["auth_tokens"].clone();
    popup.click("logout").await;
    popup.expect_success("Logged out successfully.").await;
    assert!(popup.stored("local").await["auth_tokens"].is_null());
    assert!(popup.is_shown("login").await && popup.is_shown("username").await);
    assert!(!popup.is_shown("logout").await);
    // And the server has ended the session.
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(server.post("/refresh", refresh).await, 400);
    browser.quit().await;
}

#[tokio::test]
async fn an_empty_field_and_a_short_password_are_reported_before_anything_is_sent() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    // Of a longer one, the server would be asked while it is typed how strong it is.
    const TOO_SHORT: &str = "1234567";
    for (username, password) in [("", ""), ("alice", ""), ("", TOO_SHORT), ("  ", TOO_SHORT)] {
        popup.register(username, password).await;
        popup
            .expect_error("Please enter a username and password.")
            .await;
        popup.log_in(username, password).await;
        popup
            .expect_error("Please enter your username and password.")
            .await;
    }
    popup.register("alice", TOO_SHORT).await;
    popup
        .expect_error("Password must be at least 8 characters long.")
        .await;
    popup.click("accessProtected").await;
    popup.expect_error("No tokens found. Please login.").await;
    assert_eq!(proxy.told(), Vec::<String>::new());
    browser.quit().await;
}

#[tokio::test]
async fn a_refusal_shows_the_message_of_the_server() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.register("alice", PASSWORD).await;
    popup.expect_success("Registration successful.").await;
    popup.register("ALICE", PASSWORD).await;
    popup
        .expect_error("Registration failed: User already exists.")
        .await;
    popup.log_in("alice", "another password").await;
    popup
        .expect_error("Authentication failed: Invalid credentials.")
        .await;
    assert!(popup.stored("local").await["auth_tokens"].is_null());
    browser.quit().await;
}

#[tokio::test]
async fn tokens_are_in_the_extension_s_storage_and_nowhere_else() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    let tokens = popup.stored("local").await["auth_tokens"].clone();
    for field in ["access_token", "refresh_token"] {
        assert!(tokens[field].is_string(), "{field}: {tokens}");
    }
    let expiry = tokens["access_token_expiry"]
        .as_f64()
        .expect("milliseconds");
    let now = popup.run("done(Date.now())", json!(null)).await;
    let left = expiry - now.as_f64().expect("milliseconds");
    assert!(left > 600_000.0 && left <= 900_000.0, "{left} ms");
    let elsewhere = popup
        .run(
            "done([localStorage.length, sessionStorage.length, document.cookie.length])",
            json!(null),
        )
        .await;
    assert_eq!(elsewhere, json!([0, 0, 0]));
    browser.quit().await;
}

#[tokio::test]
async fn a_name_reaches_the_page_as_text() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    let name = "<img src=x onerror=document.title=1>";
    popup.sign_up(name).await;
    popup.expect_greeting(name).await;
    assert_eq!(
        popup
            .run("done(document.images.length + document.title)", json!(null))
            .await,
        popup
            .run(
                "done(document.querySelectorAll('header img').length + 'Password Auth Demo')",
                json!(null)
            )
            .await
    );
    browser.quit().await;
}

#[tokio::test]
async fn the_keyboard_alone_is_enough() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.register("alice", PASSWORD).await;
    popup.expect_success("Registration successful.").await;
    // Enter in the password field logs in.
    let password = popup.element("password").await;
    password.send_keys(PASSWORD).await.expect("typed");
    password.send_keys(Key::Enter + "").await.expect("typed");
    popup.expect_success("Authentication successful.").await;
    // Tab finds every control that is shown, and shows where it is.
    let mut found = Vec::new();
    for _ in 0..6 {
        let active = browser.driver.active_element().await.expect("a focus");
        active.send_keys(Key::Tab + "").await.expect("typed");
        let active = browser.driver.active_element().await.expect("a focus");
        found.push(active.id().await.expect("read").unwrap_or_default());
    }
    for id in ["accessProtected", "logout"] {
        assert!(found.iter().any(|found| found == id), "{id} in {found:?}");
    }
    popup
        .element("accessProtected")
        .await
        .send_keys(Key::Enter + "")
        .await
        .expect("typed");
    popup.expect_success("Hello, alice!").await;
    browser.quit().await;
}

#[tokio::test]
async fn a_status_is_announced_politely_and_shown_for_five_seconds() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    let status = popup.element("status").await;
    assert_eq!(
        status.attr("role").await.expect("read").as_deref(),
        Some("status")
    );
    let shown = popup
        .run(
            "const status = document.getElementById('status');
             let since = null;
             new MutationObserver(() => {
                 const shown = status.classList.contains('show');
                 if (shown && since === null) since = performance.now();
                 if (!shown && since !== null) done(performance.now() - since);
             }).observe(status, {attributes: true});
             document.getElementById('accessProtected').click();",
            json!(null),
        )
        .await;
    let shown = shown.as_f64().expect("milliseconds");
    assert!(shown >= 4_900.0, "hidden after {shown} ms");
    browser.quit().await;
}

#[tokio::test]
async fn a_button_that_waits_shows_it_and_cannot_fire_twice() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    popup.register("alice", PASSWORD).await;
    popup.expect_success("Registration successful.").await;
    proxy.hold_answers();
    popup.log_in("alice", PASSWORD).await;
    proxy.until_held(1).await;
    popup
        .until("document.getElementById('login').getAttribute('aria-busy') === 'true'")
        .await;
    popup
        .run(
            "for (let i = 0; i < 5; i++) document.getElementById('login').click(); done()",
            json!(null),
        )
        .await;
    proxy.release_answers();
    popup.expect_success("Authentication successful.").await;
    assert_eq!(proxy.count("POST /authenticate"), 1);
    popup
        .until("document.getElementById('login').getAttribute('aria-busy') !== 'true'")
        .await;
    browser.quit().await;
}
