//! A page in a tab: clicks, types, runs scripts, and waits for what the page comes to.

use serde_json::{Value, json};
use thirtyfour::error::{WebDriverErrorInner, WebDriverResult};
use thirtyfour::{By, WebDriver, WebElement, WindowHandle};
use tokio::time::Instant;

use super::browser::TIMEOUT;

/// Whether a page knows who is signed in, and shows it.
pub(super) const REVEALED: &str = "document.querySelector('#main:not([data-unknown])')";

/// A script that calls `done` when the page satisfies `condition`, a JavaScript expression.
pub(super) fn when(condition: &str) -> String {
    format!(
        "const look = () => {{ if ({condition}) {{ observer.disconnect(); done(true); }} }};
         const observer = new MutationObserver(look);
         observer.observe(document, {{attributes: true, childList: true, characterData: true, subtree: true}});
         look();"
    )
}

pub struct Page {
    driver: WebDriver,
    tab: WindowHandle,
}

impl Page {
    pub const fn new(driver: WebDriver, tab: WindowHandle) -> Self {
        Self { driver, tab }
    }

    /// Tabs share one driver: each action goes to its own tab first.
    pub async fn focus(&self) {
        self.driver
            .switch_to_window(self.tab.clone())
            .await
            .expect("the tab is open");
    }

    pub async fn go(&self, url: &str) {
        self.focus().await;
        self.driver.goto(url).await.expect("loaded");
    }

    pub async fn reload(&self) {
        self.focus().await;
        self.driver.refresh().await.expect("loaded");
    }

    pub async fn close(self) {
        self.focus().await;
        self.driver.close_window().await.expect("closed");
    }

    /// The element of a CSS selector, as soon as there is one.
    pub async fn find(&self, selector: &str) -> WebElement {
        self.find_when(selector, "!== null").await
    }

    /// The element of a CSS selector, as soon as it is shown: nobody can click or type before.
    pub async fn find_shown(&self, selector: &str) -> WebElement {
        self.find_when(selector, "?.checkVisibility()").await
    }

    async fn find_when(&self, selector: &str, ready: &str) -> WebElement {
        let condition = format!("document.querySelector({}) {ready}", json!(selector));
        self.until(&condition).await;
        let found = self.driver.find(By::Css(selector)).await;
        found.expect("the element")
    }

    /// Clicks the element of a CSS selector, as soon as it is shown.
    pub async fn click_on(&self, selector: &str) {
        let element = self.find_shown(selector).await;
        element.click().await.expect("clicked");
    }

    /// Clicks the button of that label, as soon as there is one.
    pub async fn press(&self, label: &str) {
        let there = format!(
            "[...document.querySelectorAll('button')].some(one => one.textContent === {} && one.checkVisibility())",
            json!(label)
        );
        self.until(&there).await;
        let button = By::XPath(format!("//button[text()={}]", json!(label)));
        let found = self.driver.find(button).await.expect("the button");
        found.click().await.expect("clicked");
    }

    /// Runs `script`, which calls `done(result)`, in the page.
    pub async fn run(&self, script: &str, argument: Value) -> Value {
        let result = self.try_to_run(script, argument).await;
        result.expect("the script runs")
    }

    async fn try_to_run(&self, script: &str, argument: Value) -> WebDriverResult<Value> {
        self.focus().await;
        let script = format!("const [argument, done] = arguments; {script}");
        let result = self.driver.execute_async(script, vec![argument]).await?;
        Ok(result.json().clone())
    }

    /// Waits until the page satisfies `condition`, a JavaScript expression. The page may be left for another one
    /// meanwhile, as after the click that sends a form.
    pub async fn until(&self, condition: &str) {
        let script = when(condition);
        let since = Instant::now();
        while let Err(error) = self.try_to_run(&script, Value::Null).await {
            // chromedriver says so at once when the document goes in which it waited.
            let went = matches!(*error, WebDriverErrorInner::ScriptTimeout(_));
            let in_time = since.elapsed() < TIMEOUT;
            assert!(went && in_time, "{condition}: {error:?}");
        }
    }

    /// Waits until it is known who is signed in. Nothing is shown before, and then something may be where it was not.
    pub async fn until_revealed(&self) {
        self.until(REVEALED).await;
    }

    /// Runs `script` in the tab before any script of a page that is loaded from now on.
    pub async fn run_first(&self, script: &str) {
        self.focus().await;
        let cdp = self.driver.cdp();
        let added = cdp.send_raw(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({"source": script}),
        );
        added.await.expect("added");
    }
}
