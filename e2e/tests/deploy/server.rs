//! The server, on free ports.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use password_auth_e2e::server_program;
use tempfile::TempDir;

pub(crate) struct Server {
    child: Child,
    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// Where its metrics are.
    pub(crate) metrics: String,
    _folder: TempDir,
}

impl Server {
    /// In production, with these flags too.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(server_program())
            .args(["serve", "--port", "0", "--metrics-addr", "127.0.0.1:0"])
            .args(flags)
            .current_dir(folder.path())
            .env_clear()
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server's program");
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut of = |text: &str| {
            let mut lines = log.by_ref().map_while(Result::ok);
            let line = lines
                .find(|line| line.contains(text))
                .expect("it is logged");
            let (_, rest) = line.split_once("address=").expect("an address");
            rest.split(' ').next().unwrap_or_default().to_owned()
        };
        let address = of("serving address=");
        let metrics = of("serving /metrics");
        // So that the log never blocks it.
        std::thread::spawn(move || log.for_each(drop));
        Self {
            child,
            address,
            metrics,
            _folder: folder,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
