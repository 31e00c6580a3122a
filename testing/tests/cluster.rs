//! What the tests of fail-over rest on does what it says.

#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use password_auth_testing::{Cluster, Partition};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_postgres::{Client, NoTls};

/// Connects; the task ends with the connection.
async fn connect(url: &str) -> (Client, tokio::task::JoinHandle<()>) {
    let connected = tokio_postgres::connect(url, NoTls).await;
    let (client, connection) = connected.expect("the server answers");
    let connection = tokio::spawn(async move { drop(connection.await) });
    (client, connection)
}

#[tokio::test]
async fn each_test_gets_an_empty_database_of_one_server_that_syncs() {
    let cluster = Cluster::shared().await;
    let (first, second) = tokio::join!(cluster.create_database(), cluster.create_database());
    assert_ne!(first, second);
    for url in [first, second] {
        let (client, _) = connect(&url).await;
        client
            .batch_execute("CREATE TABLE only_here (i int)")
            .await
            .expect("the database is empty");
    }
    assert_eq!(cluster.sql("SHOW fsync").await, [["on"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_a_kill_and_a_cut_end_connections_and_lose_no_commit() {
    let cluster = Cluster::start().await;
    cluster.sql("CREATE TABLE kept (i int)").await;
    for how in ["cut", "restart", "kill"] {
        let (_client, ended) = connect(&cluster.url("postgres")).await;
        cluster.sql("INSERT INTO kept VALUES (1)").await;
        match how {
            "cut" => cluster.cut_connections().await,
            "restart" => cluster.restart().await,
            _ => {
                cluster.kill().await;
                cluster.restart().await;
            }
        }
        ended.await.expect("the connection ends");
    }
    assert_eq!(cluster.sql("SELECT count(*) FROM kept").await, [["3"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_has_every_commit_of_the_primary_and_can_be_followed_in_turn() {
    let first = Cluster::start().await;
    let second = Cluster::standby_of(&first, "second").await;
    first.make_synchronous(&["second"]).await;
    first.sql("CREATE TABLE kept AS SELECT 1 AS i").await;
    first.kill().await;
    second.promote().await;
    second.sql("INSERT INTO kept VALUES (2)").await;

    let port = first.port();
    let network = Partition::to(second.port()).await;
    let first = first.replaced_by_standby_through(&network, "first").await;
    assert_eq!(first.port(), port);
    second.make_synchronous(&["first"]).await;
    second.sql("INSERT INTO kept VALUES (3)").await;
    // Neither silence nor a primary that hangs stands in the way of a promotion.
    network.cut();
    second.freeze().await;
    first.promote().await;
    let kept = first.sql("SELECT i FROM kept ORDER BY i").await;
    assert_eq!(kept, [["1"], ["2"], ["3"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_waits_while_the_synchronous_standby_is_stopped() {
    let primary = Cluster::start().await;
    let standby = Cluster::standby_of(&primary, "standby").await;
    primary.make_synchronous(&["standby"]).await;
    standby.stop_fast().await;
    let url = primary.url("postgres");
    let waiting = tokio::spawn(async move {
        let (client, _) = connect(&url).await;
        client.batch_execute("CREATE TABLE kept (i int)").await
    });
    standby.restart().await;
    waiting.await.expect("it ends").expect("it is committed");
    assert_eq!(
        primary
            .log_so_far()
            .await
            .matches("now a synchronous standby")
            .count(),
        2,
        "it went on before the standby was back"
    );
}

/// Set for the process that is to be killed.
const TO_BE_KILLED: &str = "PASSWORD_AUTH_TESTING_TO_BE_KILLED";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_gone_with_its_folder_when_its_process_is_killed() {
    if std::env::var_os(TO_BE_KILLED).is_some() {
        let cluster = Cluster::start().await;
        let folder = &cluster.sql("SHOW data_directory").await[0][0];
        println!("\nserving {} {folder}", cluster.url("postgres"));
        std::future::pending::<()>().await;
    }
    let name = "a_server_is_gone_with_its_folder_when_its_process_is_killed";
    let mut process = Command::new(std::env::current_exe().expect("this"))
        .args(["--exact", name, "--nocapture"])
        .env(TO_BE_KILLED, "1")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it runs");
    let mut output = BufReader::new(process.stdout.take().expect("piped")).lines();
    let served = loop {
        let line = output.next_line().await.expect("a text");
        let line = line.expect("it serves before it ends");
        if let Some(served) = line.strip_prefix("serving ") {
            break served.to_owned();
        }
    };
    let (url, folder) = served.split_once(' ').expect("an address and a folder");
    let (_client, ended) = connect(url).await;
    process.kill().await.expect("killed");
    ended.await.expect("the connection ends");
    // What is left of it holds its standard output.
    while output.next_line().await.expect("a text").is_some() {}
    assert!(!Path::new(folder).exists(), "{folder}");
}

#[tokio::test]
async fn a_network_that_is_cut_is_silent_and_one_that_is_healed_has_lost_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let network = Partition::to(listener.local_addr().expect("an address").port()).await;
    let client = TcpStream::connect(("127.0.0.1", network.port())).await;
    let (mut client, server) = (client.expect("connected"), listener.accept().await);
    let (mut server, _) = server.expect("connected");
    let mut buffer = [0; 5];

    client.write_all(b"hello").await.expect("written");
    server.read_exact(&mut buffer).await.expect("read");
    network.cut();
    client.write_all(b"again").await.expect("written");
    let late = TcpStream::connect(("127.0.0.1", network.port())).await;
    late.expect("connected")
        .write_all(b"later")
        .await
        .expect("written");
    // That nothing comes is no event.
    let silence = Duration::from_millis(200);
    let heard = async {
        tokio::select! {
            read = server.read_exact(&mut buffer) => drop(read),
            accepted = listener.accept() => drop(accepted),
        }
    };
    assert!(tokio::time::timeout(silence, heard).await.is_err());

    network.heal();
    server.read_exact(&mut buffer).await.expect("read");
    assert_eq!(&buffer, b"again");
    let (mut late, _) = listener.accept().await.expect("connected");
    late.read_exact(&mut buffer).await.expect("read");
    assert_eq!(&buffer, b"later");
    drop(client);
    assert_eq!(server.read(&mut buffer).await.expect("an end"), 0);
}
