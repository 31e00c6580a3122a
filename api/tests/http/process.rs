//! The process: its limits and signals.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::Command;

use crate::support::{PASSWORD, ServerProcess, raw};

/// The server, behind a shell that sets limits before.
fn limited(folder: &Path, limits: &str) -> Command {
    let server = ServerProcess::command(folder);
    let server = server.as_std();
    let mut command = Command::new("bash");
    command
        .arg("-c")
        .arg(format!("{limits}; exec \"$0\" \"$@\""))
        .arg(server.get_program())
        .args(server.get_args())
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("RUST_LOG", "warn");
    command
}

fn address_of(server: &ServerProcess) -> SocketAddr {
    let address = server.url.strip_prefix("http://").expect("a URL");
    address.parse().expect("an address")
}

/// The soft limit of that name.
fn limit(server: &ServerProcess, name: &str) -> String {
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("it runs");
    let line = limits.lines().find_map(|line| line.strip_prefix(name));
    let soft = line.expect("the limit").split_whitespace().next();
    soft.expect("a number").to_owned()
}

#[tokio::test]
async fn the_soft_limit_of_descriptors_is_raised_to_what_the_places_need() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = limited(folder.path(), "ulimit -Sn 256");
    let server = ServerProcess::start(command).await;
    let raised: u64 = limit(&server, "Max open files").parse().expect("a number");
    assert!(raised >= 1024 + 32, "{raised}");
    assert!(server.terminate().await.success());
}

#[tokio::test]
async fn where_the_limit_cannot_be_raised_the_places_follow_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = limited(folder.path(), "ulimit -n 128");
    let server = ServerProcess::start(command).await;
    let address = address_of(&server);
    // More than there are descriptors, from many addresses; none says a word.
    let mut silent = Vec::new();
    for number in 0..200 {
        let source: IpAddr = format!("127.0.2.{}", number + 1)
            .parse()
            .expect("an address");
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(source, 0)).expect("bound");
        silent.push(socket.connect(address).await.expect("connected"));
    }
    // Its turn comes, and there are descriptors left for the store.
    let client = server.client();
    client.sign_up("Alice").await;
    let log = server.kill().await;
    assert!(!log.contains("accept connections for now"), "{log}");
    assert!(log.contains("ulimit -n"), "{log}");
}

#[tokio::test]
async fn a_server_that_is_killed_leaves_no_core_dump() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = limited(folder.path(), "ulimit -c unlimited");
    let server = ServerProcess::start(command).await;
    assert_eq!(limit(&server, "Max core file size"), "0");
    signal(&server, "-ABRT").await;
    let (status, _) = server.ended().await;
    assert_eq!(status.signal(), Some(6), "{status}");
    assert!(!status.core_dumped(), "{status}");
}

async fn signal(server: &ServerProcess, name: &str) {
    let id = server.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().await;
    assert!(sent.expect("kill runs").success());
}

#[tokio::test]
async fn whichever_signal_stops_the_server_what_is_under_way_is_finished() {
    for name in ["-TERM", "-INT", "-QUIT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
        let address = address_of(&server);
        let body = format!(r#"{{"username":"alice","password":"{PASSWORD}"}}"#);
        let head = format!(
            "POST /register HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut busy = TcpStream::connect(address).await.expect("connected");
        busy.write_all(head.as_bytes()).await.expect("sent");
        let mut interim = [0; 25];
        busy.read_exact(&mut interim)
            .await
            .expect("asked for the body");
        let mut idle = TcpStream::connect(address).await.expect("connected");
        signal(&server, name).await;
        let mut nothing = Vec::new();
        idle.read_to_end(&mut nothing).await.ok();
        busy.write_all(body.as_bytes()).await.expect("sent");
        let answer = raw::answer(&mut busy).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
        let (status, log) = server.ended().await;
        assert!(status.success(), "{name}: {status}: {log}");
    }
}

#[tokio::test]
async fn a_hangup_never_ends_the_server() {
    for limits in ["true", "trap '' HUP"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = limited(folder.path(), limits);
        command.env("RUST_LOG", "info");
        let server = ServerProcess::start(command).await;
        for _ in 0..3 {
            signal(&server, "-HUP").await;
        }
        server.logs("SIGHUP").await;
        server.client().sign_up("Alice").await;
        server.tell_to_stop().await;
        signal(&server, "-HUP").await;
        assert!(server.ended().await.0.success());
    }
}

#[tokio::test]
async fn health_says_by_its_exit_code_whether_the_server_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::start(ServerProcess::command(folder.path())).await;
    let port = address_of(&server).port().to_string();
    let ask = async |host: &str| {
        let asked = Command::new(env!("CARGO_BIN_EXE_password-auth"))
            .args(["health", "--dev", "--host", host, "--port", &port])
            .current_dir(folder.path())
            .env_clear()
            .output()
            .await;
        asked.expect("it runs")
    };
    for host in ["127.0.0.1", "0.0.0.0"] {
        let asked = ask(host).await;
        assert!(asked.status.success(), "{asked:?}");
    }
    assert!(server.terminate().await.success());
    let asked = ask("127.0.0.1").await;
    assert_eq!(asked.status.code(), Some(1));
    let said = String::from_utf8_lossy(&asked.stderr);
    assert!(said.contains("does not answer"), "{said}");
}
