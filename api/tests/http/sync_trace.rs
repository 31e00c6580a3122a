//! An acknowledged write has been synced. No kill of a process shows a missing sync, since the kernel keeps
//! what it took; so the system calls of the real binary are watched.

use std::path::Path;

use password_auth_wire::ErrorCode;
use serde_json::json;
use tokio::process::Command;

use crate::support::ServerProcess;
use crate::support::strace::{self, Exchange, Trace};

/// sled's data file.
const DATA: &str = "sled/db";

/// What reads requests, writes answers and files, and syncs.
const CALLS: &str = "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,\
                     pwrite64,pwritev,pwritev2,fsync,fdatasync,sync_file_range";

#[tokio::test]
async fn every_acknowledged_write_is_synced_before_its_answer_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = tempfile::NamedTempFile::new().expect("a file");
    let server = ServerProcess::start(traced(folder.path(), trace.path()).await).await;
    let client = server.client();
    let alice = client.sign_up("Alice").await;
    let token = alice.refresh_token.expose();
    let rotated = client.refresh(token).await.tokens();
    let replayed = client.refresh(token).await.tokens();
    assert_eq!(rotated.refresh_token, replayed.refresh_token);
    client.protected(&replayed).await.expect_ok();
    client.register("Bob").await.expect_ok();
    client.protected(&replayed).await.expect_ok();
    let again = client.register("Alice").await;
    again.expect_failure(400, ErrorCode::UserExists);
    let sign_out = json!({"refresh_token": token});
    client.post("/logout", &sign_out).await.expect_ok();
    client.post("/logout", &sign_out).await.expect_ok();
    let id = server.id();
    server.tell_to_stop().await;
    let (status, log) = server.ended().await;
    assert!(status.success() && log.is_empty(), "{status}: {log}");

    let trace = Trace::parse(&strace::whole(trace.path(), id).await);
    let written = &[Sync::AfterWrite][..];
    let waited = &[Sync::AfterWrite, Sync::Alone];
    let not_waited = &[Sync::None];
    let expected = [
        ("POST /register", 200, written),
        ("POST /authenticate", 200, written),
        ("POST /refresh", 200, written),
        // The replay changes nothing, and depends on the rotation.
        ("POST /refresh", 200, waited),
        // The confirmation reaches the disk when it likes, with Bob's registration at the latest.
        (
            "GET /protected",
            200,
            &[Sync::None, Sync::Alone, Sync::AfterWrite],
        ),
        ("POST /register", 200, written),
        // A request that waits for no sync: this is how a missing one would look.
        ("GET /protected", 200, not_waited),
        // That a name is taken depends on a registration, which may have come just before.
        ("POST /register", 400, waited),
        ("POST /logout", 200, written),
        ("POST /logout", 200, waited),
    ];
    let exchanges = trace.exchanges();
    assert_eq!(exchanges.len(), expected.len(), "{exchanges:?}");
    for (exchange, (request, status, syncs)) in exchanges.iter().zip(expected) {
        assert_eq!((&*exchange.request, exchange.status), (request, status));
        let sync = Sync::of(&trace, exchange);
        assert!(
            syncs.contains(&sync),
            "{request}, {status}: {sync:?}, expected {syncs:?}"
        );
    }
}

#[tokio::test]
async fn a_first_start_syncs_what_it_made_before_it_says_that_it_serves() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = tempfile::NamedTempFile::new().expect("a file");
    let server = ServerProcess::start(traced(folder.path(), trace.path()).await).await;
    let id = server.id();
    server.kill().await;
    let trace = Trace::parse(&strace::whole(trace.path(), id).await);
    let says_so = trace
        .calls
        .iter()
        .find(|call| call.name == "write" && call.says("password-auth listening on "))
        .expect("its line");
    let name = folder.path().file_name().expect("a name").to_string_lossy();
    for made in ["keys.json.new", &*name, "sled", DATA, "sled/conf"] {
        let synced = trace
            .calls
            .iter()
            .any(|call| call.is_sync_of(made) && call.ended < says_so.begun);
        assert!(synced, "{made} was not synced");
    }
}

#[test]
fn a_missing_late_failed_or_wrong_sync_is_seen() {
    let cases = [
        ("10 fdatasync(9</d/sled/db>) = 0", Sync::AfterWrite),
        (
            "10 fdatasync(9</d/sled/db> <unfinished ...>\n\
             12 write(4<anon_inode:[eventfd]>, \"\\1\", 8) = 8\n\
             10 <... fdatasync resumed>)       = 0",
            Sync::AfterWrite,
        ),
        ("", Sync::None),
        (
            "10 sync_file_range(8</d/sled/db>, 1, 2, SYNC_FILE_RANGE_WRITE) = 0",
            Sync::None,
        ),
        (
            "10 fdatasync(9</d/sled/db>) = -1 EIO (Input/output error)",
            Sync::None,
        ),
        ("10 fdatasync(9</d/sled/conf>) = 0", Sync::None),
        ("10 fdatasync(9</d/sled/db> <unfinished ...>", Sync::None),
    ];
    for (sync, expected) in cases {
        assert_eq!(Sync::in_fixture("", sync), expected, "{sync}");
    }
    let before_the_write = "10 fdatasync(9</d/sled/db>) = 0\n";
    assert_eq!(Sync::in_fixture(before_the_write, ""), Sync::Alone);
}

/// What an exchange waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    /// Something was written, then synced.
    AfterWrite,
    /// A sync, and no write before it.
    Alone,
    None,
}

impl Sync {
    fn of(trace: &Trace, exchange: &Exchange) -> Self {
        if trace.write_and_sync_before_answer(exchange, DATA) {
            Self::AfterWrite
        } else if trace.sync_before_answer(exchange, DATA).is_some() {
            Self::Alone
        } else {
            Self::None
        }
    }

    /// A trace of one registration, with these lines before the write of its data and after it. The last
    /// line ends a sync that was unfinished, too late.
    fn in_fixture(before: &str, after: &str) -> Self {
        let text = format!(
            "11 recvfrom(13<TCP:[127.0.0.1:1->127.0.0.1:2]>, \"POST /register HTTP/1.1\\r\\nHo\"..., 8192, 0, NULL, NULL) = 187\n\
             12 --- SIGCHLD {{si_signo=SIGCHLD}} ---\n\
             {before}\
             10 pwrite64(8</d/sled/db>, \"a = b\", 24, 561) = 24\n\
             {after}\n\
             11 sendto(14<TCP:[127.0.0.1:1->127.0.0.1:3]>, \"HTTP/1.1 401 \"..., 449, MSG_NOSIGNAL, NULL, 0) = 449\n\
             11 sendto(13<TCP:[127.0.0.1:1->127.0.0.1:2]>, \"HTTP/1.1 200 OK\\r\\n\"..., 449, MSG_NOSIGNAL, NULL, 0) = 449\n\
             10 <... fdatasync resumed>) = 0\n\
             11 +++ exited with 0 +++\n"
        );
        let trace = Trace::parse(&text);
        let [exchange] = &trace.exchanges()[..] else {
            panic!("one exchange");
        };
        assert_eq!(
            (&*exchange.request, exchange.status),
            ("POST /register", 200)
        );
        Self::of(&trace, exchange)
    }
}

async fn traced(folder: &Path, trace: &Path) -> Command {
    strace::traced(folder, trace, &["-yy", "-s", "64", "-e", CALLS]).await
}
