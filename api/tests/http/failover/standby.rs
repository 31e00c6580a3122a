//! A commit that the standby does not have is nobody's promise.

use std::time::Duration;

use password_auth_testing::Cluster;
use password_auth_wire::{ErrorCode, Tokens};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::nodes::Node;
use crate::support::{PASSWORD, Reply, TestClient};

/// How long the extension waits for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// More than a node has connections.
const MANY: usize = 40;

/// A primary with a synchronous standby, and one node.
async fn three() -> (Cluster, Cluster, Node) {
    let primary = Cluster::start().await;
    let standby = Cluster::standby_of(&primary, "standby").await;
    primary.make_synchronous(&["standby"]).await;
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres",
        primary.port(),
        standby.port()
    );
    let node = Node::start(&url).await;
    (primary, standby, node)
}

async fn sign_out(client: &TestClient, tokens: &Tokens) -> Reply {
    let body = json!({"refresh_token": tokens.refresh_token});
    client
        .send(client.request(Method::POST, "/logout").json(&body))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_did_not_wait_for_the_standby_is_not_acknowledged_nor_what_rests_on_it() {
    let (primary, standby, node) = three().await;
    let client = &node.server.client;
    let kept = client.sign_up("Kept").await;
    let ended = client.sign_up("Ended").await;
    standby.stop_fast().await;

    // An operator who loses patience cancels the wait, and the primary commits alone.
    let requests = async {
        tokio::join!(
            client.register("New"),
            client.refresh(kept.refresh_token.expose()),
            sign_out(client, &ended),
        )
    };
    let cancelled = async {
        const WAITING: &str = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        primary
            .until(&format!("SELECT FROM ({WAITING}) AS w HAVING count(*) = 3"))
            .await;
        primary
            .sql(&format!(
                "SELECT pg_cancel_backend(pid) FROM ({WAITING}) AS w"
            ))
            .await
    };
    let ((registered, refreshed, signed_out), cancelled) = tokio::join!(requests, cancelled);
    assert_eq!(cancelled.len(), 3);
    for reply in [registered, refreshed, signed_out] {
        reply.expect_failure(503, ErrorCode::ServiceUnavailable);
    }
    // The primary shows what it has; an answer that rests on it is a promise, too.
    client
        .get_as("/protected", ended.access_token.expose())
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    let (registered, refreshed, signed_out) = tokio::join!(
        client.register("New"),
        client.refresh(kept.refresh_token.expose()),
        sign_out(client, &ended),
    );
    for reply in [registered, refreshed, signed_out] {
        reply.expect_failure(503, ErrorCode::ServiceUnavailable);
    }

    // Once the standby has it, all of it counts, and survives the primary.
    standby.restart().await;
    node.until_it_serves().await;
    let taken = client.register("New").await;
    taken.expect_failure(400, ErrorCode::UserExists);
    let renewed = client.refresh(kept.refresh_token.expose()).await.tokens();
    assert_ne!(renewed.refresh_token, kept.refresh_token);
    sign_out(client, &ended).await.expect_ok();
    primary.kill().await;
    standby.promote().await;
    node.until_it_serves().await;
    client.authenticate("New", PASSWORD).await.expect_ok();
    let again = client.refresh(kept.refresh_token.expose()).await.tokens();
    assert_eq!(again.refresh_token, renewed.refresh_token);
    let refused = client.refresh(ended.refresh_token.expose()).await;
    refused.expect_failure(400, ErrorCode::InvalidRefreshToken);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_standby_a_server_refuses_writes_in_time_answers_reads_and_recovers_by_itself()
{
    let (primary, standby, node) = three().await;
    let client = &node.server.client;
    let signed_in = many_sign_ins(client).await;
    standby.stop_fast().await;
    let (refreshed, read) =
        tokio::join!(refresh(client, &signed_in), client.protected(&signed_in[0]));
    read.expect_ok();
    for reply in refreshed {
        reply.expect_failure(503, ErrorCode::ServiceUnavailable);
    }
    client.protected(&signed_in[0]).await.expect_ok();
    // Nothing of theirs is left to use up the connections that a server has.
    primary
        .until("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' HAVING count(*) = 0")
        .await;
    standby.restart().await;
    node.until_it_serves().await;
    for reply in refresh(client, &signed_in).await {
        reply.expect_ok();
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_hangs_keeps_no_node_from_its_successor() {
    let (primary, standby, node) = three().await;
    let client = &node.server.client;
    let signed_in = many_sign_ins(client).await;
    // Now the node has all of its connections.
    let refreshed = refresh(client, &signed_in).await;
    let signed_in: Vec<Tokens> = refreshed.into_iter().map(Reply::tokens).collect();
    primary.freeze().await;
    let (refreshed, read) =
        tokio::join!(refresh(client, &signed_in), client.protected(&signed_in[0]));
    for reply in refreshed.iter().chain([&read]) {
        reply.expect_failure(503, ErrorCode::ServiceUnavailable);
    }
    standby.promote().await;
    node.until_it_serves().await;
    for reply in refresh(client, &signed_in).await {
        reply.expect_ok();
    }
    node.stop().await;
}

async fn many_sign_ins(client: &TestClient) -> Vec<Tokens> {
    client.register("Alice").await.expect_ok();
    let mut signed_in = Vec::new();
    for _ in 0..MANY {
        signed_in.push(client.authenticate("Alice", PASSWORD).await.tokens());
    }
    signed_in
}

/// All at once; none of them may hang.
async fn refresh(client: &TestClient, signed_in: &[Tokens]) -> Vec<Reply> {
    let mut refreshing = JoinSet::new();
    for (number, tokens) in signed_in.iter().enumerate() {
        let (client, token) = (client.clone(), tokens.refresh_token.clone());
        refreshing.spawn(async move { (number, client.refresh(token.expose()).await) });
    }
    let replies = tokio::time::timeout(ANSWER_WITHIN, refreshing.join_all()).await;
    let mut replies = replies.expect("nobody waits longer than a client does");
    replies.sort_by_key(|(number, _)| *number);
    replies.into_iter().map(|(_, reply)| reply).collect()
}
