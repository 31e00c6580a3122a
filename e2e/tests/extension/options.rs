//! The options page: another server, one's devices, one's password, one's data.

use serde_json::{Value, json};

use crate::support::{Browser, Canned, PASSWORD, Page, Proxy, Server};

pub async fn until_said(page: &Page, sentence: &str) {
    let said = format!(
        "document.getElementById('status').textContent === {}",
        json!(sentence)
    );
    page.until(&said).await;
}

pub async fn type_into(page: &Page, id: &str, text: &str) {
    let field = page.find(&format!("#{id}")).await;
    field.clear().await.expect("cleared");
    field.send_keys(text).await.expect("typed");
}

#[tokio::test]
async fn another_server_is_tried_before_it_is_saved() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let (old, new) = tokio::join!(Proxy::start(&server.url), Proxy::start(&server.url));
    let popup = browser.popup(&old.url).await;
    popup.sign_up("alice").await;
    let options = browser.extension_page(0, "options.html").await;
    options
        .until("document.getElementById('who').textContent === 'alice'")
        .await;
    let save = "#serverForm button";
    for (address, sentence) in [
        (
            "nonsense",
            "The address must start with https://, or with http://127.0.0.1 or http://localhost."
                .to_owned(),
        ),
        (
            "http://192.0.2.1",
            "The address must start with https://, or with http://127.0.0.1 or http://localhost."
                .to_owned(),
        ),
        (
            "http://127.0.0.1:1",
            "Cannot reach the server at http://127.0.0.1:1. Is it running?".to_owned(),
        ),
    ] {
        type_into(&options, "serverUrl", address).await;
        options.click_on(save).await;
        until_said(&options, &sentence).await;
    }
    new.answer_with(Some(Canned {
        status: "200 OK",
        content_type: "text/html",
        body: "<title>Welcome to the hotel</title>",
    }));
    type_into(&options, "serverUrl", &format!("{}/", new.url)).await;
    options.click_on(save).await;
    until_said(
        &options,
        &format!("There is no Password Auth server at {}.", new.url),
    )
    .await;
    assert_eq!(popup.stored("local").await["server_url"], *old.url);
    popup.expect_greeting("alice").await;

    new.answer_with(None);
    options.click_on(save).await;
    until_said(&options, &format!("Saved. The extension uses {}.", new.url)).await;
    assert_eq!(popup.stored("local").await["server_url"], *new.url);
    options
        .until("document.getElementById('account').hidden")
        .await;
    old.until_seen("POST /logout", 1).await;
    popup.until_no_tokens_are_stored().await;
    for head in new.heads() {
        assert!(!head.to_lowercase().contains("authorization:"), "{head}");
    }
    browser.quit().await;
}

#[tokio::test]
async fn a_user_sees_their_devices_changes_their_password_and_leaves() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    let alice = json!({"username": "alice", "password": PASSWORD});
    let elsewhere = server.post_for_json("/authenticate", alice.clone()).await;
    let options = browser.extension_page(0, "options.html").await;
    options
        .until("document.querySelectorAll('#sessions li').length === 2")
        .await;
    // What stands above is told by an answer of its own.
    options
        .until("document.getElementById('emailNow').textContent !== ''")
        .await;
    options.click_on("#sessions button").await;
    until_said(&options, "Signed out there.").await;
    options
        .until("document.querySelectorAll('#sessions li').length === 1")
        .await;
    let refresh = json!({"refresh_token": elsewhere["refresh_token"]});
    assert_eq!(server.post("/refresh", refresh).await, 400);

    type_into(&options, "currentPassword", "a wrong password").await;
    type_into(&options, "newPassword", "staple of another kind").await;
    options.click_on("#passwordForm button").await;
    options
        .until("document.getElementById('status').classList.contains('error')")
        .await;
    type_into(&options, "currentPassword", PASSWORD).await;
    options.click_on("#passwordForm button").await;
    until_said(&options, "Password changed. Other devices are signed out.").await;
    popup.expect_greeting("alice").await;
    assert_eq!(server.post("/authenticate", alice).await, 401);

    type_into(&options, "exportPassword", "staple of another kind").await;
    options.click_on("#exportData").await;
    until_said(&options, "Exported.").await;
    type_into(&options, "deletePassword", "staple of another kind").await;
    options.click_on("#deleteForm button").await;
    until_said(&options, "Your account and everything about it is deleted.").await;
    options
        .until("document.getElementById('account').hidden")
        .await;
    let gone = json!({"username": "alice", "password": "staple of another kind"});
    assert_eq!(server.post("/authenticate", gone).await, 401);
    let kept = "done(JSON.stringify({...localStorage, ...sessionStorage}) + document.documentElement.outerHTML)";
    let page = options.run(kept, Value::Null).await;
    assert!(
        !page.as_str().expect("a text").contains("eyJ"),
        "no token on the page"
    );
    browser.quit().await;
}

