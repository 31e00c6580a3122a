//! Servers that are down, broken, or not who they were: the popup says so and keeps the sign-in.

use serde_json::json;

use crate::support::{Browser, Canned, PASSWORD, Popup, Proxy, Server, copy, extension_dir};

/// What a proxy, a captive portal or a broken server may answer.
const UNEXPECTED: [Canned; 5] = [
    Canned {
        status: "200 OK",
        content_type: "text/html",
        body: "<!doctype html><title>Welcome to the hotel</title>",
    },
    Canned {
        status: "502 Bad Gateway",
        content_type: "text/html",
        body: "<html>502</html>",
    },
    Canned {
        status: "503 Service Unavailable",
        content_type: "application/json",
        body: r#"{"status":"error","code":"service_unavailable","message":"Busy.","detail":"Busy."}"#,
    },
    Canned {
        status: "400 Bad Request",
        content_type: "text/html",
        body: "<html>400</html>",
    },
    Canned {
        status: "401 Unauthorized",
        content_type: "application/json",
        body: r#"{"error":"proxy"}"#,
    },
];

async fn assert_still_signed_in(popup: &Popup) {
    assert!(popup.stored("local").await["auth_tokens"].is_object());
    assert!(popup.is_shown("logout").await);
}

#[tokio::test]
async fn a_server_that_is_down_is_named_and_the_sign_in_kept() {
    let (mut server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    let address = server.url.clone();
    server.stop().await;
    popup.click("accessProtected").await;
    popup.expect_error_with(&[&address]).await;
    assert_still_signed_in(&popup).await;
    // Also when it is the refresh that fails.
    popup.let_access_token_expire().await;
    popup.reload().await;
    popup.click("accessProtected").await;
    popup.expect_error_with(&[&address]).await;
    assert_still_signed_in(&popup).await;
    server.start_again().await;
    popup.expect_greeting("alice").await;
    browser.quit().await;
}

#[tokio::test]
async fn whatever_the_server_answers_the_sign_in_is_kept() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    popup.sign_up("alice").await;
    for canned in UNEXPECTED {
        let what = canned.status;
        proxy.answer_with(Some(canned));
        for expire in [false, true] {
            if expire {
                popup.let_access_token_expire().await;
            }
            popup.reload().await;
            popup.click("accessProtected").await;
            popup.expect_error_with(&[&proxy.url]).await;
            assert_still_signed_in(&popup).await;
        }
        proxy.answer_with(None);
        popup.expect_greeting("alice").await;
        println!("kept through {what}");
    }
    browser.quit().await;
}

#[tokio::test]
async fn signing_in_at_another_kind_of_server_fails_with_a_message() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    for canned in UNEXPECTED {
        proxy.answer_with(Some(canned));
        popup.reload().await;
        popup.log_in("alice", PASSWORD).await;
        popup.expect_error_with(&[&proxy.url]).await;
        popup.reload().await;
        popup.register("alice", PASSWORD).await;
        popup.expect_error_with(&[&proxy.url]).await;
        assert!(popup.stored("local").await["auth_tokens"].is_null());
    }
    browser.quit().await;
}

#[tokio::test]
async fn offline_it_still_signs_out_here() {
    let (mut server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    server.stop().await;
    popup.click("logout").await;
    popup
        .expect_success(
            "Logged out here. The server could not be told and will be when it can be reached.",
        )
        .await;
    assert!(popup.stored("local").await["auth_tokens"].is_null());
    assert!(popup.is_shown("login").await);
    browser.quit().await;
}

#[tokio::test]
async fn tokens_go_only_to_the_server_that_issued_them_and_another_server_signs_out() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (issuer, stranger) = tokio::join!(Proxy::start(&server.url), Proxy::start(&server.url));
    let popup = browser.popup(&issuer.url).await;
    popup.sign_up("alice").await;
    let tokens = popup.stored("local").await["auth_tokens"].clone();
    popup.let_access_token_expire().await;
    popup.set_server(&stranger.url).await;
    popup.reload().await;
    popup.until_offers_are_shown().await;
    popup.click("accessProtected").await;
    popup.expect_error("No tokens found. Please login.").await;
    issuer.until_seen("POST /logout", 1).await;
    popup.until_no_tokens_are_stored().await;
    // Back again: the sign-in was ended, here and on its server.
    popup.set_server(&issuer.url).await;
    popup.reload().await;
    popup.until_offers_are_shown().await;
    popup.click("accessProtected").await;
    popup.expect_error("No tokens found. Please login.").await;
    assert!(popup.is_shown("login").await && !popup.is_shown("logout").await);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(server.post("/refresh", refresh).await, 400);
    assert_eq!(issuer.count("POST /logout"), 1);
    assert_eq!(issuer.count("POST /refresh"), 0);
    assert_eq!(stranger.told(), Vec::<String>::new());
    for head in stranger.heads() {
        assert!(
            !head.to_lowercase().contains("\r\nauthorization:"),
            "{head}"
        );
    }
    for head in issuer.heads() {
        assert!(!head.to_lowercase().contains("\r\ncookie:"), "{head}");
    }
    browser.quit().await;
}

