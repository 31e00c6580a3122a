//! The web page of a test: the server's page at `/`, in a tab.

use std::ops::Deref;

use serde_json::{Value, json};

use super::{Browser, PASSWORD, Popup, Server};

/// It has the popup's elements, and a dialog around the form.
pub struct WebPage(Popup);

impl Deref for WebPage {
    type Target = Popup;

    fn deref(&self) -> &Popup {
        &self.0
    }
}

impl WebPage {
    /// In a new tab, with a list of what its policy has refused.
    pub async fn open(browser: &Browser, server: &Server) -> Self {
        Self::open_at(browser, &server.url).await
    }

    /// At this address of the server.
    pub async fn open_at(browser: &Browser, address: &str) -> Self {
        let page = browser.new_page().await;
        page.run_first(
            "window.refused = [];
             addEventListener('securitypolicyviolation', event => refused.push(event.violatedDirective + ' ' + event.blockedURI));",
        )
        .await;
        page.go(address).await;
        let page = Popup::new(page);
        page.until_revealed().await;
        Self(page)
    }

    /// Registers and signs in a new user, by the dialog.
    pub async fn join(&self, name: &str) {
        self.click("openDialog").await;
        self.register(name, PASSWORD).await;
        self.expect_success("Registration successful.").await;
        self.log_in(name, PASSWORD).await;
        self.expect_success("Authentication successful.").await;
    }

    /// The pair of tokens, from the page's database.
    pub async fn tokens(&self) -> Value {
        self.run(
            &in_database("readonly", "store.get('auth_tokens')"),
            Value::Null,
        )
        .await
    }

    /// From now on the stored pair has these fields.
    pub async fn change(&self, changes: Value) {
        let mut tokens = self.tokens().await;
        for (field, value) in changes.as_object().expect("an object") {
            tokens[field] = value.clone();
        }
        let write = in_database("readwrite", "store.put(argument, 'auth_tokens')");
        self.run(&write, tokens).await;
    }

    /// What the page's policy has refused so far.
    pub async fn expect_no_violation(&self) {
        assert_eq!(
            self.run("done(window.refused)", Value::Null).await,
            json!([])
        );
    }
}

fn in_database(mode: &str, request: &str) -> String {
    format!(
        "const opening = indexedDB.open('password-auth', 1);
         opening.onsuccess = () => {{
             const store = opening.result.transaction('secrets', '{mode}').objectStore('secrets');
             const asked = {request};
             asked.onsuccess = () => {{ opening.result.close(); done(asked.result ?? null); }};
         }};"
    )
}
