//! The broker and the package, in an extension of somebody who uses them.

mod attacks;

use serde_json::{Value, json};

use crate::support::{App, Browser, Canned, PASSWORD, Page, Proxy, Server};

const GREETING: &str = "auth.fetch(server + '/protected').then(answer => answer.json())";

/// An extension for the server at `url`, a browser with it, and its page.
async fn start(url: &str) -> (App, Browser, Page) {
    let app = App::new(&json!({"server": url}));
    let browser = app.browser().await;
    let page = app.page(&browser).await;
    set_server(&page, url).await;
    (app, browser, page)
}

async fn set_server(page: &Page, url: &str) {
    page.run("window.server = argument; done()", json!(url))
        .await;
}

async fn sign_up(page: &Page, username: &str) {
    let account = json!({"username": username, "password": PASSWORD});
    let done = page.result(&format!("auth.register({account})")).await;
    let registered = json!({"status": "ok", "message": "User registered successfully."});
    assert_eq!(done["value"], registered, "{done}");
    let state = page.result(&format!("auth.signIn({account})")).await;
    assert_eq!(state["value"]["signedIn"], true, "{state}");
}

async fn stored(page: &Page) -> Value {
    page.run("chrome.storage.local.get(null).then(done)", Value::Null)
        .await
}

/// From now on the access token ends in `seconds`, as far as the extension knows.
async fn let_it_end_in(page: &Page, seconds: i32) {
    let script = "chrome.storage.local.get('auth_tokens')
        .then(({auth_tokens}) => chrome.storage.local.set(
            {auth_tokens: {...auth_tokens, access_token_expiry: Date.now() + argument * 1000}}))
        .then(() => done())";
    page.run(script, json!(seconds)).await;
}

/// Lets the alarm ring that the worker has set.
async fn ring(page: &Page, alarm: &str) {
    let script = "
        const wait = async () => {
            while (!(await chrome.alarms.get(argument))) await new Promise(soon => setTimeout(soon, 20));
            await chrome.alarms.create(argument, {when: Date.now()});
            done();
        };
        wait();";
    page.run(script, json!(alarm)).await;
}

/// Waits until `condition`, an expression that may await, is true in the page.
async fn until(page: &Page, condition: &str) {
    let script = format!(
        "const look = async () => {{
            while (!({condition})) await new Promise(soon => setTimeout(soon, 20));
            done();
        }};
        look();"
    );
    page.run(&script, Value::Null).await;
}

#[tokio::test]
async fn a_page_signs_in_and_every_context_follows() {
    let server = Server::start().await;
    let (app, browser, page) = start(&server.url).await;
    let other = app.page(&browser).await;
    let listen =
        "window.states = []; window.end = auth.onChange(state => states.push(state)); done()";
    other.run(listen, Value::Null).await;
    until(&other, "states.length === 1").await;

    sign_up(&page, "Alice").await;
    until(&other, "states.length === 2").await;
    let states = other.run("done(states)", Value::Null).await;
    assert_eq!(states[0], json!({"signedIn": false}));
    assert_eq!(states[1]["user"]["username"], "Alice");
    assert_eq!(states[1]["user"]["role"], "user");
    assert_eq!(states[1]["user"]["id"].as_str().expect("an id").len(), 36);
    assert_eq!(states[1], page.result("auth.state()").await["value"]);
    until(&page, "await chrome.action.getBadgeText({}) === '✓'").await;

    let greeting = page.result(GREETING).await;
    assert_eq!(greeting["value"]["message"], "Hello, Alice!");
    let token = page.result("auth.accessToken()").await;
    let tokens = stored(&page).await["auth_tokens"].clone();
    assert_eq!(token["value"], tokens["access_token"]);

    let done = other.result("auth.signOut()").await;
    assert_eq!(done["value"], json!({"serverTold": true}));
    until(&other, "states.length === 3").await;
    assert_eq!(
        other.run("done(states[2])", Value::Null).await,
        json!({"signedIn": false})
    );
    until(&page, "await chrome.action.getBadgeText({}) === ''").await;
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(server.post("/refresh", refresh).await, 400);
    assert_eq!(stored(&page).await["auth_tokens"], Value::Null);

    // Whoever has ended listening hears no more.
    other.run("end(); done()", Value::Null).await;
    page.result(&format!(
        "auth.signIn({})",
        json!({"username": "alice", "password": PASSWORD})
    ))
    .await;
    until(&page, "await chrome.action.getBadgeText({}) === '✓'").await;
    assert_eq!(other.run("done(states.length)", Value::Null).await, 3);
    browser.quit().await;
}

