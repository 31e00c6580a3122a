//! Invitations.

use std::time::Duration;

use password_auth_model::{Clock as _, Invite, InviteLifetime, PROOF_LIFETIME, Role};
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use super::assert_moment;
use crate::landing::FORM;
use crate::operator::site::Site;
use crate::support::person::{V1, text};
use crate::support::{Engine, PASSWORD, Person, Reply, ServerProcess, TestServer};

each_engine! {
    an_invitation_lets_one_person_register_in_every_mode,
    of_many_who_use_an_invitation_at_once_one_registers,
    an_invitation_is_spent_only_by_an_account_that_is_created,
    an_invitation_is_good_until_it_expires_or_is_taken_back,
    closing_breaks_no_invitation_that_is_out,
    only_admins_invite_and_what_they_ask_for_is_checked,
    the_operator_invites_with_a_server_and_without,
    an_invitation_of_whoever_is_no_admin_any_more_lets_nobody_in,
    a_stolen_access_token_of_an_admin_makes_no_admin_in_any_way,
    an_admin_s_export_holds_the_invitations_that_they_made,
}

const DAY: Duration = Duration::from_secs(86_400);

async fn start(engine: Engine, mode: &str) -> (TestServer, Person) {
    let builder = TestServer::builder().engine(engine);
    let server = builder.setting("REGISTRATION", mode).start().await;
    // The first admin comes before the door is closed.
    let open = TestServer::builder().start_beside(&server).await;
    let admin = Person::admin(&open, "root").await;
    let admin = Person::sign_in_as(&server.client(), &admin.id, "root").await;
    (server, admin)
}

async fn invite(admin: &Person, body: &Value) -> Value {
    let reply = admin.post("/invites", body).await.expect_status(201);
    let invite = reply.json();
    let token = text(&invite["token"]);
    assert!(text(&invite["url"]).ends_with(&format!("/join?token={token}")));
    invite
}

async fn register(server: &TestServer, name: &str, token: &Value) -> Reply {
    let body = json!({"username": name, "password": PASSWORD, "invite": token});
    server
        .client()
        .post(&format!("{V1}/auth/register"), &body)
        .await
}

async fn listed(admin: &Person) -> Vec<Value> {
    let reply = admin.get("/invites").await.expect_ok();
    reply.json().as_array().expect("a list").clone()
}

async fn an_invitation_lets_one_person_register_in_every_mode(engine: Engine) {
    for mode in ["open", "invite", "closed"] {
        let (server, admin) = start(engine, mode).await;
        let made = invite(&admin, &json!({"role": "guest"})).await;
        let all = listed(&admin).await;
        assert_eq!((all.len(), &all[0]["id"]), (1, &made["id"]));
        assert_moment(&all[0]["expires_at"]);
        assert!(!all[0].to_string().contains(&text(&made["token"])));
        let reply = register(&server, "alice", &made["token"]).await;
        assert_eq!(reply.expect_status(201).json()["role"], "guest");
        assert_eq!(listed(&admin).await, [] as [Value; 0]);
        for token in [&made["token"], &json!("invented"), &json!("")] {
            let again = register(&server, "bob", token).await;
            again.expect_failure(403, ErrorCode::RegistrationClosed);
        }
        let demo = server.client().register("carol").await;
        assert_eq!(demo.status, if mode == "open" { 200 } else { 403 });
    }
}

async fn of_many_who_use_an_invitation_at_once_one_registers(engine: Engine) {
    let (server, admin) = start(engine, "invite").await;
    let made = invite(&admin, &json!({})).await;
    let many = (0..8).map(|n| {
        let name = format!("user{n}");
        let (server, token) = (&server, &made["token"]);
        async move { register(server, &name, token).await.status }
    });
    let mut statuses = futures_util::future::join_all(many).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403, 403, 403, 403, 403, 403, 403]);
}

async fn an_invitation_is_spent_only_by_an_account_that_is_created(engine: Engine) {
    let (server, admin) = start(engine, "invite").await;
    let made = invite(&admin, &json!({})).await;
    let taken = register(&server, "ROOT", &made["token"]).await;
    taken.expect_failure(409, ErrorCode::UserExists);
    let body = json!({"username": "alice", "password": "short", "invite": made["token"]});
    let path = format!("{V1}/auth/register");
    let weak = server.client().post(&path, &body).await;
    weak.expect_failure(422, ErrorCode::ValidationFailed);
    register(&server, "alice", &made["token"])
        .await
        .expect_status(201);
}

