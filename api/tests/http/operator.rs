//! `user …`, through the binary: what an operator does counts on the very next request, whoever carries it out.

mod at_once;
mod listed;
pub mod site;
mod typed;

use password_auth_wire::ErrorCode;
use serde_json::Value;

use self::site::{Ran, Site};
use crate::support::{Engine, PASSWORD, Reply, ServerProcess, TestClient};

each_engine! {
    an_admin_is_made_before_the_first_start_and_signs_in,
    whoever_is_made_by_a_running_server_signs_in_at_once,
    another_role_counts_on_the_next_request,
    another_password_ends_every_sign_in,
    whoever_is_deactivated_is_refused_on_the_next_request,
    sign_ins_are_seen_and_ended_one_by_one_and_all,
    of_whoever_is_deleted_nothing_is_left,
    the_last_active_admin_is_kept_with_a_server_and_without,
    all_commands_do_without_a_server,
    second_factors_are_seen_and_reset_with_a_server_and_without,
}

const OTHER_PASSWORD: &str = "staple of another kind";
const MAIL: &str = "alice@example.org";

/// A server, and Alice, who is an admin and signed in.
async fn with_alice(engine: Engine) -> (Site, ServerProcess, String) {
    let site = Site::new(engine).await;
    let server = site.serve().await;
    let create = ["create", "Alice", "--role", "admin", "--email", MAIL];
    site.run_with(PASSWORD, &create).await.expect_success();
    let token = sign_in(&server.client(), PASSWORD).await;
    (site, server, token)
}

async fn sign_in(client: &TestClient, password: &str) -> String {
    let tokens = client.authenticate("alice", password).await.tokens();
    tokens.access_token.into_exposed()
}

async fn me(client: &TestClient, token: &str) -> Reply {
    client.get_as("/api/v1/users/me", token).await
}

async fn an_admin_is_made_before_the_first_start_and_signs_in(engine: Engine) {
    let site = Site::new(engine).await;
    let create = [
        "create", "Alice", "--role", "admin", "--email", MAIL, "--json",
    ];
    let made = site.run_with(PASSWORD, &create).await.json();
    assert_eq!(made["username"], "Alice");
    assert_eq!(made["role"], "admin");
    assert_eq!(made["email"], MAIL);
    assert_eq!(made["is_active"], true);
    assert_eq!(made["is_verified"], false);
    assert_eq!(made["last_login"], Value::Null);

    let server = site.serve().await;
    let client = server.client();
    let token = sign_in(&client, PASSWORD).await;
    let count = client.get_as("/api/v1/users/stats/count", &token).await;
    assert_eq!(count.expect_ok().json()["total_users"], 1);
    let shown = site.run(&["show", "alice", "--json"]).await.json();
    assert_eq!(shown["id"], made["id"]);
    assert!(shown["last_login"].is_string());
    assert!(server.terminate().await.success());
}

async fn whoever_is_made_by_a_running_server_signs_in_at_once(engine: Engine) {
    let (site, server, token) = with_alice(engine).await;
    me(&server.client(), &token).await.expect_ok();
    let taken = site.run_with(PASSWORD, &["create", "ALICE"]).await;
    assert_eq!(taken.failure(), "another user has that name");
    let short = site.run_with("1234567", &["create", "Bob"]).await;
    assert_eq!(
        short.failure(),
        "Password must be at least 8 characters long."
    );
    let no_address = ["create", "B@b", "--email", "bob"];
    let two = site.run_with(PASSWORD, &no_address).await;
    assert_eq!(
        two.failure(),
        "Username must not contain an @. This is not an e-mail address."
    );
    assert!(server.terminate().await.success());
}

async fn another_role_counts_on_the_next_request(engine: Engine) {
    let (site, server, token) = with_alice(engine).await;
    let client = server.client();
    site.run_with(PASSWORD, &["create", "Bob", "--role", "admin"])
        .await
        .expect_success();
    let count = async || client.get_as("/api/v1/users/stats/count", &token).await;
    count().await.expect_ok();
    let changed = site.run(&["set-role", "alice", "guest"]).await;
    assert!(changed.expect_success().contains("is now guest"));
    count()
        .await
        .expect_failure(403, ErrorCode::PermissionDenied);
    let now = site.run(&["set-role", "alice", "admin", "--json"]).await;
    assert_eq!(now.json()["role"], "admin");
    count().await.expect_ok();
    // It was nobody's client, and no admin's.
    let events = client.get_as("/api/v1/users/me/events", &token).await;
    let events = events.expect_ok().json();
    assert_eq!(events[0]["what"], "role_changed: admin");
    assert_eq!(events[0]["by"], Value::Null);
    assert_eq!(events[0]["address"], Value::Null);
    assert!(server.terminate().await.success());
}

