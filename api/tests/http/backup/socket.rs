//! The control socket: clients that hang, die or are too slow do no harm.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::command::{backup, binary, filler, prepared, restore};
use crate::support::ServerProcess;

/// More than the socket's buffers hold.
const MANY: u64 = 20_000;

async fn ask(data_dir: &Path, version: &str) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(data_dir.join("admin.sock"))
        .await
        .expect("connected");
    let request = json!({"version": version, "request": {"backup": {"with_keys": false}}});
    stream
        .write_all(format!("{request}\n").as_bytes())
        .await
        .expect("sent");
    BufReader::new(stream)
}

/// The next answer; `None` at the end.
async fn answer(stream: &mut BufReader<UnixStream>) -> Option<Value> {
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("read");
    (!line.is_empty()).then(|| serde_json::from_str(&line).expect("JSON"))
}

async fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([name, &process.to_string()])
        .status()
        .await;
    assert!(sent.expect("kill runs").success());
}

/// A server with so much that a backup takes a while.
async fn server_with_many(store: &Path) -> ServerProcess {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("filler");
    filler(&file, MANY);
    restore(store, &file, &[]).await.expect_success();
    ServerProcess::start(ServerProcess::command(store)).await
}

#[tokio::test]
async fn a_reader_that_hangs_stops_no_write_and_makes_room_when_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, file) = (folder.path().join("store"), folder.path().join("file"));
    let server = server_with_many(&store).await;
    let mut hanging = ask(&store, env!("CARGO_PKG_VERSION")).await;
    assert_eq!(answer(&mut hanging).await, Some(json!({"keys": null})));
    let client = server.client();
    for number in 0..20 {
        client.sign_up(&format!("Alice {number}")).await;
    }
    let refused = backup(&store, &file, &[]).await.expect_failure();
    assert!(
        refused.contains("another backup is in progress"),
        "{refused}"
    );
    assert!(!file.exists());
    drop(hanging);
    // The server hears of it at its next word.
    while backup(&store, &file, &[]).await.is_failure() {}
    assert!(server.terminate().await.success());
}

/// A backup that has begun, and is held there.
async fn begun(store: &Path, files: &Path) -> (Child, u32) {
    let part = files.join("file.part");
    let mut command = prepared(binary(), "backup", store, &files.join("file"));
    let running = command.stderr(Stdio::piped()).spawn().expect("it runs");
    let id = running.id().expect("it runs");
    while fs::metadata(&part).map_or(0, |part| part.len()) == 0 {
        tokio::task::yield_now().await;
    }
    signal(id, "-STOP").await;
    (running, id)
}

/// It ends with status 1; what it says.
async fn failure_of(running: Child) -> String {
    let ended = running.wait_with_output().await.expect("it ended");
    let said = String::from_utf8(ended.stderr).expect("text");
    assert_eq!(ended.status.code(), Some(1), "{said}");
    said
}

#[tokio::test]
async fn a_backup_that_is_interrupted_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, files) = (folder.path().join("store"), folder.path().join("files"));
    fs::create_dir(&files).expect("made");
    let server = server_with_many(&store).await;
    let (running, id) = begun(&store, &files).await;
    signal(id, "-INT").await;
    signal(id, "-CONT").await;
    let said = failure_of(running).await;
    assert_eq!(said, "password-auth: interrupted: no backup was written\n");
    assert_eq!(fs::read_dir(&files).expect("a folder").count(), 0);
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_server_that_stops_ends_the_backup_with_a_sentence_and_without_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, files) = (folder.path().join("store"), folder.path().join("files"));
    fs::create_dir(&files).expect("made");
    let server = server_with_many(&store).await;
    let (running, id) = begun(&store, &files).await;
    assert!(server.terminate().await.success());
    signal(id, "-CONT").await;
    let said = failure_of(running).await;
    assert!(
        said.starts_with("password-auth: no backup was written: the server "),
        "{said}"
    );
    assert_eq!(fs::read_dir(&files).expect("a folder").count(), 0);
    assert!(!store.join("admin.sock").exists());
}