async fn an_invitation_is_good_until_it_expires_or_is_taken_back(engine: Engine) {
    let (server, admin) = start(engine, "open").await;
    let short = invite(&admin, &json!({"expires": "1d"})).await;
    let long = invite(&admin, &json!({})).await;
    let gone = invite(&admin, &json!({})).await;
    let path = format!("/invites/{}", text(&gone["id"]));
    admin.ask(Method::DELETE, &path).await.expect_status(204);
    admin.ask(Method::DELETE, &path).await.expect_status(404);
    server.advance(DAY).await;
    for token in [&short["token"], &gone["token"]] {
        let refused = register(&server, "alice", token).await;
        refused.expect_failure(403, ErrorCode::RegistrationClosed);
    }
    server.store.sweep(server.clock.now()).await.expect("swept");
    register(&server, "alice", &long["token"])
        .await
        .expect_status(201);
}

async fn closing_breaks_no_invitation_that_is_out(engine: Engine) {
    let (server, admin) = start(engine, "invite").await;
    let made = invite(&admin, &json!({})).await;
    let closed = TestServer::builder().setting("REGISTRATION", "closed");
    let closed = closed.start_beside(&server).await;
    register(&closed, "alice", &made["token"])
        .await
        .expect_status(201);
}

async fn only_admins_invite_and_what_they_ask_for_is_checked(engine: Engine) {
    let (server, admin) = start(engine, "open").await;
    let user = Person::sign_up(&server, "alice").await;
    let guest = Person::of_role(&server, "guest", Role::Guest).await;
    for caller in [&user, &guest] {
        let refused = caller.post("/invites", &json!({"role": "admin"})).await;
        refused.expect_failure(403, ErrorCode::PermissionDenied);
        let refused = caller.get("/invites").await;
        refused.expect_failure(403, ErrorCode::PermissionDenied);
    }
    for body in [
        json!({"expires": "forever"}),
        json!({"expires": "91d"}),
        json!({"expires": 7}),
        json!({"role": "root"}),
        json!({"email": "nowhere"}),
        json!({"uses": 2}),
    ] {
        let refused = admin.post("/invites", &body).await;
        refused.expect_failure(422, ErrorCode::ValidationFailed);
    }
    assert_eq!(listed(&admin).await, [] as [Value; 0]);
    admin.prove().await;
    let made = invite(
        &admin,
        &json!({"email": "bob@example.org", "role": "admin"}),
    )
    .await;
    let reply = register(&server, "bob", &made["token"])
        .await
        .expect_status(201);
    let bob = reply.json();
    assert_eq!(
        (&bob["role"], &bob["email"]),
        (&json!("admin"), &json!("bob@example.org"))
    );
    // Nobody has proved that they read it.
    assert_eq!(bob["is_verified"], false);
}

async fn the_operator_invites_with_a_server_and_without(engine: Engine) {
    let site = Site::new(engine).await;
    let without = site
        .run(&["invite", "--role", "admin", "--json"])
        .await
        .json();
    let mut command = site.server("warn");
    command.env("REGISTRATION", "closed");
    let server = ServerProcess::start(command).await;
    let with = site.run(&["invite"]).await.expect_success();
    let token = with
        .trim()
        .rsplit_once("token=")
        .expect("a link")
        .1
        .to_owned();
    for (name, token, role) in [
        ("alice", text(&without["token"]), "admin"),
        ("bob", token, "user"),
    ] {
        let body = json!({"username": name, "password": PASSWORD, "invite": token});
        let reply = server
            .client()
            .post(&format!("{V1}/auth/register"), &body)
            .await;
        assert_eq!(reply.expect_status(201).json()["role"], role);
    }
    let refused = site
        .run(&["invite", "--expires", "soon"])
        .await
        .usage_error();
    assert!(refused.contains("30m, 12h or 7d"), "{refused}");
    server.terminate().await;
}

async fn an_invitation_of_whoever_is_no_admin_any_more_lets_nobody_in(engine: Engine) {
    let (server, root) = start(engine, "invite").await;
    let open = TestServer::builder().start_beside(&server).await;
    for (name, end) in [
        ("demoted", Some(json!({"role": "user"}))),
        ("deactivated", Some(json!({"is_active": false}))),
        ("deleted", None),
    ] {
        let inviter = Person::admin(&open, name).await;
        inviter.prove().await;
        let made = invite(&inviter, &json!({"role": "admin"})).await;
        let path = format!("/users/{}", inviter.id);
        match end {
            Some(change) => root.tell(Method::PATCH, &path, &change).await.expect_ok(),
            None => root.ask(Method::DELETE, &path).await.expect_status(204),
        };
        let refused = register(&server, &format!("friend-of-{name}"), &made["token"]).await;
        refused.expect_failure(403, ErrorCode::RegistrationClosed);
    }
    let made = invite(&root, &json!({})).await;
    let joined = register(&server, "alice", &made["token"]).await;
    joined.expect_status(201);
}

