//! Who asks the broker for what is not theirs.

use serde_json::{Value, json};

use super::{sign_up, start, stored};
use crate::support::{App, Canned, PASSWORD, Proxy, Server};

#[tokio::test]
async fn a_token_goes_nowhere_that_is_not_listed_and_follows_no_redirect() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url).await;
    let elsewhere = Proxy::start(&server.url).await;
    let (_app, browser, page) = start(&proxy.url).await;
    sign_up(&page, "alice").await;
    let port = elsewhere.url.rsplit(':').next().expect("a port");
    for url in [
        elsewhere.url.clone(),
        format!("{}/protected", elsewhere.url),
        format!("http://localhost:{port}/"),
        format!("http://alice:secret@127.0.0.1:{port}/"),
        format!("{}@127.0.0.1:{port}/", proxy.url),
        "https://example.org/".to_owned(),
        "data:text/plain,x".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let refused = page
            .result(&format!(
                "auth.fetch({}).then(answer => answer.status)",
                json!(url)
            ))
            .await;
        // A URL with a user in it is refused by `Request` itself.
        let refused_here = refused["name"] == "TypeError" && url.contains('@');
        assert!(
            refused["code"] == "not_allowed" || refused_here,
            "{url}: {refused}"
        );
    }
    assert_eq!(elsewhere.heads(), Vec::<String>::new());
    let seen = proxy.heads().len();
    proxy.answer_with(Some(Canned {
        status: "302 Found\r\nlocation: /ping",
        content_type: "text/plain",
        body: "",
    }));
    let refused = page.result("auth.fetch(server + '/protected')").await;
    assert_eq!(refused["code"], "not_allowed", "{refused}");
    assert_eq!(proxy.heads().len(), seen + 1);
    browser.quit().await;
}

#[tokio::test]
async fn a_hostile_content_script_gets_who_is_signed_in_and_listed_paths_and_nothing_else() {
    let server = Server::start().await;
    let web = Proxy::start(&server.url).await;
    web.answer_with(Some(Canned {
        status: "200 OK",
        content_type: "text/html",
        body: "<!doctype html><title>A page of the web</title>",
    }));
    let app = App::new(&json!({
        "server": server.url,
        "contentScripts": [format!("{}/protected", server.url)],
    }));
    let browser = app.browser().await;
    let page = app.page(&browser).await;
    sign_up(&page, "alice").await;
    let tokens = stored(&page).await["auth_tokens"].clone();
    let site = browser.new_page().await;
    site.go(&web.url).await;

    // What it may.
    let state = site.hostile("client", json!(["state"])).await;
    assert_eq!(state["value"]["user"]["username"], "alice", "{state}");
    let listed = site
        .hostile(
            "client",
            json!(["fetch", format!("{}/protected", server.url)]),
        )
        .await;
    assert!(
        listed["value"]["text"]
            .as_str()
            .unwrap_or_default()
            .contains("Hello, alice!"),
        "{listed}"
    );

    // What it may not, each also as a message of its own making that claims to be somebody else's.
    let mut got = vec![state, listed];
    for call in [
        "accessToken",
        "signOut",
        "signIn",
        "register",
        "constructor",
    ] {
        let message = json!({"passwordAuth": 1, "call": call, "username": "alice", "password": PASSWORD,
            "sender": {"id": app.id(), "url": format!("chrome-extension://{}/page.html", app.id())}});
        let answer = site.hostile("message", message).await;
        assert_eq!(
            answer["value"]["error"]["code"], "not_allowed",
            "{call}: {answer}"
        );
        got.push(answer);
    }
    for path in [
        "/protected-data",
        "/protectedx",
        "/",
        "/protected/..%2fapi/v1/auth/me",
        "/protected/../api/v1/auth/me",
        "/api/v1/auth/me",
    ] {
        let refused = site
            .hostile("client", json!(["fetch", format!("{}{path}", server.url)]))
            .await;
        assert!(
            refused["error"]
                .as_str()
                .unwrap_or_default()
                .contains("not_allowed"),
            "{path}: {refused}"
        );
    }
    for version in [json!(0), json!(2), json!("1"), Value::Null] {
        let message = json!({"passwordAuth": version, "call": "state"});
        let answer = site.hostile("message", message).await;
        assert!(
            answer["value"].is_null()
                || answer["value"] == "no answer"
                || answer["error"].is_string(),
            "{answer}"
        );
    }
    for area in ["local", "session"] {
        got.push(site.hostile("stored", json!(area)).await);
    }
    got.push(site.hostile("databases", Value::Null).await);
    // Messages that come to it when the state changes.
    page.result("auth.signOut()").await;
    page.result(&format!(
        "auth.signIn({})",
        json!({"username": "alice", "password": PASSWORD})
    ))
    .await;
    got.push(site.hostile("heard", Value::Null).await);
    let newer = stored(&page).await["auth_tokens"].clone();
    let got = json!(got).to_string();
    for tokens in [tokens, newer] {
        for name in ["access_token", "refresh_token"] {
            let token = tokens[name].as_str().expect("a token");
            assert!(!got.contains(token), "{name} in {got}");
        }
    }
    // And it has signed nobody out.
    assert_eq!(page.result("auth.state()").await["value"]["signedIn"], true);
    browser.quit().await;
}

#[tokio::test]
async fn another_extension_and_a_web_page_get_no_answer() {
    let server = Server::start().await;
    let (app, browser, page) = start(&server.url).await;
    sign_up(&page, "alice").await;
    let stranger = browser.extension_page(1, "page.html").await;
    for call in ["state", "accessToken", "fetch", "signOut"] {
        // As our own client sends it.
        let message =
            json!({"passwordAuth": 1, "call": call, "url": format!("{}/protected", server.url)});
        let script = "Promise.race([
                chrome.runtime.sendMessage(argument[0], argument[1]).then(value => ({value}), () => 'no answer'),
                new Promise(late => setTimeout(() => late('no answer'), 3000)),
            ]).then(done)";
        let answer = stranger.run(script, json!([app.id(), message])).await;
        assert_eq!(answer, "no answer", "{call}");
    }
    let connect = "
        const port = chrome.runtime.connect(argument, {name: 'password-auth'});
        port.onMessage.addListener(message => done(message));
        port.onDisconnect.addListener(() => done('no answer'));
        port.postMessage({passwordAuth: 1, call: 'accessToken'});";
    assert_eq!(stranger.run(connect, json!(app.id())).await, "no answer");
    let site = browser.new_page().await;
    site.go(&format!("{}/docs", server.url)).await;
    assert_eq!(
        site.run("done(typeof chrome.runtime)", Value::Null).await,
        "undefined"
    );
    assert_eq!(page.result("auth.state()").await["value"]["signedIn"], true);
    browser.quit().await;
}
