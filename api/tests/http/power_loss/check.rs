//! Checks that a server has everything that an earlier one on its folder acknowledged.

use password_auth_wire::ErrorCode;
use serde_json::json;
use tokio::task::JoinSet;

use super::ledger::{Acknowledged, Session, State};
use crate::support::TestClient;

/// Questions at once, so that one flush answers several.
const AT_ONCE: usize = 16;

/// How many facts were looked at.
pub async fn hold_to(client: &TestClient, acknowledged: &Acknowledged) -> usize {
    let mut asking = JoinSet::new();
    for (name, password) in &acknowledged.people {
        while asking.len() >= AT_ONCE {
            asking.join_next().await.expect("one").expect("held");
        }
        let (client, name, password) = (client.clone(), name.clone(), password.clone());
        asking.spawn(async move { expect_person(&client, &name, password).await });
    }
    for session in &acknowledged.sessions {
        while asking.len() >= AT_ONCE {
            asking.join_next().await.expect("one").expect("held");
        }
        let (client, session) = (client.clone(), session.clone());
        asking.spawn(async move { expect_session(&client, &session).await });
    }
    asking.join_all().await;
    acknowledged.people.len() + acknowledged.sessions.len()
}

async fn expect_person(client: &TestClient, name: &str, password: Option<String>) {
    if let Some(password) = password {
        client.authenticate(name, &password).await.expect_ok();
    }
    let body = json!({"username": name, "password": "another good password"});
    let again = client.post("/register", &body).await;
    again.expect_failure(400, ErrorCode::UserExists);
}

async fn expect_session(client: &TestClient, session: &Session) {
    let Session {
        refresh_token,
        access_token,
        state,
    } = session;
    match state {
        State::Live => {
            if let Some(access_token) = access_token {
                client.get_as("/protected", access_token).await.expect_ok();
            }
            let first = client.refresh(refresh_token).await.tokens();
            let second = client.refresh(refresh_token).await.tokens();
            assert_eq!(first.refresh_token, second.refresh_token, "rotated twice");
            client.protected(&second).await.expect_ok();
        }
        State::Unknown => {}
        State::SignedOut => {
            let refused = client.refresh(refresh_token).await;
            refused.expect_failure(400, ErrorCode::InvalidRefreshToken);
            if let Some(access_token) = access_token {
                let refused = client.get_as("/protected", access_token).await;
                refused.expect_failure(401, ErrorCode::InvalidToken);
            }
        }
    }
}
