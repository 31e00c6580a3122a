//! Seeing and changing users, by role.

use password_auth_model::Role;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::person::text;
use crate::support::{Engine, PASSWORD, Person, Reply, TestServer};

each_engine! {
    people_are_listed_ten_at_first_a_hundred_at_most_and_by_role,
    a_long_list_is_read_by_the_last_one_seen_whoever_goes_meanwhile,
    where_the_directory_is_for_admins_nobody_else_lists_anybody,
    when_somebody_signed_in_and_whether_they_may_is_theirs_and_the_admins_alone,
    an_address_is_shown_to_the_person_and_to_admins_alone,
    a_guest_sees_only_themselves,
    only_an_admin_makes_an_account_for_somebody,
    everybody_changes_their_own_name_and_an_admin_everything,
    nobody_gives_themselves_a_role,
    only_an_admin_removes_somebody,
    the_last_active_admin_stays,
    only_an_admin_counts,
}

const ONLY_ADMINS: &str = "Permission denied. Required roles: ['admin']";

#[track_caller]
fn assert_only_admins(reply: &Reply) {
    reply.expect_message(403, ErrorCode::PermissionDenied, ONLY_ADMINS);
}

async fn names(person: &Person, query: &str) -> Vec<String> {
    let reply = person
        .get(&format!("/users{query}"))
        .await
        .expect_ok()
        .json();
    let people = reply.as_array().expect("a list");
    people.iter().map(|one| text(&one["username"])).collect()
}

async fn change(by: &Person, who: &Person, body: Value) -> Reply {
    by.tell(Method::PATCH, &format!("/users/{}", who.id), &body)
        .await
}

async fn people_are_listed_ten_at_first_a_hundred_at_most_and_by_role(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let first = Person::admin(&server, "user00").await;
    for number in 1..12 {
        // In the order of time.
        server.advance(std::time::Duration::from_millis(2)).await;
        Person::sign_up(&server, &format!("user{number:02}")).await;
    }
    let all: Vec<String> = (0..12).map(|number| format!("user{number:02}")).collect();
    assert_eq!(names(&first, "").await, all[..10]);
    assert_eq!(names(&first, "?limit=100").await, all);
    assert_eq!(names(&first, "?skip=10").await, all[10..]);
    assert_eq!(names(&first, "?skip=3&limit=2").await, all[3..5]);
    assert_eq!(names(&first, "?skip=100").await, Vec::<String>::new());
    assert_eq!(names(&first, "?role=admin").await, ["user00"]);
    assert_eq!(names(&first, "?role=user&skip=9&limit=5").await, all[10..]);
    assert_eq!(names(&first, "?role=guest").await, Vec::<String>::new());
    for bad in [
        "limit=101",
        "limit=0",
        "limit=-1",
        "limit=x",
        "skip=-1",
        "skip=10001",
        "after=x",
        "skip=x",
        "role=root",
    ] {
        let reply = first.get(&format!("/users?{bad}")).await;
        let error = reply.expect_failure(422, ErrorCode::ValidationFailed);
        let (name, _) = bad.split_once('=').expect("a parameter");
        assert_eq!(error.errors[0].field, name, "{reply:?}");
    }
}

async fn a_long_list_is_read_by_the_last_one_seen_whoever_goes_meanwhile(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "user0").await;
    let mut all = vec![admin.clone()];
    for number in 1..6 {
        server.advance(std::time::Duration::from_millis(2)).await;
        all.push(Person::sign_up(&server, &format!("user{number}")).await);
    }
    let after = |person: &Person, more: &str| format!("?after={}{more}", person.id);
    assert_eq!(
        names(&admin, &after(&all[1], "&limit=2")).await,
        ["user2", "user3"]
    );
    assert_eq!(
        names(&admin, &after(&all[1], "&skip=1&limit=2")).await,
        ["user3", "user4"]
    );
    assert_eq!(
        names(&admin, &after(&all[5], "")).await,
        Vec::<String>::new()
    );
    assert_eq!(names(&admin, "?skip=10000").await, Vec::<String>::new());
    change(&admin, &all[4], json!({"role": "guest"}))
        .await
        .expect_ok();
    assert_eq!(
        names(&admin, &after(&all[0], "&role=guest")).await,
        ["user4"]
    );
    assert_eq!(
        names(&admin, &after(&all[2], "&role=user")).await,
        ["user3", "user5"]
    );
    assert_eq!(
        names(&admin, &after(&all[4], "&role=guest")).await,
        Vec::<String>::new()
    );
    // Behind somebody who is gone, too.
    for gone in &all[1..3] {
        let path = format!("/users/{}", gone.id);
        admin.ask(Method::DELETE, &path).await.expect_status(204);
    }
    assert_eq!(names(&admin, &after(&all[2], "&limit=1")).await, ["user3"]);
    // A guest is where anybody would be.
    assert_eq!(names(&all[4], &after(&all[3], "")).await, ["user4"]);
    assert_eq!(
        names(&all[4], &after(&all[4], "")).await,
        Vec::<String>::new()
    );
}

