//! The real binary as a process of its own, on a free port.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::TestClient;

/// What tests that are not about hashing or limits start it with.
const FAST: [&str; 10] = [
    "--scrypt-log-n",
    "4",
    "--scrypt-p",
    "1",
    "--login-rate",
    "off",
    "--register-rate",
    "off",
    "--account-rate",
    "off",
];

pub struct ServerProcess {
    pub url: String,
    child: Child,
    log: JoinHandle<String>,
    logged: watch::Receiver<String>,
}

impl ServerProcess {
    /// A command that serves from `data_dir`, settings of this process's environment left out.
    pub fn command(data_dir: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_password-auth"));
        command
            .args(["serve", "--dev", "--port", "0", "--data-dir"])
            .arg(data_dir)
            .args(FAST)
            // A `.env` of the developer's is not the test's.
            .current_dir(data_dir)
            .env_clear()
            .env("RUST_LOG", "warn");
        command
    }

    /// Starts `command` and waits for the line with its address.
    pub async fn start(command: Command) -> Self {
        Self::try_start(command).await.expect("the server starts")
    }

    /// As [`start`](Self::start); `Err` with what it wrote if it ends before it serves.
    pub async fn try_start(mut command: Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary runs");
        let stdout = child.stdout.take().expect("piped");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (writer, logged) = watch::channel(String::new());
        let log = tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                writer.send_modify(|log| {
                    log.push_str(&line);
                    log.push('\n');
                });
            }
            writer.borrow().clone()
        });
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(url) = line.strip_prefix("password-auth listening on ") {
                let url = url.to_owned();
                return Ok(Self {
                    url,
                    child,
                    log,
                    logged,
                });
            }
        }
        Err(log.await.expect("the log was read"))
    }

    pub fn client(&self) -> TestClient {
        TestClient::new(&self.url)
    }

    /// Waits until it has logged that.
    pub async fn logs(&self, text: &str) {
        let mut logged = self.logged.clone();
        let found = logged.wait_for(|log| log.contains(text)).await;
        found.unwrap_or_else(|_| panic!("it ended and had not logged {text:?}"));
    }

    /// The first line of its log with that, once it is there.
    pub async fn logged_line(&self, text: &str) -> String {
        self.logs(text).await;
        let logged = self.logged.borrow();
        let line = logged.lines().find(|line| line.contains(text));
        line.expect("it was logged").to_owned()
    }

    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// `kill -9`, and what it had logged.
    pub async fn kill(mut self) -> String {
        self.child.kill().await.expect("killed");
        self.log.await.expect("the log was read")
    }

    /// `kill -9` unless it has ended; how it ended, and what it had logged.
    pub async fn kill_if_it_runs(mut self) -> (ExitStatus, String) {
        self.child.start_kill().ok();
        self.ended().await
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(self) -> ExitStatus {
        self.tell_to_stop().await;
        self.ended().await.0
    }

    /// SIGTERM; it goes on until it has finished what is under way.
    pub async fn tell_to_stop(&self) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.expect("kill runs").success());
    }

    /// How it ended, once it has, and what it had logged.
    pub async fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().await.expect("it ended");
        (status, self.log.await.expect("the log was read"))
    }
}