#[tokio::test]
async fn changing_the_server_does_not_wait_and_ends_the_old_session() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (old, new) = tokio::join!(Proxy::start(&server.url), Proxy::start(&server.url));
    let popup = browser.popup(&old.url).await;
    popup.sign_up("alice").await;
    let tokens = popup.stored("local").await["auth_tokens"].clone();
    // The old server does not answer: nobody waits for it.
    old.hold_answers();
    popup.set_server(&new.url).await;
    popup.log_in("alice", PASSWORD).await;
    popup.expect_success("Authentication successful.").await;
    old.until_held(1).await;
    popup.expect_greeting("alice").await;
    assert_eq!(popup.stored("local").await["auth_origin"], *new.url);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(server.post("/refresh", refresh).await, 400);
    popup.close().await;
    let popup = browser.popup_as_it_is().await;
    popup.expect_greeting("alice").await;
    old.release_answers();
    browser.quit().await;
}

#[tokio::test]
async fn of_two_sign_ins_the_newer_one_counts_and_the_older_one_is_ended() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    popup.sign_up("alice").await;
    let old = popup.stored("local").await;
    popup.click("logout").await;
    popup.expect_success("Logged out successfully.").await;
    popup.click("staySignedIn").await;
    popup.sign_up("bob").await;
    // As a popup leaves it that is closed between the two steps of a sign-in.
    popup
        .store(json!({"auth_tokens": old["auth_tokens"], "auth_origin": old["auth_origin"]}))
        .await;
    popup.expect_greeting("bob").await;
    popup.until_no_tokens_are_stored().await;
    popup.reload().await;
    popup.expect_greeting("bob").await;
    proxy.until_seen("POST /logout", 2).await;
    browser.quit().await;
}

#[tokio::test]
async fn an_address_that_is_neither_https_nor_loopback_is_not_used() {
    let browser = Browser::start().await;
    for address in [
        "http://192.0.2.1",
        "javascript:alert(1)",
        "nonsense",
        "http://127.0.0.1.example.org",
    ] {
        let popup = browser.popup(address).await;
        popup.log_in("alice", PASSWORD).await;
        popup.expect_error_with(&["server", "address"]).await;
        popup.close().await;
        let first = browser.popup_as_it_is().await;
        first.store(json!({"server_url": null})).await;
    }
    browser.quit().await;
}

#[tokio::test]
async fn permission_account_and_network_have_three_different_sentences() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let without = folder.path().join("extension");
    copy(&extension_dir(), &without);
    let manifest = without.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let mut changed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    changed["host_permissions"] = json!([]);
    std::fs::write(&manifest, changed.to_string()).expect("written");
    let browser = Browser::start_with_extensions(vec![without]).await;
    let popup = Popup::new(browser.extension_page(0, "popup.html").await);
    popup.set_server("http://127.0.0.1:1").await;
    popup.reload().await;
    popup.log_in("alice", PASSWORD).await;
    popup
        .expect_error(
            "This extension has no permission to reach http://127.0.0.1:1. Allow it in the browser's settings for \
             this extension.",
        )
        .await;
    browser.quit().await;

    let browser = Browser::start().await;
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    let deactivate = "
        const {auth_tokens} = await chrome.storage.local.get('auth_tokens');
        const headers = {authorization: `Bearer ${auth_tokens.access_token}`};
        fetch(`${argument}/api/v1/users/me/deactivate`, {method: 'PUT', headers}).then(answer => done(answer.status));";
    let deactivate = format!("(async () => {{ {deactivate} }})();");
    assert_eq!(popup.run(&deactivate, json!(server.url)).await, 200);
    popup.click("logout").await;
    popup.expect_success("Logged out successfully.").await;
    popup.log_in("alice", PASSWORD).await;
    popup
        .expect_error("Authentication failed: This account is disabled.")
        .await;
    server.stop().await;
    popup.click("login").await;
    popup
        .expect_error(&format!(
            "Cannot reach the server at {}. Is it running?",
            server.url
        ))
        .await;
    browser.quit().await;
}
