//! A store, a server for it, and operator's commands on it.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use password_auth_store::Store;
use password_auth_store::postgres::{DatabaseUrl, PostgresStore};
use password_auth_store::sled::SledStore;
use password_auth_testing::Cluster;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::support::{Engine, ServerProcess};

/// What hashes fast, as the servers of the other tests do.
const FAST: [&str; 5] = ["--dev", "--scrypt-log-n", "4", "--scrypt-p", "1"];

pub struct Site {
    folder: TempDir,
    /// Of the database, if that is where they are.
    url: Option<String>,
}

impl Site {
    pub async fn new(engine: Engine) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            url: match engine {
                Engine::Sled => None,
                Engine::Postgres => Some(Cluster::shared().await.create_database().await),
            },
        }
    }

    /// Whether several servers may run on it.
    pub const fn is_shared(&self) -> bool {
        self.url.is_some()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The store itself, of which there is one at a time in a folder.
    pub async fn store(&self) -> Box<dyn Store> {
        match &self.url {
            None => Box::new(SledStore::open(self.folder()).expect("a store")),
            Some(url) => {
                let url: DatabaseUrl = url.parse().expect("a URL");
                Box::new(PostgresStore::connect(&url, false).await.expect("a store"))
            }
        }
    }

    pub async fn serve(&self) -> ServerProcess {
        self.serve_logging("warn").await
    }

    pub async fn serve_logging(&self, level: &str) -> ServerProcess {
        ServerProcess::start(self.server(level)).await
    }

    pub fn server(&self, level: &str) -> Command {
        let mut command = ServerProcess::command(self.folder());
        command.env("RUST_LOG", level);
        if let Some(url) = &self.url {
            command
                .env("DATABASE_URL", url)
                .env("JWT_SECRET", "a secret of more than thirty-two bytes");
        }
        command
    }

    /// The binary with these arguments, and where to find the users; of the key that nodes share it knows nothing.
    pub fn binary(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_password-auth"));
        command
            .args(arguments)
            .args(FAST)
            .arg("--data-dir")
            .arg(self.folder())
            .current_dir(self.folder())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// `user` with these arguments, and nothing on standard input.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.start(arguments)).await
    }

    /// As [`run`](Self::run), with a line on standard input.
    pub async fn run_with(&self, line: &str, arguments: &[&str]) -> Ran {
        let mut command = self.binary(&[&["user"], arguments].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        // It may have ended at once, for another reason.
        stdin.write_all(format!("{line}\n").as_bytes()).await.ok();
        drop(stdin);
        Ran::of(child).await
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.binary(&[&["user"], arguments].concat());
        command.spawn().expect("it runs")
    }

    /// Everything that is kept, as text.
    pub async fn everything(&self) -> String {
        let file = self.folder().join("everything");
        let arguments = ["backup", "--force", file.to_str().expect("text")];
        let ended = self.binary(&arguments).output().await.expect("it runs");
        assert!(ended.status.success(), "{ended:?}");
        fs::read_to_string(file).expect("a file")
    }
}

/// How a command ended, and what it said.
pub struct Ran(Output);

impl Ran {
    pub async fn of(child: Child) -> Self {
        Self(child.wait_with_output().await.expect("it ended"))
    }

    /// What it said to whoever reads it.
    #[track_caller]
    pub fn expect_success(&self) -> String {
        let Output { status, stderr, .. } = &self.0;
        assert!(status.success(), "{status}: {}", text(stderr));
        text(&self.0.stdout)
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        let said = self.expect_success();
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON: {said}"))
    }

    /// The sentence with which it was refused: on standard error, with exit code 1.
    #[track_caller]
    pub fn failure(&self) -> String {
        let said = text(&self.0.stderr);
        assert_eq!(self.0.status.code(), Some(1), "{said}");
        assert_eq!(text(&self.0.stdout), "");
        // It may have waited, and said so.
        let last = said.lines().last().unwrap_or_default();
        let sentence = last.strip_prefix("password-auth: ");
        sentence.unwrap_or_else(|| panic!("{said}")).to_owned()
    }

    /// What it says to somebody who called it wrongly.
    #[track_caller]
    pub fn usage_error(&self) -> String {
        let said = text(&self.0.stderr);
        assert_eq!(self.0.status.code(), Some(2), "{said}");
        said
    }

    pub fn succeeded(&self) -> bool {
        self.0.status.success()
    }

    /// All that it wrote.
    pub fn everything(&self) -> String {
        text(&self.0.stdout) + &text(&self.0.stderr)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}
