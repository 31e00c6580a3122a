//! The same extension in Firefox: the rows of the demo, the broker, and a hostile content script.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    App, Canned, FIREFOX_ID, Firefox, PASSWORD, Proxy, Server, setting, workspace,
};

fn extension() -> std::path::PathBuf {
    let built = workspace().join("target/firefox");
    let folder = std::path::PathBuf::from(setting("FIREFOX_DIR", &built.to_string_lossy()));
    assert!(
        folder.join("manifest.json").exists(),
        "no extension in {}: ./build.sh test builds it",
        folder.display()
    );
    folder
}

#[tokio::test]
async fn in_firefox_the_popup_registers_logs_in_greets_and_logs_out() {
    let server = Server::start().await;
    let Some(mut firefox) = Firefox::start(&extension()).await else {
        return;
    };
    let popup = firefox.extension_page("popup.html").await;
    let set = format!(
        "chrome.storage.local.set({{server_url: {}}})",
        json!(server.url)
    );
    firefox.run(&popup, &set).await;
    let other = firefox.extension_page("popup.html").await;

    firefox.fill(&popup, "username", "Alice").await;
    firefox.fill(&popup, "password", PASSWORD).await;
    firefox.click(&popup, "register").await;
    firefox
        .expect_status(&popup, "Registration successful.")
        .await;
    firefox.fill(&popup, "password", PASSWORD).await;
    firefox.click(&popup, "login").await;
    firefox
        .expect_status(&popup, "Authentication successful.")
        .await;
    firefox
        .until(
            &other,
            "document.getElementById('who').textContent === 'Alice'",
        )
        .await;
    firefox.click(&other, "accessProtected").await;
    firefox.expect_status(&other, "Hello, Alice!").await;

    // Tokens lie where content scripts do not reach.
    let stored = firefox.run(&popup, "chrome.storage.local.get(null)").await;
    assert!(!stored.to_string().contains("token"), "{stored}");
    // A restart of the page finds them.
    let again = firefox.extension_page("popup.html").await;
    firefox
        .until(
            &again,
            "document.getElementById('who').textContent === 'Alice'",
        )
        .await;
    firefox
        .until(&popup, "await chrome.action.getBadgeText({}) === '✓'")
        .await;

    firefox.click(&again, "logout").await;
    firefox
        .expect_status(&again, "Logged out successfully.")
        .await;
    firefox
        .until(&popup, "!document.getElementById('credentials').hidden")
        .await;
    firefox.click(&popup, "accessProtected").await;
    firefox
        .expect_status(&popup, "No tokens found. Please login.")
        .await;
    firefox.quit().await;
}

#[tokio::test]
async fn in_firefox_a_hostile_content_script_finds_no_token() {
    let server = Server::start().await;
    let app = App::with_manifest(&json!({"server": server.url}), |manifest| {
        manifest["background"] = json!({"scripts": ["background.js"], "type": "module"});
        manifest["browser_specific_settings"] = json!({"gecko": {"id": FIREFOX_ID}});
    });
    let Some(mut firefox) = Firefox::start(&app.path()).await else {
        return;
    };
    let web = Proxy::start(&server.url).await;
    web.answer_with(Some(Canned {
        status: "200 OK",
        content_type: "text/html",
        body: "<!doctype html><title>A page of the web</title>",
    }));
    let page = firefox.extension_page("page.html").await;
    firefox
        .until(&page, "'ready' in document.documentElement.dataset")
        .await;
    let alice = json!({"username": "alice", "password": PASSWORD});
    firefox.run(&page, &format!("auth.register({alice})")).await;
    let state = firefox.run(&page, &format!("auth.signIn({alice})")).await;
    assert_eq!(state["user"]["username"], "alice");
    let greeting = format!(
        "auth.fetch('{}/protected').then(answer => answer.json())",
        server.url
    );
    assert_eq!(
        firefox.run(&page, &greeting).await["message"],
        "Hello, alice!"
    );
    let token = firefox.run(&page, "auth.accessToken()").await;
    let token = token.as_str().expect("a token").to_owned();

    let site = firefox.open(&web.url).await;
    let mut got = Vec::new();
    let messages = ["accessToken", "state", "fetch", "signOut"].map(|call| {
        let message =
            json!({"passwordAuth": 1, "call": call, "url": format!("{}/protected", server.url)});
        ("message", message)
    });
    let looks = [
        ("stored", json!("local")),
        ("stored", json!("session")),
        ("databases", Value::Null),
    ];
    for (what, given) in messages.into_iter().chain(looks) {
        let ask = json!({"what": what, "given": given});
        let hostile = format!(
            "new Promise(done => {{
                const id = Math.random();
                document.addEventListener(`answer-${{id}}`, event => done(event.detail), {{once: true}});
                document.dispatchEvent(new CustomEvent('ask', {{detail: JSON.stringify({{...{ask}, id}})}}));
            }})"
        );
        got.push(firefox.run(&site, &hostile).await);
    }
    let text = json!(got).to_string();
    assert!(
        text.contains("alice"),
        "it may know who is signed in: {text}"
    );
    assert_eq!(text.matches("not_allowed").count(), 3, "{text}");
    assert!(
        !text.contains(&token) && !text.contains("refresh_token"),
        "{text}"
    );
    let state = firefox.run(&page, "auth.state()").await;
    assert_eq!(state["signedIn"], true, "nobody has signed out");
    firefox.quit().await;
}

#[test]
fn the_manifest_for_firefox_differs_from_chromes_by_what_firefox_wants() {
    let read = |path: std::path::PathBuf| -> Value {
        let text = fs::read_to_string(path).expect("a manifest");
        serde_json::from_str(&text).expect("JSON")
    };
    let mut firefox = read(extension().join("manifest.json"));
    let mut chrome = read(crate::support::extension_dir().join("manifest.json"));
    let gecko = firefox["browser_specific_settings"]["gecko"].take();
    assert!(
        gecko["id"].is_string() && gecko["strict_min_version"].is_string(),
        "{gecko}"
    );
    assert!(
        gecko["data_collection_permissions"]["required"].is_array(),
        "{gecko}"
    );
    assert_eq!(firefox["background"]["scripts"], json!(["background.js"]));
    assert_eq!(chrome["key"], Value::Null, "Edge's store refuses one");
    for manifest in [&mut firefox, &mut chrome] {
        let fields = manifest.as_object_mut().expect("an object");
        for field in [
            "background",
            "browser_specific_settings",
            "minimum_chrome_version",
        ] {
            fields.remove(field);
        }
    }
    assert_eq!(firefox, chrome);
}
