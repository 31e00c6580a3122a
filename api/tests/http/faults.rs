//! Folders that cannot be served, and ends: one sentence for the operator, and what they can do; nothing is lost on the
//! way.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use password_auth_wire::ErrorCode;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::support::{PASSWORD, ServerProcess};

#[tokio::test]
async fn a_second_server_on_a_folder_says_that_it_is_in_use_and_leaves_the_first_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let sentence = refusal(ServerProcess::command(folder.path())).await;
    let path = folder.path().display();
    assert_eq!(
        sentence,
        format!(
            "password-auth: the data folder {path} is in use by another password-auth: stop that one, \
             or choose another --data-dir\n"
        )
    );
    first.client().sign_up("Alice").await;
    assert!(first.terminate().await.success());
}

#[tokio::test]
async fn a_folder_of_a_newer_version_is_left_as_it_is() {
    let folder = folder_with_alice().await;
    set_format(folder.path(), &[200, 1]);
    let sentence = refusal(ServerProcess::command(folder.path())).await;
    assert!(
        sentence.contains("was written by another version (its format is [200,"),
        "{sentence}"
    );
    set_format(folder.path(), &[1, 1]);
    expect_alice(folder.path()).await;
}

#[tokio::test]
async fn a_key_file_that_others_may_read_is_refused_with_the_command_that_helps() {
    let folder = folder_with_alice().await;
    let keys = folder.path().join("keys.json");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).expect("changed");
    let sentence = refusal(ServerProcess::command(folder.path())).await;
    let command = format!("run `chmod 600 {}`", keys.display());
    assert!(sentence.contains(&command), "{sentence}");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).expect("changed");
    expect_alice(folder.path()).await;
}

#[tokio::test]
async fn a_snapshot_that_a_killed_start_left_unfinished_does_not_matter() {
    let folder = folder_with_alice().await;
    let left = folder.path().join("sled/snap.FFFFFFFFFFFFFFFF.generating");
    fs::write(&left, "half of a snapshot").expect("written");
    expect_alice(folder.path()).await;
    assert!(!left.exists());
}

#[tokio::test]
async fn settings_that_a_killed_first_start_left_unfinished_do_not_matter() {
    let whole = folder_with_alice().await;
    let conf = fs::read(whole.path().join("sled/conf")).expect("sled's settings");
    let folder = tempfile::tempdir().expect("a folder");
    let sled = folder.path().join("sled");
    fs::create_dir_all(sled.join("blobs")).expect("made");
    // Without the checksum, which is written last.
    fs::write(sled.join("conf"), &conf[..conf.len() - 4]).expect("written");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    server.client().sign_up("Alice").await;
    assert_eq!(server.kill().await, "");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let mut command = ServerProcess::command(&file.join("data"));
    command.current_dir(folder.path());
    let sentence = refusal(command).await;
    assert!(sentence.contains("file/data"), "{sentence}");
    assert!(sentence.contains("cannot be used"), "{sentence}");
}

#[tokio::test]
async fn a_data_folder_that_is_a_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let mut command = ServerProcess::command(&file);
    command.current_dir(folder.path());
    let sentence = refusal(command).await;
    assert!(sentence.contains("a file is in the way"), "{sentence}");
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_is_named_with_what_helps() {
    let folder = folder_with_alice().await;
    let writable = fs::metadata(folder.path()).expect("there").permissions();
    let mut command = ServerProcess::command(folder.path());
    command.current_dir("/");
    let read_only = fs::Permissions::from_mode(0o500);
    fs::set_permissions(
        folder.path().join("lock"),
        fs::Permissions::from_mode(0o400),
    )
    .expect("changed");
    fs::set_permissions(folder.path(), read_only).expect("changed");
    let sentence = refusal(without_privileges(command)).await;
    assert!(sentence.contains("Permission denied"), "{sentence}");
    assert!(
        sentence.contains("give it to the user that runs the server"),
        "{sentence}"
    );
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    fs::set_permissions(folder.path(), writable).expect("changed");
    fs::set_permissions(
        folder.path().join("lock"),
        fs::Permissions::from_mode(0o600),
    )
    .expect("changed");
    expect_alice(folder.path()).await;
}

