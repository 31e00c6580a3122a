//! The log: a line for each request, and never a secret, whatever level somebody turns on.

use password_auth_testing::Cluster;
use password_auth_wire::Tokens;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{PASSWORD, Reply, ServerProcess};

/// For a server on a database.
const SECRET: &str = "a secret of the test's own, of 32 bytes or more";

const STRENGTH: &str = "/api/v1/auth/password/strength";

/// A sign-up, a refresh, mistakes and a sign-out; what the server logged, and the secrets that passed.
async fn session(log_format: &str, level: &str) -> (String, Vec<Reply>, Vec<String>) {
    session_on(None, log_format, level).await
}

/// The same on a database.
async fn session_on(
    database: Option<String>,
    log_format: &str,
    level: &str,
) -> (String, Vec<Reply>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ServerProcess::command(folder.path());
    command.env("LOG_FORMAT", log_format).env("RUST_LOG", level);
    if let Some(url) = database {
        command.env("DATABASE_URL", url).env("JWT_SECRET", SECRET);
    }
    let server = ServerProcess::start(command).await;
    let client = server.client();
    let first = client.sign_up("Alice").await;
    let second: Tokens = client.refresh(first.refresh_token.expose()).await.tokens();
    let replies = vec![
        client.protected(&second).await,
        client.get("/ping?token=in-the-query").await,
        client.get("/in-the-path").await,
        client.authenticate("Alice", "a wrong password").await,
        client
            .post(
                STRENGTH,
                &json!({"password": "a password while it is typed", "username": "a name that is typed"}),
            )
            .await,
        client
            .post(STRENGTH, &json!({"password": ["a password in a list"]}))
            .await,
        client
            .post_text(
                "/authenticate",
                "application/json",
                "{\"password\": \"half a body",
            )
            .await,
        client
            .post(
                "/logout",
                &json!({"refresh_token": second.refresh_token.expose()}),
            )
            .await,
    ];
    let mut secrets: Vec<String> = [&first, &second]
        .iter()
        .flat_map(|tokens| [&tokens.access_token, &tokens.refresh_token])
        .map(|secret| secret.expose().to_owned())
        .collect();
    secrets.extend(
        [
            PASSWORD,
            "a wrong password",
            "a password while it is typed",
            "a name that is typed",
            "a password in a list",
            "half a body",
            "in-the-query",
            "in-the-path",
        ]
        .map(str::to_owned),
    );
    server.tell_to_stop().await;
    (server.ended().await.1, replies, secrets)
}

#[tokio::test]
async fn nothing_secret_is_logged_at_any_level() {
    let (log, _, secrets) = session("text", "trace").await;
    assert!(log.contains("/authenticate"), "the log was read");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn what_is_sent_to_a_database_is_logged_at_no_level() {
    let database = Cluster::shared().await.create_database().await;
    let (log, _, mut secrets) = session_on(Some(database), "text", "trace").await;
    assert!(log.contains("/authenticate"), "the log was read");
    secrets.extend(["$scrypt$", "\"Alice\""].map(str::to_owned));
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn each_request_is_one_line_that_its_answer_s_id_finds_and_its_session_s() {
    let (log, replies, _) = session("json", "info").await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    for reply in &replies {
        let id = reply.header("x-request-id");
        let of_it: Vec<&Value> = lines
            .iter()
            .filter(|line| line["request.id"] == id)
            .collect();
        assert_eq!(of_it.len(), 1, "{id} in:\n{log}");
        assert_eq!(of_it[0]["http.status"], reply.status);
        assert!(of_it[0]["elapsed_us"].is_u64());
        if reply.status >= 400 {
            assert_eq!(of_it[0]["error.code"], reply.json()["code"]);
        }
    }
    let by_id = |id| lines.iter().find(|line| line["request.id"] == id);
    let [of_use, .., of_sign_out] = &replies[..] else {
        panic!("replies");
    };
    let session = by_id(of_use.header("x-request-id")).expect("its line")["session.id"].clone();
    assert!(session.is_string(), "{session}");
    let of_session: Vec<&Value> = lines
        .iter()
        .filter(|line| line["session.id"] == session && line["http.route"].is_string())
        .map(|line| &line["http.route"])
        .collect();
    assert_eq!(
        of_session,
        ["/authenticate", "/refresh", "/protected", "/logout"]
    );
    let signed_out = lines.iter().find(|line| line["message"] == "signed out");
    let signed_out = signed_out.unwrap_or_else(|| panic!("the event in:\n{log}"));
    assert_eq!(signed_out["during"], of_sign_out.header("x-request-id"));
    let unknown = lines
        .iter()
        .find(|line| line["http.status"] == 404)
        .expect("the unknown path");
    assert_eq!(unknown["http.route"], "-");
}

#[tokio::test]
async fn a_server_that_is_stopped_right_after_its_answers_has_logged_each_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = ServerProcess::command(folder.path());
    command.env("LOG_FORMAT", "json").env("RUST_LOG", "info");
    let server = ServerProcess::start(command).await;
    let clients: Vec<_> = (0..8).map(|_| server.client()).collect();
    let all = clients.iter().map(|client| async move {
        let mut ids = Vec::new();
        for _ in 0..100 {
            ids.push(client.get("/ping").await.header("x-request-id").to_owned());
        }
        ids
    });
    let ids = futures_util::future::join_all(all).await.concat();
    server.tell_to_stop().await;
    let (status, log) = server.ended().await;
    assert!(status.success());
    for id in ids {
        assert!(log.contains(&id), "{id} was answered and not logged");
    }
}

#[tokio::test]
async fn a_server_whose_log_nobody_reads_serves_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = ServerProcess::command(folder.path());
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "exec \"$0\" \"$@\" 2>/dev/full"])
        .arg(server.as_std().get_program())
        .args(server.as_std().get_args())
        .current_dir(folder.path())
        .env_clear()
        .env("RUST_LOG", "info");
    let server = ServerProcess::start(command).await;
    let tokens = server.client().sign_up("alice").await;
    server.client().protected(&tokens).await.expect_ok();
    assert!(server.terminate().await.success());
}
