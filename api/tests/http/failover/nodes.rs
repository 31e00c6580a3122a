//! Nodes: servers on one database, each a process with a port of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use password_auth_wire::ErrorCode;
use tempfile::TempDir;

use crate::actor::Server;
use crate::support::ServerProcess;

/// Nodes share it.
const SECRET: &str = "every node has the same secret, and this is it";

/// How soon a node serves again once its database does: seconds.
const BACK_WITHIN: Duration = Duration::from_secs(10);

pub struct Node {
    pub server: Server,
    process: ServerProcess,
    _folder: TempDir,
}

impl Node {
    pub async fn start(database_url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = ServerProcess::command(folder.path());
        command
            // However slow the machine: the last look uses tokens of the first round.
            .args(["--access-token-expire-minutes", "1440"])
            .env("DATABASE_URL", database_url)
            .env("JWT_SECRET", SECRET);
        let process = ServerProcess::start(command).await;
        Self {
            server: Server::new(process.client().with_many_addresses()),
            process,
            _folder: folder,
        }
    }

    /// `kill -9`.
    pub async fn kill(self) {
        self.server.doom();
        check_log(&self.process.kill().await);
    }

    /// SIGTERM.
    pub async fn stop(self) {
        self.server.doom();
        self.process.tell_to_stop().await;
        let (status, log) = self.process.ended().await;
        assert!(status.success(), "{status}: {log}");
        check_log(&log);
    }

    /// Waits until it acknowledges a write; until then it answers 503, and nothing else. It has little time.
    pub async fn until_it_serves(&self) -> Duration {
        static NAMES: AtomicUsize = AtomicUsize::new(0);
        let begun = Instant::now();
        let serving = async {
            loop {
                // A registration that was not acknowledged may have happened: another name each time.
                let number = NAMES.fetch_add(1, Ordering::Relaxed);
                let reply = self
                    .server
                    .client
                    .register(&format!("Probe {number}"))
                    .await;
                if reply.status == 200 {
                    return;
                }
                reply.expect_failure(503, ErrorCode::ServiceUnavailable);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(BACK_WITHIN, serving).await;
        assert!(in_time.is_ok(), "not back within {BACK_WITHIN:?}");
        begun.elapsed()
    }
}

fn check_log(log: &str) {
    assert!(!log.contains("panicked"), "{log}");
}
