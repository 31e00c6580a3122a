//! The page at the server's root, in a browser that has no extension: what a stranger sees first.

use serde_json::{Value, json};

use crate::support::{Browser, Canned, PASSWORD, Proxy, Server, WebPage};

async fn plain_browser() -> Browser {
    Browser::start_with_extensions(Vec::new()).await
}

#[tokio::test]
async fn a_stranger_registers_signs_in_is_welcomed_and_logs_out() {
    let (server, browser) = tokio::join!(Server::start(), plain_browser());
    let page = WebPage::open(&browser, &server).await;
    assert!(page.is_shown("openDialog").await && page.is_shown("intro").await);
    assert!(!page.is_shown("username").await && !page.is_shown("logout").await);
    let docs = page.element("docs").await.prop("href").await.expect("read");
    assert_eq!(docs, Some(format!("{}/docs", server.url)));

    page.click("accessProtected").await;
    page.expect_error("No tokens found. Please login.").await;

    page.click("openDialog").await;
    page.until("document.getElementById('dialog').open").await;
    page.log_in("Alice", "").await;
    page.expect_error("Please enter your username and password.")
        .await;
    assert!(
        page.is_shown("status").await,
        "the message is in the dialog"
    );
    page.register("Alice", PASSWORD).await;
    page.expect_success("Registration successful.").await;
    page.log_in("alice", PASSWORD).await;
    page.expect_success("Authentication successful.").await;
    page.until("!document.getElementById('dialog').open").await;
    let who = page.element("who").await.text().await.expect("read");
    assert_eq!(who, "Welcome, Alice!");
    assert!(page.is_shown("logout").await && !page.is_shown("openDialog").await);
    assert!(
        page.is_shown("status").await,
        "the message has left the dialog"
    );
    page.until("document.activeElement.id === 'accessProtected'")
        .await;

    page.click("accessProtected").await;
    page.expect_success("Hello Alice! You have successfully accessed a protected resource.")
        .await;
    page.reload().await;
    page.until("document.getElementById('who').textContent === 'Welcome, Alice!'")
        .await;

    let tokens = page.tokens().await;
    page.click("logout").await;
    page.expect_success("Logged out successfully.").await;
    assert!(page.is_shown("openDialog").await && !page.is_shown("logout").await);
    assert_eq!(page.tokens().await, Value::Null);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(server.post("/refresh", refresh).await, 400);
    page.expect_no_violation().await;
    browser.quit().await;
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_stay_signed_in() {
    let (server, browser) = tokio::join!(Server::start(), plain_browser());
    let one = WebPage::open(&browser, &server).await;
    one.join("alice").await;
    let two = WebPage::open(&browser, &server).await;
    two.until("document.getElementById('who').textContent === 'Welcome, alice!'")
        .await;
    for _ in 0..5 {
        let before = one.tokens().await;
        one.change(json!({"access_token": "void", "access_token_expiry": 1}))
            .await;
        // Neither waits for the other.
        for page in [&one, &two] {
            let press = "document.getElementById('status').textContent = '';
                document.getElementById('accessProtected').click(); done()";
            page.run(press, Value::Null).await;
        }
        let greeting = "Hello alice! You have successfully accessed a protected resource.";
        one.expect_success(greeting).await;
        two.expect_success(greeting).await;
        let after = one.tokens().await;
        assert_ne!(after["refresh_token"], before["refresh_token"]);
    }
    // A 401 alone is a reason, too.
    one.change(json!({"access_token": "void"})).await;
    one.click("accessProtected").await;
    one.expect_success("Hello alice! You have successfully accessed a protected resource.")
        .await;
    two.click("logout").await;
    one.until("!document.getElementById('openDialog').hidden")
        .await;
    browser.quit().await;
}

#[tokio::test]
async fn a_session_that_has_ended_is_told_and_an_unreachable_server_ends_none() {
    let (mut server, browser) = tokio::join!(Server::start(), plain_browser());
    let page = WebPage::open(&browser, &server).await;
    page.join("alice").await;
    let tokens = page.tokens().await;
    let logout = json!({"refresh_token": tokens["refresh_token"]});

    server.stop().await;
    page.click("accessProtected").await;
    page.expect_error_with(&["Cannot reach the server", &server.url])
        .await;
    assert!(page.is_shown("logout").await);
    server.start_again().await;

    assert_eq!(server.post("/logout", logout).await, 200);
    page.click("accessProtected").await;
    page.expect_error("Session expired. Please log in again.")
        .await;
    page.until("!document.getElementById('openDialog').hidden")
        .await;
    assert!(page.is_shown("openDialog").await && !page.is_shown("logout").await);
    assert_eq!(page.tokens().await, Value::Null);
    page.expect_no_violation().await;
    browser.quit().await;
}

#[tokio::test]
async fn who_does_not_stay_signed_in_is_signed_in_in_that_tab_alone() {
    let (server, browser) = tokio::join!(Server::start(), plain_browser());
    let page = WebPage::open(&browser, &server).await;
    page.click("openDialog").await;
    page.click("staySignedIn").await;
    page.register("alice", PASSWORD).await;
    page.expect_success("Registration successful.").await;
    page.log_in("alice", PASSWORD).await;
    page.expect_success("Authentication successful.").await;
    assert_eq!(page.tokens().await, Value::Null, "nothing is on disk");
    page.reload().await;
    page.until("document.getElementById('who').textContent === 'Welcome, alice!'")
        .await;
    let other = WebPage::open(&browser, &server).await;
    assert!(other.is_shown("openDialog").await);
    browser.quit().await;
}

#[tokio::test]
async fn nothing_of_the_page_is_framed_or_run_by_others_and_its_files_are_kept() {
    let server = Server::start().await;
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(format!("{}{path}", server.url));
    let page = get("/").send().await.expect("an answer");
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .expect("a text");
    assert!(
        policy.starts_with(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';"
        ),
        "{policy}"
    );
    for rule in [
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    let html = page.text().await.expect("a text");
    for script in html.split("<script").skip(1) {
        assert!(
            script.contains("src=\"page/") && script.contains("></script>"),
            "inline: {script}"
        );
    }
    assert!(
        !html.contains("style=") && !html.contains("<style"),
        "{html}"
    );
    for (name, kind) in [
        ("wasm/page_wasm_bg.wasm", "application/wasm"),
        ("popup.js", "text/javascript; charset=utf-8"),
        ("_locales/ar/messages.json", "application/json"),
    ] {
        let file = get(&format!("/page/{name}"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(file.headers()["content-type"], kind);
        let tag = file.headers()["etag"].clone();
        let again = get(&format!("/page/{name}")).header("if-none-match", tag);
        assert_eq!(again.send().await.expect("an answer").status(), 304);
    }
    for name in ["", "%2e%2e%2fbuild.rs", ".gitignore", "popup.js/"] {
        let status = get(&format!("/page/{name}"))
            .send()
            .await
            .expect("an answer")
            .status();
        assert_eq!(status, 404, "{name}");
    }
}

#[tokio::test]
async fn behind_a_proxy_that_answers_something_else_nobody_is_signed_out() {
    let (server, browser) = tokio::join!(Server::start(), plain_browser());
    let proxy = Proxy::start(&server.url).await;
    let page = WebPage::open_at(&browser, &proxy.url).await;
    page.join("alice").await;
    proxy.answer_with(Some(Canned {
        status: "401 Unauthorized",
        content_type: "text/html",
        body: "<title>Welcome to the hotel</title>",
    }));
    page.click("accessProtected").await;
    page.expect_error_with(&["did not answer as expected", &proxy.url])
        .await;
    assert!(page.is_shown("logout").await);
    proxy.answer_with(None);
    page.click("accessProtected").await;
    page.expect_success("Hello alice! You have successfully accessed a protected resource.")
        .await;
    browser.quit().await;
}
