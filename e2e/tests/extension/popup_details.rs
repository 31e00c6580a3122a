//! What the popup does beyond the contract's rows: the keyboard's place, zoom, names of every script, forced
//! colours, and the fields that are there when they are needed.

use serde_json::{Value, json};

use crate::support::{Browser, Canned, PASSWORD, Popup, Proxy, Server};

async fn focused(popup: &Popup) -> String {
    let id = popup
        .run("done(document.activeElement.id)", Value::Null)
        .await;
    id.as_str().expect("a text").to_owned()
}

async fn cdp(browser: &Browser, method: &str, parameters: Value) {
    let sent = browser.driver.cdp().send_raw(method, parameters).await;
    sent.expect("done");
}

#[tokio::test]
async fn the_focus_never_falls_to_the_page() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup
        .until("document.activeElement.id === 'username'")
        .await;
    popup.sign_up("alice").await;
    popup
        .until("document.activeElement.id === 'accessProtected'")
        .await;
    popup
        .run(
            "document.getElementById('logout').focus(); done()",
            Value::Null,
        )
        .await;
    popup
        .run(
            "document.getElementById('logout').click(); done()",
            Value::Null,
        )
        .await;
    popup.expect_success("Logged out successfully.").await;
    assert_eq!(
        focused(&popup).await,
        "password",
        "the name is there already"
    );
    // Also when another context signs out.
    popup.log_in("alice", PASSWORD).await;
    popup.expect_success("Authentication successful.").await;
    popup
        .run(
            "document.getElementById('logout').focus(); done()",
            Value::Null,
        )
        .await;
    let other = browser.popup_as_it_is().await;
    other.click("logout").await;
    other.expect_success("Logged out successfully.").await;
    popup
        .until("document.getElementById('signedIn').hidden")
        .await;
    assert_eq!(focused(&popup).await, "password");
    browser.quit().await;
}

#[tokio::test]
async fn at_200_percent_zoom_a_message_is_in_view() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    proxy.hold_answers();
    let popup = browser.popup(&proxy.url).await;
    popup.focus().await;
    // The largest popup of Chrome's at twice the size of everything.
    let half = json!({"width": 400, "height": 300, "deviceScaleFactor": 2, "mobile": false});
    cdp(&browser, "Emulation.setDeviceMetricsOverride", half).await;
    popup
        .run(
            "scrollTo(0, 0); document.getElementById('login').click(); done()",
            Value::Null,
        )
        .await;
    popup
        .expect_error("Please enter your username and password.")
        .await;
    let in_view = "
        const {top, bottom} = document.getElementById('status').getBoundingClientRect();
        done(top >= 0 && bottom <= innerHeight + 1);";
    assert_eq!(popup.run(in_view, Value::Null).await, true);
    // What the server offers makes the form longer.
    proxy.release_answers();
    popup.until_offers_are_shown().await;
    assert_eq!(popup.run(in_view, Value::Null).await, true);
    browser.quit().await;
}

#[tokio::test]
async fn names_of_every_script_stand_on_one_side_with_their_first_character() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    for (name, initial) in [
        ("alice", "a"),
        ("שלום", "ש"),
        ("مریم", "م"),
        ("👩‍👩‍👧 family", "👩‍👩‍👧"),
        ("🇩🇪 flag", "🇩🇪"),
        ("नमस्ते", "न"),
    ] {
        popup.sign_up(name).await;
        popup
            .until("!document.getElementById('signedIn').hidden")
            .await;
        let look = "
            const range = document.createRange();
            range.selectNodeContents(document.getElementById('who'));
            const box = document.querySelector('#signedIn strong').getBoundingClientRect();
            done({initial: document.getElementById('initial').textContent, who: document.getElementById('who').textContent,
                  drift: Math.round(range.getBoundingClientRect().left - box.left)});";
        let seen = popup.run(look, Value::Null).await;
        assert_eq!(seen, json!({"initial": initial, "who": name, "drift": 0}));
        popup.click("logout").await;
        popup.expect_success("Logged out successfully.").await;
        popup.fill("username", "").await;
    }
    browser.quit().await;
}

