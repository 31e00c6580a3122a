//! Health checks.

use password_auth_testing::Cluster;
use password_auth_wire::ErrorCode;
use serde_json::json;

use crate::support::person::V1;
use crate::support::{Engine, ServerProcess, TestServer};

each_engine! {
    a_server_that_works_says_so_at_the_root_and_under_v1,
}

const PLACES: [&str; 2] = ["", V1];

async fn a_server_that_works_says_so_at_the_root_and_under_v1(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    for place in PLACES {
        for what in ["/health", "/health/live", "/health/database"] {
            let reply = server.client().get(&format!("{place}{what}")).await;
            assert_eq!(reply.expect_ok().json(), json!({"status": "healthy"}));
        }
    }
}

#[tokio::test]
async fn without_its_database_a_server_lives_and_is_not_healthy() {
    let cluster = Cluster::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ServerProcess::command(folder.path());
    command
        .env("DATABASE_URL", cluster.create_database().await)
        .env("JWT_SECRET", "a secret of thirty-two bytes or more");
    let server = ServerProcess::start(command).await;
    let client = server.client();
    client.get("/health").await.expect_ok();
    cluster.stop_fast().await;
    for place in PLACES {
        for what in ["/health", "/health/database"] {
            let reply = client.get(&format!("{place}{what}")).await;
            reply.expect_failure(503, ErrorCode::ServiceUnavailable);
            assert!(!reply.header("retry-after").is_empty());
        }
        client
            .get(&format!("{place}/health/live"))
            .await
            .expect_ok();
    }
    cluster.restart().await;
    // Nobody says when the server has found it again.
    while client.get("/health").await.status != 200 {
        tokio::task::yield_now().await;
    }
    server.kill().await;
}
