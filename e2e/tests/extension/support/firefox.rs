//! A headless Firefox, driven by WebDriver BiDi over its own WebSocket: no other program is needed.

use std::path::Path;
use std::process::Stdio;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{in_time, setting};

/// The id that tests give to an extension, and the host of its pages.
pub const ID: &str = "password-auth@example.org";
const UUID: &str = "5f3c1a52-0000-4000-8000-000000000001";

pub struct Firefox {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    commands: u64,
    _process: Child,
    _profile: TempDir,
}

/// A tab.
pub struct Tab(String);

impl Firefox {
    /// With the extension in `folder`; `None` where there is no Firefox.
    pub async fn start(folder: &Path) -> Option<Self> {
        let binary = setting("FIREFOX", "/usr/bin/firefox-esr");
        if !Path::new(&binary).exists() {
            println!("skipped: no Firefox at {binary}");
            return None;
        }
        let profile = tempfile::tempdir().expect("a folder");
        let uuids = json!({ID: UUID}).to_string();
        let preferences = format!(
            "user_pref(\"extensions.webextensions.uuids\", {});\n\
             user_pref(\"extensions.originControls.grantByDefault\", true);\n\
             user_pref(\"datareporting.policy.dataSubmissionEnabled\", false);\n",
            json!(uuids)
        );
        std::fs::write(profile.path().join("user.js"), preferences).expect("written");
        let mut process = Command::new(&binary)
            .args(["--headless", "--no-remote", "--profile"])
            .arg(profile.path())
            .args(["--remote-debugging-port", "0"])
            .args(["--remote-allow-system-access", "about:blank"])
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Firefox starts");
        let mut lines = BufReader::new(process.stderr.take().expect("piped")).lines();
        let url = loop {
            let line = lines.next_line().await.expect("read");
            let line = line.expect("Firefox says where it listens");
            if let Some((_, url)) = line.split_once("WebDriver BiDi listening on ") {
                break url.trim().to_owned();
            }
        };
        // It keeps writing, and blocks if nobody reads.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (socket, _) = connect_async(format!("{url}/session"))
            .await
            .expect("connected");
        let mut firefox = Self {
            socket,
            commands: 0,
            _process: process,
            _profile: profile,
        };
        firefox
            .send("session.new", json!({"capabilities": {}}))
            .await;
        let data = json!({"type": "path", "path": folder});
        firefox
            .send("webExtension.install", json!({"extensionData": data}))
            .await;
        Some(firefox)
    }

    async fn send(&mut self, method: &str, params: Value) -> Value {
        self.commands += 1;
        let id = self.commands;
        let command = json!({"id": id, "method": method, "params": params});
        let text = Message::text(command.to_string());
        self.socket.send(text).await.expect("sent");
        let what = command.to_string();
        loop {
            let message = in_time(&what, self.socket.next()).await;
            let Message::Text(text) = message.expect("open").expect("a message") else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == id {
                assert_eq!(answer["type"], "success", "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// A page of the extension, in a tab of its own.
    pub async fn extension_page(&mut self, name: &str) -> Tab {
        self.open(&format!("moz-extension://{UUID}/{name}")).await
    }

    pub async fn open(&mut self, url: &str) -> Tab {
        let created = self
            .send("browsingContext.create", json!({"type": "tab"}))
            .await;
        let tab = Tab(created["context"].as_str().expect("an id").to_owned());
        self.go(&tab, url).await;
        tab
    }

    pub async fn go(&mut self, tab: &Tab, url: &str) {
        let params = json!({"context": tab.0, "url": url, "wait": "complete"});
        self.send("browsingContext.navigate", params).await;
    }

    /// The value of an expression in the page, a promise's once it is kept.
    pub async fn run(&mut self, tab: &Tab, expression: &str) -> Value {
        let expression = format!("(async () => JSON.stringify(await ({expression})) ?? 'null')()");
        let params =
            json!({"expression": expression, "target": {"context": tab.0}, "awaitPromise": true});
        let answer = self.send("script.evaluate", params).await;
        let text = answer["result"]["value"].as_str();
        let text = text.unwrap_or_else(|| panic!("{expression}: {answer}"));
        serde_json::from_str(text).expect("JSON")
    }

    /// Waits until `condition`, an expression that may await, is true in the page.
    pub async fn until(&mut self, tab: &Tab, condition: &str) {
        let look = format!(
            "(async () => {{ while (!({condition})) await new Promise(soon => setTimeout(soon, 20)); }})()"
        );
        self.run(tab, &look).await;
    }

    /// Types into the field of that id.
    pub async fn fill(&mut self, tab: &Tab, id: &str, text: &str) {
        let fill = format!("document.getElementById('{id}').value = {}", json!(text));
        self.run(tab, &fill).await;
    }

    pub async fn click(&mut self, tab: &Tab, id: &str) {
        self.run(tab, &format!("document.getElementById('{id}').click()"))
            .await;
    }

    /// Waits for that sentence in `#status`.
    pub async fn expect_status(&mut self, tab: &Tab, sentence: &str) {
        let said = format!(
            "document.getElementById('status').textContent === {}",
            json!(sentence)
        );
        self.until(tab, &said).await;
    }

    /// Ends it.
    pub async fn quit(mut self) {
        self.send("browser.close", json!({})).await;
    }
}