#[tokio::test]
async fn the_strength_of_another_password_is_told_in_the_user_s_language() {
    let settings = vec![("PASSWORD_MIN_SCORE", "2".to_owned())];
    let (server, browser) = tokio::join!(Server::start_with(settings), Browser::start());
    let proxy = Proxy::start(&server.url).await;
    let popup = browser.popup(&proxy.url).await;
    popup.sign_up("brunhilde-k").await;
    let options = browser.extension_page(0, "options.html").await;
    let told = |page: &str, text: &str| {
        format!(
            "document.documentElement.lang === '{page}' &&
             document.getElementById('strength').innerText.trim() === {}",
            json!(text)
        )
    };
    const ARABIC: &str = "سهلة التخمين. تحتوي على اسمك أو بريدك الإلكتروني. أضف كلمة أو كلمتين. الكلمات النادرة أفضل.";
    for (language, refused, about_user, enough) in [
        (
            "en",
            "Password is too easy to guess. It contains your name or e-mail address. Add another word or two. Uncommon words are better.",
            "Too easy to guess. It contains your name or e-mail address. Add another word or two. Uncommon words are better.",
            "Accepted. A longer one is harder to guess. This is similar to a commonly used password. Add another word or two. Uncommon words are better.",
        ),
        (
            "de",
            "Das Passwort ist zu leicht zu erraten.",
            "Zu leicht zu erraten. Es enthält Ihren Namen oder Ihre E-Mail-Adresse. Fügen Sie noch ein oder zwei Wörter hinzu. Seltene sind besser.",
            "Genügt. Ein längeres ist schwerer zu erraten. Das ähnelt einem häufig benutzten Passwort. Fügen Sie noch ein oder zwei Wörter hinzu. Seltene sind besser.",
        ),
        (
            "ar",
            "كلمة المرور سهلة التخمين.",
            ARABIC,
            "مقبولة. الأطول أصعب تخمينًا. تشبه كلمة مرور شائعة. أضف كلمة أو كلمتين. الكلمات النادرة أفضل.",
        ),
    ] {
        let speak = "localStorage.setItem('language', argument); done()";
        options.run(speak, json!(language)).await;
        options.reload().await;
        options
            .until("document.getElementById('who').textContent === 'brunhilde-k'")
            .await;
        // The current one is nobody's business.
        type_into(&options, "currentPassword", PASSWORD).await;
        type_into(&options, "newPassword", "Brunhilde-K").await;
        options.until(&told(language, about_user)).await;
        options.click_on("#passwordForm button").await;
        until_said(&options, refused).await;
        options
            .until("document.activeElement.id === 'newPassword' && document.activeElement.ariaInvalid === 'true'")
            .await;
        type_into(&options, "newPassword", "horsecarrot").await;
        options.until(&told(language, enough)).await;
        type_into(&options, "newPassword", "short").await;
        options.until(&told(language, "")).await;
    }
    // More if somebody types slowly.
    assert!(proxy.count("POST /api/v1/auth/password/strength") >= 6);
    // The popup has the same texts.
    popup.click("logout").await;
    options
        .until("document.getElementById('account').hidden")
        .await;
    popup.reload().await;
    popup.until_offers_are_shown().await;
    popup.click_on("#emailDisclosure summary").await;
    popup.fill("username", "Brunhilde K").await;
    popup.fill("password", "Brunhilde-K").await;
    popup.until(&told("ar", ARABIC)).await;
    popup.click("register").await;
    popup
        .expect_error_with(&["كلمة المرور سهلة التخمين."])
        .await;
    browser.quit().await;
}

