//! The server, on free ports.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use password_auth_e2e::server_program;
use tempfile::TempDir;

pub(crate) struct Server {
    child: Child,
    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// Where its metrics are.
    pub(crate) metrics: String,
    folder: Option<TempDir>,
}

impl Server {
    /// In production, with these flags too.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(server_program());
        command
            .args(["serve", "--port", "0", "--metrics-addr", "127.0.0.1:0"])
            .args(flags)
            .current_dir(folder.path())
            .env_clear()
            .env("RUST_LOG", "info");
        let mut server = Self::spawn(&mut command);
        server.folder = Some(folder);
        server
    }

    /// By a command that serves, with metrics.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server's program");
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut seen = String::new();
        let mut of = |text: &str| {
            for line in log.by_ref().map_while(Result::ok) {
                seen += &line;
                // As text, or as JSON.
                let rest = line.split_once("address=");
                let rest = rest.or_else(|| line.split_once(r#""address":""#));
                if let Some((_, rest)) = rest.filter(|_| line.contains(text)) {
                    return rest.split([' ', '"']).next().unwrap_or_default().to_owned();
                }
                seen += "\n";
            }
            panic!("it does not log {text:?}, but:\n{seen}");
        };
        let address = of("serving");
        let metrics = of("serving /metrics");
        // So that the log never blocks it.
        std::thread::spawn(move || log.for_each(drop));
        Self {
            child,
            address,
            metrics,
            folder: None,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it answers `GET /ping`.
    pub(crate) fn answers(&self) -> bool {
        self.get("/ping").contains("pong")
    }

    /// The whole answer to a request, over a connection of its own.
    pub(crate) fn get(&self, path: &str) -> String {
        let (_, port) = self.address.rsplit_once(':').expect("a port");
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends it a signal that ends it; whether it ended with success.
    pub(crate) fn stop(&mut self, signal: &str) -> bool {
        let id = self.id().to_string();
        let told = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(told.expect("kill").success());
        self.child.wait().expect("it ends").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        drop(self.folder.take());
    }
}
