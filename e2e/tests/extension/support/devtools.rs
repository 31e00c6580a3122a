//! The real action popup, which WebDriver does not see: a few commands of the DevTools protocol.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::browser::popup_url;
use super::page::{REVEALED, when};
use super::{Browser, in_time};

/// A connection to the browser's DevTools.
pub struct DevTools {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: String,
    commands: u64,
}

impl DevTools {
    pub async fn connect(browser: &Browser) -> Self {
        let (socket, _) = connect_async(browser.devtools_url())
            .await
            .expect("connected");
        let mut devtools = Self {
            socket,
            session: String::new(),
            commands: 0,
        };
        devtools
            .send("Target.setDiscoverTargets", json!({"discover": true}))
            .await;
        devtools
    }

    /// Everything that runs: pages, workers, popups.
    pub async fn targets(&mut self) -> Vec<Value> {
        let targets = self.send("Target.getTargets", json!({})).await;
        targets["targetInfos"].as_array().expect("targets").clone()
    }

    /// Closes a target. It may be gone already.
    pub async fn close_target(&mut self, id: &Value) {
        self.request("Target.closeTarget", json!({"targetId": id}))
            .await;
    }

    async fn send(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.request(method, parameters).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn request(&mut self, method: &str, parameters: Value) -> Value {
        self.commands += 1;
        let id = self.commands;
        let mut command = json!({"id": id, "method": method, "params": parameters});
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        let text = Message::text(command.to_string());
        self.socket.send(text).await.expect("sent");
        in_time(&command.to_string(), self.answer(id)).await
    }

    /// `null` when what was asked is gone, as a popup that a click closes.
    async fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.socket.next().await.expect("open").expect("a message");
            let Message::Text(text) = message else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == id {
                return answer;
            }
            let has_gone = answer["method"] == "Target.detachedFromTarget"
                && answer["params"]["sessionId"] == *self.session;
            if has_gone {
                return Value::Null;
            }
        }
    }
}

/// The popup that hangs below the toolbar's button.
pub struct ActionPopup {
    devtools: DevTools,
    target: String,
}

impl ActionPopup {
    /// Opens it, as a click on the button does. Some page of the extension must be open in `browser`.
    pub async fn open(browser: &Browser) -> Self {
        let mut popup = Self {
            devtools: DevTools::connect(browser).await,
            target: String::new(),
        };
        let before = popup.popup_targets().await;
        let opened = browser
            .driver
            .execute_async(
                "const done = arguments[0]; chrome.action.openPopup().then(() => done('opened'), e => done(String(e)))",
                vec![],
            )
            .await;
        assert_eq!(opened.expect("the script runs").json(), "opened");
        popup.target = in_time("the popup", popup.target_that_is_not_in(&before)).await;
        let attach = json!({"targetId": popup.target, "flatten": true});
        let attached = popup.send("Target.attachToTarget", attach).await;
        popup.devtools.session = attached["sessionId"]
            .as_str()
            .expect("a session")
            .to_owned();
        popup.until(REVEALED).await;
        popup
    }

    async fn target_that_is_not_in(&mut self, before: &[String]) -> String {
        loop {
            let targets = self.popup_targets().await;
            if let Some(new) = targets.into_iter().find(|target| !before.contains(target)) {
                return new;
            }
        }
    }

    async fn popup_targets(&mut self) -> Vec<String> {
        let targets = self.devtools.targets().await;
        targets
            .iter()
            .filter(|target| target["url"] == popup_url())
            .map(|target| target["targetId"].as_str().expect("an id").to_owned())
            .collect()
    }

    async fn send(&mut self, method: &str, parameters: Value) -> Value {
        self.devtools.send(method, parameters).await
    }

    /// The value of an expression in the popup, a promise's once it is kept.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true});
        let result = self.send("Runtime.evaluate", parameters).await;
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].clone()
    }

    /// Types as a user does into the field of that id.
    pub async fn fill(&mut self, id: &str, text: &str) {
        self.evaluate(&format!("document.getElementById('{id}').focus()"))
            .await;
        self.send("Input.insertText", json!({"text": text})).await;
    }

    pub async fn click(&mut self, id: &str) {
        self.evaluate(&format!("document.getElementById('{id}').click()"))
            .await;
    }

    /// Waits for that sentence in `#status`.
    pub async fn expect_status(&mut self, sentence: &str) {
        let said = self
            .evaluate(&format!(
                "new Promise(done => {{
                    const status = document.getElementById('status');
                    const look = () => status.textContent === {0} && done(status.textContent);
                    new MutationObserver(look).observe(status, {{childList: true, characterData: true, subtree: true}});
                    setTimeout(() => done(status.textContent), 30000);
                    look();
                }})",
                json!(sentence)
            ))
            .await;
        assert_eq!(said, sentence);
    }

    /// Waits until the popup shows the element of that id.
    pub async fn until_shown(&mut self, id: &str) {
        self.until(&format!(
            "document.getElementById('{id}').checkVisibility()"
        ))
        .await;
    }

    /// Waits until the popup satisfies `condition`, a JavaScript expression.
    async fn until(&mut self, condition: &str) {
        let kept = format!("new Promise(done => {{ {} }})", when(condition));
        self.evaluate(&kept).await;
    }

    /// Waits until it is closed, and a tab with its page is open beside the first one.
    pub async fn until_a_tab_took_over(mut self) {
        let target = self.target.clone();
        self.devtools.session.clear();
        let took_over = async {
            loop {
                let now = self.popup_targets().await;
                if !now.contains(&target) && now.len() > 1 {
                    return;
                }
            }
        };
        in_time("a tab that took over", took_over).await;
    }

    /// Closes it, as a click beside it does: whatever it was doing ends there.
    pub async fn close(mut self) {
        let target = self.target.clone();
        self.devtools.session.clear();
        self.send("Target.closeTarget", json!({"targetId": target}))
            .await;
        let gone = async { while self.popup_targets().await.contains(&target) {} };
        in_time("the end of the popup", gone).await;
    }
}
