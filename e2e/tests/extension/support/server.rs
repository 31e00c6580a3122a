//! The real server as a process, which can be stopped and started again on its port.

use std::process::Stdio;

use password_auth_e2e::server_program;
use password_auth_testing::free_port;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub struct Server {
    pub url: String,
    port: String,
    child: Option<Child>,
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Server {
    /// A fresh server on a free port. Hashes are cheap and nothing is throttled: the tests are not about
    /// that.
    pub async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    /// With these settings too.
    pub async fn start_with(settings: Vec<(&'static str, String)>) -> Self {
        let mut server = Self {
            url: String::new(),
            port: free_port().to_string(),
            child: None,
            folder: tempfile::tempdir().expect("a folder"),
            settings,
        };
        server.run().await;
        server
    }

    async fn run(&mut self) {
        let binary = server_program();
        let mut child = Command::new(&binary)
            .args(["serve", "--dev", "--port", &self.port])
            .args(["--scrypt-log-n", "4", "--scrypt-p", "1"])
            .args([
                "--login-rate",
                "off",
                "--register-rate",
                "off",
                "--account-rate",
                "off",
                "--data-dir",
            ])
            .arg(self.folder.path())
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.settings.iter().cloned())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{}: {error}; ./build.sh test builds it", binary.display())
            });
        let stdout = child.stdout.take().expect("piped");
        let line = BufReader::new(stdout)
            .lines()
            .next_line()
            .await
            .expect("read");
        let line = line.expect("the server starts");
        let url = line
            .strip_prefix("password-auth listening on ")
            .expect("its address");
        self.url = url.to_owned();
        self.child = Some(child);
    }

    /// Ends the process; the data stays.
    pub async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.expect("killed");
        }
    }

    /// Its address by the name to which passkeys are bound in development.
    pub fn localhost(&self) -> String {
        self.url.replace("127.0.0.1", "localhost")
    }

    /// Starts again, on the same port and data.
    pub async fn start_again(&mut self) {
        self.run().await;
    }

    /// What a command of the operator's prints: the last word.
    pub async fn operator(&self, arguments: &[&str]) -> String {
        let output = Command::new(server_program())
            .args(arguments)
            .env_clear()
            .env("DATA_DIR", self.folder.path())
            .output();
        let output = output.await.expect("the program runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        let last = printed.split_whitespace().last();
        last.unwrap_or_else(|| panic!("{output:?}")).to_owned()
    }

    /// The status of `POST path` with this body, from outside the browser.
    pub async fn post(&self, path: &str, body: Value) -> u16 {
        self.ask(path, body).await.status().as_u16()
    }

    /// The answer's body to `POST path` with this body, from outside the browser.
    pub async fn post_for_json(&self, path: &str, body: Value) -> Value {
        self.ask(path, body).await.json().await.expect("JSON")
    }

    /// The answer's body to `GET path` with this access token, from outside the browser.
    pub async fn get_for_json(&self, path: &str, access_token: &Value) -> Value {
        let request = reqwest::Client::new()
            .get(format!("{}{path}", self.url))
            .bearer_auth(access_token.as_str().expect("a token"));
        let answer = request.send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// The answer to a request with this access token, from outside the browser.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        access_token: &Value,
        body: Value,
    ) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let request = reqwest::Client::new()
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(access_token.as_str().expect("a token"))
            .json(&body);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn ask(&self, path: &str, body: Value) -> reqwest::Response {
        let request = reqwest::Client::new()
            .post(format!("{}{path}", self.url))
            .json(&body);
        request.send().await.expect("an answer")
    }
}