#[tokio::test]
async fn a_refusal_is_an_error_with_its_code() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url).await;
    let (_app, browser, page) = start(&proxy.url).await;
    for call in ["auth.accessToken()", "auth.fetch(server + '/protected')"] {
        let refused = page.result(call).await;
        assert_eq!(refused["code"], "not_signed_in", "{call}: {refused}");
        assert_eq!(refused["isAuthError"], true);
    }
    assert_eq!(
        page.result("auth.signOut()").await["value"],
        json!({"serverTold": true})
    );
    sign_up(&page, "alice").await;
    let again = json!({"username": "ALICE", "password": PASSWORD});
    let refused = page.result(&format!("auth.register({again})")).await;
    assert_eq!(refused["code"], "user_exists");
    assert_eq!(refused["message"], "User already exists.");
    let wrong = json!({"username": "alice", "password": "a wrong password"});
    let sign_in = format!("auth.signIn({wrong})");
    assert_eq!(page.result(&sign_in).await["code"], "invalid_credentials");

    proxy.answer_with(Some(Canned {
        status: "429 Too Many Requests\r\nretry-after: 11",
        content_type: "application/json",
        body: r#"{"status":"error","code":"too_many_attempts","message":"Too many.","detail":"Too many."}"#,
    }));
    let refused = page.result(&sign_in).await;
    assert_eq!(refused["code"], "too_many_attempts");
    assert_eq!(refused["retryAfter"], 11);
    proxy.answer_with(Some(Canned {
        status: "401 Unauthorized",
        content_type: "application/json",
        body: r#"{"status":"error","code":"second_factor_required","message":"A code, please.","detail":"A code, please.","challenge":"c1","methods":["totp"]}"#,
    }));
    let refused = page.result(&sign_in).await;
    assert_eq!(refused["code"], "second_factor_required");
    assert_eq!(refused["challenge"], "c1");
    // None of that has touched who was signed in before.
    assert_eq!(
        page.result("auth.state()").await["value"]["user"]["username"],
        "alice"
    );
    browser.quit().await;
}

#[tokio::test]
async fn fetch_carries_method_headers_and_body_both_ways_and_renews_the_token_on_401() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url).await;
    let (_app, browser, page) = start(&proxy.url).await;
    sign_up(&page, "alice").await;
    // The server does not take this one any more.
    let script = "chrome.storage.local.get('auth_tokens')
        .then(({auth_tokens}) => chrome.storage.local.set({auth_tokens: {...auth_tokens, access_token: 'no.longer.good'}}))
        .then(() => done())";
    page.run(script, Value::Null).await;
    let change = "auth.fetch(server + '/api/v1/users/me/deactivate', {method: 'PUT'}).then(answer => answer.status)";
    let patch = "auth.state().then(({user}) => auth.fetch(new Request(`${server}/api/v1/users/${user.id}`, {
            method: 'PATCH', headers: {'content-type': 'application/json', authorization: 'Bearer forged', 'x-mine': '1'},
            body: new TextEncoder().encode(JSON.stringify({full_name: 'Älice 👩‍🚀'}))})))
        .then(async answer => ({status: answer.status, ok: answer.ok, type: answer.headers.get('content-type'), body: await answer.json()}))";
    let before = proxy.count("POST /refresh");
    page.run("auth.accessToken().then(() => done())", Value::Null)
        .await;
    let answer = page
        .result("auth.fetch(server + '/protected').then(answer => answer.status)")
        .await;
    assert_eq!(answer["value"], 200);
    assert_eq!(proxy.count("POST /refresh"), before + 1);
    let answer = page.result(patch).await["value"].clone();
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(answer["body"]["full_name"], "Älice 👩‍🚀");
    assert!(
        answer["type"]
            .as_str()
            .expect("a type")
            .starts_with("application/json")
    );
    let sent = proxy
        .heads()
        .into_iter()
        .find(|head| head.starts_with("PATCH"));
    let sent = sent.expect("sent").to_lowercase();
    assert!(
        sent.contains("x-mine: 1") && !sent.contains("forged"),
        "{sent}"
    );
    assert!(!sent.contains("cookie:"), "{sent}");
    // An error of the server's is an answer like any other; 204 has no body.
    let missing = "auth.fetch(server + '/nothing').then(async answer => [answer.status, (await answer.json()).code])";
    assert_eq!(
        page.result(missing).await["value"],
        json!([404, "not_found"])
    );
    assert_eq!(page.result(change).await["value"], 200);
    let aborted = "(() => { const c = new AbortController(); c.abort(); return auth.fetch(server + '/protected', {signal: c.signal}); })()";
    assert_eq!(page.result(aborted).await["name"], "AbortError");
    browser.quit().await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_half_way_loses_nothing_and_nothing_hangs() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url).await;
    let (_app, browser, page) = start(&proxy.url).await;
    sign_up(&page, "alice").await;
    browser.kill_workers().await;
    assert_eq!(
        page.result("auth.state()").await["value"]["user"]["username"],
        "alice"
    );
    for round in 1..=3 {
        let_it_end_in(&page, 0).await;
        proxy.hold_answers();
        let asked = format!("window.asked = refusal({GREETING}); done()");
        page.run(&asked, Value::Null).await;
        proxy.until_held(round).await;
        browser.kill_workers().await;
        proxy.release_answers();
        let answer = page.run("asked.then(done)", Value::Null).await;
        assert_eq!(answer["value"]["message"], "Hello, alice!", "{answer}");
    }
    browser.quit().await;
}