#[tokio::test]
async fn a_reader_who_keeps_up_is_told_that_the_server_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server_with_many(folder.path()).await;
    let mut reader = ask(folder.path(), env!("CARGO_PKG_VERSION")).await;
    assert_eq!(answer(&mut reader).await, Some(json!({"keys": null})));
    server.tell_to_stop().await;
    while tokio::net::TcpStream::connect(server.url.trim_start_matches("http://"))
        .await
        .is_ok()
    {
        tokio::task::yield_now().await;
    }
    let mut last = None;
    while let Some(next) = answer(&mut reader).await {
        last = Some(next);
    }
    let last = last.expect("some records");
    let sentence = last["refused"].as_str().expect("a sentence");
    assert!(sentence.contains("the server is stopping"), "{sentence}");
    assert!(server.ended().await.0.success());
}

#[tokio::test]
async fn a_command_of_another_version_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let mut other = ask(folder.path(), "0.0.1").await;
    let refused = answer(&mut other).await.expect("an answer");
    let sentence = refused["refused"].as_str().expect("a sentence");
    assert!(sentence.contains("this command 0.0.1"), "{sentence}");
    assert_eq!(answer(&mut other).await, None);
    let mut stream = UnixStream::connect(folder.path().join("admin.sock"))
        .await
        .expect("connected");
    stream.write_all(b"GET / HTTP/1.1\r\n").await.expect("sent");
    let refused = answer(&mut BufReader::new(stream))
        .await
        .expect("an answer");
    assert_eq!(
        refused["refused"],
        "the server does not understand the request"
    );
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_socket_that_a_killed_server_left_is_in_nobody_s_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("admin.sock");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    server.client().sign_up("Alice").await;
    let mode = fs::metadata(&socket).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(server.kill().await, "");
    assert!(socket.exists());
    let [stopped, running] = ["stopped", "running"].map(|name| folder.path().join(name));
    backup(folder.path(), &stopped, &[]).await.expect_success();
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    backup(folder.path(), &running, &[]).await.expect_success();
    assert_eq!(
        fs::read(&stopped).expect("a file"),
        fs::read(&running).expect("a file")
    );
    assert!(server.terminate().await.success());
    assert!(!socket.exists());
}

#[tokio::test]
async fn another_user_of_the_machine_is_refused_also_where_the_modes_were_changed() {
    const ASK: &str = "import socket, sys\n\
        peer = socket.socket(socket.AF_UNIX)\n\
        peer.connect(sys.argv[1])\n\
        peer.sendall(b'{}\\n')\n\
        print(peer.makefile().readline())";
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let socket = data.join("admin.sock");
    let mut command = ServerProcess::command(&data);
    // The server makes its folder.
    command.current_dir(folder.path());
    let server = ServerProcess::start(command).await;
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&socket)), (0o700, 0o600));
    if fs::metadata("/proc/self").expect("ourselves").uid() == 0 {
        for (path, mode) in [(folder.path(), 0o755), (&data, 0o755), (&socket, 0o777)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
        }
        let mut other = Command::new("setpriv");
        other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        other.args(["python3", "-c", ASK]).arg(&socket);
        // One that everybody may run.
        other.env("PATH", "/usr/bin:/bin");
        let output = other.output().await.expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.contains("only root and the user that the server runs as"),
            "{output:?}"
        );
    }
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn a_folder_with_a_path_too_long_for_a_socket_is_backed_up_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("x".repeat(200));
    fs::create_dir(&store).expect("made");
    let server = ServerProcess::start(ServerProcess::command(&store)).await;
    server.client().sign_up("Alice").await;
    backup(&store, &folder.path().join("file"), &[])
        .await
        .expect_success();
    server.tell_to_stop().await;
    let (status, log) = server.ended().await;
    assert!(status.success(), "{status}");
    assert_eq!(log, "");
}