async fn another_password_ends_every_sign_in(engine: Engine) {
    let (site, server, token) = with_alice(engine).await;
    let client = server.client();
    let weak = site.run_with("short", &["set-password", "alice"]).await;
    assert!(weak.failure().contains("at least 8 characters"));
    me(&client, &token).await.expect_ok();
    site.run_with(OTHER_PASSWORD, &["set-password", "alice"])
        .await
        .expect_success();
    me(&client, &token)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    let old = client.authenticate("alice", PASSWORD).await;
    old.expect_failure(401, ErrorCode::InvalidCredentials);
    let token = sign_in(&client, OTHER_PASSWORD).await;
    me(&client, &token).await.expect_ok();
    assert!(server.terminate().await.success());
}

async fn whoever_is_deactivated_is_refused_on_the_next_request(engine: Engine) {
    let (site, server, token) = with_alice(engine).await;
    let client = server.client();
    site.run_with(PASSWORD, &["create", "Bob", "--role", "admin"])
        .await
        .expect_success();
    for _ in 0..2 {
        // Once more is no error.
        let done = site.run(&["deactivate", "alice", "--json"]).await;
        assert_eq!(done.json()["is_active"], false);
    }
    me(&client, &token)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    let refused = client.authenticate("alice", PASSWORD).await;
    refused.expect_failure(403, ErrorCode::AccountDisabled);
    let done = site.run(&["activate", "alice", "--json"]).await;
    assert_eq!(done.json()["is_active"], true);
    let again = sign_in(&client, PASSWORD).await;
    me(&client, &again).await.expect_ok();
    me(&client, &token)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    assert!(server.terminate().await.success());
}

async fn sign_ins_are_seen_and_ended_one_by_one_and_all(engine: Engine) {
    let (site, server, first) = with_alice(engine).await;
    let client = server.client();
    let first_id = one_sign_in(&site).await;
    let second = sign_in(&client, PASSWORD).await;
    let sessions = site.run(&["sessions", "alice", "--json"]).await.json();
    assert_eq!(sessions.as_array().expect("an array").len(), 2);
    for field in ["device", "created_at", "last_used", "expires_at"] {
        assert!(sessions[0][field].is_string(), "{sessions}");
    }
    let table = site.run(&["sessions", "alice"]).await.expect_success();
    assert!(table.contains(&first_id), "{table}");

    site.run_with(PASSWORD, &["create", "Bob"])
        .await
        .expect_success();
    let not_theirs = site.run(&["revoke", "bob", &first_id]).await.failure();
    assert_eq!(not_theirs, format!("\"bob\" has no session {first_id}"));
    let ended = site.run(&["revoke", "alice", &first_id, "--json"]).await;
    assert_eq!(ended.json()["ended"], 1);
    me(&client, &first)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    me(&client, &second).await.expect_ok();
    let again = site.run(&["revoke", "alice", &first_id]).await.failure();
    assert!(again.contains("has no session"), "{again}");

    let third = sign_in(&client, PASSWORD).await;
    let ended = site.run(&["revoke", "alice", "--all", "--json"]).await;
    assert_eq!(ended.json()["ended"], 2);
    for token in [second, third] {
        me(&client, &token)
            .await
            .expect_failure(401, ErrorCode::InvalidToken);
    }
    let none = site.run(&["sessions", "alice", "--json"]).await.json();
    assert_eq!(none, Value::Array(Vec::new()));
    assert!(server.terminate().await.success());
}

/// The id of Alice's only sign-in.
async fn one_sign_in(site: &Site) -> String {
    let sessions = site.run(&["sessions", "alice", "--json"]).await.json();
    let sessions = sessions.as_array().expect("an array");
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    sessions[0]["id"].as_str().expect("an id").to_owned()
}

async fn of_whoever_is_deleted_nothing_is_left(engine: Engine) {
    let (site, server, token) = with_alice(engine).await;
    let client = server.client();
    site.run_with(PASSWORD, &["create", "Bob", "--role", "admin"])
        .await
        .expect_success();
    assert!(site.everything().await.contains(MAIL));
    let gone = site.run(&["delete", MAIL, "--yes", "--json"]).await.json();
    assert_eq!(gone["username"], "Alice");
    me(&client, &token)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    let refused = client.authenticate("alice", PASSWORD).await;
    refused.expect_failure(401, ErrorCode::InvalidCredentials);
    for who in ["alice", MAIL, gone["id"].as_str().expect("an id")] {
        let unknown = site.run(&["show", who]).await.failure();
        assert_eq!(unknown, format!("there is no user {who:?}"));
    }
    let left = site.everything().await;
    assert!(left.contains("Bob") && !left.contains("Alice") && !left.contains(MAIL));
    client.sign_up("Alice").await;
    assert!(server.terminate().await.success());
}