#[tokio::test]
async fn forced_colours_show_no_empty_box() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.focus().await;
    let forced = json!({"features": [{"name": "forced-colors", "value": "active"}]});
    cdp(&browser, "Emulation.setEmulatedMedia", forced).await;
    let border = "
        const canvas = document.createElement('p');
        canvas.style.color = 'Canvas';
        document.body.append(canvas);
        done([getComputedStyle(document.getElementById('status')).borderTopColor, getComputedStyle(canvas).color]);";
    let colours = popup.run(border, Value::Null).await;
    assert_eq!(colours[0], colours[1], "an empty message has a border");
    popup.click("login").await;
    popup
        .expect_error("Please enter your username and password.")
        .await;
    let colours = popup.run(border, Value::Null).await;
    assert_ne!(colours[0], colours[1], "a message has none");
    browser.quit().await;
}

#[tokio::test]
async fn nothing_of_the_form_is_painted_before_it_is_known_who_is_signed_in() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    // Each frame that is painted says what it shows.
    let watch = "
        window.shown = new Set();
        const look = () => {
            const form = document.getElementById('credentials');
            if (form?.checkVisibility({opacityProperty: true})) shown.add('form');
            const who = document.getElementById('signedIn');
            if (who?.checkVisibility({opacityProperty: true})) shown.add('who');
            requestAnimationFrame(look);
        };
        requestAnimationFrame(look);";
    popup.run_first(watch).await;
    for _ in 0..5 {
        popup.reload().await;
        let shown = popup
            .run(
                "requestAnimationFrame(() => requestAnimationFrame(() => done([...shown])))",
                Value::Null,
            )
            .await;
        assert_eq!(shown, json!(["who"]));
    }
    browser.quit().await;
}

#[tokio::test]
async fn a_password_can_be_looked_at_and_is_hidden_again_once_it_was_used() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    let kind = "done([document.getElementById('password').type, document.getElementById('showPassword').getAttribute('aria-pressed')])";
    popup.fill("password", PASSWORD).await;
    assert_eq!(
        popup.run(kind, Value::Null).await,
        json!(["password", "false"])
    );
    popup.click("showPassword").await;
    assert_eq!(popup.run(kind, Value::Null).await, json!(["text", "true"]));
    popup.click("showPassword").await;
    assert_eq!(
        popup.run(kind, Value::Null).await,
        json!(["password", "false"])
    );
    popup.click("showPassword").await;
    popup.fill("username", "alice").await;
    popup.click("register").await;
    popup.expect_success("Registration successful.").await;
    assert_eq!(
        popup.run(kind, Value::Null).await,
        json!(["password", "false"])
    );
    browser.quit().await;
}

#[tokio::test]
async fn what_is_wrong_is_marked_and_described_until_it_is_changed() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    let wrong = "done([...document.querySelectorAll('[aria-invalid=true][aria-describedby=status]')].map(field => field.id))";
    popup.register("", PASSWORD).await;
    popup
        .expect_error("Please enter a username and password.")
        .await;
    assert_eq!(popup.run(wrong, Value::Null).await, json!(["username"]));
    popup.register("alice", "1234567").await;
    popup
        .expect_error("Password must be at least 8 characters long.")
        .await;
    assert_eq!(popup.run(wrong, Value::Null).await, json!(["password"]));
    assert_eq!(focused(&popup).await, "password");
    popup
        .element("password")
        .await
        .send_keys("8")
        .await
        .expect("typed");
    assert_eq!(popup.run(wrong, Value::Null).await, json!([]));
    popup.register("alice", PASSWORD).await;
    popup.expect_success("Registration successful.").await;
    popup.register("alice", PASSWORD).await;
    popup
        .expect_error("Registration failed: User already exists.")
        .await;
    assert_eq!(popup.run(wrong, Value::Null).await, json!(["username"]));
    popup.log_in("alice", "a wrong password").await;
    popup
        .expect_error("Authentication failed: Invalid credentials.")
        .await;
    assert_eq!(popup.run(wrong, Value::Null).await, json!(["password"]));
    browser.quit().await;
}

