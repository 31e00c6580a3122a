//! Who may register, and how strong their password is, as popup and page show it.

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, Popup, Proxy, Server, WebPage};

const STRENGTH: &str = "POST /api/v1/auth/password/strength";

async fn server(mode: &str) -> Server {
    Server::start_with(vec![("REGISTRATION", mode.to_owned())]).await
}

/// Waits until what is shown of the form is what the mode allows.
async fn until_offered(surface: &Popup, mode: &str) {
    surface
        .until(&format!(
            "document.getElementById('credentials').dataset.registration === '{mode}'"
        ))
        .await;
    for (id, modes) in [
        ("register", "open invite"),
        ("emailDisclosure", "open invite"),
        ("invite", "invite"),
        ("closed", "closed"),
    ] {
        assert_eq!(
            surface.is_shown(id).await,
            modes.contains(mode),
            "{mode}: {id}"
        );
    }
    assert!(surface.is_shown("login").await);
}

#[tokio::test]
async fn a_form_offers_what_the_server_allows_and_remembers_it() {
    let browser = Browser::start().await;
    let mut popup = browser.popup_as_it_is().await;
    for mode in ["closed", "invite", "open"] {
        let mut server = server(mode).await;
        popup.set_server(&server.url).await;
        until_offered(&popup, mode).await;
        let page = WebPage::open(&browser, &server).await;
        page.click("openDialog").await;
        until_offered(&page, mode).await;
        page.expect_no_violation().await;
        // Without the server: what it said last, at once.
        server.stop().await;
        popup.close().await;
        popup = browser.popup_as_it_is().await;
        until_offered(&popup, mode).await;
    }
    browser.quit().await;
}

#[tokio::test]
async fn a_form_does_not_wait_for_a_server_that_does_not_answer() {
    let (server, browser) = tokio::join!(server("closed"), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    proxy.hold_answers();
    let popup = browser.popup(&proxy.url).await;
    proxy.until_held(1).await;
    assert!(popup.is_shown("login").await && popup.is_shown("register").await);
    proxy.release_answers();
    until_offered(&popup, "closed").await;
    browser.quit().await;
}

#[tokio::test]
async fn an_invitation_registers_once_in_popup_and_page() {
    let (server, browser) = tokio::join!(server("invite"), Browser::start());
    let popup = browser.popup(&server.url).await;
    let page = WebPage::open(&browser, &server).await;
    page.click("openDialog").await;
    for (surface, name) in [(&popup, "alice"), (&*page, "bob")] {
        until_offered(surface, "invite").await;
        surface.register(name, PASSWORD).await;
        surface.expect_error("Please enter your invitation.").await;
        surface
            .until("document.activeElement.id === 'invite'")
            .await;
        surface.fill("invite", "none").await;
        surface.click("register").await;
        surface
            .expect_error_with(&["Registration failed: ", "nvitation"])
            .await;
        // Its link will do.
        let link = server.operator(&["user", "invite"]).await;
        surface.fill("invite", &link).await;
        surface.click("register").await;
        surface.expect_success("Registration successful.").await;
        assert_eq!(surface.value("invite").await, "");
        surface.fill("username", &format!("{name}2")).await;
        surface.fill("password", PASSWORD).await;
        surface.fill("invite", &link).await;
        surface.click("register").await;
        surface
            .expect_error_with(&["Registration failed: ", "nvitation"])
            .await;
        surface.log_in(name, PASSWORD).await;
        surface.expect_success("Authentication successful.").await;
    }
    browser.quit().await;
}

async fn until_told(surface: &Popup, beginning: &str) {
    surface
        .until(&format!(
            "document.getElementById('strength').innerText.trim().startsWith({})",
            json!(beginning)
        ))
        .await;
}

#[tokio::test]
async fn the_strength_of_a_new_password_is_told_while_it_is_typed_and_no_other_is_asked_about() {
    let settings = vec![("PASSWORD_MIN_SCORE", "2".to_owned())];
    let (mut server, browser) = tokio::join!(Server::start_with(settings), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    // Somebody who signs in.
    popup.log_in("alice", "drowssap1").await;
    popup
        .expect_error("Authentication failed: Invalid credentials.")
        .await;
    popup.fill("password", "drowssap2").await;
    popup.click("login").await;
    proxy.until_seen("POST /authenticate", 2).await;
    assert_eq!(proxy.count(STRENGTH), 0);

    // Somebody who registers: refused once, they are helped.
    popup.register("alice", "drowssap1").await;
    popup
        .expect_error_with(&["Registration failed: ", "guess"])
        .await;
    popup.fill("password", "password1").await;
    until_told(&popup, "Too easy to guess. ").await;
    popup.fill("password", "horsecarrot").await;
    until_told(&popup, "Accepted.").await;
    popup.fill("password", "correct horse battery").await;
    until_told(&popup, "Hard to guess.").await;
    // The last answer wins, whatever comes first.
    proxy.hold_answers();
    let held = proxy.held();
    popup.fill("password", "password1").await;
    proxy.until_held(held + 1).await;
    popup.fill("password", "correct horse battery 2").await;
    proxy.until_held(held + 2).await;
    proxy.release_answers();
    until_told(&popup, "Hard to guess.").await;
    popup.click("register").await;
    popup.expect_success("Registration successful.").await;
    let left = popup.element("strength").await.text().await.expect("read");
    assert_eq!(left, "");

    // Whoever gives an address makes an account. The name counts, and a server that is away is no reason to complain.
    popup.click_on("#emailDisclosure summary").await;
    popup.fill("username", "brunhilde-k").await;
    popup.fill("password", "Brunhilde-K").await;
    until_told(&popup, "Too easy to guess. It contains your name").await;
    server.stop().await;
    popup.fill("password", "another horse battery").await;
    popup
        .until("document.getElementById('strength').innerText.trim() === ''")
        .await;
    let said = popup
        .run(
            "done(document.getElementById('status').textContent)",
            Value::Null,
        )
        .await;
    assert_eq!(said, "Registration successful.");
    browser.quit().await;
}
