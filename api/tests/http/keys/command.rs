//! `keys`, while a server runs and while none does.

use serde_json::Value;
use tokio::process::Command;

use crate::operator::site::{Ran, Site};
use crate::support::{Engine, ServerProcess};

each_engine! {
    keys_are_listed_rotated_and_retired_whether_or_not_a_server_runs,
    with_the_secret_there_are_no_keys_to_rotate,
}

const SECRET: &str = "a secret of more than thirty-two bytes";

async fn serve(site: &Site, alg: &str) -> ServerProcess {
    let mut command = site.server("info");
    command.env("SIGNING_ALG", alg);
    ServerProcess::start(command).await
}

fn keys(site: &Site, alg: &str, arguments: &[&str]) -> Command {
    let mut command = site.binary(&[&["keys"], arguments].concat());
    command.env("SIGNING_ALG", alg);
    if site.is_shared() {
        command.env("JWT_SECRET", SECRET);
    }
    command
}

async fn run(site: &Site, arguments: &[&str]) -> Ran {
    let mut command = keys(site, "EdDSA", arguments);
    Ran::of(command.spawn().expect("it runs")).await
}

/// Ids and states.
async fn listed(site: &Site, arguments: &[&str]) -> Vec<(String, String)> {
    let listed: Value = run(site, &[arguments, &["--json"]].concat()).await.json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let keys = listed.as_array().expect("a list").iter();
    keys.map(|key| (text(&key["id"]), text(&key["state"])))
        .collect()
}

fn states(keys: &[(String, String)]) -> Vec<&str> {
    keys.iter().map(|(_, state)| &**state).collect()
}

async fn keys_are_listed_rotated_and_retired_whether_or_not_a_server_runs(engine: Engine) {
    let site = Site::new(engine).await;
    let server = serve(&site, "EdDSA").await;
    let first = listed(&site, &["list"]).await;
    assert_eq!(states(&first), ["signs"]);
    let two = listed(&site, &["rotate"]).await;
    assert_eq!(states(&two), ["signs", "waits"]);
    server.terminate().await;
    assert_eq!(listed(&site, &["list"]).await, two);
    let three = listed(&site, &["rotate", "--after", "0"]).await;
    assert_eq!(states(&three), ["verifies", "signs", "waits"]);
    let server = serve(&site, "EdDSA").await;
    let two = listed(&site, &["retire", &first[0].0]).await;
    assert_eq!(states(&two), ["signs", "waits"]);
    let served = server.client().get("/.well-known/jwks.json").await;
    if !site.is_shared() {
        // Other nodes follow within seconds.
        let served = served.json()["keys"].as_array().expect("a list").len();
        assert_eq!(served, 2);
    }
    for wrong in [&*first[0].0, "x"] {
        let refused = run(&site, &["retire", wrong]).await.failure();
        assert!(refused.contains("id"), "{refused}");
    }
    let table = run(&site, &["list"]).await.expect_success();
    assert!(table.starts_with("id "), "{table}");
    let (_, log) = server.kill_if_it_runs().await;
    if !site.is_shared() {
        assert!(log.contains("a signing key was retired"), "{log}");
    }
    // What is public stands in a backup, and nothing else.
    let backup = site.everything().await;
    assert!(backup.contains("token_key") && !backup.contains("\"keys\""));
}

async fn with_the_secret_there_are_no_keys_to_rotate(engine: Engine) {
    let site = Site::new(engine).await;
    let server = serve(&site, "HS256").await;
    let refused = keys(&site, "HS256", &["rotate"]).spawn().expect("it runs");
    let refused = Ran::of(refused).await.failure();
    assert!(refused.contains("SIGNING_ALG=EdDSA"), "{refused}");
    server.terminate().await;
}
