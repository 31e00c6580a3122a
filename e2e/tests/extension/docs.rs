//! Swagger UI at `/docs`, as a user explores it: its own scripts run under the page's policy,
//! and its Authorize is enough to reach what is protected.

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, Server};

/// Collects what the page's policy forbids, and what the page itself finds wrong.
const LISTEN: &str = "
    window.complaints = [];
    document.addEventListener('securitypolicyviolation', event =>
        complaints.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
    window.addEventListener('error', event => complaints.push(`error ${event.message}`));
    window.addEventListener('unhandledrejection', event => complaints.push(`rejection ${event.reason}`));
    const say = console.error;
    console.error = (...words) => { complaints.push(`console ${words.join(' ')}`); say(...words); };";

#[tokio::test]
async fn authorize_in_swagger_ui_reaches_what_is_protected() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let alice = json!({"username": "alice", "password": PASSWORD});
    assert_eq!(server.post("/register", alice.clone()).await, 200);
    let tokens = server.post_for_json("/authenticate", alice).await;
    let access_token = tokens["access_token"].as_str().expect("a token");

    let page = browser.new_page().await;
    page.run_first(LISTEN).await;
    page.go(&format!("{}/docs", server.url)).await;
    page.until("document.querySelector('.auth-wrapper') || complaints.length")
        .await;
    assert_eq!(page.run("done(complaints)", Value::Null).await, json!([]));
    page.click_on(".auth-wrapper > button.authorize").await;
    let field = page.find(".modal-ux input").await;
    field.send_keys(access_token).await.expect("typed");
    page.click_on(".modal-ux button.authorize").await;
    page.click_on(".modal-ux button.btn-done").await;

    let operation = "#operations-protected-protected";
    page.click_on(&format!("{operation} .opblock-summary-control"))
        .await;
    page.click_on(&format!("{operation} .try-out__btn")).await;
    page.click_on(&format!("{operation} button.execute")).await;
    let answer = page
        .find(&format!("{operation} .live-responses-table tbody"))
        .await;
    let answer = answer.text().await.expect("read");
    assert!(answer.contains("Hello, alice!"), "{answer}");

    assert_eq!(page.run("done(complaints)", Value::Null).await, json!([]));
    browser.quit().await;
}

#[tokio::test]
async fn authorize_in_swagger_ui_takes_name_and_password_for_the_account_system() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let alice = json!({"username": "alice", "password": PASSWORD});
    assert_eq!(server.post("/api/v1/auth/register", alice).await, 201);

    let page = browser.new_page().await;
    page.run_first(LISTEN).await;
    page.go(&format!("{}/docs", server.url)).await;
    page.until("document.querySelector('.auth-wrapper') || complaints.length")
        .await;
    page.click_on(".auth-wrapper > button.authorize").await;
    for (field, text) in [("oauth_username", "alice"), ("oauth_password", PASSWORD)] {
        let field = page.find(&format!(".modal-ux #{field}")).await;
        field.send_keys(text).await.expect("typed");
    }
    // The dialog scrolls: what is below its edge takes no click of the driver's.
    const AUTHORIZE: &str = "document.querySelector('.modal-ux .auth-container:has(#oauth_username) button.authorize').click(); done()";
    page.run(AUTHORIZE, Value::Null).await;
    page.until("document.querySelector('.modal-ux').textContent.includes('Authorized')")
        .await;
    page.click_on(".modal-ux button.btn-done").await;

    let operation = "[id$='-v1_me']";
    page.click_on(&format!("{operation} .opblock-summary-control"))
        .await;
    page.click_on(&format!("{operation} .try-out__btn")).await;
    page.click_on(&format!("{operation} button.execute")).await;
    let answer = page
        .find(&format!("{operation} .live-responses-table tbody"))
        .await;
    let answer = answer.text().await.expect("read");
    assert!(answer.contains(r#""username": "alice""#), "{answer}");

    assert_eq!(page.run("done(complaints)", Value::Null).await, json!([]));
    browser.quit().await;
}