async fn where_the_directory_is_for_admins_nobody_else_lists_anybody(engine: Engine) {
    let server = TestServer::builder()
        .engine(engine)
        .setting("USER_DIRECTORY", "admins")
        .start()
        .await;
    let alice = Person::sign_up(&server, "alice").await;
    let guest = Person::of_role(&server, "guest", Role::Guest).await;
    for who in [&alice, &guest] {
        for query in ["", "?role=guest", "?limit=1"] {
            assert_only_admins(&who.get(&format!("/users{query}")).await);
        }
        who.get("/users/me").await.expect_ok();
    }
    // Whoever knows an id may still look.
    alice.get(&format!("/users/{}", guest.id)).await.expect_ok();
    let admin = Person::admin(&server, "root").await;
    assert_eq!(names(&admin, "").await.len(), 3);
}

async fn when_somebody_signed_in_and_whether_they_may_is_theirs_and_the_admins_alone(
    engine: Engine,
) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    let admin = Person::admin(&server, "root").await;
    let path = format!("/users/{}", alice.id);
    for (who, sees) in [(&alice, true), (&admin, true), (&bob, false)] {
        let one = who.get(&path).await.expect_ok().json();
        let list = who.get("/users").await.expect_ok().json();
        let list = list.as_array().expect("a list");
        let listed = list.iter().find(|person| person["username"] == "alice");
        for shown in [&one, listed.expect("she is there")] {
            for field in ["last_login", "is_active", "is_verified"] {
                let is_shown = !shown[field].is_null();
                assert_eq!(is_shown, sees, "{field} to {}: {shown}", who.name);
            }
        }
    }
}

async fn an_address_is_shown_to_the_person_and_to_admins_alone(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    let admin = Person::admin(&server, "root").await;
    let path = format!("/users/{}", alice.id);
    for (who, email) in [
        (&alice, Some(alice.email())),
        (&admin, Some(alice.email())),
        (&bob, None),
    ] {
        let shown = who.get(&path).await.expect_ok().json();
        assert_eq!(shown["username"], "alice");
        let shown = shown.get("email").and_then(Value::as_str);
        assert_eq!(shown, email.as_deref(), "to {}", who.name);
        let list = who.get("/users").await.expect_ok();
        assert_eq!(
            list.text.contains(&alice.email()),
            email.is_some(),
            "{list:?}"
        );
    }
    bob.get("/users/nonsense")
        .await
        .expect_message(404, ErrorCode::NotFound, "Not found.");
    bob.get("/users/019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00")
        .await
        .expect_failure(404, ErrorCode::NotFound);
}

async fn a_guest_sees_only_themselves(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let guest = Person::of_role(&server, "guest", Role::Guest).await;
    assert_eq!(names(&guest, "").await, ["guest"]);
    assert_eq!(names(&guest, "?role=guest").await, ["guest"]);
    assert_eq!(names(&guest, "?role=user").await, Vec::<String>::new());
    assert_eq!(names(&guest, "?skip=1").await, Vec::<String>::new());
    let mut seen = names(&alice, "").await;
    seen.sort_unstable();
    assert_eq!(seen, ["alice", "guest"]);
    let themselves = guest
        .get(&format!("/users/{}", guest.id))
        .await
        .expect_ok()
        .json();
    assert_eq!(themselves["email"], guest.email());
    // Whether there is such a person or not.
    for id in [&*alice.id, "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00"] {
        guest.get(&format!("/users/{id}")).await.expect_message(
            403,
            ErrorCode::PermissionDenied,
            "Permission denied. Required roles: ['user', 'admin']",
        );
    }
}

async fn only_an_admin_makes_an_account_for_somebody(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    let guest = Person::of_role(&server, "guest", Role::Guest).await;
    let body = json!({"username": "bob", "password": PASSWORD, "email": "bob@example.org", "role": "guest"});
    for who in [&alice, &guest] {
        let reply = who.post("/users", &body).await;
        assert_only_admins(&reply);
        assert!(
            reply
                .header("www-authenticate")
                .contains("insufficient_scope")
        );
    }
    let bob = admin.post("/users", &body).await.expect_status(201).json();
    assert_eq!(
        (&bob["username"], &bob["role"]),
        (&json!("bob"), &json!("guest"))
    );
    assert_eq!(bob["email"], "bob@example.org");
    admin.post("/users", &body).await.expect_message(
        409,
        ErrorCode::UserExists,
        "User already exists.",
    );
    let plain = json!({"username": "carol", "password": PASSWORD});
    let carol = admin.post("/users", &plain).await.expect_status(201).json();
    assert_eq!(
        (&carol["role"], &carol["email"]),
        (&json!("user"), &json!(null))
    );
    alice.verify().await;
    let again = json!({"username": "dave", "password": PASSWORD, "email": alice.email()});
    admin
        .post("/users", &again)
        .await
        .expect_failure(409, ErrorCode::EmailExists);
    for (field, value) in [
        ("role", json!("root")),
        ("is_verified", json!(true)),
        ("password", json!("short")),
    ] {
        let mut body = plain.clone();
        body[field] = value;
        let reply = admin.post("/users", &body).await;
        let error = reply.expect_failure(422, ErrorCode::ValidationFailed);
        assert_eq!(error.errors[0].field, field, "{reply:?}");
    }
}