#[tokio::test]
async fn the_worker_refreshes_by_itself_before_the_access_token_ends() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url).await;
    let (_app, browser, page) = start(&proxy.url).await;
    sign_up(&page, "alice").await;
    let alarm = "password-auth.refresh";
    until(&page, &format!("await chrome.alarms.get('{alarm}')")).await;
    let left = format!(
        "chrome.alarms.get('{alarm}').then(({{scheduledTime}}) => done(scheduledTime - Date.now()))"
    );
    let left = page.run(&left, Value::Null).await.as_f64().expect("ms") / 1000.0;
    assert!((700.0..=810.0).contains(&left), "in {left} s");
    // Long before the end it leaves the tokens alone.
    ring(&page, alarm).await;
    let before = stored(&page).await["auth_tokens"].clone();
    let_it_end_in(&page, 100).await;
    ring(&page, alarm).await;
    proxy.until_seen("POST /refresh", 1).await;
    let old = json!(before["refresh_token"]);
    until(
        &page,
        &format!(
            "(await chrome.storage.local.get('auth_tokens')).auth_tokens.refresh_token !== {old}"
        ),
    )
    .await;
    assert_eq!(proxy.count("POST /refresh"), 1);
    browser.quit().await;
}

#[tokio::test]
async fn a_server_that_could_not_be_told_of_a_sign_out_is_told_later() {
    let mut server = Server::start().await;
    let (_app, browser, page) = start(&server.url.clone()).await;
    sign_up(&page, "alice").await;
    let tokens = stored(&page).await["auth_tokens"].clone();
    server.stop().await;
    let done = page.result("auth.signOut()").await;
    assert_eq!(done["value"], json!({"serverTold": false}));
    assert_eq!(
        page.result("auth.state()").await["value"],
        json!({"signedIn": false})
    );
    ring(&page, "password-auth.sign-out").await;
    // It has failed by now: the next one is later than the first would have been, which is due within 33 s.
    until(
        &page,
        "(await chrome.alarms.get('password-auth.sign-out'))?.scheduledTime > Date.now() + 40_000",
    )
    .await;
    server.start_again().await;
    browser.kill_workers().await;
    ring(&page, "password-auth.sign-out").await;
    until(
        &page,
        "!('auth_pending_sign_outs' in await chrome.storage.local.get(null))",
    )
    .await;
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(server.post("/refresh", refresh).await, 400);
    browser.quit().await;
}

#[tokio::test]
async fn while_a_server_is_told_of_a_sign_out_the_next_try_is_set() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url).await;
    let (_app, browser, page) = start(&proxy.url).await;
    sign_up(&page, "alice").await;
    proxy.hold_answers();
    let done = page.result("auth.signOut()").await;
    assert_eq!(done["value"], json!({"serverTold": false}));
    let held = proxy.held();
    ring(&page, "password-auth.sign-out").await;
    proxy.until_held(held + 1).await;
    let alarm = "chrome.alarms.get('password-auth.sign-out').then(alarm => done(Boolean(alarm)))";
    assert_eq!(page.run(alarm, Value::Null).await, true);
    proxy.release_answers();
    browser.quit().await;
}

#[tokio::test]
async fn a_lock_whose_holder_never_lets_go_is_taken_after_a_while() {
    let server = Server::start().await;
    let (app, browser, page) = start(&server.url).await;
    sign_up(&page, "alice").await;
    let holder = app.page(&browser).await;
    let hold = "navigator.locks.request('password-auth.session', () => { done(); return new Promise(() => {}); })";
    holder.run(hold, Value::Null).await;
    let_it_end_in(&page, 0).await;
    let answer = page.result(GREETING).await;
    assert_eq!(answer["value"]["message"], "Hello, alice!", "{answer}");
    browser.quit().await;
}

#[tokio::test]
async fn a_missing_host_permission_is_told_from_a_server_that_is_down() {
    let server = Server::start().await;
    let proxy = Proxy::start(&server.url).await;
    let app = App::with_manifest(&json!({"server": proxy.url}), |manifest| {
        manifest["host_permissions"] = json!([]);
        manifest["content_scripts"] = json!([]);
    });
    let browser = app.browser().await;
    let page = app.page(&browser).await;
    // Without CORS for this origin.
    proxy.answer_with(Some(Canned {
        status: "403 Forbidden",
        content_type: "text/plain",
        body: "",
    }));
    let credentials = json!({"username": "alice", "password": PASSWORD});
    let refused = page.result(&format!("auth.signIn({credentials})")).await;
    assert_eq!(refused["code"], "no_host_permission", "{refused}");
    browser.quit().await;

    let mut server = server;
    let (_app, browser, page) = start(&server.url.clone()).await;
    server.stop().await;
    let refused = page.result(&format!("auth.signIn({credentials})")).await;
    assert_eq!(refused["code"], "unreachable", "{refused}");
    browser.quit().await;
}