async fn a_stolen_access_token_of_an_admin_makes_no_admin_in_any_way(engine: Engine) {
    let (server, root) = start(engine, "open").await;
    let open = TestServer::builder().start_beside(&server).await;
    let mallory = Person::sign_up(&open, "mallory").await;
    let sleeper = Person::admin(&open, "sleeper").await;
    let path = |person: &Person| format!("/users/{}", person.id);
    let off = json!({"is_active": false});
    root.tell(Method::PATCH, &path(&sleeper), &off)
        .await
        .expect_ok();
    let account = json!({"username": "another", "password": PASSWORD, "role": "admin"});
    let ways = async || {
        [
            root.post("/users", &account).await,
            root.post("/invites", &json!({"role": "admin"})).await,
            root.tell(Method::PATCH, &path(&mallory), &json!({"role": "admin"}))
                .await,
            root.tell(Method::PATCH, &path(&sleeper), &json!({"is_active": true}))
                .await,
        ]
    };
    // A sign-in of this moment has shown the password.
    let first = json!({"username": "first", "password": PASSWORD, "role": "admin"});
    root.post("/users", &first).await.expect_status(201);
    server.advance(PROOF_LIFETIME).await;
    for refused in ways().await {
        refused.expect_failure(403, ErrorCode::ProofRequired);
    }
    assert_eq!(listed(&root).await, [] as [Value; 0]);
    // What makes no admin needs no proof.
    let account = json!({"username": "alice", "password": PASSWORD, "role": "guest"});
    root.post("/users", &account).await.expect_status(201);
    invite(&root, &json!({"role": "user"})).await;
    let change = json!({"role": "guest", "is_active": true});
    root.tell(Method::PATCH, &path(&mallory), &change)
        .await
        .expect_ok();
    // Somebody who does not know the password proves nothing.
    let wrong = root
        .post("/auth/proof", &json!({"password": "wrong password"}))
        .await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    for refused in ways().await {
        refused.expect_failure(403, ErrorCode::ProofRequired);
    }
    root.prove().await;
    for made in ways().await {
        assert!(made.status < 300, "{made:?}");
    }
    // Another session of the same admin has proved nothing.
    let stolen = root.once_more().await;
    server.advance(PROOF_LIFETIME).await;
    let refused = stolen.post("/invites", &json!({"role": "admin"})).await;
    refused.expect_failure(403, ErrorCode::ProofRequired);
}

async fn an_admin_s_export_holds_the_invitations_that_they_made(engine: Engine) {
    let (server, root) = start(engine, "open").await;
    let other = Person::admin(&server, "other").await;
    invite(&other, &json!({})).await;
    // More than one read returns.
    for _ in 0..130 {
        let by = Some(root.user_id());
        let now = server.clock.now();
        let made = Invite::new(None, Role::Guest, by, now, InviteLifetime::DEFAULT);
        let added = server.store.add_invite(made.expect("randomness").1).await;
        assert!(added.expect("an answer"));
    }
    root.prove().await;
    let export = root.get("/users/me/export").await.expect_ok().json();
    let theirs = export["invites"].as_array().expect("a list");
    assert_eq!(theirs.len(), 130);
    assert!(theirs.iter().all(|invite| invite["role"] == "guest"));
    let ids: std::collections::BTreeSet<_> = theirs.iter().map(|one| text(&one["id"])).collect();
    assert_eq!(ids.len(), 130);
}

#[tokio::test]
async fn the_page_of_an_invitation_registers_and_looking_at_it_uses_nothing_up() {
    let (server, admin) = start(Engine::Sled, "invite").await;
    let made = invite(&admin, &json!({"email": "alice@example.org"})).await;
    let client = server.client();
    let path = format!("/join?token={}", text(&made["token"]));
    for _ in 0..2 {
        let page = client.get(&path).await.expect_ok();
        assert!(page.text.contains("action=\"/join\""), "{}", page.text);
    }
    let form = |password: &str| {
        let token = text(&made["token"]);
        format!("token={token}&username=alice&email=&password={password}")
    };
    let weak = client.post_text("/join", FORM, form("short")).await;
    assert!(weak.status == 422 && weak.text.contains("8 characters"));
    let password = PASSWORD.replace(' ', "+");
    let page = client
        .post_text("/join", FORM, form(&password))
        .await
        .expect_ok();
    assert!(
        page.text.contains("Your account was created"),
        "{}",
        page.text
    );
    client.authenticate("alice", PASSWORD).await.expect_ok();
    let again = client.post_text("/join", FORM, form(&password)).await;
    assert!(again.status == 403 && again.text.contains("invitation has expired"));
    let alice = server.user("alice").await;
    assert_eq!(alice.email.expect("hers").as_str(), "alice@example.org");
}
