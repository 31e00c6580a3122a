//! Concurrent commands, and commands while a server starts or stops.

use std::fs;
use std::process::Stdio;
use std::sync::Arc;

use futures_util::future::join_all;
use password_auth::config::{Config, Sources};
use password_auth::control::{ControlHandler, ControlSocket};
use password_auth::operator::Operator;
use password_auth_core::app::App;
use password_auth_core::tokens::load_or_create;
use password_auth_model::SystemClock;
use password_auth_store::Lifecycle as _;
use password_auth_store::Store;
use password_auth_store::sled::SledStore;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::sync::watch;

use super::site::{Ran, Site};
use crate::support::{Engine, PASSWORD};

each_engine! {
    commands_at_once_wait_for_each_other,
    of_two_admins_who_are_demoted_at_once_one_stays,
}

const NAMES: [&str; 5] = ["Alice", "Bob", "Carol", "Dan", "Eve"];

async fn make_all(site: &Site) {
    let made = NAMES.map(|name| async move {
        let create = ["create", name, "--role", "admin"];
        site.run_with(PASSWORD, &create).await.expect_success();
    });
    join_all(made).await;
}

async fn all_are_there(site: &Site) {
    let people = site.run(&["list", "--json"]).await.json();
    let people = people.as_array().expect("an array").iter();
    let mut names: Vec<_> = people
        .map(|person| person["username"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    assert_eq!(names, NAMES);
}

async fn commands_at_once_wait_for_each_other(engine: Engine) {
    let site = Site::new(engine).await;
    make_all(&site).await;
    all_are_there(&site).await;
}

async fn of_two_admins_who_are_demoted_at_once_one_stays(engine: Engine) {
    let site = Site::new(engine).await;
    for is_served in [true, false] {
        let server = match is_served {
            true => Some(site.serve().await),
            false => None,
        };
        for name in &NAMES[..2] {
            // The second time they are there.
            site.run_with(PASSWORD, &["create", name]).await;
            site.run(&["set-role", name, "admin"])
                .await
                .expect_success();
        }
        let demoted = NAMES[..2].iter().map(async |name| {
            let ran = site.run(&["set-role", name, "user"]).await;
            ran.succeeded() || !ran.failure().contains("is the last active admin")
        });
        let demoted = join_all(demoted).await;
        assert_eq!(demoted.iter().filter(|demoted| **demoted).count(), 1);
        if let Some(server) = server {
            assert!(server.terminate().await.success());
        }
    }
}

/// Waits until it says that it waits.
async fn waits(command: &mut Child) {
    let mut lines = BufReader::new(command.stderr.take().expect("piped")).lines();
    let line = lines.next_line().await.expect("text").unwrap_or_default();
    assert!(line.ends_with("waiting"), "{line}");
}

#[tokio::test]
async fn a_command_waits_for_a_server_that_starts_and_asks_it_then() {
    let site = Site::new(Engine::Sled).await;
    site.run_with(PASSWORD, &["create", "alice"])
        .await
        .expect_success();
    // A server has the folder before it has the socket.
    let store: Arc<dyn Store> = Arc::new(SledStore::open(site.folder()).expect("a store"));
    let mut command = site.start(&["show", "alice", "--json"]);
    waits(&mut command).await;
    let config = Config::load(&Sources::of([]), true).expect("settings");
    let keys = load_or_create(site.folder()).expect("keys");
    let clock = Arc::new(SystemClock);
    let app = App::new(&config.app(config.listen), &keys, Arc::clone(&store), clock);
    let socket = ControlSocket::bind(site.folder()).expect("a socket");
    let operator = Operator::new(&app, Arc::clone(&store));
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(socket.serve(
        ControlHandler {
            store,
            keys,
            operator,
        },
        stopped,
    ));
    assert_eq!(Ran::of(command).await.json()["username"], "alice");
    stop.send_replace(true);
    serving.await.expect("served");
}

#[tokio::test]
async fn a_server_that_starts_waits_for_a_command() {
    let site = Site::new(Engine::Sled).await;
    let store = SledStore::open(site.folder()).expect("a store");
    let mut command = site.server("info");
    command.stderr(Stdio::piped()).stdout(Stdio::piped());
    let mut server = command.kill_on_drop(true).spawn().expect("it runs");
    let log = server.stderr.take().expect("piped");
    reads_until("in use: waiting", log).await;
    store.close().await;
    drop(store);
    let stdout = server.stdout.take().expect("piped");
    reads_until("listening on", stdout).await;
}

/// Reads lines until one has that in it.
async fn reads_until(text: &str, from: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(from).lines();
    loop {
        let line = lines.next_line().await.expect("text");
        if line.expect("it goes on").contains(text) {
            break;
        }
    }
}

#[tokio::test]
async fn a_command_waits_for_a_server_that_stops_and_does_it_then() {
    let site = Site::new(Engine::Sled).await;
    site.run_with(PASSWORD, &["create", "alice"])
        .await
        .expect_success();
    let server = site.serve().await;
    // It does not stop before it has answered this.
    let mut request = TcpStream::connect(server.url.trim_start_matches("http://"))
        .await
        .expect("connected");
    let head = "POST /logout HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
                connection: close\r\nexpect: 100-continue\r\n\r\n";
    request.write_all(head.as_bytes()).await.expect("sent");
    let mut goes_on = [0; 12];
    request.read_exact(&mut goes_on).await.expect("an answer");
    assert_eq!(&goes_on, b"HTTP/1.1 100");
    server.tell_to_stop().await;
    while site.folder().join("admin.sock").exists() {
        tokio::task::yield_now().await;
    }
    let mut command = site.start(&["set-role", "alice", "guest", "--json"]);
    waits(&mut command).await;
    request.write_all(b"{}").await.expect("sent");
    assert!(server.ended().await.0.success());
    assert_eq!(Ran::of(command).await.json()["role"], "guest");
}

#[tokio::test]
async fn commands_at_the_moment_of_a_stop_are_all_carried_out() {
    let site = Site::new(Engine::Sled).await;
    let server = site.serve().await;
    let stopping = async {
        // Some have found it, and some have not.
        while !fs::exists(site.folder().join("admin.sock")).expect("a folder") {}
        server.terminate().await
    };
    let (status, ()) = tokio::join!(stopping, make_all(&site));
    assert!(status.success(), "{status}");
    all_are_there(&site).await;
}
