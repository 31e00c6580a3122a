//! A headless Chromium with unpacked extensions, driven over its DevTools protocol.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Outcome;
use crate::machine::folder;

/// The browser's program, set by `build.sh`.
const PROGRAM: &str = "CHROMIUM";

/// No command takes that long, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser; ended, and its profile removed, when dropped.
pub(crate) struct Browser {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    commands: u64,
    _profile: TempDir,
}

impl Browser {
    /// The browser's program, if there is one.
    pub(crate) fn program() -> Option<PathBuf> {
        let named = std::env::var_os(PROGRAM).map(PathBuf::from);
        named
            .or_else(|| Some(PathBuf::from("/usr/bin/chromium")))
            .filter(|program| program.is_file())
    }

    /// With these unpacked extensions.
    pub(crate) async fn start(program: &Path, extensions: &[&Path]) -> Outcome<Self> {
        let profile = folder()?;
        let folders: Vec<_> = extensions
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        let mut child = Command::new(program)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--load-extension={}", folders.join(",")))
            .args([
                "--headless=new",
                "--remote-debugging-port=0",
                "--no-sandbox",
            ])
            .args(["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args(["--disable-sync", "--disable-quic", "about:blank"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = child.stderr.take().ok_or("no standard error")?;
        let mut lines = BufReader::new(said).lines();
        let mut listens = lines.by_ref().map_while(Result::ok);
        let address = listens
            .find_map(|line| Some(line.strip_prefix("DevTools listening on ")?.to_owned()))
            .ok_or("the browser ended before it listened")?;
        // So that what it says never blocks it.
        std::thread::spawn(move || lines.for_each(drop));
        let (socket, _) = connect_async(address).await?;
        Ok(Self {
            child,
            socket,
            commands: 0,
            _profile: profile,
        })
    }

    /// Opens `url` in a tab of its own, with `script` run before the page's own, and closes it. Returns what `result`,
    /// an expression, comes to.
    pub(crate) async fn visit(&mut self, url: &str, script: &str, result: &str) -> Outcome<Value> {
        let blank = json!({"url": "about:blank"});
        let tab = self.ask(None, "Target.createTarget", blank).await?["targetId"].take();
        let attach = json!({"targetId": tab, "flatten": true});
        let attached = self.ask(None, "Target.attachToTarget", attach).await?;
        let session = attached["sessionId"].as_str();
        self.ask(session, "Page.enable", json!({})).await?;
        let first = json!({"source": script});
        let added = "Page.addScriptToEvaluateOnNewDocument";
        self.ask(session, added, first).await?;
        let navigated = self
            .ask(session, "Page.navigate", json!({"url": url}))
            .await?;
        if let Some(error) = navigated["errorText"].as_str() {
            return Err(format!("{url}: {error}").into());
        }
        let expression = json!({"expression": result, "awaitPromise": true, "returnByValue": true});
        let mut evaluated = self.ask(session, "Runtime.evaluate", expression).await?;
        let value = evaluated["result"]["value"].take();
        if value.is_null() {
            return Err(format!("{url}: {evaluated}").into());
        }
        let close = json!({"targetId": tab});
        self.ask(None, "Target.closeTarget", close).await?;
        Ok(value)
    }

    /// Stops the extensions' background workers, as the browser does when they are idle.
    pub(crate) async fn stop_workers(&mut self) -> Outcome<()> {
        let targets = self.ask(None, "Target.getTargets", json!({})).await?;
        for target in targets["targetInfos"].as_array().into_iter().flatten() {
            if target["type"] == "service_worker" {
                let close = json!({"targetId": target["targetId"]});
                self.ask(None, "Target.closeTarget", close).await?;
            }
        }
        Ok(())
    }

    async fn ask(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Outcome<Value> {
        self.commands += 1;
        let id = self.commands;
        let mut command = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(command.to_string())).await?;
        let answered = async {
            while let Some(message) = self.socket.next().await {
                let Message::Text(text) = message? else {
                    continue;
                };
                let mut answer: Value = serde_json::from_str(&text)?;
                if answer["id"] != id {
                    continue;
                }
                if !answer["error"].is_null() {
                    return Err(format!("{method}: {}", answer["error"]).into());
                }
                return Outcome::Ok(answer["result"].take());
            }
            Err("the browser ended".into())
        };
        tokio::time::timeout(PATIENCE, answered)
            .await
            .map_err(|_| format!("{method} got no answer"))?
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An unpacked extension's id: the first 32 hexadecimal digits of the SHA-256 of its folder, with 0 to f written as a to p.
pub(crate) fn extension_id(folder: &Path) -> String {
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    digest[..16]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b'a' + digit))
        .collect()
}
