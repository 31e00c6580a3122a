//! A disk that is full: clients are told, the server ends with one sentence, and nothing acknowledged is lost.
//!
//! A small file system of its own, in a namespace of its own; where a machine allows none, a limit on the size
//! of files stands in for it, and the test says so.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::support::{PASSWORD, Reply, ServerProcess};

/// Everybody registers one person after the other.
const CLIENTS: usize = 16;

/// Mounts `$2`, runs the rest, and copies what it left to `$3` before the file system goes with its namespace.
const ON_A_SMALL_DISK: &str = r#"
    mount -t tmpfs -o "size=$1" small "$2" || exit 99
    folder=$2 copy=$3
    shift 3
    "$@" &
    trap "kill -TERM $!" TERM
    wait $!
    code=$?
    while kill -0 $! 2>/dev/null; do wait $!; code=$?; done
    cp -a "$folder/." "$copy"
    exit "$code"
"#;

/// As that, without a disk: no file gets larger than so many KiB.
const WITH_SMALL_FILES: &str = r#"
    trap "" XFSZ
    ulimit -S -f $(($1 / 512)) || exit 99
    folder=$2 copy=$3
    shift 3
    "$@" &
    trap "kill -TERM $!" TERM
    wait $!
    code=$?
    while kill -0 $! 2>/dev/null; do wait $!; code=$?; done
    ulimit -f unlimited 2>/dev/null
    mkdir -p "$copy"
    cp -a "$folder/." "$copy"
    exit "$code"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_gets_full_ends_the_server_with_a_sentence_and_loses_nothing() {
    let disk = SmallDisk::new(3 << 20).await;
    let server = ServerProcess::start(disk.command()).await;
    let mut registering = JoinSet::new();
    for number in 0..CLIENTS {
        let client = server.client();
        registering.spawn(async move {
            let (mut registered, mut told) = (Vec::new(), 0);
            for next in 0.. {
                let name = format!("Person {number}-{next}");
                let request = client.request(Method::POST, "/register");
                let body = json!({"username": name, "password": PASSWORD});
                // Once it has ended there is no answer.
                let Ok(response) = request.json(&body).send().await else {
                    break;
                };
                let reply = Reply::read(response).await.expect("a whole answer");
                if reply.status == 200 {
                    registered.push(name);
                } else {
                    reply.expect_failure(503, ErrorCode::ServiceUnavailable);
                    assert_ne!(reply.header("retry-after"), "");
                    told += 1;
                }
            }
            (registered, told)
        });
    }
    let (status, log) = server.ended().await;
    let (registered, told): (Vec<_>, Vec<usize>) = registering.join_all().await.into_iter().unzip();
    assert_eq!(status.code(), Some(1), "{log}");
    let sentence = log.lines().last().unwrap_or_default();
    assert!(
        sentence.starts_with("password-auth: the store cannot write any more (is the disk full"),
        "{log}"
    );
    assert!(!log.contains("panicked"), "{log}");
    assert!(told.iter().sum::<usize>() > 0, "nobody was told");

    let server = ServerProcess::start(ServerProcess::command(disk.copy.path())).await;
    let client = Arc::new(server.client());
    let mut checking = JoinSet::new();
    for names in registered {
        let client = Arc::clone(&client);
        checking.spawn(async move {
            for name in &names {
                let again = client.register(name).await;
                again.expect_failure(400, ErrorCode::UserExists);
            }
            if let Some(last) = names.last() {
                client.authenticate(last, PASSWORD).await.expect_ok();
            }
            names.len()
        });
    }
    let kept: usize = checking.join_all().await.into_iter().sum();
    println!("{kept} people were registered before the disk was full, {told:?} were told");
    assert!(kept > CLIENTS, "no load");
    assert_eq!(server.kill().await, "", "the server complained");
}

#[tokio::test]
async fn a_first_start_on_a_full_disk_says_so_and_the_next_one_with_room_serves() {
    if !SmallDisk::new(1).await.namespaces {
        println!("and its first files are too small for that: a first start is not tried");
        return;
    }
    let mut refused = 0;
    for kibibytes in [4, 8, 16, 24, 32, 48, 64, 256, 512, 1024] {
        let disk = SmallDisk::new(kibibytes << 10).await;
        match ServerProcess::try_start(disk.command()).await {
            Ok(server) => {
                // Nothing is written any more: a start alone had room enough.
                assert!(server.terminate().await.success());
                continue;
            }
            Err(log) => {
                assert!(
                    log.starts_with("password-auth: the "),
                    "{kibibytes} KiB: {log}"
                );
                assert!(
                    log.contains("free space there and start again"),
                    "{kibibytes} KiB: {log}"
                );
                assert_eq!(log.lines().count(), 1, "{kibibytes} KiB: {log}");
                refused += 1;
            }
        }
        let server = ServerProcess::start(ServerProcess::command(disk.copy.path())).await;
        server.client().sign_up("Alice").await;
        assert_eq!(
            server.kill().await,
            "",
            "{kibibytes} KiB: the server complained"
        );
    }
    assert!(refused > 0, "every disk was large enough");
}

struct SmallDisk {
    bytes: usize,
    folder: TempDir,
    /// What was on it when its server had ended.
    copy: TempDir,
    namespaces: bool,
}

impl SmallDisk {
    async fn new(bytes: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let namespaces = can_mount(folder.path()).await;
        if !namespaces {
            println!(
                "no namespaces here: a limit on the size of files stands in for the small disk"
            );
        }
        let copy = tempfile::tempdir().expect("a folder");
        Self {
            bytes,
            folder,
            copy,
            namespaces,
        }
    }

    /// A server on it.
    fn command(&self) -> Command {
        let (program, options, script) = if self.namespaces {
            let options = ["-rm", "sh", "-c"].as_slice();
            ("unshare", options, ON_A_SMALL_DISK)
        } else {
            ("sh", ["-c"].as_slice(), WITH_SMALL_FILES)
        };
        let server = ServerProcess::command(self.folder.path());
        let server = server.as_std();
        let mut command = Command::new(program);
        command
            .args(options)
            .args([script, "sh", &self.bytes.to_string()])
            .arg(self.folder.path())
            .arg(self.copy.path())
            .arg(server.get_program())
            .args(server.get_args())
            .current_dir("/")
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        for (name, value) in server.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command
    }
}

async fn can_mount(folder: &Path) -> bool {
    let mounted = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "small"])
        .arg(folder)
        .stderr(Stdio::null())
        .status();
    fs::metadata(folder).is_ok() && mounted.await.is_ok_and(|status| status.success())
}