/// Permissions do not bind root: then as somebody else, whose the folder is not.
fn without_privileges(command: Command) -> Command {
    let probe = tempfile::tempdir().expect("a folder");
    fs::set_permissions(probe.path(), fs::Permissions::from_mode(0o500)).expect("changed");
    if fs::write(probe.path().join("file"), "").is_err() {
        return command;
    }
    let server = command.as_std();
    let mut other = Command::new("setpriv");
    other
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(server.get_program())
        .args(server.get_args())
        .current_dir("/")
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    other
}

#[tokio::test]
async fn a_data_file_that_lost_its_end_is_called_damaged_without_a_panic_s_trace() {
    let folder = folder_with_alice().await;
    // The second start writes what the file is measured by.
    expect_alice(folder.path()).await;
    let data = fs::OpenOptions::new()
        .write(true)
        .open(folder.path().join("sled/db"))
        .expect("sled's data");
    data.set_len(16).expect("cut");
    let mut command = ServerProcess::command(folder.path());
    command.env("RUST_BACKTRACE", "1");
    let sentence = refusal(command).await;
    assert!(sentence.contains("is damaged"), "{sentence}");
    assert!(sentence.contains("restore a backup"), "{sentence}");
    for trace in ["thread '", "backtrace", "RUST_BACKTRACE"] {
        assert!(!sentence.contains(trace), "{sentence}");
    }
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_is_under_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let mut request = Half::of_a_registration(&server).await;
    server.tell_to_stop().await;
    no_longer_listening(&server).await;
    request.stream.write_all(&request.rest).await.expect("sent");
    let mut answer = String::new();
    let read = request.stream.read_to_string(&mut answer).await;
    read.expect("an answer, and an end");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (status, log) = server.ended().await;
    assert!(status.success(), "{status}");
    assert_eq!(log, "");
    expect_alice(folder.path()).await;
}

#[tokio::test]
async fn told_to_stop_twice_it_does_not_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let request = Half::of_a_registration(&server).await;
    server.tell_to_stop().await;
    no_longer_listening(&server).await;
    assert_eq!(server.terminate().await.code(), Some(130));
    drop(request);
}

/// A request whose head has arrived, and whose body has not.
struct Half {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Half {
    async fn of_a_registration(server: &ServerProcess) -> Self {
        let mut stream = connect(server).await.expect("connected");
        let body = json!({"username": "Alice", "password": PASSWORD}).to_string();
        let head = format!(
            "POST /register HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        // The server says this once it waits for the body.
        let mut interim = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut interim).await.expect("an answer");
        assert!(interim.starts_with(b"HTTP/1.1 100 "), "{interim:?}");
        Self {
            stream,
            rest: body.into_bytes(),
        }
    }
}

async fn connect(server: &ServerProcess) -> std::io::Result<TcpStream> {
    let address = server.url.strip_prefix("http://").expect("a URL");
    TcpStream::connect(address).await
}

/// Ready once the server has begun to stop.
async fn no_longer_listening(server: &ServerProcess) {
    while connect(server).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

async fn folder_with_alice() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    server.client().sign_up("Alice").await;
    assert!(server.terminate().await.success());
    folder
}

/// It serves, without a word, and Alice is there.
async fn expect_alice(folder: &Path) {
    let server = ServerProcess::start(ServerProcess::command(folder)).await;
    let client = server.client();
    client.authenticate("Alice", PASSWORD).await.expect_ok();
    let again = client.register("Alice").await;
    again.expect_failure(400, ErrorCode::UserExists);
    server.tell_to_stop().await;
    let (status, log) = server.ended().await;
    assert!(status.success(), "{status}");
    assert_eq!(log, "");
}

fn set_format(folder: &Path, format: &[u8]) {
    let db = sled::open(folder.join("sled")).expect("opened");
    db.insert("format", format).expect("written");
    db.flush().expect("flushed");
}

/// What a server says that does not start, and ends with status 1.
async fn refusal(mut command: Command) -> String {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = lines.next_line().await.expect("text");
    assert_eq!(line, None, "it serves");
    let ended = child.wait_with_output().await.expect("it ended");
    assert_eq!(ended.status.code(), Some(1), "{}", ended.status);
    String::from_utf8(ended.stderr).expect("text")
}
