//! Changes of an account take effect on the next request with an old access token.

use password_auth_model::Role;
use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::person::{confirm_reset, request_reset};
use crate::support::{Engine, PASSWORD, Person, TestServer};

each_engine! {
    a_changed_password_counts_at_once,
    a_reset_password_counts_at_once,
    a_deactivation_counts_at_once,
    a_role_counts_at_once,
    a_deletion_counts_at_once,
    a_sign_out_counts_at_once,
}

const NEW: &str = "staple of another kind";

/// Two sign-ins of alice's, both of which are let in, and an admin.
async fn two_and_an_admin(server: &TestServer) -> (Person, Person, Person) {
    let admin = Person::admin(server, "root").await;
    let alice = Person::sign_up(server, "alice").await;
    let phone = alice.once_more().await;
    assert!(alice.is_let_in().await && phone.is_let_in().await);
    (alice, phone, admin)
}

/// Every route, in the words of each dialect, and the refresh token too.
async fn assert_out(person: &Person) {
    for path in [
        "/auth/me",
        "/users/me",
        "/users",
        "/auth/sessions",
        "/users/me/export",
    ] {
        person.get(path).await.expect_message(
            401,
            ErrorCode::InvalidToken,
            "Could not validate credentials",
        );
    }
    person
        .client
        .get_as("/protected", &person.access)
        .await
        .expect_message(401, ErrorCode::InvalidToken, "Invalid token.");
    person
        .refresh()
        .await
        .expect_failure(401, ErrorCode::InvalidRefreshToken);
}

async fn a_changed_password_counts_at_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let (alice, phone, _) = two_and_an_admin(&server).await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let change = alice.post("/auth/password/change", &body).await;
    assert_out(&phone).await;
    assert_out(&alice).await;
    assert!(alice.with(change).is_let_in().await);
}

async fn a_reset_password_counts_at_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let (alice, phone, _) = two_and_an_admin(&server).await;
    let token = request_reset(&server.client(), &alice.email())
        .await
        .dev_token();
    confirm_reset(&server.client(), &token, NEW)
        .await
        .expect_ok();
    assert_out(&phone).await;
    assert_out(&alice).await;
}

async fn a_deactivation_counts_at_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let (alice, phone, admin) = two_and_an_admin(&server).await;
    let path = format!("/users/{}", alice.id);
    let body = json!({"is_active": false});
    admin.tell(Method::PATCH, &path, &body).await.expect_ok();
    assert_out(&phone).await;
    assert_out(&alice).await;
}

async fn a_role_counts_at_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let (alice, _, admin) = two_and_an_admin(&server).await;
    let path = format!("/users/{}", alice.id);
    for (role, count, of_admin) in [
        (Role::Admin, 200, 200),
        (Role::Guest, 403, 403),
        (Role::User, 403, 200),
    ] {
        let body = json!({"role": role.as_str()});
        admin.tell(Method::PATCH, &path, &body).await.expect_ok();
        let status = alice.get("/users/stats/count").await.status;
        assert_eq!(status, count, "{role}");
        let status = alice.get(&format!("/users/{}", admin.id)).await.status;
        assert_eq!(status, of_admin, "{role}");
        assert_eq!(alice.get("/auth/me").await.json()["role"], role.as_str());
    }
}

async fn a_deletion_counts_at_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let (alice, phone, admin) = two_and_an_admin(&server).await;
    let path = format!("/users/{}", alice.id);
    admin.ask(Method::DELETE, &path).await.expect_status(204);
    assert_out(&phone).await;
    assert_out(&alice).await;
    // Whoever gets the name later is somebody else.
    Person::sign_up(&server, "alice").await;
    assert_out(&alice).await;
}

async fn a_sign_out_counts_at_once(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let (alice, phone, _) = two_and_an_admin(&server).await;
    phone.ask(Method::POST, "/auth/logout").await.expect_ok();
    assert_out(&phone).await;
    assert!(alice.is_let_in().await);
}