async fn everybody_changes_their_own_name_and_an_admin_everything(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    let changed = change(&alice, &alice, json!({"full_name": " Alice Liddell "})).await;
    assert_eq!(changed.expect_ok().json()["full_name"], "Alice Liddell");
    let cleared = change(&alice, &alice, json!({"full_name": ""})).await;
    assert_eq!(cleared.expect_ok().json()["full_name"], json!(null));
    let unchanged = change(&alice, &alice, json!({})).await.expect_ok().json();
    assert_eq!(unchanged, alice.get("/users/me").await.json());
    assert_only_admins(&change(&bob, &alice, json!({"full_name": "Mallory"})).await);
    let body = json!({"full_name": "Alice", "role": "guest", "is_active": true});
    let changed = change(&admin, &alice, body).await.expect_ok().json();
    assert_eq!(
        (&changed["full_name"], &changed["role"]),
        (&json!("Alice"), &json!("guest"))
    );
    // Neither the address, nor whether it is verified, nor the name to sign in with.
    for field in ["email", "is_verified", "username", "password", "id"] {
        for who in [&alice, &admin] {
            let reply = change(who, &alice, json!({field: "mallory@example.org"})).await;
            let error = reply.expect_failure(422, ErrorCode::ValidationFailed);
            let named = (&*error.errors[0].field, &*error.errors[0].code);
            assert_eq!(named, (field, "unknown_field"), "{reply:?}");
        }
    }
    let missing = "/users/019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00";
    admin
        .tell(Method::PATCH, missing, &json!({"full_name": "Nobody"}))
        .await
        .expect_failure(404, ErrorCode::NotFound);
}

async fn nobody_gives_themselves_a_role(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let guest = Person::of_role(&server, "guest", Role::Guest).await;
    let alice = Person::sign_up(&server, "alice").await;
    for who in [&guest, &alice] {
        for body in [
            json!({"role": "admin"}),
            json!({"role": "user"}),
            json!({"is_active": true}),
            json!({"full_name": "Mallory", "role": "admin"}),
        ] {
            assert_only_admins(&change(who, who, body).await);
        }
        let me = who.get("/users/me").await.expect_ok().json();
        assert_eq!(me["full_name"], json!(null), "nothing of it was done");
    }
    assert_eq!(guest.get("/users/me").await.json()["role"], "guest");
}

async fn only_an_admin_removes_somebody(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    let bob = Person::sign_up(&server, "bob").await;
    let path = format!("/users/{}", alice.id);
    assert_only_admins(&bob.ask(Method::DELETE, &path).await);
    // They delete their own account by `/users/me`, with the password.
    assert_only_admins(&alice.ask(Method::DELETE, &path).await);
    let reply = admin.ask(Method::DELETE, &path).await.expect_status(204);
    assert_eq!(reply.text, "");
    admin
        .ask(Method::DELETE, &path)
        .await
        .expect_failure(404, ErrorCode::NotFound);
    admin
        .get(&path)
        .await
        .expect_failure(404, ErrorCode::NotFound);
    assert!(!alice.is_let_in().await);
    // The name is free.
    Person::sign_up(&server, "alice").await;
}

async fn the_last_active_admin_stays(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let other = Person::admin(&server, "toor").await;
    change(&admin, &other, json!({"role": "user"}))
        .await
        .expect_ok();
    let path = format!("/users/{}", admin.id);
    for reply in [
        change(&admin, &admin, json!({"role": "user"})).await,
        change(&admin, &admin, json!({"role": "guest"})).await,
        change(&admin, &admin, json!({"is_active": false})).await,
        admin.ask(Method::DELETE, &path).await,
        admin
            .tell(Method::DELETE, "/users/me", &json!({"password": PASSWORD}))
            .await,
        admin.ask(Method::PUT, "/users/me/deactivate").await,
    ] {
        reply.expect_message(409, ErrorCode::LastAdmin, "This is the last active admin.");
    }
    // An admin who may not sign in is none.
    change(&admin, &other, json!({"role": "admin", "is_active": false}))
        .await
        .expect_ok();
    change(&admin, &admin, json!({"role": "user"}))
        .await
        .expect_failure(409, ErrorCode::LastAdmin);
    change(&admin, &other, json!({"is_active": true}))
        .await
        .expect_ok();
    change(&admin, &admin, json!({"role": "user"}))
        .await
        .expect_ok();
}

async fn only_an_admin_counts(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    assert_only_admins(&alice.get("/users/stats/count").await);
    let count = admin.get("/users/stats/count").await.expect_ok().json();
    assert_eq!(count, json!({"total_users": 2}));
}