async fn the_last_active_admin_is_kept_with_a_server_and_without(engine: Engine) {
    let (site, server, token) = with_alice(engine).await;
    let try_all = async || {
        for command in [
            &["set-role", "alice", "user"][..],
            &["deactivate", "alice"],
            &["delete", "alice", "--yes"],
        ] {
            let refused = site.run(command).await.failure();
            assert!(refused.contains("is the last active admin"), "{refused}");
        }
    };
    try_all().await;
    me(&server.client(), &token).await.expect_ok();
    assert!(server.terminate().await.success());
    try_all().await;
    let alice = site.run(&["show", "alice", "--json"]).await.json();
    assert_eq!(
        (&alice["role"], &alice["is_active"]),
        (&"admin".into(), &true.into())
    );
}

async fn all_commands_do_without_a_server(engine: Engine) {
    let (site, server, token) = with_alice(engine).await;
    assert!(server.terminate().await.success());
    let done = |ran: Ran| ran.expect_success();
    let session = one_sign_in(&site).await;
    done(
        site.run_with(PASSWORD, &["create", "Bob", "--role", "admin"])
            .await,
    );
    done(site.run_with(PASSWORD, &["create", "Carol"]).await);
    done(
        site.run_with(OTHER_PASSWORD, &["set-password", "bob"])
            .await,
    );
    done(site.run(&["revoke", "alice", &session]).await);
    done(site.run(&["set-role", "alice", "guest"]).await);
    done(site.run(&["deactivate", "alice"]).await);
    done(site.run(&["activate", "alice"]).await);
    done(site.run(&["delete", "carol", "--yes"]).await);
    let people = site.run(&["list", "--json"]).await.json();
    let people: Vec<_> = people.as_array().expect("an array").iter().collect();
    let names = people.iter().map(|person| &person["username"]);
    assert!(names.eq(["Alice", "Bob"].iter()), "{people:?}");

    let server = site.serve().await;
    let client = server.client();
    me(&client, &token)
        .await
        .expect_failure(401, ErrorCode::InvalidToken);
    let token = sign_in(&client, PASSWORD).await;
    assert_eq!(
        me(&client, &token).await.expect_ok().json()["role"],
        "guest"
    );
    client.authenticate("bob", OTHER_PASSWORD).await.expect_ok();
    let carol = client.authenticate("carol", PASSWORD).await;
    carol.expect_failure(401, ErrorCode::InvalidCredentials);
    assert!(server.terminate().await.success());
}

async fn second_factors_are_seen_and_reset_with_a_server_and_without(engine: Engine) {
    let (site, server, token) = with_alice(engine).await;
    let client = server.client();
    let password = serde_json::json!({"password": PASSWORD});
    let enrol = async || {
        let as_alice = |path: &str| {
            let request = client.request(reqwest::Method::POST, path);
            request.header("authorization", format!("Bearer {token}"))
        };
        let setup = as_alice("/api/v1/auth/totp/setup").json(&password);
        let setup = client.send(setup).await.expect_ok().json();
        let code = crate::v1::factors::App::of(&setup).code_now();
        let code = serde_json::json!({ "code": code });
        let confirm = as_alice("/api/v1/auth/totp/confirm").json(&code);
        client.send(confirm).await.expect_ok();
    };
    let refused = async || {
        let reply = client.authenticate("alice", PASSWORD).await;
        reply.expect_failure(401, ErrorCode::SecondFactorRequired);
    };
    enrol().await;
    refused().await;
    let seen = site.run(&["factors", "alice", "--json"]).await.json();
    assert_eq!(seen["totp"], true);
    assert_eq!(seen["recovery_codes_left"], 10);
    let said = site.run(&["factors", "alice"]).await.expect_success();
    assert!(said.contains("authenticator app  yes"), "{said}");
    site.run(&["reset-factors", "alice"]).await.expect_success();
    client.authenticate("alice", PASSWORD).await.expect_ok();
    enrol().await;
    refused().await;
    server.terminate().await;
    site.run(&["reset-factors", "alice"]).await.expect_success();
    let unknown = site.run(&["reset-factors", "nobody"]).await.failure();
    assert!(unknown.contains("there is no user"), "{unknown}");
    let server = site.serve().await;
    sign_in(&server.client(), PASSWORD).await;
}