#[tokio::test]
async fn an_e_mail_address_is_added_verified_and_changed() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    popup.sign_up("alice").await;
    let options = browser.extension_page(0, "options.html").await;
    let now = |text: &str| {
        format!(
            "document.getElementById('emailNow').textContent.includes({})",
            json!(text)
        )
    };
    options.until(&now("no e-mail address")).await;
    assert!(
        !options
            .find("#verifyEmail")
            .await
            .is_displayed()
            .await
            .expect("read")
    );
    type_into(&options, "newEmail", "alice@example.org").await;
    type_into(&options, "emailPassword", "a wrong password").await;
    options.click_on("#emailForm button[type=submit]").await;
    until_said(&options, "The current password is wrong.").await;
    type_into(&options, "emailPassword", PASSWORD).await;
    options.click_on("#emailForm button[type=submit]").await;
    until_said(
        &options,
        "A link is on its way to alice@example.org. The address changes when you open it.",
    )
    .await;

    // An account that has an address which nobody has verified yet.
    popup.click("logout").await;
    popup.expect_success("Logged out successfully.").await;
    let bob = json!({"username": "bob", "password": PASSWORD, "email": "bob@example.org"});
    assert_eq!(server.post("/api/v1/auth/register", bob).await, 201);
    popup.log_in("bob", PASSWORD).await;
    popup.expect_success("Authentication successful.").await;
    options
        .until(&now("bob@example.org is not verified yet."))
        .await;
    options.click_on("#verifyEmail").await;
    until_said(
        &options,
        "A link to verify it is on its way to bob@example.org.",
    )
    .await;
    browser.quit().await;
}

#[tokio::test]
async fn theme_language_and_staying_signed_in_are_the_user_s_choice() {
    let (server, browser) = tokio::join!(Server::start(), Browser::start());
    let popup = browser.popup(&server.url).await;
    let options = browser.extension_page(0, "options.html").await;
    options.until_revealed().await;
    let choose = |id: &str, value: &str| {
        format!(
            "const select = document.getElementById('{id}'); select.value = '{value}';
             select.dispatchEvent(new Event('change')); done()"
        )
    };
    options.run(&choose("theme", "dark"), Value::Null).await;
    // An open popup follows at once.
    popup
        .until("document.documentElement.dataset.theme === 'dark'")
        .await;
    let ground = "done(getComputedStyle(document.documentElement).backgroundColor)";
    assert_eq!(popup.run(ground, Value::Null).await, "rgb(18, 20, 28)");
    options.run(&choose("theme", ""), Value::Null).await;
    popup
        .until("document.documentElement.dataset.theme === undefined")
        .await;

    options.run(&choose("language", "ar"), Value::Null).await;
    options
        .until("document.documentElement.dir === 'rtl'")
        .await;
    options.until_revealed().await;
    popup.reload().await;
    popup
        .until("document.getElementById('login').textContent === 'دخول'")
        .await;
    options.run(&choose("language", "de"), Value::Null).await;
    options
        .until("document.documentElement.lang === 'de'")
        .await;
    popup.reload().await;
    popup.log_in("alice", "a wrong password").await;
    popup
        .expect_error("Anmeldung fehlgeschlagen: Benutzername oder Passwort ist falsch.")
        .await;

    options.click_on("#staySignedIn").await;
    popup.reload().await;
    let stays = "done(document.getElementById('staySignedIn').checked)";
    assert_eq!(popup.run(stays, Value::Null).await, false);
    options.run(&choose("language", ""), Value::Null).await;
    browser.quit().await;
}
