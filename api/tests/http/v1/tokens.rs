//! Mailed tokens: single use, for one purpose, for a limited time, and only while password and address stay the same.

use std::time::Duration;

use password_auth_wire::ErrorCode;
use reqwest::Method;
use serde_json::json;

use crate::support::person::{confirm_email, confirm_reset, login, request_reset};
use crate::support::{Engine, PASSWORD, Person, Reply, TestClient, TestServer};

each_engine! {
    a_token_is_good_once,
    a_token_of_one_purpose_is_worthless_for_another,
    a_token_is_good_for_its_hours_and_no_longer,
    a_change_of_password_voids_every_token,
    a_reset_of_the_password_voids_every_token,
    a_change_of_address_voids_every_token,
    whoever_is_deactivated_or_deleted_has_no_token,
    a_token_with_another_byte_is_none,
}

const HOUR: Duration = Duration::from_secs(3600);
const NEW: &str = "staple of another kind";
const NEXT_ADDRESS: &str = "alice@example.net";

/// What a token is mailed for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Purpose {
    Reset,
    Verification,
    Change,
}

const PURPOSES: [Purpose; 3] = [Purpose::Reset, Purpose::Verification, Purpose::Change];

impl Purpose {
    async fn token(self, person: &Person) -> String {
        let reply = match self {
            Self::Reset => request_reset(&person.client, &person.email()).await,
            Self::Verification => {
                person
                    .ask(Method::POST, "/auth/email/verification/request")
                    .await
            }
            Self::Change => {
                let body = json!({"password": PASSWORD, "new_email": NEXT_ADDRESS});
                person.post("/auth/email/change", &body).await
            }
        };
        reply.expect_ok().dev_token()
    }

    async fn confirm(self, client: &TestClient, token: &str) -> Reply {
        match self {
            Self::Reset => confirm_reset(client, token, NEW).await,
            Self::Verification | Self::Change => confirm_email(client, token).await,
        }
    }
}

#[track_caller]
fn assert_no_good(reply: &Reply) {
    reply.expect_message(
        400,
        ErrorCode::InvalidOneTimeToken,
        "This link has expired or was already used. Request a new one.",
    );
}

/// One token of each purpose, all at once.
async fn one_of_each(person: &Person) -> Vec<(Purpose, String)> {
    let mut tokens = Vec::new();
    for purpose in PURPOSES {
        tokens.push((purpose, purpose.token(person).await));
    }
    tokens
}

async fn assert_all_void(client: &TestClient, tokens: &[(Purpose, String)]) {
    for (purpose, token) in tokens {
        assert_no_good(&purpose.confirm(client, token).await);
    }
}

async fn a_token_is_good_once(engine: Engine) {
    for purpose in PURPOSES {
        let server = TestServer::start_on(engine).await;
        let client = server.client();
        let alice = Person::sign_up(&server, "alice").await;
        let token = purpose.token(&alice).await;
        purpose.confirm(&client, &token).await.expect_ok();
        for _ in 0..2 {
            assert_no_good(&purpose.confirm(&client, &token).await);
        }
    }
}

async fn a_token_of_one_purpose_is_worthless_for_another(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let tokens = one_of_each(&alice).await;
    for (purpose, token) in &tokens {
        // Both that concern addresses go the same way in.
        let other_way = match purpose {
            Purpose::Reset => Purpose::Verification,
            Purpose::Verification | Purpose::Change => Purpose::Reset,
        };
        assert_no_good(&other_way.confirm(&client, token).await);
        let reply = client.refresh(token).await;
        reply.expect_failure(400, ErrorCode::InvalidRefreshToken);
        let reply = client.get_as("/protected", token).await;
        reply.expect_failure(401, ErrorCode::InvalidToken);
    }
    for session_token in [&alice.access, &alice.refresh] {
        for purpose in PURPOSES {
            assert_no_good(&purpose.confirm(&client, session_token).await);
        }
    }
    // None of that has used one up.
    let (purpose, token) = &tokens[1];
    purpose.confirm(&client, token).await.expect_ok();
}

async fn a_token_is_good_for_its_hours_and_no_longer(engine: Engine) {
    for (purpose, hours) in [
        (Purpose::Reset, 1),
        (Purpose::Verification, 24),
        (Purpose::Change, 24),
    ] {
        let server = TestServer::start_on(engine).await;
        let client = server.client();
        let alice = Person::sign_up(&server, "alice").await;
        let late = purpose.token(&alice).await;
        server.advance(hours * HOUR).await;
        assert_no_good(&purpose.confirm(&client, &late).await);
        // The access token has expired meanwhile.
        let alice = alice.once_more().await;
        let in_time = purpose.token(&alice).await;
        server.advance(hours * HOUR - Duration::from_secs(60)).await;
        purpose.confirm(&client, &in_time).await.expect_ok();
    }
}

async fn a_change_of_password_voids_every_token(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let alice = Person::sign_up(&server, "alice").await;
    let tokens = one_of_each(&alice).await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    alice.post("/auth/password/change", &body).await.expect_ok();
    assert_all_void(&server.client(), &tokens).await;
    login(&server.client(), "alice", NEW).await.expect_ok();
}

async fn a_reset_of_the_password_voids_every_token(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let tokens = one_of_each(&alice).await;
    let another = Purpose::Reset.token(&alice).await;
    confirm_reset(&client, &another, NEW).await.expect_ok();
    assert_all_void(&client, &tokens).await;
}

async fn a_change_of_address_voids_every_token(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    let tokens = one_of_each(&alice).await;
    let another = Purpose::Change.token(&alice).await;
    confirm_email(&client, &another).await.expect_ok();
    assert_all_void(&client, &tokens).await;
    assert_eq!(alice.get("/users/me").await.json()["email"], NEXT_ADDRESS);
}

async fn whoever_is_deactivated_or_deleted_has_no_token(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let admin = Person::admin(&server, "root").await;
    let alice = Person::sign_up(&server, "alice").await;
    let tokens = one_of_each(&alice).await;
    let path = format!("/users/{}", alice.id);
    for is_active in [false, true] {
        let body = json!({"is_active": is_active});
        admin.tell(Method::PATCH, &path, &body).await.expect_ok();
        assert_all_void(&client, &tokens).await;
    }
    let tokens = one_of_each(&alice.once_more().await).await;
    admin.ask(Method::DELETE, &path).await.expect_status(204);
    assert_all_void(&client, &tokens).await;
}

async fn a_token_with_another_byte_is_none(engine: Engine) {
    let server = TestServer::start_on(engine).await;
    let client = server.client();
    let alice = Person::sign_up(&server, "alice").await;
    for (purpose, token) in one_of_each(&alice).await {
        let mut forged = vec![
            String::new(),
            format!("{token}A"),
            format!("{token}="),
            format!(" {token}"),
            token[1..].to_owned(),
            "x".repeat(10_000),
        ];
        for (index, old) in token.char_indices() {
            let new = if old == 'A' { "B" } else { "A" };
            let mut changed = token.clone();
            changed.replace_range(index..=index, new);
            forged.push(changed);
        }
        for forged in &forged {
            assert_no_good(&purpose.confirm(&client, forged).await);
        }
    }
    assert!(alice.is_let_in().await);
}
