//! The popup of a test: types, clicks, reads, and waits for what the page comes to.

use std::ops::Deref;

use serde_json::{Value, json};
use thirtyfour::WebElement;

use super::{PASSWORD, Page};

pub struct Popup(Page);

impl Deref for Popup {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.0
    }
}

impl Popup {
    pub const fn new(page: Page) -> Self {
        Self(page)
    }

    pub async fn close(self) {
        self.0.close().await;
    }

    pub async fn reload(&self) {
        self.0.reload().await;
        self.until_revealed().await;
    }

    /// Waits until the form has what its server offers, which may be told late and moves what is below.
    pub async fn until_offers_are_shown(&self) {
        self.until("document.getElementById('credentials').hasAttribute('data-passkeys')")
            .await;
    }

    pub async fn element(&self, id: &str) -> WebElement {
        self.find(&format!("#{id}")).await
    }

    pub async fn click(&self, id: &str) {
        self.click_on(&format!("#{id}")).await;
    }

    pub async fn fill(&self, id: &str, text: &str) {
        let element = self.find_shown(&format!("#{id}")).await;
        element.clear().await.expect("cleared");
        element.send_keys(text).await.expect("typed");
    }

    pub async fn value(&self, id: &str) -> String {
        let value = self.element(id).await.prop("value").await.expect("read");
        value.unwrap_or_default()
    }

    pub async fn is_shown(&self, id: &str) -> bool {
        self.element(id).await.is_displayed().await.expect("read")
    }

    /// Waits for that sentence in `#status`; its classes.
    pub async fn expect_status(&self, sentence: &str) -> Vec<String> {
        let script = "
            const status = document.getElementById('status');
            const look = () => {
                if (status.textContent !== argument) return;
                observer.disconnect();
                clearTimeout(late);
                done({classes: [...status.classList]});
            };
            const observer = new MutationObserver(look);
            const late = setTimeout(() => done({text: status.textContent}), 30000);
            observer.observe(status, {attributes: true, childList: true, characterData: true, subtree: true});
            look();";
        let result = self.run(script, json!(sentence)).await;
        let classes = result["classes"].as_array();
        let classes = classes.unwrap_or_else(|| panic!("expected {sentence:?}, not {result}"));
        classes
            .iter()
            .map(|class| class.as_str().expect("a text").to_owned())
            .collect()
    }

    pub async fn expect_success(&self, sentence: &str) {
        let classes = self.expect_status(sentence).await;
        assert!(
            classes.iter().any(|class| class == "success"),
            "{sentence}: {classes:?}"
        );
        assert!(
            !classes.iter().any(|class| class == "error"),
            "{sentence}: {classes:?}"
        );
    }

    pub async fn expect_error(&self, sentence: &str) {
        let classes = self.expect_status(sentence).await;
        assert!(
            classes.iter().any(|class| class == "error"),
            "{sentence}: {classes:?}"
        );
        assert!(
            !classes.iter().any(|class| class == "success"),
            "{sentence}: {classes:?}"
        );
    }

    /// Waits for a sentence in `#status` with all of these words, as an error.
    pub async fn expect_error_with(&self, words: &[&str]) {
        let condition = format!(
            "{}.every(word => document.getElementById('status').textContent.includes(word))",
            json!(words)
        );
        self.until(&condition).await;
        let class = self
            .element("status")
            .await
            .class_name()
            .await
            .expect("read");
        assert!(class.unwrap_or_default().contains("error"));
    }

    pub async fn register(&self, username: &str, password: &str) {
        self.fill("username", username).await;
        self.fill("password", password).await;
        self.click("register").await;
    }

    pub async fn log_in(&self, username: &str, password: &str) {
        self.fill("username", username).await;
        self.fill("password", password).await;
        self.click("login").await;
    }

    /// Registers and signs in a new user.
    pub async fn sign_up(&self, username: &str) {
        self.register(username, PASSWORD).await;
        self.expect_success("Registration successful.").await;
        self.log_in(username, PASSWORD).await;
        self.expect_success("Authentication successful.").await;
    }

    /// Clicks, and waits for the greeting.
    pub async fn expect_greeting(&self, name: &str) {
        self.click("accessProtected").await;
        self.expect_success(&format!("Hello, {name}!")).await;
    }

    /// Everything in `chrome.storage.local` (or `session`).
    pub async fn stored(&self, area: &str) -> Value {
        self.run(
            &format!("chrome.storage.{area}.get(null).then(done)"),
            Value::Null,
        )
        .await
    }

    /// Waits until `chrome.storage.local` has no tokens.
    pub async fn until_no_tokens_are_stored(&self) {
        let script = "
            const look = async () => {
                const {auth_tokens} = await chrome.storage.local.get('auth_tokens');
                if (auth_tokens === undefined) done();
            };
            chrome.storage.local.onChanged.addListener(look);
            look();";
        self.run(script, Value::Null).await;
    }

    pub async fn store(&self, values: Value) {
        self.run(
            "chrome.storage.local.set(argument).then(() => done())",
            values,
        )
        .await;
    }

    pub async fn set_server(&self, url: &str) {
        self.store(json!({"server_url": url})).await;
    }

    /// Changes the stored tokens: these fields get these values. Under the extension's lock, as it writes itself.
    pub async fn change_tokens(&self, changes: Value) {
        let script = "
            navigator.locks.request('password-auth.session', async () => {
                const {auth_tokens} = await chrome.storage.local.get('auth_tokens');
                await chrome.storage.local.set({auth_tokens: {...auth_tokens, ...argument}});
            }).then(() => done());";
        self.run(script, changes).await;
    }

    /// From now on the access token is past its expiry, as far as the popup knows.
    pub async fn let_access_token_expire(&self) {
        self.change_tokens(json!({"access_token_expiry": 1})).await;
    }
}