#[tokio::test]
async fn an_e_mail_address_is_asked_for_behind_a_disclosure() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    assert!(!popup.is_shown("email").await);
    popup.until_offers_are_shown().await;
    popup.click_on("#emailDisclosure summary").await;
    popup.fill("email", "no address").await;
    popup.register("alice", PASSWORD).await;
    popup.expect_error_with(&["Registration failed:"]).await;
    popup.fill("email", "alice@example.org").await;
    // While a new password is sent, a password manager is told that it is new.
    proxy.hold_answers();
    popup.click("register").await;
    proxy.until_held(1).await;
    let kind = "done(document.getElementById('password').autocomplete)";
    assert_eq!(popup.run(kind, Value::Null).await, "new-password");
    let progress = "done(document.getElementById('progress').textContent)";
    assert_eq!(popup.run(progress, Value::Null).await, "Registering…");
    proxy.release_answers();
    popup.expect_success("Registration successful.").await;
    assert_eq!(popup.run(kind, Value::Null).await, "current-password");
    assert_eq!(popup.run(progress, Value::Null).await, "");
    let alice = json!({"username": "alice", "password": PASSWORD});
    let tokens = server.post_for_json("/api/v1/auth/login", alice).await;
    let me = server
        .get_for_json("/api/v1/auth/me", &tokens["access_token"])
        .await;
    assert_eq!(me["email"], "alice@example.org");
    browser.quit().await;
}

#[tokio::test]
async fn a_forgotten_password_is_the_server_s_page_s_matter() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup
        .until("document.getElementById('forgotPassword').href")
        .await;
    let link = popup.element("forgotPassword").await;
    let href = link.prop("href").await.expect("read").expect("an address");
    assert_eq!(href, format!("{}/forgot-password", server.url));
    let page = browser.new_page().await;
    page.go(&href).await;
    page.find("#email")
        .await
        .send_keys("alice@example.org")
        .await
        .expect("typed");
    page.click_on("button").await;
    page.until("document.body.textContent.includes('Look into your mailbox')")
        .await;
    browser.quit().await;
}

#[tokio::test]
async fn a_wait_is_told_in_seconds_and_a_second_factor_has_a_field() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    assert_eq!(
        server
            .post(
                "/register",
                json!({"username": "alice", "password": PASSWORD})
            )
            .await,
        200
    );
    proxy.answer_with(Some(Canned {
        status: "429 Too Many Requests\r\nretry-after: 11",
        content_type: "application/json",
        body: r#"{"status":"error","code":"too_many_attempts","message":"Too many attempts. Please try again later.","detail":""}"#,
    }));
    popup.log_in("alice", PASSWORD).await;
    popup
        .expect_error("Authentication failed: Too many attempts. Please try again later. You can try again in 11 s.")
        .await;
    proxy.answer_with(Some(Canned {
        status: "401 Unauthorized",
        content_type: "application/json",
        body: r#"{"status":"error","code":"second_factor_required","message":"A code.","detail":"A code.","challenge":"c1","methods":["totp"]}"#,
    }));
    assert!(!popup.is_shown("code").await);
    popup.click("login").await;
    popup
        .expect_success("Please enter the code of your second factor.")
        .await;
    assert_eq!(focused(&popup).await, "code");
    assert_eq!(
        popup.value("password").await,
        "",
        "it is not needed any more"
    );
    proxy.answer_with(None);
    popup.fill("code", "123456").await;
    popup.click("login").await;
    // The server has never seen this challenge.
    popup
        .expect_error("Authentication failed: This sign-in took too long. Please begin again.")
        .await;
    assert!(!popup.is_shown("code").await && popup.is_shown("password").await);
    assert_eq!(focused(&popup).await, "password");
    browser.quit().await;
}

#[tokio::test]
async fn a_session_that_the_worker_saw_end_is_told_when_the_popup_opens() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    let tokens = popup.stored("local").await["auth_tokens"].clone();
    let logout = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(server.post("/logout", logout).await, 200);
    popup.let_access_token_expire().await;
    // Whoever shows the message removes it.
    popup.close().await;
    let first = browser.popup_as_it_is().await;
    // A worker that only now learns of the change sets its own alarm in place of this one, for later.
    let ring = "
        const ring = () => chrome.alarms.create('password-auth.refresh', {when: Date.now()});
        const again = setInterval(ring, 1000);
        chrome.alarms.onAlarm.addListener(() => { clearInterval(again); done(); });
        ring();";
    first.run(ring, Value::Null).await;
    first
        .expect_error("Failed to refresh token: Invalid refresh token.")
        .await;
    first
        .until("!document.getElementById('credentials').hidden")
        .await;
    assert!(first.is_shown("login").await);
    // Once is enough.
    first.until_no_tokens_are_stored().await;
    let second = browser.popup_as_it_is().await;
    assert_eq!(
        second
            .run(
                "done(document.getElementById('status').textContent)",
                Value::Null
            )
            .await,
        ""
    );
    browser.quit().await;
}
