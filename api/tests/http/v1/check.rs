//! The check for proxies.

use password_auth_model::Role;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::person::V1;
use crate::support::{Engine, PASSWORD, Person, TestServer};

each_engine! {
    a_check_says_in_headers_who_asks,
    a_check_refuses_with_a_challenge_and_by_role,
    checks_are_not_counted,
}

async fn a_check_says_in_headers_who_asks(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let body = json!({"username": "Ünï 😀%", "password": PASSWORD});
    let reply = client.post(&format!("{V1}/auth/register"), &body).await;
    let id = reply.expect_status(201).json()["id"]
        .as_str()
        .map(str::to_owned);
    let person = Person::sign_in_as(&client, &id.expect("an id"), "Ünï 😀%").await;
    for method in [Method::GET, Method::HEAD] {
        let reply = person.ask(method, "/auth/check").await.expect_status(204);
        assert_eq!(reply.text, "");
        assert_eq!(reply.header("x-auth-user-id"), person.id);
        assert_eq!(
            reply.header("x-auth-username"),
            "%C3%9Cn%C3%AF%20%F0%9F%98%80%25"
        );
        assert_eq!(reply.header("x-auth-role"), "user");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}

async fn a_check_refuses_with_a_challenge_and_by_role(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let reply = server.client().get(&format!("{V1}/auth/check")).await;
    assert!(reply.header("www-authenticate").starts_with("Bearer "));
    assert!(reply.headers.get("x-auth-user-id").is_none());
    reply.expect_failure(401, ErrorCode::MissingToken);
    let callers = [
        Person::of_role(&server, "guest", Role::Guest).await,
        Person::sign_up(&server, "user").await,
        Person::admin(&server, "admin").await,
    ];
    for (needed, statuses) in [
        ("guest", [204, 204, 204]),
        ("user", [403, 204, 204]),
        ("admin", [403, 403, 204]),
        // None of these lets anybody in by mistake.
        ("", [422; 3]),
        ("Admin", [422; 3]),
        ("root", [422; 3]),
    ] {
        for (caller, status) in callers.iter().zip(statuses) {
            let reply = caller.get(&format!("/auth/check?role={needed}")).await;
            assert_eq!(reply.status, status, "{needed:?}, {}", caller.name);
        }
    }
    let [_, user, _] = callers;
    // A misspelled check lets nobody in.
    for query in [
        "Role=admin",
        "roles=admin",
        "role[]=admin",
        "role=guest&role=admin",
        "role=guest&roles=admin",
    ] {
        let refused = user.get(&format!("/auth/check?{query}")).await;
        refused.expect_failure(422, ErrorCode::ValidationFailed);
    }
    // Some proxies pass on the query of the request that they ask about.
    for query in ["x=1", "role=user&x=1"] {
        let let_in = user.get(&format!("/auth/check?{query}")).await;
        let_in.expect_status(204);
    }
    let refused = user.get("/auth/check?role=admin").await;
    refused.expect_failure(403, ErrorCode::PermissionDenied);
    user.ask(Method::POST, "/auth/logout").await.expect_ok();
    let ended = user.get("/auth/check").await;
    ended.expect_failure(401, ErrorCode::InvalidToken);
}

async fn checks_are_not_counted(engine: Engine) {
    let server = TestServer::builder()
        .engine(engine)
        .setting("ACCOUNT_RATE", "2/hour")
        .start()
        .await;
    let person = Person::sign_up(&server, "alice").await;
    for _ in 0..20 {
        person.get("/auth/check").await.expect_status(204);
    }
}
