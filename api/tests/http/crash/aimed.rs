//! Kills at places that a timer does not hit reliably: strace kills at a system call, and the sweeper gets something to
//! do.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{Clock, MAX_SESSIONS, Session, SystemClock, User, Username};
use password_auth_store::sled::SledStore;
use password_auth_store::{Lifecycle as _, NewSession, SessionStore as _, UserStore as _};
use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio::task::JoinSet;

use super::{Run, SIGKILL};
use crate::support::ServerProcess;
use crate::support::strace::traced;

/// A kill comes at one of so many syncs of a load.
const SYNCS: usize = 60;

/// What a start does with files, and how often about.
const CALLS: [(&str, usize); 8] = [
    ("mkdir", 3),
    ("flock", 2),
    ("pwrite64", 4),
    ("write", 5),
    ("fsync", 5),
    ("fdatasync", 1),
    ("rename", 2),
    ("unlink", 2),
];

/// Sessions for the sweeper to remove, and within how many microseconds it is killed.
const EXPIRED: usize = 600;
const SWEEP_MICROS: usize = 8_000;

/// Whose sessions they are, and a number: one person has room for no more than [`MAX_SESSIONS`].
const SWEPT: &str = "Swept";

const MONTHS: Duration = Duration::from_secs(100 * 86_400);

impl Run {
    /// The pages of a flush have gone to the kernel, and the sync that acknowledges them has not begun.
    pub(super) async fn kill_before_a_sync(&mut self, checked: ServerProcess) {
        assert!(checked.terminate().await.success());
        // A start has one of its own, on another thread; strace counts by thread.
        let when = 2 + self.random.below(SYNCS);
        let server = self.start_killed_at("fdatasync", when).await;
        let server = server.expect("it serves before its first load");
        self.meet(&server);
        self.actors = self.load().join_all().await;
        let (status, log) = server.kill_if_it_runs().await;
        assert_eq!((status.signal(), &*log), (Some(SIGKILL), ""));
        self.kills.between_a_write_and_its_sync += 1;
    }

    pub(super) async fn kill_while_starting_at_a_call(&mut self) {
        let (call, often) = CALLS[self.random.below(CALLS.len())];
        let when = 1 + self.random.below(often);
        match self.start_killed_at(call, when).await {
            Ok(server) => {
                assert_eq!(server.kill().await, "", "the server complained");
                self.kills.too_late += 1;
            }
            Err(log) => {
                assert_eq!(log, "", "the server complained");
                self.kills.while_starting_at_a_call += 1;
            }
        }
    }

    pub(super) async fn kill_while_sweeping(&mut self, checked: ServerProcess) {
        assert!(checked.terminate().await.success());
        add_expired_sessions(self.folder.path()).await;
        let mut command = ServerProcess::command(self.folder.path());
        command.env("RUST_LOG", "warn,password_auth_core::sweeper=debug");
        let server = ServerProcess::start(command).await;
        // It sweeps from its start on, and says when it is done; no event tells how far it is.
        let micros = u64::try_from(self.random.below(SWEEP_MICROS)).expect("fits");
        tokio::time::sleep(Duration::from_micros(micros)).await;
        let log = server.kill().await;
        if log.contains("swept what had expired") {
            self.kills.too_late += 1;
        } else {
            assert_eq!(log, "", "the server complained");
            self.kills.while_sweeping += 1;
        }
    }

    /// The server, killed when a thread begins this call for the `when`th time; what it wrote, if that was
    /// before it served.
    async fn start_killed_at(&self, call: &str, when: usize) -> Result<ServerProcess, String> {
        let nothing = NamedTempFile::new().expect("a file");
        let (trace, kill) = (
            format!("trace={call}"),
            format!("inject={call}:signal=KILL:when={when}"),
        );
        // Without `--seccomp-bpf`, under which strace 6.1 sends no signal.
        let options = ["-e", &trace, "-e", &kill];
        let mut command: Command = traced(self.folder.path(), nothing.path(), &options).await;
        command.args(["--access-token-expire-minutes", "1440"]);
        ServerProcess::try_start(command).await
    }
}

/// Adds sessions to a stopped server's folder that expired long ago.
async fn add_expired_sessions(folder: &Path) {
    let store = Arc::new(SledStore::open(folder).expect("a store"));
    let then = SystemClock.now().minus(MONTHS);
    let mut adding = JoinSet::new();
    for number in 0..EXPIRED / MAX_SESSIONS {
        let name = Username::parse(&format!("{SWEPT} {number}")).expect("a name");
        let hash = serde_json::from_value("no password".into()).expect("a text");
        let user = User::new(name, hash, then);
        // The user is there from the first time on.
        store.create_user(user.clone()).await.expect("it answers");
        let user = store.user_by_name(&user.username_key).await;
        let user = user.expect("it answers").expect("there");
        for _ in 0..MAX_SESSIONS {
            let session = Session::new(user.id, String::new(), then, then);
            let store = Arc::clone(&store);
            adding.spawn(async move { store.create_session(session, 0).await });
        }
    }
    for added in adding.join_all().await {
        assert_eq!(added.expect("it answers"), NewSession::Added);
    }
    store.close().await;
}
