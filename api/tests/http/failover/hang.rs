//! One connection of a node hangs, and its database does not.

use std::time::Duration;

use password_auth_testing::Cluster;
use password_auth_wire::ErrorCode;

use super::nodes::Node;

/// Much less than a read that hangs may take.
const IN_TIME: Duration = Duration::from_secs(2);

/// The connections on which access tokens were looked up last, and their clients' ports.
const LOOKING_UP: &str = "SELECT pid, client_port FROM pg_stat_activity \
     WHERE query LIKE '%FROM sessions%= ANY($1)' AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn a_read_connection_that_hangs_stops_no_other_read_and_is_replaced() {
    let cluster = Cluster::start().await;
    let node = Node::start(&cluster.url("postgres")).await;
    let client = &node.server.client;
    let tokens = client.sign_up("Alice").await;
    // As long as it is free, the same one is used each time.
    let (pid, port) = loop {
        client.protected(&tokens).await.expect_ok();
        let found = cluster.sql(LOOKING_UP).await;
        if let [connection] = &found[..] {
            break (connection[0].clone(), connection[1].clone());
        }
    };
    cluster.freeze_connection(&pid).await;
    let stuck = tokio::spawn({
        let (client, tokens) = (client.clone(), tokens.clone());
        async move { client.protected(&tokens).await }
    });
    until_it_has_something_to_read(&port).await;
    // Before anything is replaced: the one that hangs, and the one that answers.
    let old = loop {
        client.protected(&tokens).await.expect_ok();
        let found = cluster.sql(LOOKING_UP).await;
        if let [first, second] = &found[..] {
            break [first[0].clone(), second[0].clone()];
        }
    };
    assert!(!stuck.is_finished());
    let mut answered = 0;
    while !stuck.is_finished() {
        let reading = tokio::time::timeout(IN_TIME, client.protected(&tokens));
        reading.await.expect("it waits for no other").expect_ok();
        answered += 1;
    }
    assert!(answered > 10, "{answered} answers in the meantime");
    let stuck = stuck.await.expect("an answer");
    stuck.expect_failure(503, ErrorCode::ServiceUnavailable);

    client.protected(&tokens).await.expect_ok();
    let old = old.join(", ");
    cluster
        .until(&format!("{LOOKING_UP} AND pid NOT IN ({old})"))
        .await;
    node.stop().await;
}

/// A frozen process has been sent a statement. Nobody is told: it is looked at again and again.
async fn until_it_has_something_to_read(client_port: &str) {
    let port: u16 = client_port.parse().expect("a port");
    let remote = format!(":{port:04X}");
    let has_received = |line: &str| {
        let mut fields = line.split_whitespace().skip(2);
        let (client, _state, queues) = (fields.next(), fields.next(), fields.next());
        let unread = queues.and_then(|queues| queues.split_once(':'));
        client.is_some_and(|client| client.ends_with(&remote))
            && unread.is_some_and(|(_, unread)| u64::from_str_radix(unread, 16) != Ok(0))
    };
    loop {
        let sockets = tokio::fs::read_to_string("/proc/net/tcp").await;
        if sockets.expect("Linux").lines().any(has_received) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
